/** From what is held of a group to what the screens see of it. Pure. */

import { compared } from "../ledger/split.ts";
import { isOpen } from "../ledger/loan.ts";
import type { Expense, Group, Loan, Member, Settlement } from "../ledger/shapes.ts";
import { activeMembers, type GroupState } from "../ledger/state.ts";
import type { GroupRecord } from "./database.ts";
import type { CommentView, ExpenseView, GroupSummary, GroupView, LoanView, SettlementView, Waiting } from "./model.ts";
import type { Provisional } from "./rebasing.ts";

/** Newest first: by date, of one day by when it was added, which no edit changes. */
export const byNewestExpense = (a: Expense, b: Expense): number =>
  compared(b.date, a.date) || compared(b.createdAt, a.createdAt) || compared(b.id, a.id);
export const byNewestSettlement = (a: Settlement, b: Settlement): number =>
  compared(b.createdAt, a.createdAt) || compared(b.id, a.id);

/** The open ones first, then the newest. */
const byOpenLoan = (a: Loan, b: Loan): number =>
  Number(isOpen(b)) - Number(isOpen(a)) || compared(b.createdAt, a.createdAt) || compared(b.id, a.id);

const isOneOf = ({ lenderId, borrowerId }: Loan, userId: string): boolean => lenderId === userId || borrowerId === userId;

/** The server's things of one group, sorted, so that a view of a few changes needs no sorting of all. */
export interface Sorted {
  readonly expenses: readonly Expense[];
  readonly settlements: readonly Settlement[];
}

export interface Seen {
  readonly record: GroupRecord | undefined;
  readonly sorted: Sorted;
  readonly provisional: Provisional;
  readonly me: string;
  readonly waitingCount: number;
}

/** The group as it will be; null where the user isn't in it. */
export function viewOf(seen: Seen): GroupView | null {
  const { record, provisional, sorted, waitingCount } = seen;
  const { state } = provisional;
  const people = state === null ? new Map<string, Member>() : namedPeople(state, record?.names);
  const me = people.get(seen.me);
  if (state === null || me === undefined || me.leftAt !== null) {
    return null;
  }
  const expenses = overlaid<ExpenseView>(sorted.expenses, provisional.expenses, provisional, byNewestExpense);
  return {
    id: state.groupId,
    seq: record?.state.seq ?? 0,
    group: groupOf(state, seen.me, people),
    members: Array.from(people.values()).filter((member) => member.leftAt === null),
    people,
    me,
    balances: Array.from(state.balances, ([userId, amount]) => ({ userId, amount })),
    myBalance: state.balances.get(seen.me) ?? 0,
    settleUp: record?.settleUp ?? [],
    isPlanStale: record === undefined || record.planSeq !== record.state.seq || !sameBalances(record.state, state),
    expenses: expenses.filter((expense) => expense.deletedAt === null),
    deletedExpenses: expenses.filter((expense) => expense.deletedAt !== null),
    settlements: overlaid<SettlementView>(
      sorted.settlements,
      provisional.settlements,
      provisional,
      byNewestSettlement,
    ),
    presets: Array.from(state.presets.values()).sort(
      (a, b) => Number(b.isDefault) - Number(a.isDefault) || compared(a.name, b.name) || compared(a.id, b.id),
    ),
    loans: Array.from(state.loans.values(), (loan) => marked<LoanView>(loan, provisional)).sort(byOpenLoan),
    recurrences: Array.from(state.recurrences.values()).sort((a, b) => a.since - b.since || compared(a.id, b.id)),
    waitingCount,
  };
}

/** A line of a list; null where the user isn't in the group. */
export function summaryOf(
  state: GroupState | null,
  me: string,
  waitingCount: number,
  names: ReadonlyMap<string, string> | undefined,
): GroupSummary | null {
  if (state === null || state.members.get(me)?.leftAt !== null) {
    return null;
  }
  const { kind = "GROUP", currency, archivedAt } = state.settings;
  return {
    id: state.groupId,
    name: kind === "DIRECT" ? titleOf(state, me, namedPeople(state, names)) : state.settings.name,
    kind,
    currency,
    myBalance: state.balances.get(me) ?? 0,
    memberCount: activeMembers(state).length,
    openLoanCount: Array.from(state.loans.values()).filter((loan) => isOpen(loan) && isOneOf(loan, me)).length,
    isArchived: archivedAt !== null,
    waitingCount,
    at: state.at,
  };
}

