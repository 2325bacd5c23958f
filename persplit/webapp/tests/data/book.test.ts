import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Book } from "../../src/data/book.ts";
import { type GroupChange, NOWHERE, type Position, type Replica, type Taken } from "../../src/data/replica.ts";
import { ASHA, command, FOUNDED, GROUP, opened, spent, take } from "./making.ts";
import { until } from "./until.ts";

const ME = { id: ASHA, name: "Asha" };
const at = (seq: number): Position => ({ seq, epoch: "one" });

function changeOf(taken: Taken): GroupChange {
  assert.ok(taken.outcome === "taken" && taken.change !== null);
  return taken.change;
}

/** A tab that shows the group, which another has brought as far as its first expense. */
async function watching(): Promise<{ replica: Replica; book: Book; shown: () => string[] }> {
  const { replica } = await opened();
  await take(replica, NOWHERE, [FOUNDED, spent(2)]);
  const book = new Book(async () => replica);
  await book.reload(ME);
  const view = book.group(GROUP);
  await until(view, (it) => it?.expenses.length === 1, "the first expense");
  return { replica, book, shown: () => view.value?.expenses.map((expense) => expense.id).sort() ?? [] };
}

test("a tab that missed a change reads the group anew at the next one", async () => {
  const { replica, book, shown } = await watching();
  await take(replica, at(2), [spent(3)]); // nobody tells
  await book.take(changeOf(await take(replica, at(3), [spent(4)])));
  assert.deepEqual(shown(), ["e2", "e3", "e4"]);
});

test("what is told of one event after another is taken as it comes", async () => {
  const { replica, book, shown } = await watching();
  const changes = [changeOf(await take(replica, at(2), [spent(3)])), changeOf(await take(replica, at(3), [spent(4)]))];
  for (const change of [...changes, ...changes]) {
    await book.take(change);
  }
  assert.deepEqual(shown(), ["e2", "e3", "e4"]);
});

test("a tab that slept catches up: on events, on commands, and on groups that are gone", async () => {
  const { replica, book, shown } = await watching();
  await take(replica, at(2), [spent(3)]);
  await replica.enqueue(command("a"), ASHA);
  await book.catchUp();
  assert.deepEqual(shown(), ["e2", "e3"]);
  assert.equal(book.pending.value.length, 1);
  await replica.leaveGroup(GROUP, ASHA);
  await book.catchUp();
  assert.deepEqual(shown(), []);
  assert.deepEqual(book.records(), []);
});
