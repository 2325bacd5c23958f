/** The rules for loans: who may note, change and take one away, and what a payment repays of it. */

import type { Commands } from "../wire/types.ts";
import { dayFrom, dayIn, isDay } from "./days.ts";
import type { Asking, Command } from "./decide.ts";
import { amountErrors, textErrors } from "./draft.ts";
import { check, type FieldError, invalid, Refusal } from "./errors.ts";
import { canonicalInterest, isOpen, isUntouched, repaid } from "./loan.ts";
import type { Happening, Loan, Settlement } from "./shapes.ts";
import { canonical, type GroupState, isAdmin, isMember } from "./state.ts";

/** Of one group. */
export const LOANS_OPEN_MAX = 100;
export const LOAN_DESCRIPTION_LENGTH_MAX = 200;
/** How long ago a loan may have been made: fifty years. */
const PAST_DAYS_MAX = 18_262;
/** How far ahead it may be due: a hundred years. */
const AHEAD_DAYS_MAX = 36_525;

type LoanCommand = Extract<Command, { type: `loan:${string}` }>;
type Terms = Pick<Commands["loan:update"], "principal" | "date" | "dueDate" | "interestRate" | "description">;

/** What the command makes of the group's loans. Throws `Refusal`. */
export function loanEvent(state: GroupState, command: LoanCommand, asking: Asking): Happening {
  switch (command.type) {
    case "loan:create":
      return loanCreated(state, command.fields, asking);
    case "loan:update":
      return loanUpdated(state, command.fields, asking);
    case "loan:delete":
      return loanDeleted(seen(state, command.fields, asking), state, asking);
    case "loan:restore":
      return loanRestored(seen(state, command.fields, asking), state, asking);
  }
}

function loanCreated(state: GroupState, fields: Commands["loan:create"], asking: Asking): Happening {
  if (fields.id === undefined) {
    throw invalid({ path: "id", message: "required" });
  }
  check(termErrors(fields));
  if (state.loans.has(fields.id)) {
    throw new Refusal("conflict", "a loan with this id exists");
  }
  const lenderId = canonical(state, fields.lenderId ?? asking.actorId);
  const borrowerId = canonical(state, fields.borrowerId ?? asking.actorId);
  const strangers: FieldError[] = [["lenderId", lenderId] as const, ["borrowerId", borrowerId] as const].flatMap(
    ([path, userId]) => (isMember(state, userId) ? [] : [{ path, message: "not a member of the group" }]),
  );
  check(strangers.slice(0, 1));
  if (lenderId === borrowerId) {
    throw invalid({ path: "borrowerId", message: "nobody lends themself" });
  }
  checkRoom(state);
  const today = todayOf(state, asking);
  const date = fields.date ?? today;
  checkDays(date, fields.dueDate, today);
  const loan: Loan = {
    id: fields.id,
    groupId: state.groupId,
    seq: state.seq + 1,
    lenderId,
    borrowerId,
    principal: fields.principal,
    date,
    dueDate: fields.dueDate ?? null,
    interestRate: rateOf(fields),
    description: fields.description?.trim() || null,
    status: "OPEN",
    outstanding: fields.principal,
    interestOwed: 0,
    interestParts: 0,
    interestPaid: 0,
    accruedThrough: date,
    createdBy: asking.actorId,
    createdAt: asking.now,
    updatedAt: asking.now,
    deletedAt: null,
  };
  checkMay(state, loan, asking);
  return { type: "loan:created", loan };
}

function loanUpdated(state: GroupState, fields: Commands["loan:update"], asking: Asking): Happening {
  check(termErrors(fields));
  const before = seen(state, fields, asking);
  if (!isOpen(before)) {
    throw new Refusal("conflict", `the loan is ${before.status.toLowerCase()}`);
  }
  const date = fields.date ?? before.date;
  checkDays(date, fields.dueDate, todayOf(state, asking));
  const interestRate = rateOf(fields);
  const isSame = fields.principal === before.principal && date === before.date && interestRate === before.interestRate;
  if (!isUntouched(before) && !isSame) {
    throw new Refusal("conflict", "some of it was repaid: principal, date and interest stay as they are");
  }
  const terms = isUntouched(before)
    ? { principal: fields.principal, outstanding: fields.principal, date, accruedThrough: date, interestRate }
    : {};
  const loan: Loan = {
    ...before,
    seq: state.seq + 1,
    dueDate: fields.dueDate ?? null,
    description: fields.description?.trim() || null,
    updatedAt: asking.now,
    ...terms,
  };
  return { type: "loan:updated", before, loan };
}

function loanDeleted(before: Loan, state: GroupState, { now }: Asking): Happening {
  if (before.deletedAt !== null) {
    throw new Refusal("conflict", "the loan is deleted already");
  }
  return {
    type: "loan:deleted",
    loan: { ...before, seq: state.seq + 1, updatedAt: now, deletedAt: now, status: "DELETED" },
  };
}

function loanRestored(before: Loan, state: GroupState, { now }: Asking): Happening {
  if (before.deletedAt === null) {
    throw new Refusal("conflict", "the loan is not deleted");
  }
  if (!isMember(state, before.lenderId) || !isMember(state, before.borrowerId)) {
    throw new Refusal("conflict", "one of the two has left the group: add them again first");
  }
  checkRoom(state);
  const status = before.outstanding > 0 ? "OPEN" : "REPAID";
  return { type: "loan:restored", loan: { ...before, seq: state.seq + 1, updatedAt: now, deletedAt: null, status } };
}

