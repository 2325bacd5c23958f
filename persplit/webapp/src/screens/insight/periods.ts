/** The periods that charts are over. Days are text, YYYY-MM-DD: no time zone touches them. */

import type { Period } from "./statistics.ts";

export type PeriodChoice = "all" | "month" | "before" | "year" | "own";

/** The days of a choice. `own`: as the person typed them, an empty text is open. */
export function periodOf(choice: PeriodChoice, today: string, own: { from: string; to: string }): Period {
  const month = today.slice(0, 7);
  switch (choice) {
    case "all":
      return { from: null, to: null };
    case "month":
      return { from: `${month}-01`, to: `${month}-31` };
    case "before": {
      const before = monthBefore(month);
      return { from: `${before}-01`, to: `${before}-31` };
    }
    case "year":
      return { from: `${today.slice(0, 4)}-01-01`, to: `${today.slice(0, 4)}-12-31` };
    case "own":
      return { from: own.from || null, to: own.to || null };
  }
}

/** `2025-12` of `2026-01`. */
export function monthBefore(month: string): string {
  const [year, number] = [Number(month.slice(0, 4)), Number(month.slice(5))];
  return number === 1 ? `${year - 1}-12` : `${year}-${String(number - 1).padStart(2, "0")}`;
}