/** The newest happening first. */
export const byNewestSummary = (a: GroupSummary, b: GroupSummary): number => compared(b.at, a.at) || compared(a.id, b.id);

/** The comments that stand, oldest first. */
export function commentsOf(provisional: Provisional, expenseId: string): CommentView[] {
  return provisional
    .commentsOn(expenseId)
    .filter((comment) => comment.deletedAt === null)
    .sort((a, b) => compared(a.createdAt, b.createdAt) || compared(a.id, b.id))
    .map((comment) => marked<CommentView>(comment, provisional));
}

function namedPeople(state: GroupState, names: ReadonlyMap<string, string> | undefined): Map<string, Member> {
  const people = new Map<string, Member>();
  for (const [userId, member] of state.members) {
    const name = names?.get(userId) ?? member.name;
    people.set(userId, name === member.name ? member : { ...member, name });
  }
  return people;
}

/** A ledger of two people is called like the other one. */
function titleOf(state: GroupState, me: string, people: ReadonlyMap<string, Member>): string {
  const isDirect = state.settings.kind === "DIRECT";
  const other = isDirect ? Array.from(people.values()).find((member) => member.userId !== me) : undefined;
  return other?.name ?? state.settings.name;
}

function groupOf(state: GroupState, me: string, people: ReadonlyMap<string, Member>): Group {
  return {
    ...state.settings,
    name: titleOf(state, me, people),
    timeZone: state.settings.timeZone ?? "UTC",
    kind: state.settings.kind ?? "GROUP",
    id: state.groupId,
    seq: state.seq,
    createdBy: state.createdBy,
    createdAt: state.createdAt,
    updatedAt: state.at,
    members: [...people.values()],
  };
}

interface Marked {
  readonly id: string;
  readonly waiting?: Waiting;
}

function marked<V extends Marked>(thing: V, provisional: Provisional): V {
  const commandIds = provisional.changedBy.get(thing.id);
  return commandIds === undefined ? thing : { ...thing, waiting: { commandIds } };
}

/** The server's things with what waits in their place, in order. */
function overlaid<V extends Marked>(
  sorted: readonly V[],
  changed: ReadonlyMap<string, V>,
  provisional: Provisional,
  order: (a: V, b: V) => number,
): readonly V[] {
  if (changed.size === 0) {
    return sorted;
  }
  return placed(
    sorted,
    Array.from(changed.values(), (thing) => marked(thing, provisional)),
    order,
  );
}

/** Things that are put into a sorted list one by one; more of them are sorted anew with all. */
const PLACED_MAX = 100;

/** The sorted list with these in it, in place of those with the same ids. */
export function placed<T extends { readonly id: string }>(
  sorted: readonly T[],
  things: readonly T[],
  order: (a: T, b: T) => number,
): readonly T[] {
  const ids = new Set(things.map((thing) => thing.id));
  const kept = sorted.filter((thing) => !ids.has(thing.id));
  if (things.length > PLACED_MAX) {
    return [...kept, ...things].sort(order);
  }
  for (const thing of things) {
    kept.splice(placeOf(kept, thing, order), 0, thing);
  }
  return kept;
}

/** Where the thing stands in the sorted list, or would. */
function placeOf<T>(sorted: readonly T[], thing: T, order: (a: T, b: T) => number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (order(sorted[middle] as T, thing) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

function sameBalances(a: GroupState, b: GroupState): boolean {
  if (a.balances === b.balances) {
    return true;
  }
  return a.balances.size === b.balances.size && Array.from(a.balances).every(([id, amount]) => b.balances.get(id) === amount);
}
