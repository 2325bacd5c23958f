import assert from "node:assert/strict";
import { test } from "node:test";
import { amongAll, partOf, problemsOf, scheduleFields, templateFields, workOut } from "../../src/screens/expense/form_fields.ts";
import { emptySplit, type ExpenseFields, type ExpenseForm, formOf, itemRow, ONCE_A_MONTH } from "../../src/screens/expense/form_state.ts";
import { form, PEOPLE, same } from "./fixtures.ts";

const problems = (of: ExpenseForm) => problemsOf(of, workOut(of, PEOPLE, "INR"), "INR");
const fields = (of: ExpenseForm) => templateFields(of, workOut(of, PEOPLE, "INR"), "INR", of.category ?? null);

test("a form that is filled in has no problems", () => {
  assert.deepEqual(problems(form()), {});
  assert.deepEqual(fields(form({ notes: " late ", category: "food" })), {
    description: "Dinner",
    amount: 100_000,
    paidBy: "me",
    splitType: "EQUAL",
    participants: [...PEOPLE.ids],
    category: "food",
    notes: "late",
  });
});

test("each thing that is missing is told at its field", () => {
  assert.deepEqual(problems(form({ amount: "", description: " ", date: "" })), {
    amount: "empty",
    description: "required",
    date: "required",
    split: true,
  });
  assert.equal(problems(form({ amount: "0" })).amount, "zero");
  assert.equal(problems(form({ amount: "1.234.5" })).amount, "not_an_amount");
  assert.equal(problems(form({ currency: "USD" })).rate, "no_rate");
  assert.equal(problems(form({ currency: "USD", rate: "abc" })).rate, "not_a_rate");
});

test("several payers have to make up the amount", () => {
  const paid = (asha: string) => form({ payers: { isSeveral: true, single: "me", amounts: { me: "700", asha } } });
  assert.deepEqual(workOut(paid("200"), PEOPLE, "INR").paid.problem, { kind: "left", minor: 10_000 });
  assert.equal(problems(paid("200")).payers, true);
  assert.deepEqual(fields(paid("300"))?.paidBy, [
    { userId: "me", amount: 70_000 },
    { userId: "asha", amount: 30_000 },
  ]);
});

test("a bill without an amount comes to the sum of its items", () => {
  const items = [itemRow("Dosa", "120", ["me"]), itemRow("Coffee", "60.50", ["asha"])];
  const bill = form({ amount: "", split: { ...emptySplit(PEOPLE), type: "ITEMIZED", items } });
  assert.equal(workOut(bill, PEOPLE, "INR").amount, 18_050);
});

test("another currency is sent with its rate, and shown in the group's", () => {
  const dollars = form({ amount: "20", currency: "USD", rate: "83,250" });
  const worked = workOut(dollars, PEOPLE, "INR");
  assert.equal(worked.inGroupCurrency, 166_500);
  assert.deepEqual([fields(dollars)?.currency, fields(dollars)?.rate, fields(dollars)?.amount], ["USD", "83.25", 2_000]);
});

test("what is sent, read back, is the same form's fields", () => {
  const told: readonly ExpenseFields[] = [
    { description: "A", amount: 999, paidBy: "asha", splitType: "EQUAL", participants: ["me", "asha"], includePayer: false },
    { description: "B", amount: 999, paidBy: [{ userId: "me", amount: 500 }, { userId: "ravi", amount: 499 }], splitType: "EXACT", splits: [{ userId: "me", value: 999 }] },
    { description: "C", amount: 1, paidBy: "me", splitType: "PERCENTAGE", splits: [{ userId: "me", value: 12.3456 }, { userId: "asha", value: 87.6544 }] },
    { description: "D", amount: 5_000, paidBy: "me", splitType: "SHARES", splits: [{ userId: "me", value: 0.5 }, { userId: "ravi", value: 3 }], kind: "REFUND" },
    { description: "E", amount: 5_000, paidBy: "me", splitType: "ADJUSTMENT", participants: ["me", "asha"], splits: [{ userId: "asha", value: -50 }], notes: "n" },
    { description: "F", amount: 5_000, paidBy: "me", splitType: "ITEMIZED", items: [{ name: "x", amount: 1, participants: ["me"] }], category: "own words" },
    { description: "G", amount: 5_000, paidBy: "me", splitType: "EQUAL", participants: ["me"], currency: "JPY", rate: "0.55" },
  ];
  for (const one of told) {
    const read = formOf("e-1", one, PEOPLE, "INR", "2026-11-20", same);
    assert.deepEqual(fields(read), { ...one }, one.description);
  }
});

test("what repeats among everybody goes by who is a member then", () => {
  const template = fields(form());
  assert.ok(template);
  assert.equal("participants" in amongAll(template, PEOPLE.ids), false);
  assert.deepEqual(amongAll(template, [...PEOPLE.ids, "new"]).participants, [...PEOPLE.ids]);
});

test("a schedule has an end, a count, or neither", () => {
  const start = "2026-11-20";
  assert.deepEqual(scheduleFields(ONCE_A_MONTH, start), { frequency: "MONTHLY", interval: 1, start });
  assert.deepEqual(scheduleFields({ ...ONCE_A_MONTH, ends: "after", count: "१२", endDay: "x" }, start), { frequency: "MONTHLY", interval: 1, start, count: 12 });
  const repeating = form({ repeat: { ...ONCE_A_MONTH, interval: "0", ends: "on", endDay: "2026-11-19" } });
  assert.deepEqual(problems(repeating), { interval: "not_a_count", endDay: "end_before_start" });
});

test("what the server says against a field is shown at that part of the form", () => {
  assert.equal(partOf("expense.splits.0.userId"), "split");
  assert.equal(partOf("paidBy.1.amount"), "payers");
  assert.equal(partOf("schedule.start"), "repeat");
  assert.equal(partOf("expectedSeq"), "other");
});
