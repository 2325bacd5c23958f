import assert from "node:assert/strict";
import { test } from "node:test";
import { byDay, effectOn, feedRows, idsOf, shortName, type Row } from "../../src/screens/groups/feed_rows.ts";
import { expense, loan, member, settlement, viewOf } from "./making.ts";

const utcDay = (at: string) => at.slice(0, 10);
const idOf = (row: Row) => (row.kind === "expense" ? row.expense.id : row.kind === "loan" ? row.loan.id : row.settlement.id);

test("expenses and payments make one list, newest day first, within a day the newest first", () => {
  const view = viewOf({
    expenses: [
      expense({ id: "e3", date: "2026-11-22", createdAt: "2026-11-22T09:00:00.000Z" }),
      expense({ id: "e2", date: "2026-11-20", createdAt: "2026-11-23T09:00:00.000Z" }),
      expense({ id: "e1", date: "2026-11-20", createdAt: "2026-11-20T09:00:00.000Z" }),
    ],
    settlements: [
      settlement({ id: "s3", createdAt: "2026-11-24T09:00:00.000Z" }),
      settlement({ id: "s2", createdAt: "2026-11-22T08:00:00.000Z" }),
      settlement({ id: "s1", createdAt: "2026-11-20T10:00:00.000Z" }),
    ],
  });
  const rows = feedRows(view, utcDay);
  assert.deepEqual(rows.map(idOf), ["s3", "e3", "s2", "e2", "s1", "e1"]);
  assert.deepEqual(
    byDay(rows, 100).map(({ day, rows: ofDay }) => [day, ofDay.map(idOf)]),
    [
      ["2026-11-24", ["s3"]],
      ["2026-11-22", ["e3", "s2"]],
      ["2026-11-20", ["e2", "s1", "e1"]],
    ],
  );
});

test("a loan stands at its day among the rest, and a deleted one doesn't", () => {
  const view = viewOf({
    expenses: [expense({ id: "e2", date: "2026-11-22", createdAt: "2026-11-22T09:00:00.000Z" }), expense({ id: "e1", date: "2026-11-20" })],
    settlements: [settlement({ id: "s1", createdAt: "2026-11-21T09:00:00.000Z" })],
    loans: [
      loan({ id: "l3", date: "2026-11-21", createdAt: "2026-11-24T09:00:00.000Z" }),
      loan({ id: "l2", date: "2026-11-22", status: "DELETED" }),
      loan({ id: "l1", date: "2026-11-19", status: "REPAID" }),
    ],
  });
  assert.deepEqual(feedRows(view, utcDay).map(idOf), ["e2", "l3", "s1", "e1", "l1"]);
});

test("no row is lost or doubled, however the two lists interlock", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const days = Array.from({ length: 12 }, (_, place) => ((seed * 7919 + place * 104729) % 28) + 1).sort((a, b) => b - a);
    const dated = days.map((day, place) => ({ id: `${place}`, on: `2026-11-${String(day).padStart(2, "0")}` }));
    const isExpense = (place: number) => (seed >> place % 5) % 2 === 0;
    const view = viewOf({
      expenses: dated.filter((_, place) => isExpense(place)).map(({ id, on }) => expense({ id, date: on, createdAt: `${on}T10:00:00.000Z` })),
      settlements: dated.filter((_, place) => !isExpense(place)).map(({ id, on }) => settlement({ id, createdAt: `${on}T10:00:00.000Z` })),
    });
    const rows = feedRows(view, utcDay);
    assert.equal(new Set(rows.map(idOf)).size, dated.length);
    assert.deepEqual(rows.map(({ day }) => day), dated.map(({ on }) => on));
  }
});

test("payments that were declined or taken back are not in the feed", () => {
  const settlements = [settlement({ id: "a", status: "DECLINED" }), settlement({ id: "b", status: "CANCELLED" }), settlement({ id: "c", status: "PENDING" })];
  assert.deepEqual(feedRows(viewOf({ settlements }), utcDay).map(idOf), ["c"]);
});

test("only as many rows as are asked for are put under their days", () => {
  const expenses = Array.from({ length: 90 }, (_, place) => expense({ id: `${place}` }));
  const [day, ...others] = byDay(feedRows(viewOf({ expenses }), utcDay), 40);
  assert.equal(day?.rows.length, 40);
  assert.deepEqual(others, []);
});

test("what an expense did to me is what I paid less what I bear", () => {
  const me = idsOf(member("me"));
  assert.equal(effectOn(me, expense()), 50);
  assert.equal(effectOn(me, expense({ paidBy: "ravi" })), -50);
  assert.equal(effectOn(me, expense({ paidBy: [{ userId: "me", amount: 50 }, { userId: "ravi", amount: 50 }] })), 0);
  assert.equal(effectOn(me, expense({ paidBy: "ravi", shares: [{ userId: "ravi", amount: 100 }] })), undefined);
});

test("who received a refund or an income owes the others their part of it", () => {
  const me = idsOf(member("me"));
  assert.equal(effectOn(me, expense({ kind: "REFUND" })), -50);
  assert.equal(effectOn(me, expense({ kind: "INCOME", paidBy: "ravi" })), 50);
});

test("what stands under the placeholder that I took over is mine", () => {
  const me = idsOf(member("me", { claimed: "dadi" }));
  assert.equal(effectOn(me, expense({ paidBy: "ravi", shares: [{ userId: "dadi", amount: 60 }, { userId: "ravi", amount: 40 }] })), -60);
});

test("the effects of an expense on all of its people sum to zero", () => {
  const shared = expense({
    amount: 100,
    paidBy: [{ userId: "a", amount: 70 }, { userId: "b", amount: 30 }],
    shares: [{ userId: "a", amount: 34 }, { userId: "b", amount: 33 }, { userId: "c", amount: 33 }],
  });
  for (const kind of ["EXPENSE", "REFUND", "INCOME"] as const) {
    const sum = ["a", "b", "c"].reduce((total, id) => total + (effectOn(new Set([id]), { ...shared, kind }) ?? 0), 0);
    assert.equal(sum, 0);
  }
});

test("a long name is cut where a word ends, and a short one stays", () => {
  assert.equal(shortName("Asha Venkataraman"), "Asha Venkataraman");
  assert.equal(shortName("Lakshmi Venkatasubramanian-Iyer"), "Lakshmi…");
  assert.equal(shortName("Venkatasubramanian-Iyer"), "Venkatasubramanian…");
});
