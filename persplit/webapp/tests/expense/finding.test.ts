import assert from "node:assert/strict";
import { test } from "node:test";
import { type Filter, filterCount, NO_FILTER, search } from "../../src/screens/expense/filter.ts";
import { guessCategory } from "../../src/screens/expense/guess.ts";
import { expense } from "../groups/making.ts";

const EXPENSES = [
  expense({ id: "1", description: "Dinner at Ritz", amount: 5_000, category: "food", date: "2026-11-03", notes: "With Café crème" }),
  expense({ id: "2", description: "TAXI home", amount: 1_250, paidBy: "ravi", category: "Cab", date: "2026-11-01", shares: [{ userId: "me", amount: 1_250 }] }),
  expense({ id: "3", description: "Deposit", amount: 700, kind: "REFUND", date: "2026-10-01", shares: [{ userId: "me", amount: 300 }, { userId: "old", amount: 400 }] }),
];

const found = (filter: Partial<Filter>) =>
  search(EXPENSES, { ...NO_FILTER, ...filter }, "INR", "me", (userId) => (userId === "old" ? "asha" : userId));
const ids = (filter: Partial<Filter>) => found(filter).expenses.map(({ id }) => id).join("");

test("each word is somewhere in the description or the notes, in any case", () => {
  assert.equal(ids({ text: "taxi" }), "2");
  assert.equal(ids({ text: "CAFÉ dinner" }), "1");
  assert.equal(ids({ text: "dinner taxi" }), "");
  assert.equal(ids({}), "123");
});

test("people are found by what they paid or bear, and as who they were before", () => {
  assert.equal(ids({ payer: "ravi" }), "2");
  assert.equal(ids({ member: "ravi" }), "12");
  assert.equal(ids({ member: "asha" }), "3");
});

test("a category is found by its key, whatever word was typed for it", () => {
  assert.equal(ids({ category: "taxi" }), "2");
});

test("amounts and days are bounds that count", () => {
  assert.equal(ids({ amountFrom: "12.50", amountTo: "50" }), "12");
  assert.equal(ids({ amountFrom: "what?" }), "123");
  assert.equal(ids({ dateFrom: "2026-10-01", dateTo: "2026-11-01" }), "23");
});

test("what came back lowers the sums", () => {
  assert.equal(found({}).total, 5_000 + 1_250 - 700);
  assert.equal(found({}).myShare, 50 + 1_250 - 300);
  assert.equal(filterCount({ ...NO_FILTER, text: "x", payer: "ravi", amountTo: "5" }), 2);
});

test("a category is guessed by words, in Hindi, too, and by what the same was called before", () => {
  assert.equal(guessCategory("Dinner at Ritz", []), "food");
  assert.equal(guessCategory("सब्ज़ी और दूध", []), "groceries");
  assert.equal(guessCategory("Barber", []), null);
  assert.equal(guessCategory("", EXPENSES), null);
  assert.equal(guessCategory("taxi HOME", EXPENSES), "Cab");
});
