/** `apply`: the state, one event further. Total: what was recorded is never refused. And a group's past, in steps. */

import { total } from "./exact.ts";
import { isOpen } from "./loan.ts";
import type { Expense, LedgerEvent, Loan, Member, Posting, Preset, Settlement } from "./shapes.ts";
import { compared } from "./split.ts";
import { canonical, type GroupState, isMember, netOf } from "./state.ts";

type ExpenseEvent = Extract<LedgerEvent, { readonly type: "expense:created" | "expense:updated" | "expense:deleted" | "expense:restored" }>;
type MemberEvent = Extract<LedgerEvent, { readonly type: "member:joined" | "member:updated" | "member:left" | "member:unblocked" }>;
type SettlementEvent = Extract<LedgerEvent, { readonly settlement: Settlement }>;
type GroupEvent = Extract<LedgerEvent, { readonly type: "group:created" | "group:updated" }>;

/** Repaid and deleted loans that the state keeps, the newest. */
const LOANS_CLOSED_MAX = 50;

/** The state after the event; a ledger begins with `group:created`. */
export function apply(state: GroupState | null, event: LedgerEvent): GroupState {
  if (event.type === "group:created") {
    return founded(event);
  }
  if (state === null) {
    throw new RangeError("a ledger begins with group:created");
  }
  return applied({ ...state, seq: event.seq, at: event.at }, event);
}

function applied(state: GroupState, event: LedgerEvent): GroupState {
  switch (event.type) {
    case "group:created":
      return founded(event);
    case "group:updated":
      return { ...state, settings: event.group };
    case "expense:created":
    case "expense:updated":
    case "expense:deleted":
    case "expense:restored":
      return withExpense(state, event);
    case "settlement:created":
    case "settlement:completed":
    case "settlement:declined":
    case "settlement:cancelled":
      return withSettlement(state, event);
    case "loan:created":
    case "loan:updated":
    case "loan:deleted":
    case "loan:restored":
      return { ...state, loans: loansWith(state, event.loan) };
    case "member:joined":
    case "member:updated":
    case "member:left":
    case "member:unblocked":
      return withMember(state, event);
    case "preset:saved":
      return { ...state, presets: presetsWith(state, event.preset) };
    case "preset:deleted":
      return { ...state, presets: without(state.presets, event.preset.id) };
    case "recurrence:saved":
      return { ...state, recurrences: new Map([...state.recurrences, [event.recurrence.id, event.recurrence]]) };
    case "recurrence:stopped":
      return { ...state, recurrences: without(state.recurrences, event.recurrence.id) };
    default:
      return state; // what is said, or attached: nothing is owed for it
  }
}

function founded(event: GroupEvent): GroupState {
  const members: [string, Member][] = event.member === undefined ? [] : [[event.member.userId, event.member]];
  return {
    groupId: event.groupId,
    seq: event.seq,
    at: event.at,
    createdBy: event.by,
    createdAt: event.at,
    settings: event.group,
    members: new Map(members),
    balances: new Map(members.map(([userId]) => [userId, 0])),
    claims: new Map(),
    pending: new Map(),
    expenseCount: 0,
    settlementCount: 0,
    presets: new Map(),
    recurrences: new Map(),
    loans: new Map(),
  };
}

function without<T>(things: ReadonlyMap<string, T>, id: string): ReadonlyMap<string, T> {
  const left = new Map(things);
  left.delete(id);
  return left;
}

function presetsWith(state: GroupState, preset: Preset): GroupState["presets"] {
  const presets = new Map(state.presets);
  if (preset.isDefault) {
    for (const [id, other] of presets) {
      presets.set(id, { ...other, isDefault: false });
    }
  }
  return presets.set(preset.id, preset);
}

/** The versions that begin (1) or cease (-1) to count. */
function effectsOf(event: ExpenseEvent): readonly (readonly [Expense, 1 | -1])[] {
  switch (event.type) {
    case "expense:updated":
      return event.before === undefined ? [] : [[event.before, -1], [event.expense, 1]];
    case "expense:deleted":
      return [[event.expense, -1]];
    default:
      return [[event.expense, 1]];
  }
}

function withExpense(state: GroupState, event: ExpenseEvent): GroupState {
  const net = new Map<string, number>();
  for (const [expense, sign] of effectsOf(event)) {
    for (const [userId, amount] of netOf(expense)) {
      net.set(userId, (net.get(userId) ?? 0) + sign * amount);
    }
  }
  const isNew = event.type === "expense:created";
  return {
    ...state,
    balances: posted(state, net),
    expenseCount: state.expenseCount + (isNew ? 1 : 0),
    recurrences: isNew ? madeBy(state, event.expense) : state.recurrences,
  };
}

/** The templates, the one that made this expense moved on to its day. */
function madeBy(state: GroupState, expense: Expense): GroupState["recurrences"] {
  const template = expense.recurrenceId === undefined ? undefined : state.recurrences.get(expense.recurrenceId);
  if (template === undefined) {
    return state.recurrences;
  }
  return new Map([...state.recurrences, [template.id, { ...template, madeThrough: expense.date }]]);
}

/** The balances, moved by the postings. Who has left and is at zero has none. */
function posted(state: GroupState, net: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const balances = new Map(state.balances);
  for (const [userId, amount] of net) {
    const user = canonical(state, userId);
    balances.set(user, (balances.get(user) ?? 0) + amount);
  }
  for (const userId of net.keys()) {
    const user = canonical(state, userId);
    if (balances.get(user) === 0 && !isMember(state, user)) {
      balances.delete(user);
    }
  }
  return balances;
}

