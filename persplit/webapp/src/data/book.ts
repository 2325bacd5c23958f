/**
 * What this tab holds in memory of the replica, and the signals that the screens read. A group is worked out anew only
 * when something of it has changed, and only in full where a screen shows it.
 */

import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Command } from "../ledger/decide.ts";
import type { Comment, Expense, LedgerEvent, Settlement } from "../ledger/shapes.ts";
import type { GroupRecord } from "./database.ts";
import type { CommentView, GroupSummary, GroupView, Maybe, PendingCommand, RefusedCommand } from "./model.ts";
import { isWaiting, type Queued } from "./outbox.ts";
import { type Person, Provisional } from "./rebasing.ts";
import { gone, type GroupChange, type Replica, unchanged } from "./replica.ts";
import { byNewestExpense, byNewestSettlement, byNewestSummary, commentsOf, placed, type Sorted, summaryOf, viewOf } from "./views.ts";

/** What is loaded of a group once somebody looks at it, or a command waits for it. */
interface Things {
  readonly expenses: Map<string, Expense>;
  readonly settlements: Map<string, Settlement>;
  /** By expense. */
  readonly comments: Map<string, Map<string, Comment>>;
  sorted: Sorted | undefined;
}

interface Cell {
  record: GroupRecord | undefined;
  things: Things | undefined;
  loading: Promise<void> | undefined;
  provisional: Provisional | undefined;
  view: Signal<Maybe<GroupView>> | undefined;
  readonly comments: Map<string, Signal<Maybe<readonly CommentView[]>>>;
}

const NOTHING: Sorted = { expenses: [], settlements: [] };

export class Book {
  readonly #replica: () => Promise<Replica>;
  readonly #cells = new Map<string, Cell>();
  #me: Person | undefined;
  #outbox: readonly Queued[] = [];
  #isOpen = false;
  /** Whether what isn't here isn't anywhere, as far as can be found out now. */
  #isCurrent = false;
  readonly #summaries = new Map<string, GroupSummary>();
  readonly #groups = signal<Maybe<readonly GroupSummary[]>>(undefined);
  readonly #pending = signal<readonly PendingCommand[]>([]);
  readonly #refused = signal<readonly RefusedCommand[]>([]);
  /** Told of what goes wrong while something is loaded in the background. */
  onFault: (error: unknown) => void = () => undefined;

  constructor(replica: () => Promise<Replica>) {
    this.#replica = replica;
  }

  get groups(): ReadonlySignal<Maybe<readonly GroupSummary[]>> {
    return this.#groups;
  }

  get pending(): ReadonlySignal<readonly PendingCommand[]> {
    return this.#pending;
  }

  get refused(): ReadonlySignal<readonly RefusedCommand[]> {
    return this.#refused;
  }

  // --- loading

