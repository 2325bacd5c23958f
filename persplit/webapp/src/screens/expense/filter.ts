/** Which expenses somebody is looking for: the server's own rule, over what is on the device. */

import { parseMoney } from "../../ledger/money.ts";
import type { Expense } from "../../wire/types.ts";
import { categoryKey } from "./category_list.ts";
import { folded } from "./guess.ts";
import { payersOf } from "./people.ts";

/** As typed; empty: whatever it is. */
export interface Filter {
  readonly text: string;
  readonly member: string;
  readonly payer: string;
  readonly category: string;
  readonly amountFrom: string;
  readonly amountTo: string;
  readonly dateFrom: string;
  readonly dateTo: string;
}

export const NO_FILTER: Filter = {
  text: "",
  member: "",
  payer: "",
  category: "",
  amountFrom: "",
  amountTo: "",
  dateFrom: "",
  dateTo: "",
};

/** How many of the filters, the words aside, are in use. */
export function filterCount(filter: Filter): number {
  return Object.entries(filter).filter(([name, value]) => name !== "text" && value !== "").length;
}

export interface Found<E extends Expense> {
  readonly expenses: readonly E[];
  /** Minor units; what came back or was earned lowers them. */
  readonly total: number;
  readonly myShare: number;
}

/** Those that hold all that is asked. `canonical`: from a placeholder to who took it over. */
export function search<E extends Expense>(
  expenses: readonly E[],
  filter: Filter,
  currency: string,
  me: string,
  canonical: (userId: string) => string,
): Found<E> {
  const checks = checksOf(filter, currency, canonical);
  const found = expenses.filter((expense) => checks.every((holds) => holds(expense)));
  let total = 0;
  let myShare = 0;
  for (const expense of found) {
    const sign = (expense.kind ?? "EXPENSE") === "EXPENSE" ? 1 : -1;
    total += sign * expense.amount;
    for (const share of expense.shares) {
      if (canonical(share.userId) === me) myShare += sign * share.amount;
    }
  }
  return { expenses: found, total, myShare };
}

type Check = (expense: Expense) => boolean;

function checksOf(filter: Filter, currency: string, canonical: (userId: string) => string): Check[] {
  return [
    ...words(filter.text),
    ...people(filter, canonical),
    ...(filter.category === "" ? [] : [(expense: Expense) => sameCategory(expense.category, filter.category)]),
    ...amounts(filter, currency),
    ...(filter.dateFrom === "" ? [] : [(expense: Expense) => expense.date >= filter.dateFrom]),
    ...(filter.dateTo === "" ? [] : [(expense: Expense) => expense.date <= filter.dateTo]),
  ];
}

/** By key: `Dinner` and `food` are one. */
function sameCategory(category: string | null, wanted: string): boolean {
  return folded(categoryKey(category) ?? "") === folded(categoryKey(wanted) ?? "");
}

function words(text: string): Check[] {
  const wanted = folded(text).split(/\s+/u).filter(Boolean);
  if (wanted.length === 0) return [];
  return [
    (expense) => {
      const said = folded(`${expense.description}\n${expense.notes ?? ""}`);
      return wanted.every((word) => said.includes(word));
    },
  ];
}

function people(filter: Filter, canonical: (userId: string) => string): Check[] {
  const isPayer = (expense: Expense, userId: string) =>
    payersOf(expense).some((payer) => canonical(payer.userId) === userId);
  const hasShare = (expense: Expense, userId: string) =>
    expense.shares.some((share) => canonical(share.userId) === userId);
  return [
    ...(filter.payer === "" ? [] : [(expense: Expense) => isPayer(expense, filter.payer)]),
    ...(filter.member === ""
      ? []
      : [(expense: Expense) => isPayer(expense, filter.member) || hasShare(expense, filter.member)]),
  ];
}

/** What isn't an amount (yet) filters nothing. */
function amounts(filter: Filter, currency: string): Check[] {
  const from = parseMoney(filter.amountFrom, currency);
  const to = parseMoney(filter.amountTo, currency);
  return [
    ...(from.ok ? [(expense: Expense) => expense.amount >= from.minor] : []),
    ...(to.ok ? [(expense: Expense) => expense.amount <= to.minor] : []),
  ];
}
