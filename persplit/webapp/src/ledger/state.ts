/**
 * A group as its events have made it. Plain data, so that it can be stored as it is; never changed in place.
 *
 * It holds people, balances and what is pending, not the expenses: an event about an expense carries the version
 * before and after. Debts and the settle-up plan are the server's.
 */

import type { Expense, ExpenseKind, GroupSettings, Loan, Member, Posting, Preset, Recurrence, Settlement } from "./shapes.ts";

/** Raised whenever the state, or what `apply` makes of an event, changes: what was folded before is fetched anew. */
export const STATE_VERSION = 2;

export interface GroupState {
  readonly groupId: string;
  readonly seq: number;
  /** When the last event was recorded, RFC 3339. */
  readonly at: string;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly settings: GroupSettings;
  /** Everybody who ever was in it, by user id, in the order in which they first came. */
  readonly members: ReadonlyMap<string, Member>;
  /** Minor units; positive is owed to them. Every active member, and a sum of zero. */
  readonly balances: ReadonlyMap<string, number>;
  /** From a claimed placeholder to who took it over. */
  readonly claims: ReadonlyMap<string, string>;
  /** Settlements that await an answer, by id. */
  readonly pending: ReadonlyMap<string, Settlement>;
  readonly expenseCount: number;
  readonly settlementCount: number;
  readonly presets: ReadonlyMap<string, Preset>;
  readonly recurrences: ReadonlyMap<string, Recurrence>;
  /** All that are open, and the others that changed last. What is owed of them is no part of the balances. */
  readonly loans: ReadonlyMap<string, Loan>;
}

/** The id itself, or that of who claimed the placeholder. */
export const canonical = (state: GroupState, userId: string): string => state.claims.get(userId) ?? userId;

/** Who is in the group now, in the order in which they first came. */
export const activeMembers = (state: GroupState): Member[] =>
  Array.from(state.members.values()).filter((member) => member.leftAt === null);

/** Whether the user is in the group now. */
export const isMember = (state: GroupState, userId: string): boolean => state.members.get(userId)?.leftAt === null;

/** Whether the user is in the group now, as an admin. */
export const isAdmin = (state: GroupState, userId: string): boolean =>
  isMember(state, userId) && state.members.get(userId)?.role === "ADMIN";

/** Who paid what, also where that was one person. */
export function payersOf(expense: { readonly paidBy: string | readonly Posting[]; readonly amount: number }): Posting[] {
  return typeof expense.paidBy === "string"
    ? [{ userId: expense.paidBy, amount: expense.amount }]
    : [...expense.paidBy];
}

/** As it goes over the wire: one person's id where they paid all of it. */
export function paidByOf(payers: readonly Posting[], amount: number): Expense["paidBy"] {
  const [only] = payers;
  return payers.length === 1 && only?.amount === amount ? only.userId : [...payers];
}

/** Each person's paid less owed, minor units; sums to zero. Received money counts the other way. */
export function netOf(
  expense: Pick<Expense, "paidBy" | "amount" | "shares"> & { readonly kind?: ExpenseKind },
): Map<string, number> {
  const sign = (expense.kind ?? "EXPENSE") === "EXPENSE" ? 1 : -1;
  const net = new Map<string, number>();
  for (const { userId, amount } of payersOf(expense)) {
    net.set(userId, (net.get(userId) ?? 0) + sign * amount);
  }
  for (const { userId, amount } of expense.shares) {
    net.set(userId, (net.get(userId) ?? 0) - sign * amount);
  }
  return net;
}
