/**
 * The data layer against a real server: run by a test with the server's URL. It asks for the server to be killed and
 * started again by writing a line, and goes on when it has got one back. Prints what it has found as its last line.
 */

import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { computed } from "@preact/signals";
import { openDatabase } from "../../src/data/database.ts";
import { Failure, type GroupView } from "../../src/data/model.ts";
import { Replica } from "../../src/data/replica.ts";
import { Rest } from "../../src/data/rest.ts";
import { Session } from "../../src/data/session.ts";
import { type Broadcast, Syncing } from "../../src/data/syncing.ts";
import { Device } from "./device.ts";
import { NOTICES } from "./making.ts";
import { until } from "./until.ts";

const [url = ""] = process.argv.slice(2);
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function server(what: "kill" | "start"): Promise<void> {
  console.log(what);
  await answers.next();
}

const PASSWORD = "a long walk by the sea";
const shared = { includePayer: true, kind: "EXPENSE" } as const;
const here = (view: GroupView | null | undefined): view is GroupView => view != null;

/** A device that hears what it is told here, from a server that is there: holes are filled, and errors mended. */
async function holes(groupId: string, write: () => Promise<string>): Promise<void> {
  const platform = new Device(url).platform();
  const replica = new Replica(await openDatabase(platform.database, NOTICES));
  const session = new Session(platform, new Rest(platform), async () => replica);
  const syncing = new Syncing(session, async () => replica);
  await session.enter("/auth/login", { email: "asha@example.org", password: PASSWORD });
  await syncing.sync();
  const before = (await replica.group(groupId))?.state;
  assert.ok(before !== undefined && before.seq > 3);
  const commentId = await write();
  const told = (seq: number): Broadcast => ({ groupId, seq, at: "", by: "", commandId: "", updatedBalances: [], settleUp: [] });
  await syncing.hear("comment:added", told(before.seq)); // known: nothing happens
  assert.equal((await replica.group(groupId))?.state.seq, before.seq);
  await syncing.hear("comment:added", told(before.seq + 2)); // a hole
  assert.equal((await replica.group(groupId))?.state.seq, before.seq + 2);
  assert.ok((await replica.comments(groupId)).some((comment) => comment.id === commentId));
  const wrong = { ...told(before.seq + 3), updatedBalances: [{ userId: session.userId ?? "", amount: 123_456 }], reminder: {} };
  await syncing.hear("reminder:sent", wrong); // it can't be: the group is fetched anew
  const after = await replica.group(groupId);
  assert.equal(after?.state.seq, before.seq + 2);
  assert.deepEqual(after?.state.balances, before.balances);
  assert.equal(after?.planSeq, after?.state.seq);
  console.error("holes");
}

