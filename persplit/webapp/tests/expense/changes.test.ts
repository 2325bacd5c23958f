import assert from "node:assert/strict";
import { test } from "node:test";
import { changesBetween, historyOf } from "../../src/screens/expense/changes.ts";
import { workOut } from "../../src/screens/expense/form_fields.ts";
import { versionOf } from "../../src/screens/expense/version.ts";
import type { LedgerEvent } from "../../src/wire/types.ts";
import { expense } from "../groups/making.ts";
import { form, PEOPLE } from "./fixtures.ts";

const BEFORE = expense({ id: "e", amount: 100 });

test("a version differs in nothing from itself", () => {
  assert.deepEqual(changesBetween(BEFORE, { ...BEFORE }, "INR"), []);
});

test("what changed is told with what it was", () => {
  const after = { ...BEFORE, description: "Lunch", category: "food", notes: null };
  assert.deepEqual(changesBetween(BEFORE, after, "INR"), [
    { field: "description", before: "Dinner", after: "Lunch" },
    { field: "category", before: null, after: "food" },
  ]);
});

test("another amount of one payer isn't another payer, and only shares that moved are told", () => {
  const shares = [
    { userId: "me", amount: 50 },
    { userId: "asha", amount: 70 },
  ];
  assert.deepEqual(changesBetween(BEFORE, { ...BEFORE, amount: 120, shares }, "INR"), [
    { field: "amount", before: { minor: 100, currency: "INR" }, after: { minor: 120, currency: "INR" } },
    {
      field: "shares",
      moved: [
        { userId: "ravi", before: 50, after: 0 },
        { userId: "asha", before: 0, after: 70 },
      ],
    },
  ]);
});

test("the same people had an item, in whichever order they were ticked", () => {
  const item = (...participants: string[]) => ({ name: "Thali", amount: 100, participants });
  const before = { ...BEFORE, items: [item("me", "ravi")] };
  assert.deepEqual(changesBetween(before, { ...before, items: [item("ravi", "me")] }, "INR"), []);
  assert.deepEqual(changesBetween(before, { ...before, items: [item("ravi")] }, "INR"), [{ field: "items", before: 1, after: 1 }]);
});

test("a form that was typed in another currency is held against another version in the group's", () => {
  const typed = form({ amount: "10", currency: "USD", rate: "83.333" });
  const mine = versionOf(typed, workOut(typed, PEOPLE, "INR"), null);
  assert.equal(mine?.amount, 83_333);
  assert.equal(mine?.shares.reduce((sum, share) => sum + share.amount, 0), 83_333);
  assert.deepEqual(changesBetween(BEFORE, mine ?? BEFORE, "INR").find(({ field }) => field === "amount"), {
    field: "amount",
    before: { minor: 100, currency: "INR" },
    after: { minor: 1_000, currency: "USD" },
  });
});

test("an expense's history is of that expense alone, oldest first", () => {
  const base = { groupId: "g", at: "2026-11-20T10:00:00.000Z", by: "me", commandId: "c", v: 1 };
  const events: LedgerEvent[] = [
    { ...base, seq: 1, type: "expense:created", expense: BEFORE },
    { ...base, seq: 2, type: "expense:created", expense: { ...BEFORE, id: "other" } },
    { ...base, seq: 3, by: "ravi", type: "expense:updated", expense: { ...BEFORE, notes: "late" }, before: BEFORE },
    { ...base, seq: 4, type: "expense:deleted", expense: BEFORE },
  ];
  assert.deepEqual(
    historyOf(events, "e", "INR").map(({ seq, by, what, changes }) => [seq, by, what, changes.length]),
    [
      [1, "me", "created", 0],
      [3, "ravi", "changed", 1],
      [4, "me", "deleted", 0],
    ],
  );
});
