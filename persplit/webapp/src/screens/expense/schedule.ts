/** On which days what repeats falls: the same days as the server makes. Days are YYYY-MM-DD, and never a time zone's. */

import type { Recurrence } from "../../wire/types.ts";

type Schedule = Recurrence["schedule"];

const DAY_MS = 86_400_000;
const DAYS = { DAILY: 1, WEEKLY: 7, MONTHLY: 0, YEARLY: 0 } as const;
const MONTHS = { DAILY: 0, WEEKLY: 0, MONTHLY: 1, YEARLY: 12 } as const;

/** The day's number, counted from 1970. */
export function dayNumber(day: string): number {
  return Math.round(Date.parse(`${day}T00:00:00Z`) / DAY_MS);
}

function dayText(number: number): string {
  return new Date(number * DAY_MS).toISOString().slice(0, 10);
}

/** The first day of the schedule after this one; of all where null. Null where there is no more. */
export function nextDay(schedule: Schedule, after: string | null): string | null {
  const number = after === null ? 0 : placeAfter(schedule, after);
  if (schedule.count !== null && number >= schedule.count) return null;
  const day = dayAt(schedule, number);
  return schedule.end !== null && day > schedule.end ? null : day;
}

/** The place in the schedule, from 0, of its first day after that one: so many days were up to it. */
export function placeAfter(schedule: Schedule, after: string): number {
  if (after < schedule.start) return 0;
  const days = DAYS[schedule.frequency];
  if (days > 0) {
    return Math.floor((dayNumber(after) - dayNumber(schedule.start)) / (days * schedule.interval)) + 1;
  }
  const months = monthNumber(after) - monthNumber(schedule.start);
  const number = Math.floor(months / (MONTHS[schedule.frequency] * schedule.interval));
  return dayAt(schedule, number) > after ? number : number + 1;
}

function monthNumber(day: string): number {
  return 12 * Number(day.slice(0, 4)) + Number(day.slice(5, 7)) - 1;
}

/** What starts on the 31st falls on the last day of a shorter month. */
function dayAt(schedule: Schedule, number: number): string {
  const days = DAYS[schedule.frequency];
  if (days > 0) return dayText(dayNumber(schedule.start) + number * days * schedule.interval);
  const months = monthNumber(schedule.start) + number * MONTHS[schedule.frequency] * schedule.interval;
  const [year, month] = [Math.floor(months / 12), (months % 12) + 1];
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const dayOfMonth = Math.min(Number(schedule.start.slice(8, 10)), last);
  return [String(year).padStart(4, "0"), String(month).padStart(2, "0"), String(dayOfMonth).padStart(2, "0")].join("-");
}

/** What is still to come, as a schedule of its own: to set up again what was stopped, without what was made already. */
export function whatIsLeft(recurrence: Pick<Recurrence, "schedule" | "madeThrough">): Schedule | null {
  const { schedule, madeThrough } = recurrence;
  const start = nextDay(schedule, madeThrough);
  if (start === null) return null;
  const made = madeThrough === null ? 0 : placeAfter(schedule, madeThrough);
  return { ...schedule, start, count: schedule.count === null ? null : schedule.count - made };
}
