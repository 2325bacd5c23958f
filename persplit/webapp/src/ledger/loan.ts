/**
 * A loan between two people: it stands beside balances and plan, and only payments that name it repay it.
 *
 * The interest is simple: what is outstanding × percent a year × days / 365, counted in days of the group's calendar. A
 * payment pays the interest owed until its day first, and the principal with the rest. Half a unit is rounded up, and
 * what rounding leaves is carried on, in `PARTS` of a minor unit.
 */

import { scaled } from "./exact.ts";
import { daysBetween } from "./days.ts";
import type { Loan, Repayment } from "./shapes.ts";

const RATE = /^[0-9]{1,3}(\.[0-9]{1,4})?$/;
const RATE_MAX = 100;
const RATE_SCALE = 10_000n;
const PARTS = 365n * 100n * RATE_SCALE;

export const isOpen = (loan: Loan): boolean => loan.status === "OPEN";

/** Whether nothing of it was ever repaid. */
export const isUntouched = (loan: Loan): boolean => loan.outstanding === loan.principal && loan.interestPaid === 0;

/** The rate, percent a year, with no needless zeros; undefined where it isn't one. */
export function canonicalInterest(text: string): string | undefined {
  if (!RATE.test(text) || Number(text) > RATE_MAX || Number(text) === 0) {
    return undefined;
  }
  return String(Number(text)); // three digits and four decimals: exact in both directions
}

/** The loan with the interest that is owed at the end of that day; no earlier than it has come already. */
export function accrued(loan: Loan, day: string): Loan {
  const days = daysBetween(loan.accruedThrough, day);
  if (days <= 0) {
    return loan;
  }
  const rate = loan.interestRate === null ? 0n : (scaled(Number(loan.interestRate)) ?? 0n);
  const parts = BigInt(loan.interestParts) + BigInt(loan.outstanding) * rate * BigInt(days);
  const units = floored(2n * parts + PARTS, 2n * PARTS);
  return {
    ...loan,
    interestOwed: loan.interestOwed + Number(units),
    interestParts: Number(parts - units * PARTS),
    accruedThrough: day,
  };
}

/** What repays it all on that day: principal and interest. */
export function toRepay(loan: Loan, day: string): number {
  const owing = accrued(loan, day);
  return isOpen(loan) ? owing.outstanding + owing.interestOwed : 0;
}

/** Division that rounds down, below zero, too. */
function floored(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}

/** The loan after a payment on that day, and what of it repaid the loan. What is more is left of the payment. */
export function repaid(loan: Loan, amount: number, day: string): { after: Loan; repayment: Repayment } {
  const owing = accrued(loan, day);
  const interest = Math.min(amount, owing.interestOwed);
  const principal = Math.min(amount - interest, owing.outstanding);
  const outstanding = owing.outstanding - principal;
  const after: Loan = {
    ...owing,
    outstanding,
    interestOwed: owing.interestOwed - interest,
    interestPaid: owing.interestPaid + interest,
    status: outstanding > 0 ? "OPEN" : "REPAID",
  };
  return { after, repayment: { interest, principal } };
}
