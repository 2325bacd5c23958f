import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { openDatabase } from "../../src/data/database.ts";
import { storageFailed } from "../../src/data/failures.ts";
import { Failure } from "../../src/data/model.ts";
import { batchOf, PUSH_BYTES_MAX, PUSH_COMMANDS_MAX } from "../../src/data/outbox.ts";
import { NOWHERE, type Position, Replica } from "../../src/data/replica.ts";
import type { Comment } from "../../src/ledger/shapes.ts";
import { ASHA, command, FOUNDED, GROUP, newName, NOTICES, opened, person, spent, take } from "./making.ts";

const at = (seq: number, epoch = "one"): Position => ({ seq, epoch });
const failsWith = (code: string) => (error: unknown): boolean => error instanceof Failure && error.code === code;
const waiting = async (replica: Replica): Promise<string[]> =>
  (await replica.outbox()).map((queued) => `${queued.commandId} ${queued.status}`);

test("a command stays in the outbox, acked, until its event is here", async () => {
  const { replica } = await opened();
  await take(replica, NOWHERE, [FOUNDED]);
  for (const id of ["a", "b", "c"]) {
    await replica.enqueue(command(id), ASHA);
  }
  await replica.markSent(await replica.outbox(), ASHA);
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
  await replica.enqueue(command("a"), ASHA);
  await replica.judge(new Map([["a", { ok: true, seq: 1 }]])); // a replay of what is held already
  assert.deepEqual(await waiting(replica), []);
});

test("what was acked in another past is sent again", async () => {
  const { replica } = await opened();
  await take(replica, NOWHERE, [FOUNDED]);
  await replica.enqueue(command("a"), ASHA);
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
    await replica.enqueue(command(id), ASHA);
  }
  await replica.markSent((await replica.outbox()).slice(0, 2), ASHA);
  const error = { status: 409, code: "conflict", title: "", detail: "", errors: [] };
  await replica.judge(new Map([["a", { ok: false, error }]]));
  await assert.rejects(replica.drop("b"), failsWith("maybe_sent"));
  await replica.drop("c");
  await replica.enqueue(command("mended"), ASHA, "a");
  assert.deepEqual(await waiting(replica), ["b pending", "mended pending"]);
  await assert.rejects(replica.enqueue(command("again"), ASHA, "a"), failsWith("not_found"));
});

test("nobody's unsent commands are lost to who signs in after them", async () => {
  const { replica } = await opened();
  await take(replica, NOWHERE, [FOUNDED]);
  await replica.enqueue(command("a"), ASHA);
  await assert.rejects(replica.setAccount({ user: person("ben"), isSignedOut: false }), failsWith("unsent"));
  await assert.rejects(replica.forget(false), failsWith("unsent"));
  await replica.drop("a");
  await replica.setAccount({ user: person("ben"), isSignedOut: false });
  assert.deepEqual(await replica.groups(), []);
});

test("what was for one person isn't kept once another, or nobody, is signed in", async () => {
  const { replica } = await opened();
  await take(replica, NOWHERE, [FOUNDED]);
  const mark = { groupId: GROUP, seq: 1, unread: 0, isUnsent: false };
  const late = [
    () => take(replica, NOWHERE, [FOUNDED]),
    () => replica.dropGroup(GROUP, ASHA),
    () => replica.enqueue(command("a"), ASHA),
    () => replica.markSent([command("a")], ASHA),
    () => replica.setMarks([mark], ASHA),
  ];
  const nothing = async (): Promise<void> => {
    for (const write of late) {
      await assert.rejects(write, failsWith("token_missing"));
    }
    assert.deepEqual([await replica.groups(), await replica.outbox(), await replica.marks()], [[], [], []]);
  };
  await replica.forget(false);
  await nothing();
  await replica.setAccount({ user: person("ben"), isSignedOut: false });
  await nothing();
  await replica.addComments(GROUP, [{ id: "c", groupId: GROUP, expenseId: "e", seq: 1 } as Comment]);
  assert.deepEqual(await replica.comments(GROUP), []);
});

test("who is out of a group waits for nothing that the server has taken; what it hasn't judged stays", async () => {
  const { replica } = await opened();
  await take(replica, NOWHERE, [FOUNDED]);
  for (const id of ["a", "b", "c"]) {
    await replica.enqueue(command(id), ASHA);
  }
  const error = { status: 409, code: "conflict", title: "", detail: "", errors: [] };
  await replica.judge(new Map([["a", { ok: true, seq: 2 }], ["b", { ok: false, error }]]));
  await replica.dropGroup(GROUP, ASHA); // to be fetched anew
  assert.deepEqual(await waiting(replica), ["a acked", "b refused", "c pending"]);
  assert.ok((await replica.leaveGroup(GROUP, ASHA)).touchedOutbox);
  assert.deepEqual(await waiting(replica), ["b refused", "c pending"]);
});

test("a tab that hasn't heard who is signed in now signs nobody out", async () => {
  const { replica } = await opened();
  await replica.setAccount({ user: person("ben"), isSignedOut: false });
  await replica.updateAccount(ASHA, { isSignedOut: true });
  assert.deepEqual(await replica.account(), { user: person("ben"), isSignedOut: false });
  await replica.updateAccount("ben", { isSignedOut: true });
  assert.deepEqual(await replica.account(), { user: person("ben"), isSignedOut: true });
});

test("what the person before left behind is gone, though nobody was signed in meanwhile", async () => {
  const { replica, database } = await opened();
  await take(replica, NOWHERE, [FOUNDED]);
  await database.delete("meta", "account");
  await replica.setAccount({ user: person("ben"), isSignedOut: false });
  assert.deepEqual(await replica.groups(), []);
});

test("a fault of the storage is told", async () => {
  const { replica, database } = await opened();
  database.close();
  await assert.rejects(replica.enqueue(command("a"), ASHA), failsWith("storage_failed"));
  await assert.rejects(replica.outbox(), failsWith("storage_failed"));
});

test("what other rules have folded is fetched anew, and no command is lost; a page of before lets go", async () => {
  let isBlocking = false;
  const name = newName();
  const old = await openDatabase(name, {
    ...NOTICES,
    onBlocking: () => {
      isBlocking = true;
      old.close();
    },
  });
  await new Replica(old).setAccount({ user: person(ASHA), isSignedOut: false });
  await take(new Replica(old), NOWHERE, [FOUNDED]);
  await new Replica(old).enqueue(command("a"), ASHA);
  const replica = new Replica(await openDatabase(name, NOTICES, old.version + 1));
  assert.ok(isBlocking);
  assert.deepEqual(await replica.groups(), []);
  assert.deepEqual(await replica.events(GROUP), []);
  assert.deepEqual(await waiting(replica), ["a pending"]);
  await assert.rejects(openDatabase(name, NOTICES, old.version), (error: unknown) => storageFailed(error).code === "page_outdated");
});

test("who waits for a page of before is told so, and goes on when that is closed", async () => {
  const name = newName();
  const old = await openDatabase(name, NOTICES);
  let isBlocked = false;
  const onBlocked = (): void => {
    isBlocked = true;
    old.close();
  };
  const database = await openDatabase(name, { ...NOTICES, onBlocked }, old.version + 1);
  assert.ok(isBlocked);
  assert.deepEqual(await new Replica(database).groups(), []);
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
