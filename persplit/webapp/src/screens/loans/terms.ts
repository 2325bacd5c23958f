/** A loan as it is typed: what is wrong with it, and the terms that it comes to. Pure. */

import { LOAN_DESCRIPTION_LENGTH_MAX } from "../../ledger/lending.ts";
import { dayFrom, daysBetween, isDay } from "../../ledger/days.ts";
import { accrued, canonicalInterest } from "../../ledger/loan.ts";
import { type NoAmount, parseMoney, plainMoney } from "../../ledger/money.ts";
import type { Loan } from "../../wire/types.ts";

/** As the server bounds it: fifty years. */
const PAST_DAYS_MAX = 18_262;
const AHEAD_DAYS_MAX = 36_525;
const YEAR_DAYS = 365;

export interface LoanDraft {
  readonly lenderId: string;
  readonly borrowerId: string;
  readonly principal: string;
  /** YYYY-MM-DD. */
  readonly date: string;
  /** YYYY-MM-DD, or empty. */
  readonly dueDate: string;
  /** Percent a year, or empty. */
  readonly interestRate: string;
  readonly description: string;
}

export type LoanFault = NoAmount | "date" | "dueDate" | "rate" | "note" | "same";
export type LoanFaults = Readonly<Partial<Record<keyof LoanDraft, LoanFault>>>;

export interface Terms {
  readonly principal: number;
  readonly date: string;
  readonly dueDate?: string;
  readonly interestRate?: string;
  readonly description?: string;
}

/** The draft of a loan that is there already. */
export function draftOf(loan: Loan, currency: string): LoanDraft {
  const { lenderId, borrowerId, principal, date, dueDate, interestRate, description } = loan;
  return {
    lenderId,
    borrowerId,
    principal: plainMoney(principal, currency),
    date,
    dueDate: dueDate ?? "",
    interestRate: interestRate ?? "",
    description: description ?? "",
  };
}

/** What is typed as a rate: `6,5 %` is `6.5`; undefined where it isn't one. Empty is none: null. */
export function rateIn(text: string): string | null | undefined {
  const typed = Array.from(text.trim(), plainDigit).join("").replace(/\s*%$/u, "").replace(",", ".");
  return typed === "" ? null : canonicalInterest(typed.startsWith(".") ? `0${typed}` : typed);
}

/** Devanagari's digits as ours. */
function plainDigit(character: string): string {
  const digit = "०१२३४५६७८९".indexOf(character);
  return digit < 0 ? character : String(digit);
}

/** By field; what is right is left out. */
export function loanFaults(draft: LoanDraft, currency: string, today: string): LoanFaults {
  const amount = parseMoney(draft.principal, currency);
  const problem = amount.ok ? (amount.minor > 0 ? undefined : "empty") : amount.problem;
  const isPast = isDay(draft.date) && daysBetween(draft.date, today) >= 0 && daysBetween(draft.date, today) <= PAST_DAYS_MAX;
  return {
    ...(draft.lenderId === draft.borrowerId ? { borrowerId: "same" } : {}),
    ...(problem ? { principal: problem } : {}),
    ...(isPast ? {} : { date: "date" }),
    ...(draft.dueDate === "" || isDueDay(draft, today) ? {} : { dueDate: "dueDate" }),
    ...(rateIn(draft.interestRate) === undefined ? { interestRate: "rate" } : {}),
    ...(Array.from(draft.description.trim()).length > LOAN_DESCRIPTION_LENGTH_MAX ? { description: "note" } : {}),
  };
}

function isDueDay({ date, dueDate }: LoanDraft, today: string): boolean {
  return isDay(dueDate) && dueDate >= date && dueDate <= dayFrom(today, AHEAD_DAYS_MAX);
}

/** The terms of a draft without faults, as they are sent: what isn't told is left out. */
export function termsOf(draft: LoanDraft, currency: string): Terms {
  const amount = parseMoney(draft.principal, currency);
  const rate = rateIn(draft.interestRate);
  return {
    principal: amount.ok ? amount.minor : 0,
    date: draft.date,
    ...(draft.dueDate === "" ? {} : { dueDate: draft.dueDate }),
    ...(rate ? { interestRate: rate } : {}),
    ...(draft.description.trim() === "" ? {} : { description: draft.description.trim() }),
  };
}

/** What the terms mean if nothing is paid back before, minor units: the interest of a year, and all of it on the due day. */
export function outlook(terms: Terms): { readonly aYear: number; readonly onDueDay: number | undefined } {
  const loan = untouched(terms);
  const due = terms.dueDate === undefined ? undefined : accrued(loan, terms.dueDate);
  return {
    aYear: accrued(loan, dayFrom(terms.date, YEAR_DAYS)).interestOwed,
    onDueDay: due && due.outstanding + due.interestOwed,
  };
}

function untouched({ principal, date, dueDate, interestRate, description }: Terms): Loan {
  return {
    id: "",
    groupId: "",
    seq: 0,
    lenderId: "",
    borrowerId: "",
    principal,
    date,
    dueDate: dueDate ?? null,
    interestRate: interestRate ?? null,
    description: description ?? null,
    status: "OPEN",
    outstanding: principal,
    interestOwed: 0,
    interestParts: 0,
    interestPaid: 0,
    accruedThrough: date,
    createdBy: "",
    createdAt: "",
    updatedAt: "",
    deletedAt: null,
  };
}