function loansWith(state: GroupState, loan: Loan): GroupState["loans"] {
  const loans = new Map(state.loans).set(loan.id, loan);
  const closed = Array.from(loans.values()).filter((one) => !isOpen(one));
  closed.sort((a, b) => a.seq - b.seq || compared(a.id, b.id));
  for (const { id } of closed.slice(0, Math.max(0, closed.length - LOANS_CLOSED_MAX))) {
    loans.delete(id);
  }
  return loans;
}

/** What of a payment moves balances: what didn't repay a loan. */
const movedBy = ({ amount, repayment }: Settlement): number =>
  amount - (repayment === undefined ? 0 : repayment.interest + repayment.principal);

function withSettlement(state: GroupState, event: SettlementEvent): GroupState {
  const { type, settlement } = event;
  if (type === "settlement:created") {
    const pending = new Map(state.pending).set(settlement.id, settlement);
    return { ...state, pending, settlementCount: state.settlementCount + 1 };
  }
  const loans = event.loan === undefined ? state.loans : loansWith(state, event.loan);
  const answered = { ...state, loans, pending: without(state.pending, settlement.id) };
  if (type !== "settlement:completed") {
    return answered;
  }
  const [from, to] = [canonical(state, settlement.fromUserId), canonical(state, settlement.toUserId)];
  const moved = movedBy(settlement);
  if (moved === 0) {
    return answered;
  }
  const balances = posted(answered, new Map([[from, moved], [to, -moved]]));
  return { ...answered, balances };
}

function withMember(state: GroupState, event: MemberEvent): GroupState {
  const { member } = event;
  const members = new Map(state.members).set(member.userId, member);
  const balances = new Map(state.balances);
  if (member.leftAt === null) {
    balances.set(member.userId, balances.get(member.userId) ?? 0);
  } else if (balances.get(member.userId) === 0) {
    balances.delete(member.userId);
  }
  const after = { ...state, members, balances };
  if (member.leftAt !== null || member.claimed === null || state.claims.has(member.claimed)) {
    return after;
  }
  return claimed(after, member.claimed, member);
}

/** All that stands under the placeholder's id goes over to the member who claimed it. */
function claimed(state: GroupState, placeholderId: string, member: Member): GroupState {
  const moved = (userId: string): string => (userId === placeholderId ? member.userId : userId);
  const balances = new Map(state.balances);
  balances.set(member.userId, total([balances.get(member.userId) ?? 0, balances.get(placeholderId) ?? 0]));
  balances.delete(placeholderId);
  const members = new Map(state.members);
  const placeholder = members.get(placeholderId);
  if (placeholder !== undefined) {
    members.set(placeholderId, { ...placeholder, leftAt: member.joinedAt });
  }
  const claims = new Map(Array.from(state.claims, ([old, holder]) => [old, moved(holder)]));
  return {
    ...state,
    members,
    balances,
    claims: claims.set(placeholderId, member.userId),
    pending: mapped(state.pending, (waiting) => ({
      ...waiting,
      fromUserId: moved(waiting.fromUserId),
      toUserId: moved(waiting.toUserId),
    })),
    loans: mapped(state.loans, (loan) => ({
      ...loan,
      lenderId: moved(loan.lenderId),
      borrowerId: moved(loan.borrowerId),
    })),
    recurrences: mapped(state.recurrences, (template) => ({ ...template, createdBy: moved(template.createdBy) })),
  };
}

function mapped<T>(things: ReadonlyMap<string, T>, change: (thing: T) => T): ReadonlyMap<string, T> {
  return new Map(Array.from(things, ([id, thing]) => [id, change(thing)]));
}

/** One step of the past: an event, with what it did to the balances. */
export interface LedgerStep {
  readonly event: LedgerEvent;
  /** What it changed, in minor units, only those who moved. */
  readonly changed: readonly Posting[];
  /** Everybody's net position after it. */
  readonly balances: readonly Posting[];
}

/** A group's past, from its first event on. Positions that an event leaves alone are shared between the steps. */
export function stepsOf(events: Iterable<LedgerEvent>): LedgerStep[] {
  const steps: LedgerStep[] = [];
  const standing = new Map<string, Posting>();
  let state: GroupState | null = null;
  let balances: readonly Posting[] = [];
  for (const event of events) {
    state = apply(state, event);
    const wasSize = standing.size;
    const changed = moveTo(standing, state.balances);
    if (changed.length > 0 || standing.size !== wasSize) {
      balances = [...standing.values()];
    }
    steps.push({ event, changed, balances });
  }
  return steps;
}

/** Brings what stands to the balances; returns by how much each position moved. */
function moveTo(standing: Map<string, Posting>, balances: ReadonlyMap<string, number>): Posting[] {
  const changed: Posting[] = [];
  const move = (userId: string, amount: number): void => {
    const moved = amount - (standing.get(userId)?.amount ?? 0);
    if (moved !== 0) {
      changed.push({ userId, amount: moved });
    }
  };
  for (const [userId, amount] of balances) {
    if (standing.get(userId)?.amount !== amount) {
      move(userId, amount);
      standing.set(userId, { userId, amount });
    }
  }
  if (standing.size !== balances.size) {
    for (const userId of standing.keys()) {
      if (!balances.has(userId)) {
        move(userId, 0);
        standing.delete(userId);
      }
    }
  }
  return changed;
}
