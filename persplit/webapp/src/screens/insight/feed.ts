/** The activity's entries: pages put together, by day; or made of what is on the device. */

import type { GroupView } from "../../data/model.ts";
import type { LedgerEvent, RestSchemas } from "../../wire/types.ts";

export type Entry = RestSchemas["FeedEntry"];

/** The entries of both, each once, newest first. What was unread when it was first seen stays marked. */
export function mergedFeed(before: readonly Entry[], page: readonly Entry[]): readonly Entry[] {
  const found = new Map(page.map((entry) => [keyOf(entry), entry]));
  for (const entry of before) found.set(keyOf(entry), entry);
  return [...found.values()].sort(byNewest);
}

/** What an event has that no sentence tells. */
const UNTOLD = { commandId: "", v: 1 } as const;

/** With no network: the expenses and payments that the device holds, as they were added. Newest first, at most `limit`. */
export function feedFromGroups(groups: readonly GroupView[], limit: number): readonly Entry[] {
  return groups
    .flatMap((view) => eventsOf(view).map((event) => ({ groupId: view.id, groupName: view.group.name, currency: view.group.currency, unread: false, event })))
    .sort(byNewest)
    .slice(0, limit);
}

function eventsOf({ id, expenses, settlements }: GroupView): LedgerEvent[] {
  const base = ({ seq, createdAt, createdBy }: { seq: number; createdAt: string; createdBy: string }) => ({ ...UNTOLD, groupId: id, seq, at: createdAt, by: createdBy });
  return [
    ...expenses.map((expense) => ({ ...base(expense), type: "expense:created" as const, expense })),
    ...settlements.map((settlement) => ({ ...base(settlement), type: "settlement:created" as const, settlement })),
  ];
}

export function unreadGroups(entries: readonly Entry[]): ReadonlySet<string> {
  return new Set(entries.filter(({ unread }) => unread).map(({ groupId }) => groupId));
}

/** By the day of the person's own clock, YYYY-MM-DD. */
export function byDay(entries: readonly Entry[]): readonly { readonly day: string; readonly entries: readonly Entry[] }[] {
  const days = new Map<string, Entry[]>();
  for (const entry of entries) {
    const day = localDay(new Date(entry.event.at));
    days.set(day, [...(days.get(day) ?? []), entry]);
  }
  return [...days].map(([day, ofDay]) => ({ day, entries: ofDay }));
}

function localDay(date: Date): string {
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}

function keyOf({ groupId, event }: Entry): string {
  return `${groupId} ${event.seq}`;
}

function byNewest(one: Entry, other: Entry): number {
  return compare(other.event.at, one.event.at) || other.event.seq - one.event.seq;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
