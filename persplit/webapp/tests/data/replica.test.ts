import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Database, openDatabase } from "../../src/data/database.ts";
import { Failure } from "../../src/data/model.ts";
import { batchOf, PUSH_BYTES_MAX, PUSH_COMMANDS_MAX, type Queued } from "../../src/data/outbox.ts";
import { NOWHERE, type Position, Replica, type Taken } from "../../src/data/replica.ts";
import type { LedgerEvent } from "../../src/ledger/shapes.ts";
import type { User } from "../../src/wire/types.ts";

const ASHA = "asha";
const GROUP = "goa";
const AT = "2026-03-01T10:00:00.000Z";
let databases = 0;
const NOTICES = { onBlocking: (): void => undefined, onTerminated: (): void => undefined };

async function opened(): Promise<{ replica: Replica; database: Database }> {
  const database = await openDatabase(`replica-${++databases}`, NOTICES);
  return { replica: new Replica(database), database };
}

const recorded = (seq: number, commandId = `c${seq}`, by = ASHA): { groupId: string; seq: number; at: string; by: string; commandId: string; v: number } => ({
  groupId: GROUP,
  seq,
  at: AT,
  by,
  commandId,
  v: 1,
});

const FOUNDED: LedgerEvent = {
  ...recorded(1),
  type: "group:created",
  group: { name: "Goa", description: null, currency: "INR", simplify: true, hasPassword: false, archivedAt: null, seq: 1 },
  member: { userId: ASHA, name: "Asha", role: "ADMIN", placeholder: false, joinedAt: AT, leftAt: null, claimed: null, unit: null, blocked: false },
};

const spent = (seq: number, commandId = `c${seq}`): LedgerEvent => ({
  ...recorded(seq, commandId),
  type: "expense:created",
  expense: {
    id: `e${seq}`, groupId: GROUP, seq, description: "Tea", amount: 500, paidBy: ASHA, splitType: "EQUAL", participants: [ASHA],
    splits: [], items: [], includePayer: true, date: "2026-03-01", category: null, notes: null, shares: [{ userId: ASHA, amount: 500 }],
    createdBy: ASHA, createdAt: AT, updatedAt: AT, deletedAt: null,
  },
});

const command = (commandId: string, fields: Record<string, unknown> = { note: commandId }): Queued => ({
  commandId, groupId: GROUP, type: "expense:create", fields, at: AT, status: "pending", wasSent: false,
});

const take = (replica: Replica, have: Position, events: LedgerEvent[], more: object = {}): Promise<Taken> =>
  replica.take(GROUP, have, { reset: false, epoch: "one", events, ...more }, ASHA);

const at = (seq: number, epoch = "one"): Position => ({ seq, epoch });
const failsWith = (code: string) => (error: unknown): boolean => error instanceof Failure && error.code === code;
const waiting = async (replica: Replica): Promise<string[]> =>
  (await replica.outbox()).map((queued) => `${queued.commandId} ${queued.status}`);

test("a command stays in the outbox, acked, until its event is here", async () => {
  const { replica } = await opened();
  await take(replica, NOWHERE, [FOUNDED]);
  for (const id of ["a", "b", "c"]) {
    await replica.enqueue(command(id));
  }
  await replica.markSent(await replica.outbox());
  await replica.judge(new Map([["a", { ok: true, seq: 3 }], ["b", { ok: true, seq: 2 }]]));
  assert.deepEqual(await waiting(replica), ["a acked", "b acked", "c pending"]);
  await take(replica, at(1), [spent(2, "b")]);
  assert.deepEqual(await waiting(replica), ["a acked", "c pending"]);
  // the ack of c was lost: its event says as much
  await take(replica, at(2), [spent(3, "a"), spent(4, "c")]);
  assert.deepEqual(await waiting(replica), []);
});

test("an ack that comes after the event changes nothing", async () => {
  const { replica } = await opened();
  await take(replica, NOWHERE, [FOUNDED]);
  await replica.enqueue(command("a"));
  await replica.judge(new Map([["a", { ok: true, seq: 1 }]])); // a replay of what is held already
  assert.deepEqual(await waiting(replica), []);
});

test("what was acked in another past is sent again", async () => {
  const { replica } = await opened();
  await take(replica, NOWHERE, [FOUNDED]);
  await replica.enqueue(command("a"));
  await replica.judge(new Map([["a", { ok: true, seq: 2 }]]));
  await take(replica, at(1), [FOUNDED, spent(2, "x")], { reset: true, epoch: "two" });
  assert.deepEqual(await waiting(replica), ["a pending"]);
  assert.equal((await replica.group(GROUP))?.epoch, "two");
});

