/**
 * What the device knows, in transactions: whatever belongs together is stored as one, or not at all. Any tab may call
 * any method. All reject with `Failure` (`storage_failed`) where the device's storage fails; nothing was stored then.
 */

import type { IDBPTransaction, StoreNames } from "idb";
import { Refusal } from "../ledger/errors.ts";
import { apply } from "../ledger/fold.ts";
import type { Comment, Expense, LedgerEvent, Member, Posting, Settlement } from "../ledger/shapes.ts";
import { settingsOf } from "../ledger/shapes.ts";
import type { GroupState } from "../ledger/state.ts";
import type { Group, GroupSnapshot, PlanRow, Problem } from "../wire/types.ts";
import {
  type Account,
  ALL_STORES,
  type Database,
  GROUP_STORES,
  type GroupRecord,
  type Mark,
  type Offers,
  type Schema,
} from "./database.ts";
import { storageFailed } from "./failures.ts";
import { Failure } from "./model.ts";
import { normalEvent, normalExpense, normalMember } from "./normal.ts";
import { isWaiting, OUTBOX_MAX, type Queued } from "./outbox.ts";

type Stores = StoreNames<Schema>[];
type Transaction = IDBPTransaction<Schema, Stores, "readwrite">;

/** Up to where a group is held: `seq` 0 and no epoch where nothing is. */
export interface Position {
  readonly seq: number;
  readonly epoch: string | null;
}

export const NOWHERE: Position = { seq: 0, epoch: null };

/** What the server has told of a group, in one answer. */
export interface Incoming {
  readonly reset: boolean;
  readonly epoch: string;
  readonly events?: readonly LedgerEvent[];
  readonly snapshot?: GroupSnapshot;
  /** The plan after the last of the events. */
  readonly settleUp?: readonly PlanRow[];
  /** The balances after the last of the events: to be compared with ours. */
  readonly balances?: readonly Posting[];
}

/** What has changed of a group, for whoever holds it in memory. `record` null: it is gone. */
export interface GroupChange {
  readonly kind: "group";
  readonly groupId: string;
  readonly record: GroupRecord | null;
  /** All was replaced: read the things anew. */
  readonly isWhole: boolean;
  readonly expenses: readonly Expense[];
  readonly settlements: readonly Settlement[];
  readonly comments: readonly Comment[];
  /** The new events, if they came as such. */
  readonly events: readonly LedgerEvent[];
  /** Commands of the outbox were confirmed. */
  readonly touchedOutbox: boolean;
}

/** `stale`: something else was taken in meanwhile. `wrong`: events don't follow, or don't come to the same balances. */
export type Taken = { readonly outcome: "taken"; readonly change: GroupChange | null } | { readonly outcome: "stale" | "wrong" };

/** Where a group stands after an event, as the server says. */
export interface Plan {
  readonly seq: number;
  readonly settleUp: readonly PlanRow[];
  readonly balances: readonly Posting[];
}

/** What the server said to each command of a push. */
export interface Ack {
  readonly ok: boolean;
  readonly seq?: number;
  readonly error?: Problem;
}

/** What was told doesn't follow on what is here: nothing of it is stored. */
class DoesNotFit extends Error {}
const OURS = [Failure, Refusal, DoesNotFit] as const;

const quiet = (write: Promise<unknown>): void => {
  write.catch(() => undefined); // it fails the transaction, which is waited for
};
const allOf = (groupId: string): IDBKeyRange => IDBKeyRange.bound([groupId], [groupId, []]);
const OUTBOX: Stores = ["outbox"];
/** With `meta`, which says whose they are. */
const OWN_OUTBOX: Stores = ["outbox", "meta"];
const GROUP: Stores = ["groups", ...GROUP_STORES, "outbox", "meta"];

export class Replica {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  close(): void {
    this.#database.close();
  }

