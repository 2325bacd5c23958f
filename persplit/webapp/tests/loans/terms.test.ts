import assert from "node:assert/strict";
import { test } from "node:test";
import { draftOf, type LoanDraft, loanFaults, outlook, rateIn, termsOf } from "../../src/screens/loans/terms.ts";
import { loan } from "../groups/making.ts";

const TODAY = "2026-11-26";
const DRAFT: LoanDraft = {
  lenderId: "me",
  borrowerId: "ravi",
  principal: "10,000",
  date: TODAY,
  dueDate: "2027-11-26",
  interestRate: "7.3",
  description: " Deposit ",
};
const faults = (told: Partial<LoanDraft>) => loanFaults({ ...DRAFT, ...told }, "INR", TODAY);

test("a rate is typed as people type it", () => {
  for (const [typed, rate] of [["6,5 %", "6.5"], [" 12% ", "12"], [".5", "0.5"], ["६.५", "6.5"], ["", null]] as const) {
    assert.equal(rateIn(typed), rate, typed);
  }
  for (const typed of ["0", "101", "-1", "six", "1.23456", "1,2,3"]) assert.equal(rateIn(typed), undefined, typed);
});

test("each thing that is wrong is told at its field", () => {
  assert.deepEqual(faults({}), {});
  assert.deepEqual(faults({ principal: "" }), { principal: "empty" });
  assert.deepEqual(faults({ principal: "0" }), { principal: "empty" });
  assert.deepEqual(faults({ principal: "ten" }), { principal: "not_an_amount" });
  assert.deepEqual(faults({ date: "2026-11-27" }), { date: "date" }); // not to come
  assert.deepEqual(faults({ date: "1976-11-25" }), { date: "date" });
  assert.deepEqual(faults({ date: "" }), { date: "date", });
  assert.deepEqual(faults({ dueDate: "2026-11-25" }), { dueDate: "dueDate" });
  assert.deepEqual(faults({ dueDate: "2226-11-25" }), { dueDate: "dueDate" });
  assert.deepEqual(faults({ interestRate: "x", description: "n".repeat(201) }), { interestRate: "rate", description: "note" });
  assert.deepEqual(faults({ borrowerId: "me" }), { borrowerId: "same" });
});

test("what isn't told is left out of what is sent", () => {
  assert.deepEqual(termsOf(DRAFT, "INR"), { principal: 1_000_000, date: TODAY, dueDate: "2027-11-26", interestRate: "7.3", description: "Deposit" });
  assert.deepEqual(termsOf({ ...DRAFT, dueDate: "", interestRate: "", description: " " }, "INR"), { principal: 1_000_000, date: TODAY });
});

test("a loan that is changed in nothing is sent as it stands", () => {
  const lent = loan({ principal: 123_450, date: TODAY, dueDate: "2027-01-01", interestRate: "6.5", description: "Deposit" });
  assert.deepEqual(termsOf(draftOf(lent, "INR"), "INR"), { principal: 123_450, date: TODAY, dueDate: "2027-01-01", interestRate: "6.5", description: "Deposit" });
});

test("the form says what a year costs, and what the due day comes to", () => {
  assert.deepEqual(outlook(termsOf(DRAFT, "INR")), { aYear: 73_000, onDueDay: 1_073_000 });
  assert.deepEqual(outlook(termsOf({ ...DRAFT, dueDate: "", interestRate: "" }, "INR")), { aYear: 0, onDueDay: undefined });
});
