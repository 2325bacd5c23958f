import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { byDay, feedFromGroups, mergedFeed, unreadGroups, type Entry } from "../../src/screens/insight/feed.ts";
import { friendsFromPlans, groupsWith, inOrder } from "../../src/screens/insight/friends_state.ts";
import {
  chosenFor,
  NEW,
  otherErrors,
  requestOf,
  rowsToShow,
  UNDECIDED,
  withoutRefused,
  type ImportReport,
} from "../../src/screens/insight/import_state.ts";
import { loan } from "../groups/making.ts";
import { expense, groupOf, member, row, settlement } from "../settle/making.ts";

function entry(seq: number, at: string, unread = false, groupId = "goa"): Entry {
  const event = { groupId, seq, at, by: "ravi", commandId: "c", v: 1, type: "settlement:created", settlement: settlement("ravi", "asha", 100) } as const;
  return { groupId, groupName: "Goa", currency: "INR", unread, event };
}

describe("the feed", () => {
  const older = entry(1, "2026-11-01T10:00:00.000Z", true);
  const newer = entry(2, "2026-11-02T10:00:00.000Z");

  test("has every entry once, the newest first", () => {
    assert.deepEqual(mergedFeed([older], [newer, older]).map(({ event }) => event.seq), [2, 1]);
  });

  test("keeps the mark of what was new when it was first seen", () => {
    assert.equal(mergedFeed([older], [{ ...older, unread: false }])[0]?.unread, true);
  });

  test("knows which groups have news", () => {
    assert.deepEqual([...unreadGroups([older, newer, entry(1, newer.event.at, true, "flat")])], ["goa", "flat"]);
  });

  test("is made of what the device holds where there is no network", () => {
    const people = [member("asha"), member("ravi")];
    const dinner = expense("ravi", 900, { asha: 900 }, { createdBy: "ravi", createdAt: "2026-11-03T10:00:00.000Z" });
    const view = groupOf(people, { expenses: [dinner], settlements: [settlement("asha", "ravi", 900)] });
    assert.deepEqual(feedFromGroups([view], 5).map(({ event }) => [event.type, event.by]), [
      ["expense:created", "ravi"],
      ["settlement:created", "asha"],
    ]);
    assert.equal(feedFromGroups([view], 1).length, 1);
  });

  test("stands by days", () => {
    assert.deepEqual(byDay([newer, older]).map(({ day, entries }) => [day, entries.length]), [
      ["2026-11-02", 1],
      ["2026-11-01", 1],
    ]);
  });
});

describe("friends, as far as a device can tell", () => {
  const people = [member("asha"), member("ravi"), member("meera")];
  const goa = groupOf(people, { settleUp: [row("asha", "ravi", 500), row("meera", "asha", 200), row("meera", "ravi", 9)] });
  const flat = groupOf(people, { id: "flat", settleUp: [row("ravi", "asha", 500)] });

  test("are whom the plans have me pay, or pay me, over all groups", () => {
    assert.deepEqual(
      friendsFromPlans([goa, flat]).map(({ userId, balances }) => [userId, balances.map(({ amount }) => amount)]),
      [
        ["meera", [200]],
      ],
    );
  });

  test("are those with a loan that isn't repaid, too, beside what the plans say", () => {
    const lent = groupOf([member("asha"), member("ravi"), member("meera")], {
      loans: [
        loan({ id: "a", lenderId: "asha", borrowerId: "ravi", outstanding: 700 }),
        loan({ id: "b", lenderId: "ravi", borrowerId: "asha", outstanding: 200 }),
        loan({ id: "c", lenderId: "meera", borrowerId: "asha", outstanding: 500, status: "DELETED" }),
        loan({ id: "d", lenderId: "ravi", borrowerId: "meera" }),
      ],
    });
    assert.deepEqual(friendsFromPlans([lent]).map(({ userId, balances, loans }) => [userId, balances, loans]), [
      ["ravi", [], [{ currency: "INR", amount: 500 }]],
    ]);
  });

  test("come in the order of what is open", () => {
    const friends = friendsFromPlans([goa]);
    assert.deepEqual(inOrder(friends).map(({ userId }) => userId), ["ravi", "meera"]);
  });

  test("are in the groups in which they are now", () => {
    const left = groupOf([member("asha"), member("ravi", { leftAt: "2026-11-02T10:00:00.000Z" })], { id: "old" });
    assert.deepEqual(groupsWith([goa, left], "ravi").map(({ id }) => id), ["goa"]);
  });
});

describe("an import", () => {
  const person = (key: string, match: ImportReport["people"][number]["match"], userId: string | null = null) => ({ key, name: key, match, userId, candidates: [] });
  const line = (number: number, status: ImportReport["rows"][number]["status"]) => ({
    row: number,
    status,
    reason: null,
    kind: "expense",
    description: "Dinner",
    date: null,
    amount: 1,
    currency: null,
  });
  const report: ImportReport = {
    groupId: "goa",
    importId: "i",
    format: "splitwise",
    dryRun: true,
    possible: false,
    seq: 3,
    replayed: false,
    counts: { new: 2, present: 0, refused: 1, skipped: 0, ignored: 0 },
    people: [],
    rows: [line(1, "new"), line(2, "refused"), line(3, "new"), line(4, "ignored")],
    errors: [
      { path: "rows.2", message: "no" },
      { path: "members", message: "who?" },
    ],
    differences: [],
    remarks: [],
    balances: [],
  };

  test("takes people as the server found them, until somebody says otherwise", () => {
    assert.equal(chosenFor(person("Ravi", "matched", "ravi"), UNDECIDED), "ravi");
    assert.equal(chosenFor(person("Zoe", "new"), UNDECIDED), NEW);
    assert.equal(chosenFor(person("R", "ambiguous"), UNDECIDED), undefined);
    assert.equal(chosenFor(person("Ravi", "matched", "ravi"), { ...UNDECIDED, people: { Ravi: NEW } }), NEW);
  });

  test("asks for a new person by leaving out who it is", () => {
    const decided = { ...UNDECIDED, people: { Zoe: NEW, R: "ravi" }, skip: [2] };
    assert.deepEqual(requestOf("text", decided, true), {
      file: "text",
      format: "auto",
      members: [{ key: "Zoe" }, { key: "R", userId: "ravi" }],
      skip: [2],
      dryRun: true,
    });
  });

  test("shows first what stands in the way", () => {
    assert.deepEqual(rowsToShow(report).map((it) => it.row), [2, 4, 1, 3]);
    assert.deepEqual(otherErrors(report).map(({ path }) => path), ["members"]);
  });

  test("leaves out what can't be imported, once it is told to", () => {
    assert.deepEqual(withoutRefused(report, { ...UNDECIDED, skip: [7] }).skip, [7, 2]);
  });
});
