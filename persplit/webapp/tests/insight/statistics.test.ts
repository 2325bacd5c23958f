import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { categoryKey } from "../../src/screens/expense/category_list.ts";
import { monthBefore, periodOf } from "../../src/screens/insight/periods.ts";
import { isWithin, statisticsOf } from "../../src/screens/insight/statistics.ts";
import { expense } from "../settle/making.ts";

const COUNTING = { me: "asha", canonical: (userId: string) => (userId === "baba" ? "ravi" : userId), categoryKey };

describe("statistics", () => {
  const expenses = [
    expense("asha", 900, { asha: 300, ravi: 600 }, { category: "Dinner", date: "2026-10-31" }),
    expense([{ userId: "ravi", amount: 400 }, { userId: "asha", amount: 100 }], 500, { asha: 500 }, { category: "food" }),
    expense("ravi", 200, { asha: 100, ravi: 100 }, { category: "food", kind: "REFUND" }),
    expense("baba", 50, { baba: 50 }, { category: "Feni" }),
    expense("asha", 70, { asha: 70 }, { deletedAt: "2026-11-04T10:00:00.000Z" }),
  ];
  const { all, categories, members, months } = statisticsOf(expenses, COUNTING);

  test("leave out what was deleted, and take off what came back", () => {
    assert.deepEqual(all, { count: 4, amount: 1250, paid: 1000, share: 700 });
  });

  test("put together categories that mean the same, the largest first", () => {
    assert.deepEqual(categories.map(({ category, amount, count }) => [category, amount, count]), [
      ["food", 1200, 3],
      ["Feni", 50, 1],
    ]);
  });

  test("count a placeholder as who took it over", () => {
    assert.deepEqual(members.map(({ userId, paid, share }) => [userId, paid, share]), [
      ["asha", 1000, 700],
      ["ravi", 250, 550],
    ]);
  });

  test("have months in order, which sum to the whole", () => {
    assert.deepEqual(months.map(({ month, amount }) => [month, amount]), [
      ["2026-10", 900],
      ["2026-11", 350],
    ]);
  });

  test("of members and of shares each sum to what was spent", () => {
    const sum = (key: "paid" | "share") => members.reduce((total, one) => total + one[key], 0);
    assert.deepEqual([sum("paid"), sum("share")], [all.amount, all.amount]);
  });
});

test("a category is known by its other words, however they are written", () => {
  assert.equal(categoryKey("  DINING   out "), "food");
  assert.equal(categoryKey("Chai"), "coffee");
  assert.equal(categoryKey("Feni"), "Feni");
  assert.equal(categoryKey(null), null);
});

describe("a period", () => {
  const own = { from: "2026-11-05", to: "" };

  test("is the month, the one before, the year, or as typed", () => {
    assert.deepEqual(periodOf("month", "2026-01-15", own), { from: "2026-01-01", to: "2026-01-31" });
    assert.deepEqual(periodOf("before", "2026-01-15", own), { from: "2025-12-01", to: "2025-12-31" });
    assert.deepEqual(periodOf("year", "2026-01-15", own), { from: "2026-01-01", to: "2026-12-31" });
    assert.deepEqual(periodOf("own", "2026-01-15", own), { from: "2026-11-05", to: null });
  });

  test("has both of its days in it", () => {
    const period = periodOf("month", "2026-02-10", own);
    assert.deepEqual(["2026-01-31", "2026-02-01", "2026-02-28", "2026-03-01"].map((day) => isWithin(period, day)), [false, true, true, false]);
    assert.equal(isWithin(periodOf("all", "2026-02-10", own), "1999-01-01"), true);
  });

  test("goes back over the turn of a year", () => {
    assert.equal(monthBefore("2026-01"), "2025-12");
    assert.equal(monthBefore("2026-11"), "2026-10");
  });
});
