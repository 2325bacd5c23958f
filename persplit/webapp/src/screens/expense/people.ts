/** Who can take part in an expense, and who an id stands for. */

import type { GroupView } from "../../data/model.ts";
import type { Expense, Member } from "../../wire/types.ts";

/** What the form has to know of the people. */
export interface People {
  readonly me: string;
  /** Those who are offered, in the order in which they are shown: me first, then the others by when they came. */
  readonly ids: readonly string[];
  /** What each bears unless told where it is divided by shares: 1 for most. */
  readonly weights: ReadonlyMap<string, number>;
}

/** From the id of a placeholder to that of who took it over; any other id is its own. */
export function canonicalOf(people: ReadonlyMap<string, Member>): (userId: string) => string {
  const claimedBy = new Map<string, string>();
  for (const member of people.values()) {
    if (member.claimed !== null) claimedBy.set(member.claimed, member.userId);
  }
  return (userId) => claimedBy.get(userId) ?? userId;
}

/** Who is in the group now, and who has left but is part of the expense that is edited. */
export function peopleOf(view: GroupView, expense?: Expense): People {
  const canonical = canonicalOf(view.people);
  const me = view.me.userId;
  const named = expense === undefined ? [] : namedIn(expense).map(canonical);
  const ids = new Set([me, ...view.members.map((member) => member.userId), ...named]);
  return {
    me,
    ids: [...ids],
    weights: new Map([...ids].map((userId) => [userId, view.people.get(userId)?.weight ?? 1])),
  };
}

function namedIn(expense: Expense): string[] {
  return [
    ...payersOf(expense).map((payer) => payer.userId),
    ...expense.shares.map((share) => share.userId),
    ...expense.participants,
  ];
}

/** Who paid, and how much, in the group's currency. */
export function payersOf(expense: Pick<Expense, "amount" | "paidBy">): readonly { userId: string; amount: number }[] {
  return typeof expense.paidBy === "string" ? [{ userId: expense.paidBy, amount: expense.amount }] : expense.paidBy;
}