  async #writing<T>(
    stores: Stores,
    work: (transaction: Transaction) => Promise<T>,
    durability: IDBTransactionDurability = "relaxed",
  ): Promise<T> {
    try {
      const transaction = this.#database.transaction(stores, "readwrite", { durability });
      quiet(transaction.done);
      try {
        const result = await work(transaction);
        await transaction.done;
        return result;
      } catch (error) {
        try {
          transaction.abort();
        } catch {
          // it has failed by itself
        }
        throw error;
      }
    } catch (error) {
      throw OURS.some((kind) => error instanceof kind) ? error : storageFailed(error);
    }
  }

  async #reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw storageFailed(error);
    }
  }

  // --- the account

  account(): Promise<Account | undefined> {
    return this.#reading(() => this.#database.get("meta", "account") as Promise<Account | undefined>);
  }

  /** Keep who has signed in. What is held of somebody else is forgotten; their unsent commands forbid it. */
  async setAccount(account: Account): Promise<void> {
    await this.#writing([...ALL_STORES], async (transaction) => {
      const before = await storedAccount(transaction);
      if (before?.user.id !== account.user.id) {
        if ((await transaction.objectStore("outbox").count()) > 0) {
          throw new Failure({
            code: "unsent",
            status: 0,
            detail: `there are commands of ${before?.user.name ?? "somebody else"} here that the server doesn't have`,
          });
        }
        clear(transaction);
      }
      quiet(transaction.objectStore("meta").put(account, "account"));
      quiet(transaction.objectStore("meta").delete("ending")); // its cookie is another one's now
    });
  }

  /** Keep something else of who is signed in; nothing where that is somebody else by now. */
  async updateAccount(userId: string, change: Partial<Account>): Promise<void> {
    await this.#writing(["meta"], async (transaction) => {
      const account = await storedAccount(transaction);
      if (account?.user.id === userId) {
        quiet(transaction.objectStore("meta").put({ ...account, ...change }, "account"));
      }
    });
  }

  /** Forget everything. Unless forced, commands that the server doesn't have forbid it (`unsent`). */
  async forget(isForced: boolean): Promise<void> {
    await this.#writing([...ALL_STORES], async (transaction) => {
      const kept = await transaction.objectStore("outbox").count();
      if (kept > 0 && !isForced) {
        throw new Failure({ code: "unsent", status: 0, detail: `${kept} commands are not on the server` });
      }
      clear(transaction);
    });
  }

  /** Whether a session was to be ended that the server has not heard of: the browser has its cookie still. */
  isEnding(): Promise<boolean> {
    return this.#reading(async () => (await this.#database.get("meta", "ending")) === true);
  }

  async setEnding(isEnding: boolean): Promise<void> {
    await this.#writing(["meta"], async (transaction) => {
      const meta = transaction.objectStore("meta");
      quiet(isEnding ? meta.put(true, "ending") : meta.delete("ending"));
    });
  }

  offers(): Promise<Offers | undefined> {
    return this.#reading(() => this.#database.get("meta", "offers") as Promise<Offers | undefined>);
  }

  async setOffers(offers: Offers): Promise<void> {
    await this.#writing(["meta"], async (transaction) => quiet(transaction.objectStore("meta").put(offers, "offers")));
  }

  // --- reading

  groups(): Promise<GroupRecord[]> {
    return this.#reading(() => this.#database.getAll("groups"));
  }

  group(groupId: string): Promise<GroupRecord | undefined> {
    return this.#reading(() => this.#database.get("groups", groupId));
  }

  /** The present versions of everything in the group. */
  things(groupId: string): Promise<{ expenses: Expense[]; settlements: Settlement[] }> {
    return this.#reading(async () => {
      const transaction = this.#database.transaction(["expenses", "settlements"]);
      const [expenses, settlements] = await Promise.all([
        transaction.objectStore("expenses").getAll(allOf(groupId)),
        transaction.objectStore("settlements").getAll(allOf(groupId)),
      ]);
      return { expenses, settlements };
    });
  }

  /** What was said about the group's expenses, deleted ones too. */
  comments(groupId: string): Promise<Comment[]> {
    return this.#reading(() => this.#database.getAll("comments", allOf(groupId)));
  }

  events(groupId: string): Promise<LedgerEvent[]> {
    return this.#reading(() => this.#database.getAll("events", allOf(groupId)));
  }

  /** The seq after which the group's first event is missing. */
  firstGap(groupId: string): Promise<number> {
    return this.#reading(async () => {
      let after = 0;
      for (const [, seq] of await this.#database.getAllKeys("events", allOf(groupId))) {
        if (seq !== after + 1) {
          break;
        }
        after = seq;
      }
      return after;
    });
  }

  // --- what the server tells

  /**
   * Take in an answer to what was held at `have`: all of it, or nothing. `me` is who it was given to: where somebody else
   * is signed in by now it rejects (`token_missing`), as everything does that is told a `me`.
   */
  async take(groupId: string, have: Position, incoming: Incoming, me: string): Promise<Taken> {
    return this.#writing(GROUP, async (transaction): Promise<Taken> => {
      await checkIsSignedIn(transaction, me);
      const held = await transaction.objectStore("groups").get(groupId);
      if (held !== undefined && (held.state.seq !== have.seq || held.epoch !== have.epoch)) {
        return { outcome: "stale" };
      }
      if (held === undefined && have.seq !== 0) {
        return { outcome: "stale" };
      }
      const taking = new Taking(transaction, groupId, incoming, incoming.reset ? undefined : held);
      if (incoming.reset) {
        taking.dropHeld();
      }
      const record = await taking.record();
      if (record === "wrong") {
        throw new DoesNotFit();
      }
      if (record === null) {
        return { outcome: "taken", change: null };
      }
      const touchedOutbox = await confirm(transaction, record, taking.events, me, isOtherPast(have, incoming, record));
      return { outcome: "taken", change: { ...taking.change(record), touchedOutbox } };
    }).catch((error: unknown) => {
      if (error instanceof DoesNotFit) {
        return { outcome: "wrong" as const };
      }
      throw error;
    });
  }

  /** Keep names and the plan, which are no part of the ledger. Returns what changed. */
  async takeAside(groupId: string, aside: { readonly group?: Group; readonly plan?: Plan }): Promise<GroupChange | null> {
    return this.#writing(["groups"], async (transaction) => {
      const held = await transaction.objectStore("groups").get(groupId);
      if (held === undefined) {
        return null;
      }
      const names = aside.group === undefined ? held.names : namesWith(held.names, aside.group.members);
      const plan = aside.plan?.seq === held.state.seq && held.planSeq !== held.state.seq ? aside.plan : undefined;
      if (names === held.names && plan === undefined) {
        return null;
      }
      const planned = plan === undefined ? {} : { settleUp: plan.settleUp, planSeq: plan.seq };
      const record: GroupRecord = { ...held, names, ...planned, state: withBalances(held.state, plan?.balances) };
      quiet(transaction.objectStore("groups").put(record));
      return unchanged(record);
    });
  }

  /** Keep events from before a snapshot, and what was said in them. Returns whether all are here now. */
  async addOldEvents(groupId: string, epoch: string, told: readonly LedgerEvent[]): Promise<GroupChange | null> {
    return this.#writing(GROUP, async (transaction) => {
      const held = await transaction.objectStore("groups").get(groupId);
      if (held === undefined || held.epoch !== epoch) {
        return null;
      }
      const events = told.map(normalEvent).filter((event) => event.seq <= held.state.seq);
      for (const event of events) {
        quiet(transaction.objectStore("events").put(event));
      }
      const comments = await olderComments(transaction, events);
      const count = await transaction.objectStore("events").count(allOf(groupId));
      const record = { ...held, isComplete: count >= held.state.seq };
      quiet(transaction.objectStore("groups").put(record));
      return { ...unchanged(record), comments };
    });
  }

  /** Keep the comments of an expense, as the server listed them. */
  async addComments(groupId: string, comments: readonly Comment[]): Promise<void> {
    await this.#writing(["comments", "groups"], async (transaction) => {
      if ((await transaction.objectStore("groups").getKey(groupId)) === undefined) {
        return; // it was dropped meanwhile
      }
      for (const comment of comments) {
        const known = await transaction.objectStore("comments").get([groupId, comment.expenseId, comment.id]);
        if (known === undefined || known.seq < comment.seq) {
          quiet(transaction.objectStore("comments").put(comment));
        }
      }
    });
  }

  /** Forget what is held of the group, but none of its commands: it is fetched anew. */
  async dropGroup(groupId: string, me: string): Promise<GroupChange> {
    return this.#writing(GROUP, async (transaction) => {
      await checkIsSignedIn(transaction, me);
      drop(transaction, groupId);
      return gone(groupId);
    });
  }

  /**
   * `me` isn't in the group any more: forget it, and those of its commands that the server has taken, whose events will
   * never come. Those that wait are for the server to judge.
   */
  async leaveGroup(groupId: string, me: string): Promise<GroupChange> {
    return this.#writing([...GROUP, "marks"], async (transaction) => {
      await checkIsSignedIn(transaction, me);
      drop(transaction, groupId);
      quiet(transaction.objectStore("marks").delete(groupId));
      const outbox = transaction.objectStore("outbox");
      const acked = (await outbox.index("group").getAll(groupId)).filter((queued) => queued.status === "acked");
      for (const { position } of acked) {
        quiet(outbox.delete(position as number));
      }
      return { ...gone(groupId), touchedOutbox: acked.length > 0 };
    });
  }

  // --- the outbox

  outbox(): Promise<Queued[]> {
    return this.#reading(() => this.#database.getAll("outbox"));
  }

  /** Put a command of mine at the end, durably; in place of a refused one if there is one. */
  async enqueue(queued: Queued, me: string, inPlaceOf?: string): Promise<Queued> {
    return this.#writing(
      OWN_OUTBOX,
      async (transaction) => {
        await checkIsSignedIn(transaction, me);
        const outbox = transaction.objectStore("outbox");
        if (inPlaceOf !== undefined) {
          const old = await outbox.index("command").get(inPlaceOf);
          if (old?.status !== "refused" || old.position === undefined) {
            throw new Failure({ code: "not_found", status: 404, detail: "no refused command has this id" });
          }
          quiet(outbox.delete(old.position));
        } else if ((await outbox.count()) >= OUTBOX_MAX) {
          throw new Failure({ code: "limit_reached", status: 409, detail: `${OUTBOX_MAX} commands wait already` });
        }
        const position = await outbox.add(queued);
        return { ...queued, position };
      },
      "strict",
    );
  }

  /** Take out a command that was refused or never sent. */
  async drop(commandId: string): Promise<void> {
    await this.#writing(OUTBOX, async (transaction) => {
      const queued = await transaction.objectStore("outbox").index("command").get(commandId);
      if (queued?.position === undefined) {
        throw new Failure({ code: "not_found", status: 404, detail: "no command of this id waits" });
      }
      if (queued.status !== "refused" && queued.wasSent) {
        throw new Failure({ code: "maybe_sent", status: 409, detail: "the server may have it already" });
      }
      quiet(transaction.objectStore("outbox").delete(queued.position));
    });
  }

  /** From now on these, which are mine, may have reached the server. Returns those that wait still. */
  async markSent(batch: readonly Queued[], me: string): Promise<Queued[]> {
    return this.#writing(
      OWN_OUTBOX,
      async (transaction) => {
        await checkIsSignedIn(transaction, me);
        const sent: Queued[] = [];
        for (const { commandId } of batch) {
          const queued = await transaction.objectStore("outbox").index("command").get(commandId);
          if (queued?.status === "pending") {
            sent.push({ ...queued, wasSent: true });
            quiet(transaction.objectStore("outbox").put({ ...queued, wasSent: true }));
          }
        }
        return sent;
      },
      "strict",
    );
  }

  /** What the server says to each command of a push: taken, refused, or (left out) not answered yet. */
  async judge(judged: ReadonlyMap<string, Ack>): Promise<void> {
    await this.#writing(["outbox", "groups"], async (transaction) => {
      const outbox = transaction.objectStore("outbox");
      for (const [commandId, ack] of judged) {
        const queued = await outbox.index("command").get(commandId);
        if (queued?.status !== "pending" || queued.position === undefined) {
          continue; // its event was faster
        }
        if (!ack.ok) {
          quiet(outbox.put({ ...queued, status: "refused", ...(ack.error === undefined ? {} : { problem: ack.error }) }));
          continue;
        }
        const ackedSeq = ack.seq ?? 0;
        const held = await transaction.objectStore("groups").get(queued.groupId);
        if (held !== undefined && held.state.seq >= ackedSeq) {
          quiet(outbox.delete(queued.position));
        } else {
          quiet(outbox.put({ ...queued, status: "acked", ackedSeq }));
        }
      }
    });
  }

  /** The command is done, and its event will never come: who is out of a group hears nothing of it. */
  async dequeue(commandId: string): Promise<void> {
    await this.#writing(OUTBOX, async (transaction) => {
      const key = await transaction.objectStore("outbox").index("command").getKey(commandId);
      if (key !== undefined) {
        quiet(transaction.objectStore("outbox").delete(key));
      }
    });
  }

  // --- what was read

  marks(): Promise<Mark[]> {
    return this.#reading(() => this.#database.getAll("marks"));
  }

  async setMarks(marks: readonly Mark[], me: string): Promise<void> {
    await this.#writing(["marks", "meta"], async (transaction) => {
      await checkIsSignedIn(transaction, me);
      for (const mark of marks) {
        quiet(transaction.objectStore("marks").put(mark));
      }
    });
  }
}