  /** Read everything anew, for who is signed in now. */
  async reload(me: Person | undefined): Promise<void> {
    const replica = await this.#replica();
    const [records, outbox] = await Promise.all([replica.groups(), replica.outbox()]);
    if (me?.id !== this.#me?.id) {
      this.#isCurrent = false;
    }
    this.#me = me;
    this.#isOpen = true;
    this.#outbox = outbox;
    this.#summaries.clear();
    const known = new Map(records.map((record) => [record.id, record]));
    for (const groupId of new Set([...this.#cells.keys(), ...known.keys()])) {
      const cell = this.#cell(groupId);
      cell.record = known.get(groupId);
      cell.things = undefined;
      cell.loading = undefined;
    }
    this.#tellOutbox();
    await Promise.all([...this.#cells.keys(), ...outbox.map((queued) => queued.groupId)].map((id) => this.#renew(id)));
    this.#tellGroups();
  }

  /** All that the server has is here, or it can't be reached. */
  current(): void {
    if (!this.#isCurrent && this.#isOpen) {
      this.#isCurrent = true;
      for (const [groupId, cell] of this.#cells) {
        this.#show(groupId, cell);
      }
      this.#tellGroups();
    }
  }

  #cell(groupId: string): Cell {
    let cell = this.#cells.get(groupId);
    if (cell === undefined) {
      cell = { record: undefined, things: undefined, loading: undefined, provisional: undefined, view: undefined, comments: new Map() };
      this.#cells.set(groupId, cell);
    }
    return cell;
  }

  /** The group's things are here. */
  async ready(groupId: string): Promise<void> {
    const cell = this.#cell(groupId);
    if (cell.things === undefined) {
      cell.loading ??= this.#load(groupId, cell);
      await cell.loading;
    }
  }

  async #load(groupId: string, cell: Cell): Promise<void> {
    const replica = await this.#replica();
    const [{ expenses, settlements }, comments] = await Promise.all([replica.things(groupId), replica.comments(groupId)]);
    const things: Things = {
      expenses: new Map(expenses.map((expense) => [expense.id, expense])),
      settlements: new Map(settlements.map((settlement) => [settlement.id, settlement])),
      comments: new Map(),
      sorted: undefined,
    };
    keepComments(things, comments);
    cell.things = things;
    cell.loading = undefined;
    cell.provisional = undefined;
  }

  // --- what has changed

  /** The server, or another tab, has changed the group. */
  async take(change: GroupChange): Promise<void> {
    const cell = this.#cell(change.groupId);
    if (change.isWhole || !follows(cell.record, change)) {
      cell.record = await (await this.#replica()).group(change.groupId);
      cell.things = undefined;
      cell.loading = undefined;
    } else {
      await cell.loading; // it may have been read before the change
      cell.record = newer(cell.record, change.record ?? undefined);
      merge(cell.things, change);
    }
    cell.provisional = undefined;
    if (change.touchedOutbox) {
      await this.reloadOutbox(change.groupId);
    } else {
      await this.#renew(change.groupId);
      this.#tellGroups();
    }
  }

  /** Take over what other tabs have changed while this one heard nothing. */
  async catchUp(): Promise<void> {
    const stored = new Map((await (await this.#replica()).groups()).map((record) => [record.id, record]));
    for (const record of stored.values()) {
      if (!isSame(this.record(record.id), record)) {
        await this.take({ ...unchanged(record), isWhole: true });
      }
    }
    for (const { id } of this.records()) {
      if (!stored.has(id)) {
        await this.take(gone(id));
      }
    }
    await this.reloadOutbox();
  }

  /** The outbox has changed, here or elsewhere. */
  async reloadOutbox(besides?: string): Promise<void> {
    const before = this.#outbox;
    this.#outbox = await (await this.#replica()).outbox();
    const touched = new Set(touchedGroups(before, this.#outbox));
    if (besides !== undefined) {
      touched.add(besides);
    }
    this.#tellOutbox();
    await Promise.all(Array.from(touched, (groupId) => this.#renew(groupId)));
    this.#tellGroups();
  }

  #tellOutbox(): void {
    this.#pending.value = this.#outbox.filter(isWaiting).map(({ commandId, groupId, type, fields, at, wasSent }) => ({
      commandId,
      groupId,
      type,
      fields,
      at,
      wasSent,
    }));
    this.#refused.value = this.#outbox.flatMap(({ commandId, groupId, type, fields, problem }) =>
      problem === undefined ? [] : [{ commandId, groupId, type, fields, problem }],
    );
  }

  #waiting(groupId: string): Queued[] {
    return this.#outbox.filter((queued) => queued.groupId === groupId && isWaiting(queued));
  }

  /** Work out what is shown of the group. */
  async #renew(groupId: string): Promise<void> {
    const cell = this.#cell(groupId);
    const isShown = cell.view !== undefined || cell.comments.size > 0;
    if (isShown || this.#waiting(groupId).length > 0) {
      await this.ready(groupId);
    }
    cell.provisional = undefined;
    this.#show(groupId, cell);
  }

  #show(groupId: string, cell: Cell): void {
    const me = this.#me;
    if (!this.#isOpen) {
      return;
    }
    if (me === undefined) {
      this.#summaries.delete(groupId);
      this.#showOnScreens(cell, null);
      return;
    }
    const waitingCount = this.#waiting(groupId).length;
    const provisional = this.#provisional(groupId, cell, me);
    const summary = summaryOf(provisional.state, me.id, waitingCount, cell.record?.names);
    if (summary === null) {
      this.#summaries.delete(groupId);
    } else {
      this.#summaries.set(groupId, summary);
    }
    if (cell.view !== undefined) {
      const sorted = sortedOf(cell.things);
      const view = viewOf({ record: cell.record, sorted, provisional, me: me.id, waitingCount });
      cell.view.value = view ?? this.#nothing();
    }
    this.#showOnScreens(cell, provisional);
  }

  #showOnScreens(cell: Cell, provisional: Provisional | null): void {
    if (provisional === null && cell.view !== undefined) {
      cell.view.value = null;
    }
    for (const [expenseId, shown] of cell.comments) {
      shown.value = provisional?.state == null ? this.#nothing() : commentsOf(provisional, expenseId);
    }
  }

  /** There is none; or there may be, once the server has said what it has. */
  #nothing(): null | undefined {
    return this.#isCurrent || this.#me === undefined ? null : undefined;
  }

