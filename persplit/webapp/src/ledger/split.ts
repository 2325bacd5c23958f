/** Who bears how much of an expense: exact shares of whole minor units, the same to the last unit as the server's. */

import type { Posting, SplitType } from "../wire/types.ts";
import { type FieldError, invalid } from "./errors.ts";
import { lcm, scaled, sumOf, total, VALUE_SCALE } from "./exact.ts";
import { sha256Hex } from "./sha256.ts";

export interface Split {
  readonly userId: string;
  /** Minor units for EXACT and ADJUSTMENT; percent, or a weight, with up to four decimal places. */
  readonly value: number;
}

export interface BillItem {
  readonly name: string;
  readonly amount: number;
  readonly participants: readonly string[];
}

const PERCENT_TOTAL = BigInt(100 * VALUE_SCALE);

/**
 * Divide `amount` in proportion to `weights` so that the parts sum to it exactly.
 *
 * Hamilton's method: everybody gets the whole units of their exact part; what is left over goes out one unit each by
 * largest remainder. Equal remainders are ranked by SHA-256 of `seed:user id`, with the expense's id as the seed.
 *
 * @param amount minor units, not negative
 * @param weights by user id, not negative, not all zero
 */
export function largestRemainder(
  amount: number,
  weights: ReadonlyMap<string, bigint>,
  seed: string,
): Map<string, number> {
  const whole = BigInt(amount);
  const all = sumOf(weights.values());
  const parts = new Map<string, number>();
  const remainders: { userId: string; remainder: bigint }[] = [];
  for (const [userId, weight] of weights) {
    parts.set(userId, Number((whole * weight) / all));
    remainders.push({ userId, remainder: (whole * weight) % all });
  }
  const left = amount - total(parts.values());
  if (left > 0) {
    const ranks = new Map(remainders.map(({ userId }) => [userId, sha256Hex(`${seed}:${userId}`)]));
    remainders.sort(
      (a, b) => compared(b.remainder, a.remainder) || compared(ranks.get(a.userId) ?? "", ranks.get(b.userId) ?? ""),
    );
    for (const { userId } of remainders.slice(0, left)) {
      parts.set(userId, (parts.get(userId) ?? 0) + 1);
    }
  }
  return parts;
}

/** -1, 0 or 1, for sorting. */
export function compared<T extends bigint | number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What is to be divided. */
export interface Division {
  /** Breaks ties between equal remainders. */
  readonly expenseId: string;
  /** Minor units, positive. */
  readonly amount: number;
  readonly splitType: SplitType;
  /** EQUAL and ADJUSTMENT divide among these: no duplicates, at least one. */
  readonly sharers: readonly string[];
  readonly splits: readonly Split[];
  readonly items: readonly BillItem[];
}

/** The shares, in the order of the people, none negative, summing to `amount`. Throws `Refusal`. */
export function sharesOf(division: Division): Posting[] {
  return Array.from(partsOf(division), ([userId, amount]) => ({ userId, amount }));
}

function partsOf(division: Division): Map<string, number> {
  const { expenseId, amount, splits } = division;
  switch (division.splitType) {
    case "EQUAL":
      return largestRemainder(amount, equally(division.sharers), expenseId);
    case "ADJUSTMENT":
      return adjusted(division);
    case "EXACT":
      checkSum(total(splits.map((split) => split.value)), amount, `, not to the amount ${amount}`);
      return new Map(splits.map((split) => [split.userId, split.value]));
    case "PERCENTAGE": {
      const weights = weightsOf(splits);
      const sum = sumOf(weights.values());
      if (sum !== PERCENT_TOTAL) {
        throw invalid({ path: "splits", message: `percentages sum to ${Number(sum) / VALUE_SCALE}, not 100` });
      }
      return largestRemainder(amount, weights, expenseId);
    }
    case "SHARES":
      return largestRemainder(amount, weightsOf(splits), expenseId);
    case "ITEMIZED":
      return largestRemainder(amount, itemWeights(division.items), expenseId);
  }
}

const equally = (people: readonly string[]): Map<string, bigint> => new Map(people.map((userId) => [userId, 1n]));

/** The values in ten-thousandths, by user id. Throws `Refusal` where one has more than four decimal places. */
export function weightsOf(splits: readonly Split[]): Map<string, bigint> {
  const errors: FieldError[] = [];
  const weights = new Map<string, bigint>();
  splits.forEach((split, index) => {
    const weight = scaled(split.value);
    if (weight === undefined) {
      errors.push({ path: `splits.${index}.value`, message: "at most four decimal places" });
    } else {
      weights.set(split.userId, weight);
    }
  });
  if (errors.length > 0) {
    throw invalid(...errors);
  }
  return weights;
}

function checkSum(sum: number, wanted: number, message: string): void {
  if (sum !== wanted) {
    throw invalid({ path: "splits", message: `the values sum to ${sum}${message}` });
  }
}

/** Equal division of what the adjustments leave, plus each person's adjustment. */
function adjusted(division: Division): Map<string, number> {
  const values = new Map(division.splits.map((split) => [split.userId, split.value]));
  const rest = division.amount - total(values.values());
  if (rest < 0) {
    throw invalid({ path: "splits", message: `the adjustments exceed the amount by ${-rest}` });
  }
  const parts = largestRemainder(rest, equally(division.sharers), division.expenseId);
  for (const [userId, part] of parts) {
    const share = part + (values.get(userId) ?? 0);
    if (share < 0) {
      throw invalid({ path: "splits", message: "an adjustment takes somebody's share below zero" });
    }
    parts.set(userId, share);
  }
  return parts;
}

/**
 * Each person's part of the items as whole numbers in proportion. The bill is divided in proportion to these, which
 * spreads what the items leave over (tax, tip, a discount), and rounds once instead of once an item.
 */
function itemWeights(items: readonly BillItem[]): Map<string, bigint> {
  const scale = items.reduce((least, item) => lcm(least, BigInt(item.participants.length)), 1n);
  const weights = new Map<string, bigint>();
  for (const item of items) {
    const each = (BigInt(item.amount) * scale) / BigInt(item.participants.length);
    for (const userId of item.participants) {
      weights.set(userId, (weights.get(userId) ?? 0n) + each);
    }
  }
  return weights;
}
