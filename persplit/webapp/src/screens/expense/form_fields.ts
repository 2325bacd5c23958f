/** From the form to what is sent: everything worked out, and by field what keeps it from being sent. */

import { canonicalRate, converted } from "../../ledger/conversion.ts";
import { type NoAmount, parseMoney } from "../../ledger/money.ts";
import type { Commands } from "../../wire/types.ts";
import { type Divided, divide, sumOfItems } from "./division.ts";
import type { ExpenseForm, RepeatForm } from "./form_state.ts";
import { type Paid, paidBy } from "./payers.ts";
import type { People } from "./people.ts";

/** Longest texts that the server takes. */
export const DESCRIPTION_LENGTH_MAX = 200;
export const NOTES_LENGTH_MAX = 2_000;
export const CATEGORY_LENGTH_MAX = 50;
export const ITEM_NAME_LENGTH_MAX = 100;
export const ITEMS_MAX = 200;
export const INTERVAL_MAX = 100;
export const COUNT_MAX = 10_000;

/** What a form says, worked out as far as it goes. */
export interface WorkedOut {
  /** Minor units of the form's currency; null while there is none. */
  readonly amount: number | null;
  readonly amountProblem: NoAmount | "zero" | null;
  readonly paid: Paid;
  readonly divided: Divided;
  /** In the group's currency, where the form has another and its rate is one. */
  readonly inGroupCurrency: number | null;
  readonly rate: string | null;
}

export type FieldProblem =
  | NoAmount
  | "zero"
  | "required"
  | "no_rate"
  | "not_a_rate"
  | "not_a_count"
  | "end_before_start";

/** What is wrong, by part of the form. Those of payers and split are told by `WorkedOut`. */
export type FormProblems = Partial<Record<"amount" | "description" | "date" | "rate" | "interval" | "count" | "endDay", FieldProblem>> & {
  payers?: true;
  split?: true;
};

export function workOut(form: ExpenseForm, people: People, groupCurrency: string): WorkedOut {
  const { amount, problem } = amountOf(form);
  const paid = paidBy(form.payers, amount, form.currency, people.ids);
  const divided = divide(form.split, {
    expenseId: form.id,
    amount,
    currency: form.currency,
    ids: people.ids,
    payerIds: paid.payerIds,
  });
  const rate = form.currency === groupCurrency ? null : (canonicalRate(typedRate(form.rate)) ?? null);
  return {
    amount,
    amountProblem: problem,
    paid,
    divided,
    rate,
    inGroupCurrency: amount === null || rate === null ? null : converted(amount, form.currency, rate, groupCurrency),
  };
}

/** A bill of items needs no amount: without one it is their sum. */
function amountOf(form: ExpenseForm): { amount: number | null; problem: NoAmount | "zero" | null } {
  const parsed = parseMoney(form.amount, form.currency);
  if (!parsed.ok && parsed.problem === "empty" && form.split.type === "ITEMIZED") {
    const sum = sumOfItems(form.split.items, form.currency);
    return sum ? { amount: sum, problem: null } : { amount: null, problem: "empty" };
  }
  if (!parsed.ok) return { amount: null, problem: parsed.problem };
  return parsed.minor > 0 ? { amount: parsed.minor, problem: null } : { amount: null, problem: "zero" };
}

/** `83,25` is a rate, too. */
function typedRate(text: string): string {
  const parsed = text.trim().replace(",", ".");
  return parsed.startsWith(".") ? `0${parsed}` : parsed;
}

export function problemsOf(form: ExpenseForm, worked: WorkedOut, groupCurrency: string): FormProblems {
  return {
    ...(worked.amountProblem ? { amount: worked.amountProblem } : {}),
    ...(form.description.trim() === "" ? { description: "required" } : {}),
    ...(form.date === "" ? { date: "required" } : {}),
    ...(form.currency !== groupCurrency && worked.rate === null
      ? { rate: form.rate.trim() === "" ? "no_rate" : "not_a_rate" }
      : {}),
    ...(worked.paid.problem ? { payers: true } : {}),
    ...(worked.divided.problem ? { split: true } : {}),
    ...(form.repeat ? repeatProblems(form.repeat, form.date) : {}),
  };
}

function repeatProblems(repeat: RepeatForm, start: string): FormProblems {
  return {
    ...(wholeNumber(repeat.interval, INTERVAL_MAX) === null ? { interval: "not_a_count" } : {}),
    ...(repeat.ends === "after" && wholeNumber(repeat.count, COUNT_MAX) === null ? { count: "not_a_count" } : {}),
    ...(repeat.ends === "on" && repeat.endDay === "" ? { endDay: "required" } : {}),
    ...(repeat.ends === "on" && repeat.endDay !== "" && repeat.endDay < start ? { endDay: "end_before_start" } : {}),
  };
}

/** From 1 on; null where it isn't such a number. */
function wholeNumber(text: string, max: number): number | null {
  const parsed = parseMoney(text, "JPY");
  return parsed.ok && parsed.minor >= 1 && parsed.minor <= max ? parsed.minor : null;
}

type Template = Commands["recurrence:create"]["expense"];

/** The fields of the expense without its day; null while something is missing. `category` as it counts, guess included. */
export function templateFields(
  form: ExpenseForm,
  worked: WorkedOut,
  groupCurrency: string,
  category: string | null,
): Template | null {
  const { amount, paid, divided, rate } = worked;
  if (amount === null || paid.asked === null || divided.asked === null) return null;
  if (form.currency !== groupCurrency && rate === null) return null;
  const notes = form.notes.trim();
  return {
    description: form.description.trim(),
    amount,
    paidBy: paid.asked,
    ...divided.asked,
    ...(category ? { category } : {}),
    ...(notes ? { notes } : {}),
    ...(form.kind === "EXPENSE" ? {} : { kind: form.kind }),
    ...(form.currency === groupCurrency || rate === null ? {} : { currency: form.currency, rate }),
  };
}

/** Among all who are members on each day, where everybody takes part now. */
export function amongAll(template: Template, memberIds: readonly string[]): Template {
  const { participants, ...rest } = template;
  const isAll = participants?.length === memberIds.length && memberIds.every((userId) => participants.includes(userId));
  return isAll ? rest : template;
}

/** The schedule of what repeats, from the form's day on. Only without problems. */
export function scheduleFields(repeat: RepeatForm, start: string): Commands["recurrence:create"]["schedule"] {
  return {
    frequency: repeat.frequency,
    interval: wholeNumber(repeat.interval, INTERVAL_MAX) ?? 1,
    start,
    ...(repeat.ends === "on" ? { end: repeat.endDay } : {}),
    ...(repeat.ends === "after" ? { count: wholeNumber(repeat.count, COUNT_MAX) ?? 1 } : {}),
  };
}

/** Which part of the form a path of the server's answer is about: `splits.0.userId` is about the split. */
export function partOf(path: string): "amount" | "description" | "date" | "rate" | "payers" | "split" | "repeat" | "other" {
  const names = path.split(".").filter((name) => name !== "expense");
  switch (names[0]) {
    case "amount":
    case "description":
    case "date":
    case "rate":
      return names[0];
    case "currency":
      return "rate";
    case "paidBy":
      return "payers";
    case "splits":
    case "items":
    case "participants":
    case "includePayer":
    case "splitType":
    case "presetId":
      return "split";
    case "schedule":
      return "repeat";
    default:
      return "other";
  }
}
