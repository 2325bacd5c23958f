/**
 * Telling the server what waits, and taking in what it has: the outbox up, the ledgers down. One push at a time; every
 * method is safe to repeat after any failure. All reject with `Failure`; what was taken in before stays.
 */

import type { Comment, Group, LedgerEvent, Posting } from "../ledger/shapes.ts";
import type { PlanRow, Problem, Pulled } from "../wire/types.ts";
import { asksToSignIn, failureOf, isTemporary, offline } from "./failures.ts";
import { Failure } from "./model.ts";
import { batchOf, bytesOf, type Queued, SOCKET_BYTES_MAX, toWire } from "./outbox.ts";
import {
  type Ack,
  type GroupChange,
  type Incoming,
  NOWHERE,
  type Plan,
  type Position,
  type Replica,
  unchanged,
} from "./replica.ts";
import type { Session } from "./session.ts";

/** Events of one answer: what the server gives at most. */
const PULL_EVENTS = 200;
/** Groups of one page of the list. */
const GROUPS_A_PAGE = 200;
/** Answers in a row of a pull that may bring nothing new before it counts as a fault. */
const STALE_MAX = 5;
/** Pages of a list that are read: far more than one person's groups fill. */
const PAGES_MAX = 1_000;
/** Refusals of a whole push that lie in one of its commands. */
const UNREADABLE: ReadonlySet<string> = new Set(["malformed", "too_large", "validation_failed"]);

/** What a push is sent by: the socket, or REST where there is none. Resolves to one ack a command. */
export type Push = (commands: readonly Record<string, unknown>[]) => Promise<readonly Ack[]>;

export interface Broadcast {
  readonly groupId: string;
  readonly seq: number;
  readonly at: string;
  readonly by: string;
  readonly commandId: string;
  readonly updatedBalances: readonly Posting[];
  readonly settleUp: readonly PlanRow[];
  readonly group?: Group;
}

export class Syncing {
  readonly #session: Session;
  readonly #replica: () => Promise<Replica>;
  #pushing: Promise<void> | undefined;
  /** Told of every change of a group; what it does is waited for. */
  onGroup: (change: GroupChange) => Promise<void> = async () => undefined;
  /** Told when commands of the outbox stand otherwise than before. */
  onOutbox: () => Promise<void> = async () => undefined;
  /** Sends by the socket while there is one. */
  pushBySocket: Push | undefined;

  constructor(session: Session, replica: () => Promise<Replica>) {
    this.#session = session;
    this.#replica = replica;
  }

