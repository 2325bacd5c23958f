/**
 * From one currency to another: whole minor units in, whole minor units out, nothing made or lost on the way.
 *
 * A rate is a decimal text: so many major units of the group's currency for one major unit of the other. An amount is
 * converted once and rounded once, half a unit up; the converted whole is divided in proportion to its parts.
 */

import type { Posting, SplitType } from "../wire/types.ts";
import { total } from "./exact.ts";
import { digitsOf } from "./money.ts";
import { type BillItem, compared, type Split } from "./split.ts";

const RATE = /^[0-9]{1,9}(\.[0-9]{1,12})?$/;

/** The rate with no needless zeros (`097.250` is `97.25`); undefined where it isn't a positive decimal of a few digits. */
export function canonicalRate(text: string): string | undefined {
  if (!RATE.test(text)) {
    return undefined;
  }
  const [whole = "", decimals = ""] = text.split(".");
  const kept = decimals.replace(/0+$/, "");
  const shown = (whole.replace(/^0+/, "") || "0") + (kept ? `.${kept}` : "");
  return shown === "0" ? undefined : shown;
}

/** The amount (minor units of `currency`, not negative) in minor units of `into`, rounded, half a unit up. */
export function converted(amount: number, currency: string, rate: string, into: string): number {
  const [whole = "", decimals = ""] = rate.split(".");
  const places = decimals.length + digitsOf(currency) - digitsOf(into);
  const digits = BigInt(whole + decimals);
  const numerator = places < 0 ? digits * 10n ** BigInt(-places) : digits;
  const denominator = places < 0 ? 1n : 10n ** BigInt(places);
  return Number((2n * BigInt(amount) * numerator + denominator) / (2n * denominator));
}

/**
 * `all` divided in proportion to the parts (not negative, not all zero), to the last unit. Equal remainders are served
 * in turn, beginning at a place that depends on the total.
 */
export function inProportion(all: number, parts: readonly number[]): number[] {
  const whole = BigInt(total(parts));
  const divided = parts.map((part) => Number((BigInt(all) * BigInt(part)) / whole));
  const left = all - total(divided);
  const turn = (place: number): number => (((place - all) % parts.length) + parts.length) % parts.length;
  const ranked = parts
    .map((part, place) => ({ place, remainder: (BigInt(all) * BigInt(part)) % whole }))
    .sort((a, b) => compared(b.remainder, a.remainder) || turn(a.place) - turn(b.place));
  for (const { place } of ranked.slice(0, left)) {
    divided[place] = (divided[place] ?? 0) + 1;
  }
  return divided;
}

/** The money of an expense: all in minor units of one currency. */
export interface Sums {
  readonly amount: number;
  readonly splitType: SplitType;
  readonly payers: readonly Posting[];
  readonly splits: readonly Split[];
  readonly items: readonly BillItem[];
  readonly shares: readonly Posting[];
}

/** What was typed in `currency`, in `into`. */
export function inCurrency(typed: Sums, currency: string, rate: string, into: string): Sums {
  const change = (minor: number): number => converted(minor, currency, rate, into);
  const amount = change(typed.amount);
  return {
    amount,
    splitType: typed.splitType,
    payers: proportionally(amount, typed.payers).filter((payer) => payer.amount !== 0),
    splits: splitsIn(amount, typed, change),
    items: typed.items.map((item) => ({ ...item, amount: Math.max(1, change(item.amount)) })),
    shares: proportionally(amount, typed.shares),
  };
}

function proportionally(all: number, parts: readonly Posting[]): Posting[] {
  const amounts = inProportion(
    all,
    parts.map((part) => part.amount),
  );
  return parts.map((part, place) => ({ userId: part.userId, amount: amounts[place] ?? 0 }));
}

/** The values in the group's currency, where they are amounts: those of EXACT are the shares. */
function splitsIn(amount: number, typed: Sums, change: (minor: number) => number): readonly Split[] {
  switch (typed.splitType) {
    case "EXACT": {
      const values = inProportion(
        amount,
        typed.splits.map((split) => split.value),
      );
      return typed.splits.map((split, place) => ({ userId: split.userId, value: values[place] ?? 0 }));
    }
    case "ADJUSTMENT":
      return typed.splits.map((split) => ({
        userId: split.userId,
        value: split.value < 0 ? -change(-split.value) : change(split.value),
      }));
    default:
      return typed.splits;
  }
}
