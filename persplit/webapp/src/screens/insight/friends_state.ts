/** Who owes whom over all groups, as far as this device can tell. */

import type { GroupView } from "../../data/model.ts";
import { isSameParty } from "../settle/plan.ts";
import type { RestSchemas } from "../../wire/types.ts";

export type Friend = RestSchemas["Friend"];

interface Sums {
  readonly name: string;
  /** By currency, minor units. */
  readonly balances: Map<string, number>;
  readonly loans: Map<string, number>;
}

/**
 * From what is held: what the plans' rows between each person and me add up to, by currency, and what is left of loans,
 * without interest; zeros are left out. The server adds up the debts between two people instead of the plans' rows,
 * which a device does not hold.
 */
export function friendsFromPlans(groups: readonly GroupView[]): readonly Friend[] {
  const found = new Map<string, Sums>();
  for (const view of groups) {
    for (const { from, to, amount } of view.settleUp) {
      const isMine = isSameParty(view, from, view.me.userId);
      if (isMine !== isSameParty(view, to, view.me.userId)) {
        add(friendIn(found, view, isMine ? to : from).balances, view.group.currency, isMine ? -amount : amount);
      }
    }
    addLoans(found, view);
  }
  return [...found]
    .map(([userId, { name, balances, loans }]) => ({ userId, name, balances: notZero(balances), loans: notZero(loans) }))
    .filter(({ balances, loans }) => balances.length + loans.length > 0);
}

function addLoans(found: Map<string, Sums>, view: GroupView): void {
  const me = view.me.userId;
  for (const { status, lenderId, borrowerId, outstanding } of view.loans) {
    if (status === "OPEN" && (lenderId === me || borrowerId === me)) {
      const isLent = lenderId === me;
      add(friendIn(found, view, isLent ? borrowerId : lenderId).loans, view.group.currency, isLent ? outstanding : -outstanding);
    }
  }
}

function friendIn(found: Map<string, Sums>, view: GroupView, userId: string): Sums {
  const friend = found.get(userId) ?? { name: view.people.get(userId)?.name ?? "?", balances: new Map(), loans: new Map() };
  found.set(userId, friend);
  return friend;
}

function add(sums: Map<string, number>, currency: string, amount: number): void {
  sums.set(currency, (sums.get(currency) ?? 0) + amount);
}

function notZero(sums: ReadonlyMap<string, number>): { currency: string; amount: number }[] {
  return [...sums].filter(([, amount]) => amount !== 0).map(([currency, amount]) => ({ currency, amount }));
}

/** Those who owe or are owed most come first, whatever the currency; then by name. */
export function inOrder(friends: readonly Friend[]): readonly Friend[] {
  const weight = ({ balances, loans }: Friend) => Math.max(0, ...[...balances, ...loans].map(({ amount }) => Math.abs(amount)));
  return [...friends].sort((one, other) => weight(other) - weight(one) || one.name.localeCompare(other.name));
}

/** The groups in which both of us are now. */
export function groupsWith(groups: readonly GroupView[], userId: string): readonly GroupView[] {
  return groups.filter(({ members }) => members.some((member) => member.userId === userId));
}