  #provisional(groupId: string, cell: Cell, me: Person): Provisional {
    const { things } = cell;
    cell.provisional ??= new Provisional(
      cell.record?.state ?? null,
      {
        expense: (id) => things?.expenses.get(id),
        settlement: (id) => things?.settlements.get(id),
        comments: (expenseId) => [...(things?.comments.get(expenseId)?.values() ?? [])],
      },
      me,
      this.#waiting(groupId),
    );
    return cell.provisional;
  }

  #tellGroups(): void {
    if (this.#isOpen) {
      const groups = Array.from(this.#summaries.values()).sort(byNewestSummary);
      this.#groups.value = this.#me !== undefined && groups.length > 0 ? groups : this.#noGroups();
    }
  }

  #noGroups(): Maybe<readonly GroupSummary[]> {
    const nothing = this.#nothing();
    return this.#me === undefined || nothing === undefined ? nothing : [];
  }

  // --- for the store

  /** The group as the screens see it, kept up to date from now on. */
  group(groupId: string): ReadonlySignal<Maybe<GroupView>> {
    const cell = this.#cell(groupId);
    if (cell.view === undefined) {
      cell.view = signal<Maybe<GroupView>>(undefined);
      this.#renewSoon(groupId);
    }
    return cell.view;
  }

  /** The comments on an expense, kept up to date from now on. */
  comments(groupId: string, expenseId: string): ReadonlySignal<Maybe<readonly CommentView[]>> {
    const cell = this.#cell(groupId);
    let shown = cell.comments.get(expenseId);
    if (shown === undefined) {
      shown = signal<Maybe<readonly CommentView[]>>(undefined);
      cell.comments.set(expenseId, shown);
      this.#renewSoon(groupId);
    }
    return shown;
  }

  #renewSoon(groupId: string): void {
    if (this.#isOpen) {
      this.#renew(groupId).catch((error: unknown) => this.onFault(error));
    }
  }

  /** The event that the command would make; null: nothing to show. Throws `Refusal`. */
  async decided(command: Command, at: string, me: Person): Promise<LedgerEvent | null> {
    await this.ready(command.groupId);
    return this.#provisional(command.groupId, this.#cell(command.groupId), me).decided(command, at);
  }

  /** Show a command that is in the outbox now. */
  async queued(queued: Queued): Promise<void> {
    this.#outbox = [...this.#outbox.filter((known) => known.position !== queued.position), queued];
    this.#tellOutbox();
    await this.#renew(queued.groupId);
    this.#tellGroups();
  }

  record(groupId: string): GroupRecord | undefined {
    return this.#cells.get(groupId)?.record;
  }

  records(): GroupRecord[] {
    return Array.from(this.#cells.values()).flatMap((cell) => cell.record ?? []);
  }

  get outbox(): readonly Queued[] {
    return this.#outbox;
  }
}

const isSame = (known: GroupRecord | undefined, told: GroupRecord): boolean =>
  known?.epoch === told.epoch && known.state.seq === told.state.seq;

/** Whether nothing is missing between what is known and the change: a tab that slept may not have heard what came before. */
function follows(known: GroupRecord | undefined, { record, events }: GroupChange): boolean {
  if (record === null || (known !== undefined && known.epoch !== record.epoch)) {
    return false;
  }
  return record.state.seq - events.length <= (known?.state.seq ?? 0);
}

/** Changes that two tabs tell of may come in any order. */
function newer(known: GroupRecord | undefined, told: GroupRecord | undefined): GroupRecord | undefined {
  const isOlder = known !== undefined && known.epoch === told?.epoch && known.state.seq > told.state.seq;
  return isOlder ? known : told;
}

/** Keeps the thing unless a later version is here. Returns whether it was kept. */
function keep<T extends { readonly id: string; readonly seq: number }>(things: Map<string, T>, thing: T): boolean {
  if ((things.get(thing.id)?.seq ?? 0) > thing.seq) {
    return false;
  }
  things.set(thing.id, thing);
  return true;
}

function keepComments(things: Things, comments: Iterable<Comment>): void {
  for (const comment of comments) {
    const known = things.comments.get(comment.expenseId) ?? new Map<string, Comment>();
    keep(known, comment);
    things.comments.set(comment.expenseId, known);
  }
}

function merge(things: Things | undefined, change: GroupChange): void {
  if (things === undefined) {
    return;
  }
  const expenses = change.expenses.filter((expense) => keep(things.expenses, expense));
  const settlements = change.settlements.filter((settlement) => keep(things.settlements, settlement));
  keepComments(things, change.comments);
  if (things.sorted !== undefined && expenses.length + settlements.length > 0) {
    things.sorted = {
      expenses: placed(things.sorted.expenses, expenses, byNewestExpense),
      settlements: placed(things.sorted.settlements, settlements, byNewestSettlement),
    };
  }
}

function sortedOf(things: Things | undefined): Sorted {
  if (things === undefined) {
    return NOTHING;
  }
  things.sorted ??= {
    expenses: Array.from(things.expenses.values()).sort(byNewestExpense),
    settlements: Array.from(things.settlements.values()).sort(byNewestSettlement),
  };
  return things.sorted;
}

/** The groups whose commands are others, or stand otherwise, than before. */
function touchedGroups(before: readonly Queued[], after: readonly Queued[]): string[] {
  const known = new Map(before.map((queued) => [queued.commandId, queued]));
  const touched: string[] = [];
  for (const queued of after) {
    if (known.get(queued.commandId)?.status !== queued.status) {
      touched.push(queued.groupId);
    }
    known.delete(queued.commandId);
  }
  return [...touched, ...Array.from(known.values(), (queued) => queued.groupId)];
}