const storedAccount = (transaction: Transaction): Promise<Account | undefined> =>
  transaction.objectStore("meta").get("account") as Promise<Account | undefined>;

/** A tab that slept may not have heard who else is signed in on this device: nothing of one goes to the other. */
async function checkIsSignedIn(transaction: Transaction, me: string): Promise<void> {
  if ((await storedAccount(transaction))?.user.id !== me) {
    throw new Failure({ code: "token_missing", status: 401, detail: "somebody else, or nobody, is signed in here" });
  }
}

function clear(transaction: Transaction): void {
  for (const store of ALL_STORES) {
    quiet(transaction.objectStore(store).clear());
  }
}

function drop(transaction: Transaction, groupId: string): void {
  quiet(transaction.objectStore("groups").delete(groupId));
  for (const store of GROUP_STORES) {
    quiet(transaction.objectStore(store).delete(allOf(groupId)));
  }
}

/** A change of the record alone. */
export const unchanged = (record: GroupRecord): GroupChange => ({
  kind: "group",
  groupId: record.id,
  record,
  isWhole: false,
  expenses: [],
  settlements: [],
  comments: [],
  events: [],
  touchedOutbox: false,
});

/** The group is held no more. */
export const gone = (groupId: string): GroupChange => ({
  kind: "group",
  groupId,
  record: null,
  isWhole: true,
  expenses: [],
  settlements: [],
  comments: [],
  events: [],
  touchedOutbox: false,
});

