/** What differs between two versions of an expense, and what an expense went through. */

import type { Attachment, Expense, LedgerEvent, Posting } from "../../wire/types.ts";
import { payersOf } from "./people.ts";

/** One thing that differs. Null: there was, or is, none. */
export type Change =
  | { readonly field: "description" | "date" | "category" | "notes" | "kind" | "splitType" | "rate"; readonly before: string | null; readonly after: string | null }
  | { readonly field: "amount"; readonly before: Sum; readonly after: Sum }
  | { readonly field: "paidBy"; readonly before: readonly Posting[]; readonly after: readonly Posting[] }
  /** Only those whose part moved. */
  | { readonly field: "shares"; readonly moved: readonly { readonly userId: string; readonly before: number; readonly after: number }[] }
  | { readonly field: "items"; readonly before: number; readonly after: number };

interface Sum {
  readonly minor: number;
  readonly currency: string;
}

/** What a version says, as far as it can differ: an expense, or what somebody asks for, with shares worked out. */
export type Version = Pick<
  Expense,
  "description" | "amount" | "paidBy" | "splitType" | "date" | "category" | "notes" | "shares" | "items"
> &
  Partial<Pick<Expense, "kind" | "original">>;

/** In the order in which a person would tell it. `currency` is the group's. */
export function changesBetween(before: Version, after: Version, currency: string): Change[] {
  return [
    ...textChanges(before, after),
    ...moneyChanges(before, after, currency),
    ...itemChanges(before, after),
    ...shareChanges(before.shares, after.shares),
  ];
}

function textChanges(before: Version, after: Version): Change[] {
  const texts = (version: Version) => ({
    description: version.description,
    date: version.date,
    category: version.category,
    notes: version.notes,
    kind: version.kind ?? "EXPENSE",
    splitType: version.splitType,
    rate: version.original?.rate ?? null,
  });
  const [was, is] = [texts(before), texts(after)];
  return (Object.keys(was) as (keyof typeof was)[])
    .filter((field) => was[field] !== is[field])
    .map((field) => ({ field, before: was[field], after: is[field] }));
}

function moneyChanges(before: Version, after: Version, currency: string): Change[] {
  const sumOf = ({ amount, original }: Version): Sum =>
    original ? { minor: original.amount, currency: original.currency } : { minor: amount, currency };
  const [was, is] = [sumOf(before), sumOf(after)];
  const isAmountSame = was.minor === is.minor && was.currency === is.currency;
  const [paidBefore, paidAfter] = [payersOf(before), payersOf(after)];
  const isPayerSame =
    paidBefore.length === 1 && paidAfter.length === 1
      ? paidBefore[0]?.userId === paidAfter[0]?.userId
      : samePostings(paidBefore, paidAfter);
  return [
    ...(isAmountSame ? [] : [{ field: "amount", before: was, after: is } as const]),
    ...(isPayerSame ? [] : [{ field: "paidBy", before: paidBefore, after: paidAfter } as const]),
  ];
}

function samePostings(before: readonly Posting[], after: readonly Posting[]): boolean {
  return before.length === after.length && movedBetween(before, after).length === 0;
}

/** In which order those who had an item were ticked says nothing. */
function itemChanges(before: Version, after: Version): Change[] {
  const asText = ({ items }: Version) => JSON.stringify(items.map((item) => [item.name, item.amount, [...item.participants].sort()]));
  return asText(before) === asText(after) ? [] : [{ field: "items", before: before.items.length, after: after.items.length }];
}

function shareChanges(before: readonly Posting[], after: readonly Posting[]): Change[] {
  const moved = movedBetween(before, after);
  return moved.length === 0 ? [] : [{ field: "shares", moved }];
}

function movedBetween(before: readonly Posting[], after: readonly Posting[]) {
  const [was, is] = [amountsOf(before), amountsOf(after)];
  return [...new Set([...was.keys(), ...is.keys()])]
    .map((userId) => ({ userId, before: was.get(userId) ?? 0, after: is.get(userId) ?? 0 }))
    .filter((one) => one.before !== one.after);
}

const amountsOf = (postings: readonly Posting[]) => new Map(postings.map(({ userId, amount }) => [userId, amount]));

/** One thing that happened to an expense. */
export interface Happening {
  readonly seq: number;
  readonly at: string;
  readonly by: string;
  readonly what: "created" | "changed" | "deleted" | "restored" | "attached" | "detached";
  readonly changes: readonly Change[];
  readonly attachment: Attachment | null;
}

/** What the expense went through, oldest first. */
export function historyOf(events: readonly LedgerEvent[], expenseId: string, currency: string): Happening[] {
  return events.flatMap((event): Happening[] => {
    if (!("expense" in event) || event.expense.id !== expenseId) return [];
    const base = { seq: event.seq, at: event.at, by: event.by, changes: [], attachment: null };
    switch (event.type) {
      case "expense:created":
        return [{ ...base, what: "created" }];
      case "expense:updated":
        return [
          { ...base, what: "changed", changes: event.before ? changesBetween(event.before, event.expense, currency) : [] },
        ];
      case "expense:deleted":
        return [{ ...base, what: "deleted" }];
      case "expense:restored":
        return [{ ...base, what: "restored" }];
      case "attachment:added":
        return [{ ...base, what: "attached", attachment: event.attachment }];
      case "attachment:removed":
        return [{ ...base, what: "detached", attachment: event.attachment }];
    }
  });
}
