import assert from "node:assert/strict";
import { test } from "node:test";
import { toRepay } from "../../src/ledger/loan.ts";
import { acquaintances, usualCurrency } from "../../src/screens/loans/people.ts";
import { canChange, dueOf, mineFirst, owedOn, repaymentsOf, restOf, sideOf, todayIn } from "../../src/screens/loans/standing.ts";
import { loan, member, settlement, viewOf } from "../groups/making.ts";

const TODAY = "2026-11-26";

test("a loan is late by the days since its due day, and nearly due within a week", () => {
  const due = (dueDate: string | null) => dueOf({ dueDate }, TODAY);
  assert.deepEqual(due(null), { kind: "none" });
  assert.deepEqual(due("2026-11-23"), { kind: "overdue", days: 3 });
  assert.deepEqual(due("2026-11-26"), { kind: "today" });
  assert.deepEqual(due("2026-12-03"), { kind: "soon", days: 7 });
  assert.deepEqual(due("2026-12-04"), { kind: "later", day: "2026-12-04" });
});

test("what is owed on a day is what is left and its interest, and nothing once it is closed", () => {
  const lent = loan({ principal: 1_000_000, outstanding: 1_000_000, interestRate: "7.3", accruedThrough: "2026-11-16" });
  assert.deepEqual(owedOn(lent, TODAY), { all: 1_002_000, principal: 1_000_000, interest: 2_000 });
  for (const day of ["2026-11-01", TODAY, "2036-11-26"]) assert.equal(owedOn(lent, day).all, toRepay(lent, day));
  assert.deepEqual(owedOn({ ...lent, status: "DELETED" }, TODAY), { all: 0, principal: 0, interest: 0 });
});

test("today is the group's, wherever one is", () => {
  const view = viewOf();
  assert.equal(todayIn(view, Date.parse("2026-11-26T18:31:00Z")), "2026-11-27"); // past midnight in Kolkata
});

test("one's own loans come first, and only the two of them, or an admin, change one", () => {
  const view = viewOf({ members: [member("me"), member("ravi"), member("meera")] });
  const others = loan({ id: "o", lenderId: "ravi", borrowerId: "meera" });
  const mine = loan({ id: "m", lenderId: "ravi", borrowerId: "me" });
  assert.deepEqual(mineFirst([others, mine], "me").map(({ id }) => id), ["m", "o"]);
  assert.deepEqual([others, mine].map((one) => sideOf(one, "me")), ["other", "borrower"]);
  assert.deepEqual([others, mine].map((one) => canChange(view, one)), [false, true]);
  assert.equal(canChange({ ...view, me: member("me", { role: "ADMIN" }) }, others), true);
  assert.equal(canChange({ ...view, group: { ...view.group, archivedAt: "2026-11-20T10:00:00.000Z" } }, mine), false);
});

test("repayments are the payments that name the loan and came to something; the rest of one moved balances", () => {
  const repayment = { interest: 10, principal: 70 };
  const settlements = [
    settlement({ id: "a", loanId: "l", amount: 100, repayment }),
    settlement({ id: "b", loanId: "l", status: "DECLINED" }),
    settlement({ id: "c" }),
    settlement({ id: "d", loanId: "l", status: "PENDING" }),
  ];
  assert.deepEqual(repaymentsOf({ settlements }, "l").map(({ id }) => id), ["a", "d"]);
  assert.deepEqual(settlements.map((one) => restOf(one)), [20, 50, 50, 50]);
});

test("one can lend to whoever has an account in a group of mine, each once; in the usual currency", () => {
  const ravi = member("ravi", { name: "Ravi" });
  const groups = [
    viewOf({ members: [member("me"), ravi, member("dadi", { placeholder: true })] }),
    viewOf({ members: [member("me"), ravi, member("asha", { name: "Asha" })] }),
  ];
  assert.deepEqual(acquaintances(groups).map(({ userId }) => userId), ["asha", "ravi"]);
  assert.equal(usualCurrency([{ currency: "EUR" }, { currency: "INR" }, { currency: "INR" }]), "INR");
  assert.equal(usualCurrency([]), "INR");
});