/** The present names with what is told of these members; the same map where nothing is new. */
export function namesWith(names: ReadonlyMap<string, string>, members: readonly Member[]): ReadonlyMap<string, string> {
  const isNew = members.some((member) => names.get(member.userId) !== member.name);
  return isNew ? new Map([...names, ...members.map((member) => [member.userId, member.name] as const)]) : names;
}

/** What was acked in another past may not be in this one: the server shall say so itself. */
const isOtherPast = (have: Position, incoming: Incoming, record: GroupRecord): boolean =>
  incoming.reset && (have.epoch !== incoming.epoch || have.seq > record.state.seq);

/** Take out the group's commands whose events are here. Returns whether there were any. */
async function confirm(
  transaction: Transaction,
  record: GroupRecord,
  events: readonly LedgerEvent[],
  me: string,
  isOther: boolean,
): Promise<boolean> {
  const outbox = transaction.objectStore("outbox");
  const mine = new Set(events.filter((event) => event.by === me).map((event) => event.commandId));
  let isTouched = false;
  for (const queued of await outbox.index("group").getAll(record.id)) {
    if (queued.position === undefined || !isWaiting(queued)) {
      continue;
    }
    const isHere = queued.ackedSeq !== undefined && !isOther && queued.ackedSeq <= record.state.seq;
    if (mine.has(queued.commandId) || isHere) {
      quiet(outbox.delete(queued.position));
      isTouched = true;
    } else if (isOther && queued.status === "acked") {
      const { ackedSeq: _, ...rest } = queued;
      quiet(outbox.put({ ...rest, status: "pending" }));
      isTouched = true;
    }
  }
  return isTouched;
}