test("what doesn't follow, or comes to other balances, is not taken in, not even in part", async () => {
  const { replica } = await opened();
  await take(replica, NOWHERE, [FOUNDED]);
  assert.equal((await take(replica, at(1), [spent(3)])).outcome, "wrong");
  assert.equal((await take(replica, at(1), [spent(2)], { balances: [{ userId: ASHA, amount: 1 }] })).outcome, "wrong");
  assert.equal((await take(replica, NOWHERE, [FOUNDED])).outcome, "stale");
  assert.deepEqual((await replica.things(GROUP)).expenses, []);
  assert.equal((await replica.group(GROUP))?.state.seq, 1);
  const taken = await take(replica, at(1), [FOUNDED, spent(2)]);
  assert.equal(taken.outcome, "taken");
  assert.equal((await replica.events(GROUP)).length, 2);
});

test("what was refused is kept to be mended or dropped; what may have been sent can't be taken back", async () => {
  const { replica } = await opened();
  for (const id of ["a", "b", "c"]) {
    await replica.enqueue(command(id));
  }
  await replica.markSent((await replica.outbox()).slice(0, 2));
  const error = { status: 409, code: "conflict", title: "", detail: "", errors: [] };
  await replica.judge(new Map([["a", { ok: false, error }]]));
  await assert.rejects(replica.drop("b"), failsWith("maybe_sent"));
  await replica.drop("c");
  await replica.enqueue(command("mended"), "a");
  assert.deepEqual(await waiting(replica), ["b pending", "mended pending"]);
  await assert.rejects(replica.enqueue(command("again"), "a"), failsWith("not_found"));
});

test("nobody's unsent commands are lost to who signs in after them", async () => {
  const { replica } = await opened();
  const person = (id: string): User => ({ id, name: id, email: null, phone: null, vpa: null, locale: null, createdAt: AT, guestOf: null });
  await replica.setAccount({ user: person(ASHA), isSignedOut: false });
  await take(replica, NOWHERE, [FOUNDED]);
  await replica.enqueue(command("a"));
  await assert.rejects(replica.setAccount({ user: person("ben"), isSignedOut: false }), failsWith("unsent"));
  await assert.rejects(replica.forget(false), failsWith("unsent"));
  await replica.drop("a");
  await replica.setAccount({ user: person("ben"), isSignedOut: false });
  assert.deepEqual(await replica.groups(), []);
});

test("a fault of the storage is told", async () => {
  const { replica, database } = await opened();
  database.close();
  await assert.rejects(replica.enqueue(command("a")), failsWith("storage_failed"));
  await assert.rejects(replica.outbox(), failsWith("storage_failed"));
});

test("what other rules have folded is fetched anew, and no command is lost; a page of before lets go", async () => {
  let isBlocking = false;
  const name = `replica-${++databases}`;
  const old = await openDatabase(name, {
    onTerminated: () => undefined,
    onBlocking: () => {
      isBlocking = true;
      old.close();
    },
  });
  await take(new Replica(old), NOWHERE, [FOUNDED]);
  await new Replica(old).enqueue(command("a"));
  const replica = new Replica(await openDatabase(name, NOTICES, old.version + 1));
  assert.ok(isBlocking);
  assert.deepEqual(await replica.groups(), []);
  assert.deepEqual(await replica.events(GROUP), []);
  assert.deepEqual(await waiting(replica), ["a pending"]);
  await assert.rejects(openDatabase(name, NOTICES, old.version));
});

test("a plan that is for what is held brings the balances that the server reckons with", async () => {
  const { replica } = await opened();
  await take(replica, NOWHERE, [FOUNDED, spent(2)]);
  const balances = [{ userId: ASHA, amount: 7 }];
  assert.equal(await replica.takeAside(GROUP, { plan: { seq: 1, settleUp: [], balances } }), null);
  const change = await replica.takeAside(GROUP, { plan: { seq: 2, settleUp: [], balances } });
  assert.equal(change?.record?.state.balances.get(ASHA), 7);
  assert.equal(change?.record?.planSeq, 2);
});

test("a push has at most so many commands and bytes, and at least one", () => {
  const many = Array.from({ length: 300 }, (_, place) => command(`${place}`));
  assert.equal(batchOf(many).length, PUSH_COMMANDS_MAX);
  const large = command("large", { notes: "x".repeat(PUSH_BYTES_MAX) });
  assert.equal(batchOf([large, ...many]).length, 1);
  assert.equal(batchOf([...many.slice(0, 5), large]).length, 5);
});
