import assert from "node:assert/strict";
import { test } from "node:test";
import type { RefusedCommand } from "../../src/data/model.ts";
import { peopleOf } from "../../src/screens/expense/people.ts";
import { expenseForm, newForm, refusedForm, strangersIn } from "../../src/screens/expense/stored.ts";
import { expense, member, viewOf } from "../groups/making.ts";

const VIEW = viewOf({
  members: [member("me"), member("asha", { claimed: "ghost" })],
  people: new Map([member("me"), member("asha", { claimed: "ghost" }), member("gone", { leftAt: "2026-11-21T10:00:00.000Z" })].map((one) => [one.userId, one])),
  presets: [
    {
      id: "p",
      groupId: "g",
      seq: 2,
      name: "Mine",
      splitType: "EQUAL",
      participants: ["me"],
      splits: [],
      isDefault: true,
      createdBy: "me",
      createdAt: "",
      updatedAt: "",
    },
  ],
});
const PEOPLE = peopleOf(VIEW);

test("a new expense starts as the group's default preset says", () => {
  assert.deepEqual(newForm("e", VIEW, PEOPLE, "2026-11-20").split.taking, ["me"]);
});

test("an expense with somebody who has left, or was a placeholder, is edited with them", () => {
  const old = expense({ paidBy: "gone", participants: ["ghost", "gone"], shares: [{ userId: "ghost", amount: 50 }, { userId: "gone", amount: 50 }] });
  const people = peopleOf(VIEW, old);
  assert.deepEqual(people.ids, ["me", "asha", "gone"]);
  const form = expenseForm(old, VIEW, people);
  assert.equal(form.payers.single, "gone");
  assert.deepEqual(form.split.taking, ["asha", "gone"]);
});

const refused = (told: Partial<RefusedCommand>): RefusedCommand => ({
  commandId: "c",
  groupId: "g",
  type: "expense:create",
  fields: { id: "e", description: "Boat", amount: 400, paidBy: "gone", splitType: "EQUAL", participants: ["me", "gone"], date: "2026-11-20" },
  problem: { status: 422, code: "validation_failed", title: "", detail: "", errors: [{ path: "participants.1", message: "not a member of the group" }, { path: "paidBy", message: "not a member of the group" }] },
  ...told,
});

test("a refused expense is mended without who has left", () => {
  assert.deepEqual(strangersIn(refused({})), ["gone"]);
  const form = refusedForm(refused({}), VIEW, PEOPLE, "2026-11-25", "e");
  assert.equal(form.payers.single, "me");
  assert.equal(form.date, "2026-11-20");
  assert.equal(form.amount, "4");
});

test("a refused template comes back with how often it repeats", () => {
  const fields = { schedule: { frequency: "WEEKLY", start: "2026-12-01", count: 3 }, expense: { description: "Cook", amount: 5_000, presetId: "p" } };
  const form = refusedForm(refused({ type: "recurrence:create", fields }), VIEW, PEOPLE, "2026-11-25", "r");
  assert.deepEqual(form.repeat, { frequency: "WEEKLY", interval: "1", ends: "after", endDay: "", count: "3" });
  assert.equal(form.date, "2026-12-01");
  assert.deepEqual(form.split.taking, ["me"]);
});
