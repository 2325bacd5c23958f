/** Everybody's share while an expense is typed, or what is missing until there are shares, and by how much. */

import { inProportion } from "./conversion.ts";
import { Refusal } from "./errors.ts";
import { sumOf, total, unscaled, VALUE_SCALE } from "./exact.ts";
import type { Posting, SplitType } from "./shapes.ts";
import { type BillItem, sharesOf, type Split, weightsOf } from "./split.ts";

/** An expense as far as it is typed. */
export interface Draft {
  /** The id that it will be created with: it decides who gets the odd unit. */
  readonly expenseId: string;
  /** Minor units; undefined or 0 while there is none. */
  readonly amount: number | undefined;
  readonly splitType: SplitType;
  /** EQUAL and ADJUSTMENT: among whom. */
  readonly sharers: readonly string[];
  readonly splits: readonly Split[];
  readonly items: readonly BillItem[];
  /** What each of several payers paid. */
  readonly payers?: readonly Posting[] | undefined;
}

/**
 * Why there are no shares yet. `left` is what still has to be given out (negative: what is too much): minor units for
 * `amounts_differ`, `payers_differ` and `below_zero`, percent for `percent_differs`, else 0.
 */
export type Missing =
  | "no_amount"
  | "nobody"
  | "no_items"
  | "no_weights"
  | "bad_value"
  | "amounts_differ"
  | "percent_differs"
  | "payers_differ"
  | "below_zero";

export type Preview =
  | {
      readonly ok: true;
      readonly shares: readonly Posting[];
      /** ITEMIZED: what the items leave over, which is spread in proportion (tax, tip; negative: a discount); else 0. */
      readonly spread: number;
    }
  | { readonly ok: false; readonly problem: Missing; readonly left: number };

/** The shares that the server will work out, or what is missing. Never throws. */
export function preview(draft: Draft): Preview {
  const { amount } = draft;
  if (amount === undefined || amount <= 0) {
    return lacking("no_amount");
  }
  const missing = payersMissing(draft, amount) ?? divisionMissing(draft, amount);
  if (missing !== undefined) {
    return missing;
  }
  try {
    const shares = sharesOf({ ...draft, amount });
    const spread = draft.splitType === "ITEMIZED" ? amount - total(draft.items.map((item) => item.amount)) : 0;
    return { ok: true, shares, spread };
  } catch (error) {
    if (error instanceof Refusal) {
      // The odd unit went to others: somebody is one short.
      return draft.splitType === "ADJUSTMENT" ? lacking("below_zero", -1) : lacking("bad_value");
    }
    throw error;
  }
}

const lacking = (problem: Missing, left = 0): Preview => ({ ok: false, problem, left });

function payersMissing(draft: Draft, amount: number): Preview | undefined {
  const left = draft.payers === undefined ? 0 : amount - total(draft.payers.map((payer) => payer.amount));
  return left === 0 ? undefined : lacking("payers_differ", left);
}

function divisionMissing(draft: Draft, amount: number): Preview | undefined {
  switch (draft.splitType) {
    case "EQUAL":
      return draft.sharers.length === 0 ? lacking("nobody") : undefined;
    case "ADJUSTMENT":
      return adjustmentMissing(draft, amount);
    case "EXACT":
      return exactMissing(draft, amount);
    case "PERCENTAGE":
    case "SHARES":
      return weightsMissing(draft);
    case "ITEMIZED":
      return itemsMissing(draft);
  }
}

function adjustmentMissing(draft: Draft, amount: number): Preview | undefined {
  if (draft.sharers.length === 0) {
    return lacking("nobody");
  }
  if (!draft.splits.every((split) => Number.isSafeInteger(split.value))) {
    return lacking("bad_value");
  }
  const rest = amount - total(draft.splits.map((split) => split.value));
  if (rest < 0) {
    return lacking("amounts_differ", rest);
  }
  const each = inProportion(rest, draft.sharers.map(() => 1));
  const least = Math.min(...draft.splits.map((split) => split.value + Math.max(...each)));
  return least < 0 ? lacking("below_zero", least) : undefined;
}

function exactMissing(draft: Draft, amount: number): Preview | undefined {
  if (draft.splits.length === 0) {
    return lacking("nobody");
  }
  if (!draft.splits.every((split) => Number.isSafeInteger(split.value) && split.value >= 0)) {
    return lacking("bad_value");
  }
  const left = amount - total(draft.splits.map((split) => split.value));
  return left === 0 ? undefined : lacking("amounts_differ", left);
}

function weightsMissing(draft: Draft): Preview | undefined {
  if (draft.splits.length === 0) {
    return lacking("nobody");
  }
  let sum: bigint;
  try {
    const weights = weightsOf(draft.splits);
    if (Array.from(weights.values()).some((weight) => weight < 0n)) {
      return lacking("bad_value");
    }
    sum = sumOf(weights.values());
  } catch {
    return lacking("bad_value"); // more than four decimal places
  }
  if (draft.splitType === "SHARES") {
    return sum === 0n ? lacking("no_weights") : undefined;
  }
  const left = BigInt(100 * VALUE_SCALE) - sum;
  return left === 0n ? undefined : lacking("percent_differs", unscaled(left));
}

function itemsMissing(draft: Draft): Preview | undefined {
  if (draft.items.length === 0) {
    return lacking("no_items");
  }
  if (draft.items.some((item) => item.participants.length === 0)) {
    return lacking("nobody");
  }
  const isFine = draft.items.every((item) => Number.isSafeInteger(item.amount) && item.amount > 0);
  return isFine ? undefined : lacking("bad_value");
}
