/** Whom one can lend to outside of any group. Pure. */

import type { GroupSummary, GroupView } from "../../data/model.ts";
import type { Person } from "./parties.tsx";

/** Everybody with an account who shares a group with me, each once, by name. */
export function acquaintances(groups: readonly GroupView[]): readonly Person[] {
  const found = new Map<string, Person>();
  for (const { members, me } of groups) {
    for (const { userId, name, placeholder } of members) {
      if (!placeholder && userId !== me.userId) found.set(userId, { userId, name });
    }
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name) || a.userId.localeCompare(b.userId));
}

/** The currency of most of the groups, so that it rarely has to be chosen; rupees where there is none. */
export function usualCurrency(groups: readonly Pick<GroupSummary, "currency">[]): string {
  const counts = new Map<string, number>();
  for (const { currency } of groups) counts.set(currency, (counts.get(currency) ?? 0) + 1);
  const [most] = [...counts].sort(([one, a], [other, b]) => b - a || one.localeCompare(other));
  return most?.[0] ?? "INR";
}
