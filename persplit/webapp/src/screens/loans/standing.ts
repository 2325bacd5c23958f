/** How a loan stands on a day: who is on which side of it, when it is due, and what has been paid back. Pure. */

import type { GroupView, LoanView, SettlementView } from "../../data/model.ts";
import { dayIn, daysBetween } from "../../ledger/days.ts";
import { accrued, isOpen } from "../../ledger/loan.ts";
import type { Loan } from "../../wire/types.ts";

/** From here on the days that are left are counted, instead of naming the day. */
const SOON_DAYS = 7;

/** Today in the group's calendar, YYYY-MM-DD: interest is counted in its days. `now`: milliseconds. */
export function todayIn(view: Pick<GroupView, "group">, now = Date.now()): string {
  return dayIn(view.group.timeZone, new Date(now).toISOString());
}

export type Due =
  | { readonly kind: "none" }
  | { readonly kind: "later"; readonly day: string }
  | { readonly kind: "soon" | "overdue"; readonly days: number }
  | { readonly kind: "today" };

/** When an open loan is due, as seen on that day. */
export function dueOf({ dueDate }: Pick<Loan, "dueDate">, today: string): Due {
  if (dueDate === null) return { kind: "none" };
  const days = daysBetween(today, dueDate);
  if (days < 0) return { kind: "overdue", days: -days };
  if (days === 0) return { kind: "today" };
  return days <= SOON_DAYS ? { kind: "soon", days } : { kind: "later", day: dueDate };
}

/** Which side of it one is on. */
export function sideOf(loan: Loan, me: string): "lender" | "borrower" | "other" {
  if (loan.lenderId === me) return "lender";
  return loan.borrowerId === me ? "borrower" : "other";
}

/** What repays it on the day: all of it, and the parts. Minor units. */
export function owedOn(loan: Loan, day: string): { readonly all: number; readonly principal: number; readonly interest: number } {
  if (!isOpen(loan)) return { all: 0, principal: 0, interest: 0 };
  const { outstanding, interestOwed } = accrued(loan, day);
  return { all: outstanding + interestOwed, principal: outstanding, interest: interestOwed };
}

/** The payments that name it, newest first, without those that came to nothing. */
export function repaymentsOf({ settlements }: Pick<GroupView, "settlements">, loanId: string): readonly SettlementView[] {
  return settlements.filter((one) => one.loanId === loanId && (one.status === "PENDING" || one.status === "COMPLETED"));
}

/** What of a payment moved balances, minor units: what repaid no loan. */
export function restOf({ amount, repayment }: Pick<SettlementView, "amount" | "repayment">): number {
  return repayment === undefined ? amount : amount - repayment.interest - repayment.principal;
}

/** Mine first, then those of others; each in the order given. */
export function mineFirst(loans: readonly LoanView[], me: string): readonly LoanView[] {
  const isMine = (loan: Loan) => sideOf(loan, me) !== "other";
  return [...loans.filter(isMine), ...loans.filter((loan) => !isMine(loan))];
}

/** The two people concerned change it, or an admin. */
export function canChange(view: GroupView, loan: Loan): boolean {
  return view.group.archivedAt === null && (sideOf(loan, view.me.userId) !== "other" || view.me.role === "ADMIN");
}