async function story(): Promise<void> {
  const phone = new Device(url);
  const laptop = new Device(url, { hasLocks: false });
  const tablet = new Device(url);
  tablet.fallAsleep();
  const guest = await tablet.tab(); // which takes the connection over from a tab that sleeps
  const asha = await phone.tab();
  const ben = await laptop.tab();
  assert.equal(asha.me.value, null);
  await asha.register({ name: "Asha", email: "asha@example.org", password: PASSWORD, vpa: "asha@okaxis" });
  await ben.register({ name: "Ben", email: "ben@example.org", password: PASSWORD });
  assert.equal(asha.me.value?.name, "Asha");
  console.error("signed up");

  // a group, an invite, a friend
  const groupId = crypto.randomUUID();
  await asha.send("group:create", groupId, { name: "Goa", currency: "INR", simplify: true, timeZone: "UTC" });
  const goa = asha.group(groupId);
  const waiting = await until(goa, here, "the group, at once");
  assert.equal(waiting?.group.name, "Goa");
  await until(goa, (view) => view?.seq === 1 && view.waitingCount === 0, "the group on the server");
  const invite = await asha.post<{ code: string }>(`/groups/${groupId}/invites`);
  assert.equal(await ben.join({ code: invite.code }), groupId);
  const bens = ben.group(groupId);
  await until(goa, (view) => view?.members.length === 2, "Ben, at Asha's");
  await until(ben.connection, (it) => it === "connected", "Ben's connection");
  console.error("joined");

  // an expense, seen by the other at once
  const dinner = await asha.send("expense:create", groupId, { ...shared, description: "Dinner", amount: 90_001, splitType: "EQUAL" });
  const shown = await until(goa, (view) => view?.expenses.length === 1, "the expense, provisionally");
  const heard = await until(bens, (view) => view?.expenses.length === 1, "the expense, at Ben's");
  assert.deepEqual(shown?.expenses[0]?.shares, heard?.expenses[0]?.shares);
  assert.equal(heard?.expenses[0]?.id, dinner.id);
  assert.equal((heard?.myBalance ?? 0) + (shown?.myBalance ?? 0), 0);
  assert.equal(heard?.isPlanStale, false);
  assert.match(heard?.settleUp[0]?.upiLink ?? "", /^upi:\/\/pay\?pa=asha@okaxis/);
  await until(ben.unread, (count) => count > 0, "something unread");
  ben.markRead(groupId);
  await until(ben.unread, (count) => count === 0, "nothing unread");
  console.error("expense");

  // a device that is new: what isn't here yet is not said to be nowhere
  const desktop = new Device(url);
  const fresh = await desktop.tab();
  const lists: unknown[] = [];
  const views: unknown[] = [];
  fresh.groups.subscribe((groups) => lists.push(groups?.length ?? groups));
  await fresh.signIn({ email: "ben@example.org", password: PASSWORD });
  fresh.group(groupId).subscribe((view) => views.push(view === undefined ? "perhaps" : view?.group.name));
  await until(fresh.group(groupId), (view) => view?.expenses.length === 1, "the group on a new device");
  await until(fresh.groups, (groups) => groups?.length === 1, "the list on a new device");
  assert.deepEqual([...new Set(lists)], [null, undefined, 1]);
  assert.deepEqual([...new Set(views)], ["perhaps", "Goa"]);
  await until(fresh.connection, (it) => it === "connected", "the new device's connection");
  assert.equal(fresh.group(crypto.randomUUID()).value ?? null, null);
  await desktop.close();
  console.error("fresh");

  // a network that lets no socket through: everything goes by requests
  const office = new Device(url, { hasSockets: false });
  const cut = await office.tab();
  await cut.register({ name: "Dev", email: "dev@example.org", password: PASSWORD });
  await until(cut.groups, (groups) => groups?.length === 0, "no groups, where no socket gets through");
  await until(computed(() => cut.offers("createGroup")), (it) => it, "what the server offers, asked for");
  const desk = crypto.randomUUID();
  await cut.send("group:create", desk, { name: "Office" });
  await until(cut.group(desk), (view) => view?.seq === 1, "a group, by requests");
  await office.close();
  console.error("office");

  // two tabs on one replica
  const second = await phone.tab();
  const other = second.group(groupId);
  await until(other, (view) => view?.expenses.length === 1, "the group in another tab");
  await until(second.connection, (it) => it === "connected", "the other tab's view of the connection");
  const tea = await second.send("expense:create", groupId, { ...shared, description: "Tea", amount: 400, splitType: "EQUAL" });
  await until(goa, (view) => view?.expenses.some((it) => it.id === tea.id) === true, "the tea in the first tab");
  await until(bens, (view) => view?.expenses.some((it) => it.id === tea.id) === true, "the tea, at Ben's");
  await until(second.pending, (pending) => pending.length === 0, "the tea's confirmation");
  await asha.close(); // the leader goes
  await until(second.connection, (it) => it === "connected", "the second tab takes over");
  await ben.send("comment:add", groupId, { expenseId: dinner.id, text: "so good" });
  await until(second.comments(groupId, dinner.id), (it) => it?.length === 1, "the comment");
  console.error("tabs");

  // refused, mended
  await ben.send("expense:delete", groupId, { expenseId: tea.id });
  await until(second.group(groupId), (view) => view?.expenses.length === 1, "the tea is gone");
  await assert.rejects(
    second.send("expense:create", groupId, { ...shared, description: "Nothing", amount: 0, splitType: "EQUAL" }),
    (error: unknown) => error instanceof Failure && error.code === "validation_failed",
  );
  await assert.rejects(
    second.sendNow("member:add", groupId, { email: "nobody@example.org" }),
    (error: unknown) => error instanceof Failure && error.errors[0]?.path === "email",
  );

  // offline: what both write arrives once
  await server("kill");
  const isGone = until(second.connection, (it) => it === "offline", "no connection");
  const nudge = setInterval(() => phone.wake(), 50); // every look at it is an attempt
  await isGone;
  clearInterval(nudge);
  await second.send("expense:update", groupId, { ...shared, expenseId: dinner.id, expectedSeq: 3, description: "Supper", amount: 90_000, splitType: "EQUAL" });
  await ben.send("expense:update", groupId, { ...shared, expenseId: dinner.id, expectedSeq: 3, description: "Brunch", amount: 90_000, splitType: "EQUAL" });
  await second.send("expense:create", groupId, { ...shared, description: "Taxi", amount: 30_000, splitType: "EQUAL" });
  await second.send("settlement:create", groupId, { toUserId: ben.me.value?.id ?? "", amount: 5 });
  const alone = await until(other, (view) => view?.waitingCount === 3, "three that wait");
  assert.equal(alone?.expenses.find((it) => it.id === dinner.id)?.description, "Supper");
  assert.equal(alone?.isPlanStale, true);
  await assert.rejects(second.get("/groups"), (error: unknown) => error instanceof Failure && error.code === "offline");
  await server("start");
  phone.wake();
  laptop.wake();
  await until(second.pending, (pending) => pending.length === 0, "Asha's outbox empty");
  await until(ben.pending, (pending) => pending.length === 0, "Ben's outbox empty");
  await until(bens, (view) => view?.expenses.filter((it) => it.description === "Taxi").length === 1, "one taxi");
  const [mine, his] = [second.refused.value, ben.refused.value];
  assert.deepEqual([...mine, ...his].map((it) => it.problem.code), ["conflict"]);
  const loser = mine.length > 0 ? second : ben;
  const [lost] = loser.refused.value;
  const { expectedSeq: _, ...mended } = lost?.fields ?? {};
  await loser.resend(lost?.commandId ?? "", { ...mended, description: "Mended" });
  const same = (view: GroupView | null | undefined): boolean =>
    view?.waitingCount === 0 && view.expenses.some((it) => it.description === "Mended") && !view.isPlanStale;
  const atAshas = await until(other, same, "mended, at Asha's");
  const atBens = await until(bens, same, "mended, at Ben's");
  assert.deepEqual(atAshas?.balances, atBens?.balances);
  assert.deepEqual(atAshas?.settleUp, atBens?.settleUp);
  assert.equal(loser.refused.value.length, 0);
  console.error("offline");

  await holes(groupId, async () => {
    const { id } = await second.send("comment:add", groupId, { expenseId: dinner.id, text: "and cheap" });
    await second.sendNow("comment:add", groupId, { id: crypto.randomUUID(), expenseId: dinner.id, text: "really" });
    return id;
  });

  // the past
  const steps = await second.history(groupId);
  assert.equal(steps.length, other.value?.seq);
  assert.deepEqual(new Map(steps.at(-1)?.balances.map((it) => [it.userId, it.amount])), new Map(atAshas?.balances.map((it) => [it.userId, it.amount])));
  await until(computed(() => second.offers("createGroup")), (it) => it, "what the server offers");
  assert.ok(!second.offers("explodeGroup"));

  // a guest, a session that ends, and a device that forgets
  assert.equal(await guest.joinAsGuest({ code: invite.code, name: "Gita" }), groupId);
  const guests = await until(guest.group(groupId), here, "the guest's group");
  assert.equal(guests?.me.name, "Gita");
  assert.equal(guests?.expenses.length, 2);
  await until(guest.connection, (it) => it === "connected", "the guest's connection");
  const own = crypto.randomUUID();
  await guest.post("/auth/upgrade", { email: "gita@example.org", password: PASSWORD });
  assert.equal(guest.me.value?.guestOf, null);
  await guest.send("group:create", own, { name: "Mine" });
  await until(guest.group(own), (view) => view?.seq === 1, "a group of the guest, who has an account now");
  await second.post("/auth/logout-all");
  await until(second.isSignedOut, (it) => it, "the session is over");
  assert.equal(second.me.value?.name, "Asha");
  await second.signIn({ email: "asha@example.org", password: PASSWORD });
  await until(second.connection, (it) => it === "connected", "signed in again");
  await second.signOut();
  assert.equal(second.me.value, null);
  assert.deepEqual(second.groups.value, null);
  await Promise.all([phone.close(), laptop.close(), tablet.close()]);
}

await story();
console.log("done");
process.exit(0);
