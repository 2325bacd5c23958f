import assert from "node:assert/strict";
import { test } from "node:test";
import type { GroupSummary } from "../../src/data/model.ts";
import { blockedPeople, unitsOf, weightIn, whyStays } from "../../src/screens/groups/members.ts";
import { apart, totals } from "../../src/screens/groups/overview.ts";
import { loan, member, settlement, viewOf } from "./making.ts";

const ADMIN = member("me", { role: "ADMIN" });
const RAVI = member("ravi");
const DADI = member("dadi", { placeholder: true });

test("who has a balance stays, whichever way it goes", () => {
  for (const amount of [1, -1]) {
    const view = viewOf({ members: [ADMIN, RAVI], balances: [{ userId: "ravi", amount }, { userId: "me", amount: -amount }] });
    assert.equal(whyStays(view, RAVI), "balance");
  }
});

test("who is part of a payment without an answer stays", () => {
  const pending = viewOf({ members: [ADMIN, RAVI], settlements: [settlement({ status: "PENDING" })] });
  assert.equal(whyStays(pending, RAVI), "pending");
  assert.equal(whyStays(viewOf({ members: [ADMIN, RAVI], settlements: [settlement()] }), RAVI), undefined);
});

test("who has lent or borrowed what isn't repaid stays", () => {
  const lent = (status: "OPEN" | "REPAID") => viewOf({ members: [ADMIN, RAVI], loans: [loan({ lenderId: "me", borrowerId: "ravi", status })] });
  assert.equal(whyStays(lent("OPEN"), RAVI), "loan");
  assert.equal(whyStays(lent("REPAID"), RAVI), undefined);
});

test("the only admin stays while there are people to look after; names without an account don't count", () => {
  assert.equal(whyStays(viewOf({ members: [ADMIN, RAVI] }), ADMIN), "lastAdmin");
  assert.equal(whyStays(viewOf({ members: [ADMIN, member("ravi", { role: "ADMIN" })] }), ADMIN), undefined);
  assert.equal(whyStays(viewOf({ members: [ADMIN, DADI] }), ADMIN), undefined);
});

test("each unit is named once", () => {
  assert.deepEqual(unitsOf([member("a", { unit: "B" }), member("b", { unit: "A" }), member("c", { unit: "B" }), member("d")]), ["A", "B"]);
});

test("only who was put out for good is blocked", () => {
  const out = member("x", { leftAt: "2026-11-20T10:00:00.000Z", blocked: true });
  const gone = member("y", { leftAt: "2026-11-20T10:00:00.000Z" });
  assert.deepEqual(blockedPeople(new Map([ADMIN, out, gone].map((one) => [one.userId, one]))), [out]);
});

test("a weight is a positive number of at most four decimals, with a point or a comma", () => {
  assert.equal(weightIn(" 2 "), 2);
  assert.equal(weightIn("0,5"), 0.5);
  for (const text of ["", "0", "-1", "1.23456", "two", "1e3"]) assert.equal(weightIn(text), undefined, text);
});

function summary(id: string, told: Partial<GroupSummary> = {}): GroupSummary {
  return { id, name: id, kind: "GROUP", currency: "INR", myBalance: 0, memberCount: 2, openLoanCount: 0, isArchived: false, waitingCount: 0, at: "2026-11-20T10:00:00.000Z", ...told };
}

test("balances are added up by currency, the currency of most groups first", () => {
  const groups = [summary("a", { currency: "EUR", myBalance: 5 }), summary("b", { myBalance: 100 }), summary("c", { myBalance: -30, isArchived: true })];
  assert.deepEqual(totals(groups), [
    { currency: "INR", net: 70 },
    { currency: "EUR", net: 5 },
  ]);
});

test("archived groups and the ledgers of two people stand apart, and the group used last is first", () => {
  const { used, direct, archived } = apart([
    summary("old", { at: "2026-11-01T10:00:00.000Z" }),
    summary("put away", { isArchived: true }),
    summary("of two", { kind: "DIRECT" }),
    summary("new", { at: "2026-11-25T10:00:00.000Z" }),
  ]);
  assert.deepEqual(used.map(({ id }) => id), ["new", "old"]);
  assert.deepEqual(direct.map(({ id }) => id), ["of two"]);
  assert.deepEqual(archived.map(({ id }) => id), ["put away"]);
});
