import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceName } from "../../src/screens/account/device_name.ts";
import { amountOf, mendAddress, subjectOf, withoutExpectation } from "../../src/screens/account/outbox_words.ts";
import { expense, loan, member, viewOf } from "../groups/making.ts";

test("a command is called by what it names itself, else by the thing in the group that it is about", () => {
  const view = viewOf({ members: [member("me"), member("ravi", { name: "Ravi" })], expenses: [expense({ id: "e1", description: "Dinner" })] });
  assert.equal(subjectOf({ description: "Taxi", amount: 5 }, view), "Taxi");
  assert.equal(subjectOf({ expenseId: "e1" }, view), "Dinner");
  assert.equal(subjectOf({ userId: "ravi" }, view), "Ravi");
  assert.equal(subjectOf({ expenseId: "unknown" }, view), undefined);
  assert.equal(subjectOf({ name: "Goa" }, null), "Goa");
});

test("a loan is called by the other one's name, and has the amount that was lent", () => {
  const view = viewOf({ members: [member("me"), member("ravi", { name: "Ravi" })], loans: [loan({ id: "l1", lenderId: "ravi", borrowerId: "me" })] });
  const lent = { id: "l2", lenderId: "me", borrowerId: "ravi", principal: 50_000 };
  assert.equal(subjectOf(lent, view), "Ravi");
  assert.equal(subjectOf({ loanId: "l1" }, view), "Ravi");
  assert.equal(amountOf(lent), 50_000);
});

test("only a whole number of minor units is an amount", () => {
  assert.equal(amountOf({ amount: 12_50 }), 1250);
  assert.equal(amountOf({ amount: "12.50" }), undefined);
  assert.equal(amountOf({ amount: 0.5 }), undefined);
});

test("expenses and what repeats are mended in their form, other commands are sent again", () => {
  assert.equal(mendAddress("expense:create", "g", "c1"), "/g/g/mend/c1");
  assert.equal(mendAddress("recurrence:save", "g", "c1"), "/g/g/mend/c1");
  assert.equal(mendAddress("group:update", "g", "c1"), undefined);
});

test("sent again, a command no longer asks for the version that it was based on", () => {
  assert.deepEqual(withoutExpectation({ name: "Goa", expectedSeq: 4 }), { name: "Goa" });
});

test("a device is called by its browser and system, and keeps a label of its own", () => {
  const chrome = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";
  const safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
  assert.equal(deviceName(chrome), "Chrome · Android");
  assert.equal(deviceName(safari), "Safari · iPhone");
  assert.equal(deviceName("Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/142.0"), "Firefox · Windows");
  assert.equal(deviceName("persplit on the Linux laptop"), "persplit on the Linux laptop");
  assert.equal(deviceName(null), undefined);
});
