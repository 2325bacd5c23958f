/** What a list of groups adds up to. */

import type { GroupSummary } from "../../data/model.ts";

export interface Total {
  readonly currency: string;
  /** Minor units: what the person is owed over all groups of the currency, less what they owe. */
  readonly net: number;
}

/** By currency, that of most groups first. Archived groups count: what is owed there is owed. */
export function totals(groups: readonly GroupSummary[]): readonly Total[] {
  const found = new Map<string, { net: number; count: number }>();
  for (const { currency, myBalance } of groups) {
    const { net, count } = found.get(currency) ?? { net: 0, count: 0 };
    found.set(currency, { net: net + myBalance, count: count + 1 });
  }
  return [...found]
    .sort(([one, a], [other, b]) => b.count - a.count || one.localeCompare(other))
    .map(([currency, { net }]) => ({ currency, net }));
}

export interface Apart {
  readonly used: readonly GroupSummary[];
  /** The ledgers of two people. */
  readonly direct: readonly GroupSummary[];
  readonly archived: readonly GroupSummary[];
}

/** Those in use and those put away, each with the last used first. */
export function apart(groups: readonly GroupSummary[]): Apart {
  const sorted = [...groups].sort((a, b) => b.at.localeCompare(a.at) || a.id.localeCompare(b.id));
  const open = sorted.filter((group) => !group.isArchived);
  return {
    used: open.filter(({ kind }) => kind === "GROUP"),
    direct: open.filter(({ kind }) => kind === "DIRECT"),
    archived: sorted.filter((group) => group.isArchived),
  };
}
