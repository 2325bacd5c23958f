/** Days of a calendar, as texts: YYYY-MM-DD. */

const DAY_MS = 24 * 60 * 60 * 1000;
const DAY = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
/** Time zones whose calendars are kept ready: those of the groups that somebody is in. */
const CALENDARS_MAX = 32;

const calendars = new Map<string, Intl.DateTimeFormat>();

function calendarOf(zone: string): Intl.DateTimeFormat {
  let calendar = calendars.get(zone);
  if (calendar === undefined) {
    const parts = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
    try {
      calendar = new Intl.DateTimeFormat("en-US", { ...parts, timeZone: zone });
    } catch {
      calendar = new Intl.DateTimeFormat("en-US", { ...parts, timeZone: "UTC" }); // newer than this browser
    }
    if (calendars.size >= CALENDARS_MAX) {
      calendars.clear();
    }
    calendars.set(zone, calendar);
  }
  return calendar;
}

/** The day in the time zone at an instant, RFC 3339. */
export function dayIn(zone: string, at: string): string {
  const parts = new Map(calendarOf(zone).formatToParts(new Date(at)).map(({ type, value }) => [type, value]));
  return `${parts.get("year")?.padStart(4, "0")}-${parts.get("month")}-${parts.get("day")}`;
}

const milliseconds = (day: string): number => Date.parse(`${day}T00:00:00Z`);

/** Whether the text is a day that there is. */
export const isDay = (text: string): boolean => DAY.test(text) && dayFrom(text, 0) === text;

/** The day so many days later; before, where negative. */
export function dayFrom(day: string, days: number): string {
  const moved = new Date(milliseconds(day) + days * DAY_MS);
  return Number.isNaN(moved.getTime()) ? "" : moved.toISOString().slice(0, 10);
}

/** How many days the second is after the first. */
export const daysBetween = (first: string, second: string): number => (milliseconds(second) - milliseconds(first)) / DAY_MS;
