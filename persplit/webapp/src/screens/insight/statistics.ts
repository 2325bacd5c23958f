/**
 * What a group spent, worked out on the device: by category, by member, by month. The same sums as the server's
 * statistics: over expenses that count, refunds and income as less than nothing, payments between members aside.
 * Amounts in minor units.
 */

import { payersOf } from "../../ledger/state.ts";
import type { Expense, Posting } from "../../wire/types.ts";

export interface Total {
  readonly count: number;
  readonly amount: number;
  /** What I paid of it, and what of it falls to me. */
  readonly paid: number;
  readonly share: number;
}

export interface Statistics {
  readonly all: Total;
  /** The largest first; `null`: expenses with no category. */
  readonly categories: readonly (Total & { readonly category: string | null })[];
  /** Who paid most first. */
  readonly members: readonly (Total & { readonly userId: string })[];
  /** `YYYY-MM`, in order. */
  readonly months: readonly (Total & { readonly month: string })[];
}

/** Days, both included; `null`: open. */
export interface Period {
  readonly from: string | null;
  readonly to: string | null;
}

export interface Counting {
  readonly me: string;
  /** Who a placeholder has become. */
  readonly canonical: (userId: string) => string;
  /** What categories that mean the same have in common. */
  readonly categoryKey: (category: string | null) => string | null;
}

const MONTH_LENGTH = "2026-11".length;
const NOTHING: Total = { count: 0, amount: 0, paid: 0, share: 0 };

export function isWithin({ from, to }: Period, day: string): boolean {
  return (from === null || day >= from) && (to === null || day <= to);
}

/** The statistics of these expenses; deleted ones don't count. */
export function statisticsOf(expenses: readonly Expense[], counting: Counting): Statistics {
  const sums = { all: NOTHING, categories: new Map<string | null, Total>(), members: new Map<string, Total>(), months: new Map<string, Total>() };
  for (const expense of expenses) if (expense.deletedAt === null) sums.all = count(expense, counting, sums);
  const byAmount = (one: Total, other: Total) => other.amount - one.amount;
  return {
    all: sums.all,
    categories: [...sums.categories].map(([category, total]) => ({ category, ...total })).sort(byAmount),
    members: [...sums.members].map(([userId, total]) => ({ userId, ...total })).sort((one, other) => other.paid - one.paid),
    months: [...sums.months].map(([month, total]) => ({ month, ...total })).sort((one, other) => (one.month < other.month ? -1 : 1)),
  };
}

interface Sums {
  all: Total;
  categories: Map<string | null, Total>;
  members: Map<string, Total>;
  months: Map<string, Total>;
}

/** Adds one expense everywhere; the new overall sum. */
function count(expense: Expense, { me, canonical, categoryKey }: Counting, sums: Sums): Total {
  const sign = (expense.kind ?? "EXPENSE") === "EXPENSE" ? 1 : -1;
  const amount = sign * expense.amount;
  const paid = legsBy(payersOf(expense), sign, canonical);
  const share = legsBy(expense.shares, sign, canonical);
  const mine = { count: 1, amount, paid: paid.get(me) ?? 0, share: share.get(me) ?? 0 };
  put(sums.categories, categoryKey(expense.category), mine);
  put(sums.months, expense.date.slice(0, MONTH_LENGTH), mine);
  for (const userId of new Set([...paid.keys(), ...share.keys()])) {
    put(sums.members, userId, { count: 1, amount, paid: paid.get(userId) ?? 0, share: share.get(userId) ?? 0 });
  }
  return plus(sums.all, mine);
}

function legsBy(legs: readonly Posting[], sign: number, canonical: Counting["canonical"]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { userId, amount } of legs) sums.set(canonical(userId), (sums.get(canonical(userId)) ?? 0) + sign * amount);
  return sums;
}

function put<Key>(totals: Map<Key, Total>, key: Key, more: Total): void {
  totals.set(key, plus(totals.get(key) ?? NOTHING, more));
}

function plus(one: Total, other: Total): Total {
  return {
    count: one.count + other.count,
    amount: one.amount + other.amount,
    paid: one.paid + other.paid,
    share: one.share + other.share,
  };
}