/** The day as of which a payment repays the loan that it names; undefined where it names none. Throws `Refusal`. */
export function repaidOn(
  state: GroupState,
  fields: Commands["settlement:create"],
  { from, to, asking }: { from: string; to: string; asking: Asking },
): string | undefined {
  if (fields.loanId === undefined) {
    if (fields.paidOn !== undefined) {
      throw invalid({ path: "paidOn", message: "goes with the loan that is repaid" });
    }
    return undefined;
  }
  const loan = state.loans.get(fields.loanId);
  if (loan === undefined || !isOpen(loan)) {
    throw invalid({ path: "loanId", message: "not an open loan of this group" });
  }
  if (from !== loan.borrowerId || to !== loan.lenderId) {
    throw invalid({ path: "loanId", message: "the borrower repays the lender" });
  }
  const today = todayOf(state, asking);
  // A loan may be of a day that has begun elsewhere already.
  const day = fields.paidOn ?? (today < loan.date ? loan.date : today);
  if (!isDay(day) || day < loan.date || day > dayFrom(today, 1)) {
    throw invalid({ path: "paidOn", message: "not before the loan, and not to come" });
  }
  return day;
}

/**
 * A payment that arrived repays the loan that it names, as far as that is still open; what doesn't moves balances.
 * Throws `Refusal` while one for it that was paid earlier waits: confirmed later, it would spare no interest.
 */
export function completed(state: GroupState, settlement: Settlement): { settlement: Settlement; loan?: Loan } {
  const loan = settlement.loanId === undefined ? undefined : state.loans.get(settlement.loanId);
  if (loan === undefined || !isOpen(loan) || settlement.paidOn === undefined) {
    return { settlement };
  }
  const { paidOn } = settlement;
  const isEarlier = ({ loanId, paidOn: before }: Settlement): boolean =>
    loanId === loan.id && before !== undefined && before < paidOn;
  if (Array.from(state.pending.values()).some(isEarlier)) {
    const detail = "an earlier payment for this loan awaits an answer: confirm or decline that first";
    throw new Refusal("settlement_pending", detail);
  }
  const { after, repayment } = repaid(loan, settlement.amount, settlement.paidOn);
  return {
    settlement: { ...settlement, repayment },
    loan: { ...after, seq: settlement.seq, updatedAt: settlement.updatedAt },
  };
}

/** Whether somebody has lent or borrowed what isn't repaid. */
export function hasOpenLoan(state: GroupState, userId: string): boolean {
  return Array.from(state.loans.values()).some((loan) => isOpen(loan) && isBetween(loan, userId));
}

const isBetween = (loan: Loan, userId: string): boolean => userId === loan.lenderId || userId === loan.borrowerId;

const todayOf = (state: GroupState, asking: Asking): string => dayIn(state.settings.timeZone ?? "UTC", asking.now);

const rateOf = (terms: Terms): string | null =>
  terms.interestRate === undefined ? null : (canonicalInterest(terms.interestRate) ?? null);

function termErrors(terms: Terms): FieldError[] {
  const { date, dueDate, interestRate } = terms;
  const noDay = "not a day, YYYY-MM-DD";
  return [
    ...amountErrors("principal", terms.principal),
    ...(date === undefined || isDay(date) ? [] : [{ path: "date", message: noDay }]),
    ...(dueDate === undefined || isDay(dueDate) ? [] : [{ path: "dueDate", message: noDay }]),
    ...textErrors("description", terms.description ?? "", LOAN_DESCRIPTION_LENGTH_MAX, 0),
    ...(interestRate === undefined || canonicalInterest(interestRate) !== undefined
      ? []
      : [{ path: "interestRate", message: "percent a year: more than 0 and at most 100, with up to four decimals" }]),
  ];
}

function checkRoom(state: GroupState): void {
  if (Array.from(state.loans.values()).filter(isOpen).length >= LOANS_OPEN_MAX) {
    throw new Refusal("limit_reached", `a group has at most ${LOANS_OPEN_MAX} open loans`);
  }
}

function checkDays(date: string, dueDate: string | undefined, today: string): void {
  const isPossible = date >= dayFrom(today, -PAST_DAYS_MAX) && date <= dayFrom(today, 1);
  check([
    ...(isPossible ? [] : [{ path: "date", message: `at most ${PAST_DAYS_MAX} days ago, and not to come` }]),
    ...(dueDate === undefined || dueDate >= date ? [] : [{ path: "dueDate", message: "before the loan" }]),
    ...(dueDate === undefined || dueDate <= dayFrom(today, AHEAD_DAYS_MAX)
      ? []
      : [{ path: "dueDate", message: `at most ${AHEAD_DAYS_MAX} days ahead` }]),
  ]);
}

/** The loan, which the actor may change, unless it has changed since they saw it. */
function seen(state: GroupState, fields: { loanId: string; expectedSeq?: number }, asking: Asking): Loan {
  const loan = state.loans.get(fields.loanId);
  if (loan === undefined) {
    throw new Refusal("not_found", "there is no such loan in this group");
  }
  checkMay(state, loan, asking);
  if (fields.expectedSeq !== undefined && loan.seq > fields.expectedSeq) {
    throw new Refusal("conflict", `it has changed since seq ${fields.expectedSeq}; it is at seq ${loan.seq} now`);
  }
  return loan;
}

function checkMay(state: GroupState, loan: Loan, { actorId }: Asking): void {
  if (!isBetween(loan, actorId) && !isAdmin(state, actorId)) {
    throw new Refusal("forbidden", "only the two people concerned, or an admin, can do this");
  }
}
