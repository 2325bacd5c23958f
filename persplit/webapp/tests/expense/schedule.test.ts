import assert from "node:assert/strict";
import { test } from "node:test";
import { nextDay, whatIsLeft } from "../../src/screens/expense/schedule.ts";
import type { Recurrence } from "../../src/wire/types.ts";

type Schedule = Recurrence["schedule"];

const schedule = (told: Partial<Schedule>): Schedule => ({ frequency: "MONTHLY", interval: 1, start: "2026-01-31", end: null, count: null, ...told });

/** The first days of it. */
function days(of: Schedule, count: number): string[] {
  const found: string[] = [];
  for (let day = nextDay(of, null); day !== null && found.length < count; day = nextDay(of, day)) found.push(day);
  return found;
}

test("what starts on the 31st falls on the last day of a shorter month, and on the 31st again", () => {
  assert.deepEqual(days(schedule({}), 4), ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]);
});

test("what starts on 29 February falls on the 28th in other years", () => {
  assert.deepEqual(days(schedule({ frequency: "YEARLY", start: "2028-02-29" }), 5), [
    "2028-02-29",
    "2029-02-28",
    "2030-02-28",
    "2031-02-28",
    "2032-02-29",
  ]);
});

test("weeks and days go over the ends of months and years", () => {
  assert.deepEqual(days(schedule({ frequency: "WEEKLY", interval: 2, start: "2026-12-25" }), 3), ["2026-12-25", "2027-01-08", "2027-01-22"]);
  assert.deepEqual(days(schedule({ frequency: "DAILY", start: "2026-02-27" }), 3), ["2026-02-27", "2026-02-28", "2026-03-01"]);
});

test("an end and a count are the last", () => {
  assert.deepEqual(days(schedule({ end: "2026-03-31" }), 9), ["2026-01-31", "2026-02-28", "2026-03-31"]);
  assert.deepEqual(days(schedule({ count: 2 }), 9), ["2026-01-31", "2026-02-28"]);
  assert.equal(nextDay(schedule({ count: 2 }), "2026-02-28"), null);
});

test("after any day comes the first one later than it", () => {
  const each = days(schedule({ interval: 2 }), 30);
  for (const [place, day] of each.slice(0, -1).entries()) {
    assert.equal(nextDay(schedule({ interval: 2 }), day), each[place + 1]);
    assert.ok((each[place + 1] ?? "") > day);
  }
});

test("what is left of a schedule makes only what was still to come", () => {
  const left = whatIsLeft({ schedule: schedule({ count: 5, start: "2026-01-10" }), madeThrough: "2026-02-15" });
  assert.deepEqual(left, schedule({ count: 3, start: "2026-03-10" }));
  assert.equal(whatIsLeft({ schedule: schedule({ count: 1 }), madeThrough: "2026-01-31" }), null);
});