async function olderComments(transaction: Transaction, events: readonly LedgerEvent[]): Promise<Comment[]> {
  const comments = new Map<string, Comment>();
  for (const event of events) {
    if ("comment" in event) {
      comments.set(event.comment.id, event.comment);
    }
  }
  const older: Comment[] = [];
  for (const comment of comments.values()) {
    const known = await transaction.objectStore("comments").get([comment.groupId, comment.expenseId, comment.id]);
    if (known === undefined || known.seq < comment.seq) {
      quiet(transaction.objectStore("comments").put(comment));
      older.push(comment);
    }
  }
  return older;
}

/** One answer of the server on its way into the stores. */
class Taking {
  readonly events: LedgerEvent[] = [];
  readonly #transaction: Transaction;
  readonly #groupId: string;
  readonly #incoming: Incoming;
  readonly #held: GroupRecord | undefined;
  readonly #expenses = new Map<string, Expense>();
  readonly #settlements = new Map<string, Settlement>();
  readonly #comments = new Map<string, Comment>();

  constructor(transaction: Transaction, groupId: string, incoming: Incoming, held: GroupRecord | undefined) {
    this.#transaction = transaction;
    this.#groupId = groupId;
    this.#incoming = incoming;
    this.#held = held;
  }

  dropHeld(): void {
    drop(this.#transaction, this.#groupId);
  }

  /** The group's record after it; null: still nothing; `wrong`: what came doesn't fit. */
  async record(): Promise<GroupRecord | null | "wrong"> {
    const { snapshot } = this.#incoming;
    const record = snapshot === undefined ? await this.#byEvents() : this.#bySnapshot(snapshot);
    if (record === null || record === "wrong") {
      return record;
    }
    for (const [store, things] of [
      ["expenses", this.#expenses],
      ["settlements", this.#settlements],
      ["comments", this.#comments],
      ["events", this.events],
    ] as const) {
      for (const thing of things.values()) {
        quiet(this.#transaction.objectStore(store).put(thing as never));
      }
    }
    quiet(this.#transaction.objectStore("groups").put(record));
    return record;
  }

  change(record: GroupRecord): GroupChange {
    return {
      ...unchanged(record),
      isWhole: this.#incoming.reset || this.#incoming.snapshot !== undefined,
      expenses: [...this.#expenses.values()],
      settlements: [...this.#settlements.values()],
      comments: [...this.#comments.values()],
      events: this.events,
    };
  }

  async #byEvents(): Promise<GroupRecord | null | "wrong"> {
    const held = this.#held;
    let state = held?.state ?? null;
    for (const told of this.#incoming.events ?? []) {
      if (told.seq <= (state?.seq ?? 0)) {
        continue; // it is here
      }
      if (told.seq !== (state?.seq ?? 0) + 1) {
        return "wrong";
      }
      const event = await this.#whole(normalEvent(told));
      if (event === null) {
        return "wrong";
      }
      state = apply(state, event);
      this.#keep(event);
    }
    if (state === null) {
      return null;
    }
    if (!agrees(state, this.#incoming.balances)) {
      return "wrong";
    }
    const { settleUp, epoch } = this.#incoming;
    return {
      id: this.#groupId,
      epoch,
      state,
      names: namesWith(held?.names ?? new Map(), newcomers(this.events, held?.names)),
      settleUp: settleUp ?? held?.settleUp ?? [],
      planSeq: settleUp === undefined ? (held?.planSeq ?? 0) : state.seq,
      isComplete: held?.isComplete ?? true,
    };
  }

  /** A broadcast has no version before: ours is it. Null where we have none. */
  async #whole(event: LedgerEvent): Promise<LedgerEvent | null> {
    if (event.type !== "expense:updated" || ("before" in event && event.before != null)) {
      return event;
    }
    const { id } = event.expense;
    const before = this.#expenses.get(id) ?? (await this.#transaction.objectStore("expenses").get([this.#groupId, id]));
    return before === undefined ? null : { ...event, before };
  }

  #keep(event: LedgerEvent): void {
    this.events.push(event);
    if ("expense" in event) {
      this.#expenses.set(event.expense.id, event.expense);
    } else if ("settlement" in event) {
      this.#settlements.set(event.settlement.id, event.settlement);
    } else if ("comment" in event) {
      this.#comments.set(event.comment.id, event.comment);
    }
  }

  #bySnapshot(snapshot: GroupSnapshot): GroupRecord {
    for (const expense of snapshot.expenses) {
      this.#expenses.set(expense.id, normalExpense(expense));
    }
    for (const settlement of snapshot.settlements) {
      this.#settlements.set(settlement.id, settlement);
    }
    return {
      id: this.#groupId,
      epoch: this.#incoming.epoch,
      state: stateOf(snapshot),
      names: namesWith(new Map(), snapshot.group.members),
      settleUp: snapshot.settleUp,
      planSeq: snapshot.seq,
      isComplete: false,
    };
  }
}

/** Who came in by these events: their names are as fresh as any. */
function newcomers(events: readonly LedgerEvent[], names: ReadonlyMap<string, string> | undefined): Member[] {
  return events.flatMap((event) =>
    (event.type === "member:joined" || event.type === "group:created") &&
    "member" in event &&
    event.member != null &&
    !names?.has(event.member.userId)
      ? [event.member]
      : [],
  );
}

function agrees(state: GroupState, balances: readonly Posting[] | undefined): boolean {
  return balances === undefined || balances.every(({ userId, amount }) => (state.balances.get(userId) ?? 0) === amount);
}

/** The state with the server's balances, where events that this page doesn't know have moved them. */
function withBalances(state: GroupState, balances: readonly Posting[] | undefined): GroupState {
  if (balances === undefined || agrees(state, balances)) {
    return state;
  }
  return { ...state, balances: new Map(balances.map(({ userId, amount }) => [userId, amount])) };
}

function stateOf(snapshot: GroupSnapshot): GroupState {
  const { group } = snapshot;
  const members = group.members.map(normalMember);
  return {
    groupId: group.id,
    seq: snapshot.seq,
    at: snapshot.at,
    createdBy: group.createdBy,
    createdAt: group.createdAt,
    settings: settingsOf(group),
    members: new Map(members.map((member) => [member.userId, member])),
    balances: new Map(snapshot.balances.map(({ userId, amount }) => [userId, amount])),
    claims: claimsOf(members),
    pending: new Map(
      snapshot.settlements.filter(({ status }) => status === "PENDING").map((waiting) => [waiting.id, waiting]),
    ),
    expenseCount: snapshot.expenses.length,
    settlementCount: snapshot.settlements.length,
    presets: new Map(snapshot.presets.map((preset) => [preset.id, preset])),
    loans: new Map(snapshot.loans.map((loan) => [loan.id, loan])),
    recurrences: new Map(snapshot.recurrences.map((recurrence) => [recurrence.id, recurrence])),
  };
}

/** Who stands for each placeholder that was claimed: the claims are followed until nobody claims. */
function claimsOf(members: readonly Member[]): Map<string, string> {
  const holders = new Map(members.flatMap((member) => (member.claimed === null ? [] : [[member.claimed, member.userId]])));
  const last = (userId: string, steps: number): string => {
    const holder = holders.get(userId);
    return holder === undefined || steps === 0 ? userId : last(holder, steps - 1);
  };
  return new Map(Array.from(holders.keys(), (userId) => [userId, last(userId, members.length)]));
}
