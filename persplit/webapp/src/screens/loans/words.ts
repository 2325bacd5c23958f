/** Loans in words. */

import type { GroupView } from "../../data/model.ts";
import { formatMoney } from "../../ledger/money.ts";
import type { Who } from "../../text/en/insight.ts";
import { locale, t } from "../../text/index.ts";
import { formatDay } from "../../ui/content.tsx";
import type { Loan } from "../../wire/types.ts";
import { dueOf, sideOf } from "./standing.ts";

export function who(view: GroupView, userId: string): Who {
  return { isMe: userId === view.me.userId, name: view.people.get(userId)?.name ?? "?" };
}

/** `You lent Ravi`. */
export function lentWords(view: GroupView, loan: Loan): string {
  const [lender, borrower] = [who(view, loan.lenderId), who(view, loan.borrowerId)];
  const side = sideOf(loan, view.me.userId);
  if (side === "lender") return t().loans.lentTo(borrower);
  return side === "borrower" ? t().loans.borrowedFrom(lender) : t().loans.lentBetween(lender, borrower);
}

/** `overdue by 3 days`; a closed loan says what became of it. */
export function dueWords(loan: Loan, today: string): string {
  if (loan.status === "DELETED") return t().loans.isDeleted;
  if (loan.status === "REPAID") return t().loans.isRepaid;
  const due = dueOf(loan, today);
  switch (due.kind) {
    case "none":
      return t().loans.noDueDay;
    case "later":
      return t().loans.dueOn(formatDay(due.day));
    case "soon":
      return t().loans.dueIn(due.days);
    case "today":
      return t().loans.dueToday;
    case "overdue":
      return t().loans.overdueBy(due.days);
  }
}

export function rateWords({ interestRate }: Loan): string {
  return interestRate === null ? t().loans.noInterest : t().loans.rateYear(inLocale(interestRate));
}

/** A decimal text as it is read: `6.5`, `6,5`. A rate has few digits: a number holds it exactly. */
export function inLocale(decimal: string): string {
  return new Intl.NumberFormat(locale.value, { maximumFractionDigits: 4 }).format(Number(decimal));
}

export function money(view: GroupView, minor: number): string {
  return formatMoney(minor, view.group.currency, locale.value);
}