  get #me(): string {
    return this.#session.userId ?? "";
  }

  /** Push all that waits, then pull every group: what there is to do where no socket brings news. */
  async sync(): Promise<void> {
    await this.push();
    await this.refresh(true);
  }

  /** Read who is in which group, and by which names; drop the groups that the user is no longer in; pull if asked. */
  async refresh(doesPull: boolean): Promise<void> {
    const me = this.#me;
    const held = await this.positions();
    const groups = await this.#listed();
    const listed = new Set(groups.map((group) => group.id));
    await this.drop(Array.from(held.keys()).filter((groupId) => !listed.has(groupId)), me);
    for (const group of groups) {
      await this.#aside(group.id, { group });
      if (doesPull || !held.has(group.id)) {
        await this.pull(group.id);
      }
    }
  }

  async #listed(): Promise<Group[]> {
    const groups: Group[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < PAGES_MAX; page++) {
      const query: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const answer = (await this.#get(`/groups?limit=${GROUPS_A_PAGE}${query}`)) as {
        groups: Group[];
        nextCursor: string | null;
      };
      groups.push(...answer.groups);
      cursor = answer.nextCursor;
      if (cursor === null) {
        break;
      }
    }
    return groups;
  }

  /** Up to where each group is held. */
  async positions(): Promise<Map<string, Position>> {
    const records = await (await this.#replica()).groups();
    return new Map(records.map((record) => [record.id, { seq: record.state.seq, epoch: record.epoch }]));
  }

  async #position(groupId: string): Promise<Position> {
    const record = await (await this.#replica()).group(groupId);
    return record === undefined ? NOWHERE : { seq: record.state.seq, epoch: record.epoch };
  }

  /** Who is signed in, `me`, isn't in these any more. */
  async drop(groupIds: readonly string[], me: string): Promise<void> {
    for (const groupId of groupIds) {
      await this.onGroup(await (await this.#replica()).leaveGroup(groupId, me));
    }
  }

  // --- down

  /** Take in all that the server has of the group. */
  async pull(groupId: string): Promise<void> {
    const me = this.#me;
    for (let stale = 0; stale < STALE_MAX; ) {
      const have = await this.#position(groupId);
      const pulled = await this.#pulled(groupId, have, me);
      if (pulled === null) {
        return;
      }
      const isTaken = await this.take(groupId, have, pulled, me);
      if (isTaken && pulled.more !== true) {
        return;
      }
      stale = isTaken ? 0 : stale + 1;
    }
    throw offline("the server sends events that don't follow on those before");
  }

  /** Take in one answer, given to `me`, to what was held. Returns whether it could be: if not, pull again. */
  async take(groupId: string, have: Position, pulled: Pulled, me: string): Promise<boolean> {
    const { reset, epoch, events, snapshot } = pulled;
    const incoming: Incoming = {
      reset,
      epoch,
      ...(events == null ? {} : { events }),
      ...(snapshot == null ? {} : { snapshot }),
    };
    const replica = await this.#replica();
    const taken = await replica.take(groupId, have, incoming, me);
    if (taken.outcome === "wrong") {
      await this.onGroup(await replica.dropGroup(groupId, me));
    }
    if (taken.outcome !== "taken") {
      return false;
    }
    if (taken.change !== null) {
      await this.onGroup(taken.change);
      if (pulled.more !== true && taken.change.record?.planSeq !== taken.change.record?.state.seq) {
        await this.#learnPlan(groupId);
      }
    }
    return true;
  }

  /** Take in what everybody hears. Where it doesn't follow on what is here, pull. */
  async hear(type: string, told: Broadcast): Promise<void> {
    const me = this.#me;
    const have = await this.#position(told.groupId);
    if (told.seq <= have.seq) {
      return;
    }
    const event = eventOf(type, told);
    if (told.seq > have.seq + 1 || have.epoch === null || event === undefined) {
      await this.pull(told.groupId);
    } else {
      const { settleUp, updatedBalances: balances } = told;
      const incoming = { reset: false, epoch: have.epoch, events: [event], settleUp, balances };
      const taken = await (await this.#replica()).take(told.groupId, have, incoming, me);
      if (taken.outcome === "taken" && taken.change !== null) {
        await this.onGroup(taken.change);
      } else {
        await this.#again(told.groupId, taken.outcome, me);
      }
    }
    if (told.group !== undefined) {
      await this.#aside(told.groupId, { group: told.group });
    }
  }

  /** What was folded here doesn't come to what the server says: the group is fetched as a whole. */
  async #again(groupId: string, outcome: "taken" | "stale" | "wrong", me: string): Promise<void> {
    if (outcome === "wrong") {
      await this.onGroup(await (await this.#replica()).dropGroup(groupId, me));
    }
    await this.pull(groupId);
  }

  /** The server's answer; null where the user isn't in the group, which is dropped then. */
  async #pulled(groupId: string, have: Position, me: string): Promise<Pulled | null> {
    const epoch = have.epoch === null ? "" : `&epoch=${encodeURIComponent(have.epoch)}`;
    try {
      return (await this.#get(
        `/groups/${encodeURIComponent(groupId)}/sync?after=${have.seq}&limit=${PULL_EVENTS}${epoch}`,
      )) as Pulled;
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "not_found") {
        throw error;
      }
    }
    if (have.seq > 0) {
      await this.drop([groupId], me);
    }
    return null;
  }

  /** Ask for the plan, which is no part of the ledger. */
  async #learnPlan(groupId: string): Promise<void> {
    const plan = (await this.#get(`/groups/${encodeURIComponent(groupId)}/balances`)) as Plan;
    await this.#aside(groupId, { plan });
  }

  async #aside(groupId: string, aside: { group?: Group; plan?: Plan }): Promise<void> {
    const change = await (await this.#replica()).takeAside(groupId, aside);
    if (change !== null) {
      await this.onGroup(change);
    }
  }

  /** Fetch the group's events from before a snapshot. */
  async complete(groupId: string): Promise<void> {
    const replica = await this.#replica();
    for (;;) {
      const record = await replica.group(groupId);
      if (record === undefined || record.isComplete) {
        return;
      }
      const after = await replica.firstGap(groupId);
      const page = (await this.#get(
        `/groups/${encodeURIComponent(groupId)}/events?after=${after}&limit=${PULL_EVENTS}`,
      )) as { events: LedgerEvent[] };
      const change = await replica.addOldEvents(groupId, record.epoch, page.events);
      if (change !== null) {
        await this.onGroup(change);
      }
      if (change?.record?.isComplete !== true && (await replica.firstGap(groupId)) <= after) {
        throw offline("the server's events don't fit what is here");
      }
    }
  }

  /** Fetch what was said about an expense before a snapshot. */
  async learnComments(groupId: string, expenseId: string): Promise<void> {
    const path = `/groups/${encodeURIComponent(groupId)}/expenses/${encodeURIComponent(expenseId)}/comments`;
    const { comments } = (await this.#get(path)) as { comments: Comment[] };
    const replica = await this.#replica();
    await replica.addComments(groupId, comments);
    const record = await replica.group(groupId);
    if (record !== undefined) {
      await this.onGroup({ ...unchanged(record), comments });
    }
  }

  #get(path: string): Promise<unknown> {
    return this.#session.ask({ method: "GET", path });
  }

  // --- up

  /** Send what waits, oldest first, until nothing does. */
  push(): Promise<void> {
    this.#pushing ??= this.#pushAll().finally(() => {
      this.#pushing = undefined;
    });
    return this.#pushing;
  }

  async #pushAll(): Promise<void> {
    const replica = await this.#replica();
    const me = this.#me;
    for (;;) {
      const waiting = (await replica.outbox()).filter((queued) => queued.status === "pending");
      const batch = await replica.markSent(batchOf(waiting), me);
      if (batch.length === 0) {
        if (waiting.length === 0) {
          return;
        }
        continue; // dropped, or confirmed, meanwhile
      }
      await this.onOutbox();
      if (this.#me !== me) {
        throw offline("somebody else has signed in meanwhile");
      }
      await this.#judge(batch, await this.#acks(batch));
    }
  }

  async #judge(batch: readonly Queued[], acks: readonly Ack[]): Promise<void> {
    const judged = new Map<string, Ack>();
    let busy: Failure | undefined;
    batch.slice(0, acks.length).forEach((queued, place) => {
      const ack = acks[place];
      const problem = ack?.ok === false ? ack.error : undefined;
      if (problem !== undefined && (isTemporary(problem.code) || asksToSignIn(problem.code))) {
        busy ??= failureOf(problem);
      } else if (ack !== undefined) {
        judged.set(queued.commandId, ack);
      }
    });
    const replica = await this.#replica();
    await replica.judge(judged);
    await this.#leave(batch, judged);
    await this.onOutbox();
    if (this.pushBySocket === undefined) {
      await this.#pullTouched(batch, judged);
    }
    if (busy !== undefined) {
      throw busy;
    }
  }

  /** Whoever has left hears nothing more of the group, its last event included. */
  async #leave(batch: readonly Queued[], judged: ReadonlyMap<string, Ack>): Promise<void> {
    for (const queued of batch) {
      const isExit =
        queued.type === "group:leave" || (queued.type === "member:remove" && queued.fields["userId"] === this.#me);
      if (isExit && judged.get(queued.commandId)?.ok === true) {
        await (await this.#replica()).dequeue(queued.commandId);
        await this.drop([queued.groupId], this.#me);
      }
    }
  }

  /** With no socket nobody brings the events of what was taken. */
  async #pullTouched(batch: readonly Queued[], judged: ReadonlyMap<string, Ack>): Promise<void> {
    const touched = new Set(batch.filter((queued) => judged.get(queued.commandId)?.ok).map((queued) => queued.groupId));
    for (const groupId of touched) {
      await this.pull(groupId);
    }
  }

  /** At least one ack, in the order of the batch. */
  async #acks(batch: readonly Queued[]): Promise<readonly Ack[]> {
    const commands = batch.map(toWire);
    try {
      const bySocket = this.pushBySocket;
      const send = bySocket !== undefined && bytesOf(commands) <= SOCKET_BYTES_MAX ? bySocket : this.pushByRest;
      const acks = await send(commands);
      if (acks.length === 0) {
        throw offline("the server answered a push with nothing");
      }
      return acks;
    } catch (error) {
      if (!(error instanceof Failure) || !UNREADABLE.has(error.code)) {
        throw error;
      }
      // One of them is such that none is looked at: the first one alone says whether it is that one.
      return batch.length > 1 ? this.#acks(batch.slice(0, 1)) : [{ ok: false, error: problemOf(error) }];
    }
  }

  /** Sends by REST, as one who is signed in. */
  readonly pushByRest: Push = async (commands) => {
    const answer = await this.#session.ask({ method: "POST", path: "/sync/push", body: { commands } });
    return (answer as { results: Ack[] }).results;
  };
}

export function problemOf(failure: Failure): Problem {
  return {
    status: failure.status,
    code: failure.code,
    title: failure.code,
    detail: failure.message,
    errors: failure.errors.map((error) => ({ ...error })),
  };
}

/** What a broadcast says happened, as an event of the ledger; undefined where it doesn't tell all of it. */
function eventOf(type: string, told: Broadcast): LedgerEvent | undefined {
  if (type.startsWith("group:")) {
    return undefined; // it has the group as it is now: settings, a role, a unit may have changed
  }
  const { updatedBalances: _, settleUp: __, ...rest } = told;
  return { ...rest, type, v: 1 } as unknown as LedgerEvent;
}
