/** Who of a group may go, and who settles together. Pure. */

import type { GroupView } from "../../data/model.ts";
import type { Member } from "../../wire/types.ts";

/** Why somebody can't go yet, as far as this device can tell: the server has the last word. */
export type Staying = "balance" | "pending" | "loan" | "lastAdmin";

type People = Pick<GroupView, "members" | "balances" | "settlements" | "loans">;

export function balanceOf(view: Pick<GroupView, "balances">, userId: string): number {
  return view.balances.find((one) => one.userId === userId)?.amount ?? 0;
}

export function whyStays(view: People, member: Member): Staying | undefined {
  if (balanceOf(view, member.userId) !== 0) return "balance";
  if (view.settlements.some((one) => one.status === "PENDING" && isPartOf(one, member.userId))) return "pending";
  if (view.loans.some((one) => one.status === "OPEN" && isOneOfTheTwo(one, member.userId))) return "loan";
  return isLastAdmin(view, member) ? "lastAdmin" : undefined;
}

function isPartOf(settlement: { fromUserId: string; toUserId: string }, userId: string): boolean {
  return settlement.fromUserId === userId || settlement.toUserId === userId;
}

function isOneOfTheTwo(loan: { lenderId: string; borrowerId: string }, userId: string): boolean {
  return loan.lenderId === userId || loan.borrowerId === userId;
}

/** Whether people would be left whom nobody looks after. */
export function isLastAdmin(view: Pick<GroupView, "members">, member: Member): boolean {
  const others = view.members.filter((one) => one.userId !== member.userId && !one.placeholder);
  return member.role === "ADMIN" && others.length > 0 && !others.some(({ role }) => role === "ADMIN");
}

/** The names of units in use, each once. */
export function unitsOf(members: readonly Member[]): readonly string[] {
  return [...new Set(members.flatMap(({ unit }) => (unit === null ? [] : [unit])))].sort();
}

/** Those who were put out for good. */
export function blockedPeople(people: ReadonlyMap<string, Member>): readonly Member[] {
  return [...people.values()].filter(({ blocked, leftAt }) => blocked && leftAt !== null);
}

/** Who bears how much where it is divided by shares: more than 0, at most four decimals; undefined where it isn't that. */
export function weightIn(text: string): number | undefined {
  const typed = text.trim().replace(",", ".");
  if (!/^[0-9]{1,4}(\.[0-9]{1,4})?$/.test(typed)) return undefined;
  const weight = Number(typed);
  return weight > 0 ? weight : undefined;
}
