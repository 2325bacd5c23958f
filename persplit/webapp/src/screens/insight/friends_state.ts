/** Who owes whom over all groups, as far as this device can tell. */

import type { GroupView } from "../../data/model.ts";
import { isSameParty } from "../settle/plan.ts";
import type { RestSchemas } from "../../wire/types.ts";

export type Friend = RestSchemas["Friend"];

/**
 * From the plans that are held: what the rows between each person and me add up to, by currency; zeros are left out.
 * The server adds up the debts between two people instead, which a device does not hold.
 */
export function friendsFromPlans(groups: readonly GroupView[]): readonly Friend[] {
  const found = new Map<string, { name: string; sums: Map<string, number> }>();
  for (const view of groups) {
    const me = view.me.userId;
    for (const { from, to, amount } of view.settleUp) {
      const isMine = isSameParty(view, from, me);
      if (isMine === isSameParty(view, to, me)) continue;
      const other = isMine ? to : from;
      const friend = found.get(other) ?? { name: view.people.get(other)?.name ?? "?", sums: new Map<string, number>() };
      friend.sums.set(view.group.currency, (friend.sums.get(view.group.currency) ?? 0) + (isMine ? -amount : amount));
      found.set(other, friend);
    }
  }
  return [...found]
    .map(([userId, { name, sums }]) => ({
      userId,
      name,
      balances: [...sums].filter(([, amount]) => amount !== 0).map(([currency, amount]) => ({ currency, amount })),
      loans: [],
    }))
    .filter(({ balances }) => balances.length > 0);
}

/** Those who owe or are owed most come first, whatever the currency; then by name. */
export function inOrder(friends: readonly Friend[]): readonly Friend[] {
  const weight = ({ balances }: Friend) => Math.max(0, ...balances.map(({ amount }) => Math.abs(amount)));
  return [...friends].sort((one, other) => weight(other) - weight(one) || one.name.localeCompare(other.name));
}

/** The groups in which both of us are now. */
export function groupsWith(groups: readonly GroupView[], userId: string): readonly GroupView[] {
  return groups.filter(({ members }) => members.some((member) => member.userId === userId));
}
