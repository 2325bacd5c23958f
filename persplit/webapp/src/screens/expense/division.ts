/** From the typed texts of a split to everybody's share, or to what is missing. The sums are the ledger's own. */

import { VALUE_SCALE } from "../../ledger/exact.ts";
import { parseMoney } from "../../ledger/money.ts";
import { type Missing, preview } from "../../ledger/preview.ts";
import type { Split } from "../../ledger/split.ts";
import type { Posting, SplitType } from "../../wire/types.ts";
import type { ItemRow, SplitForm, Typed } from "./form_state.ts";

/**
 * What stands between the texts and the shares. `left`: minor units or percent that are still to be given out, negative
 * where it is too much. `at`: the user id, or the key of the item, whose text it is.
 */
export type SplitProblem =
  | { readonly kind: Exclude<Missing, "payers_differ" | "bad_value">; readonly left: number }
  | { readonly kind: "bad_value" | "item_without_name" | "item_without_people"; readonly at: string };

/** How the wire says it. */
export interface SplitAsked {
  readonly splitType: SplitType;
  readonly participants?: string[];
  readonly splits?: { userId: string; value: number }[];
  readonly items?: { name: string; amount: number; participants: string[] }[];
  readonly includePayer?: boolean;
}

export interface Divided {
  /** Empty while there is a problem. */
  readonly shares: readonly Posting[];
  /** ITEMIZED: minor units that are spread in proportion; negative: a discount. */
  readonly spread: number;
  readonly problem: SplitProblem | null;
  /** Only without a problem. */
  readonly asked: SplitAsked | null;
}

/** A currency with four digits: its minor units are ten-thousandths, as percents and weights are reckoned. */
const FOUR_DIGITS = "CLF";

/** `33.33`, `33,33 %`, `३३` as ten-thousandths; null where it isn't a number. Nothing typed is 0. */
export function parseScaled(text: string): number | null {
  return parsedOrNothing(text.replace(/[%٪]/gu, ""), FOUR_DIGITS);
}

/** Ten-thousandths as they are typed: `33.33`. */
export function scaledText(scaled: number): string {
  return String(scaled / VALUE_SCALE);
}

/** `50`, `+50`, `-50`, `−12.5k` in minor units; null where it isn't an amount. Nothing typed is 0. */
export function parseSigned(text: string, currency: string): number | null {
  const [, sign = "", rest = ""] = /^\s*([+\-−–]?)\s*(.*)$/su.exec(text) ?? [];
  const minor = parsedOrNothing(rest, currency);
  return minor === null || sign === "" || sign === "+" ? minor : 0 - minor;
}

function parsedOrNothing(text: string, currency: string): number | null {
  const parsed = parseMoney(text, currency);
  if (parsed.ok) return parsed.minor;
  return parsed.problem === "empty" ? 0 : null;
}

/** What all items come to; null where there is none, or one of them has no amount. */
export function sumOfItems(items: readonly ItemRow[], currency: string): number | null {
  let sum = 0;
  for (const item of items) {
    const parsed = parseMoney(item.amount, currency);
    if (!parsed.ok) return null;
    sum += parsed.minor;
  }
  return items.length === 0 ? null : sum;
}

/** What is divided, and what has to be known for it. */
export interface ToDivide {
  readonly expenseId: string;
  /** Minor units; null while there is none. */
  readonly amount: number | null;
  readonly currency: string;
  /** Everybody who is offered, in their order. */
  readonly ids: readonly string[];
  readonly payerIds: readonly string[];
}

/** Everybody's share. Never throws: what is wrong is in `problem`. */
export function divide(split: SplitForm, what: ToDivide): Divided {
  switch (split.type) {
    case "EQUAL":
      return equal(split, what);
    case "EXACT":
      return byValues("EXACT", split.exact, what, (text) => parsedOrNothing(text, what.currency));
    case "PERCENTAGE":
      return byValues("PERCENTAGE", split.percent, what, parseScaled);
    case "SHARES":
      return byValues("SHARES", split.weights, what, parseScaled);
    case "ADJUSTMENT":
      return adjusted(split, what);
    case "ITEMIZED":
      return itemized(split, what);
  }
}

const failed = (problem: SplitProblem): Divided => ({ shares: [], spread: 0, problem, asked: null });

/** As the ledger works it out. `sharers`: among whom EQUAL and ADJUSTMENT divide. */
function worked(what: ToDivide, asked: SplitAsked, sharers: readonly string[] = []): Divided {
  const found = preview({
    expenseId: what.expenseId,
    amount: what.amount ?? undefined,
    splitType: asked.splitType,
    sharers,
    splits: asked.splits ?? [],
    items: asked.items ?? [],
  });
  if (found.ok) return { shares: found.shares, spread: found.spread, problem: null, asked };
  const kind = found.problem === "payers_differ" || found.problem === "bad_value" ? "amounts_differ" : found.problem;
  return failed({ kind, left: found.left });
}

/** Who takes part, once who paid is left out where that is wished. */
function sharersOf(split: SplitForm, what: ToDivide): string[] {
  return takingOf(split, what).filter((userId) => !(split.leavesPayerOut && what.payerIds.includes(userId)));
}

function takingOf(split: SplitForm, what: ToDivide): string[] {
  return what.ids.filter((userId) => split.taking.includes(userId));
}

function equal(split: SplitForm, what: ToDivide): Divided {
  const asked: SplitAsked = { splitType: "EQUAL", participants: takingOf(split, what), ...payerLeftOut(split) };
  return worked(what, asked, sharersOf(split, what));
}

function payerLeftOut(split: SplitForm): { includePayer: false } | Record<never, never> {
  return split.leavesPayerOut ? { includePayer: false } : {};
}

/** The values that were typed, without those that are nothing; or whose isn't a value. */
function valuesOf(typed: Typed, ids: readonly string[], parse: (text: string) => number | null): Split[] | SplitProblem {
  const values: Split[] = [];
  for (const userId of ids) {
    const value = parse(typed[userId] ?? "");
    if (value === null) return { kind: "bad_value", at: userId };
    if (value !== 0) values.push({ userId, value });
  }
  return values;
}

const HUNDRED_PERCENT = 100;

function byValues(
  splitType: "EXACT" | "PERCENTAGE" | "SHARES",
  typed: Typed,
  what: ToDivide,
  parse: (text: string) => number | null,
): Divided {
  const values = valuesOf(typed, what.ids, parse);
  if (!Array.isArray(values)) return failed(values);
  if (values.length === 0 && what.amount !== null && splitType !== "SHARES") {
    return splitType === "EXACT"
      ? failed({ kind: "amounts_differ", left: what.amount })
      : failed({ kind: "percent_differs", left: HUNDRED_PERCENT });
  }
  const splits =
    splitType === "EXACT" ? values : values.map(({ userId, value }) => ({ userId, value: value / VALUE_SCALE }));
  return worked(what, { splitType, splits });
}

function adjusted(split: SplitForm, what: ToDivide): Divided {
  const sharers = sharersOf(split, what);
  const values = valuesOf(split.adjustments, sharers, (text) => parseSigned(text, what.currency));
  if (!Array.isArray(values)) return failed(values);
  // With nothing typed it is an equal split: the wire wants at least one value of an adjusted one.
  if (values.length === 0) return equal(split, what);
  const participants = takingOf(split, what);
  return worked(what, { splitType: "ADJUSTMENT", participants, splits: values, ...payerLeftOut(split) }, sharers);
}

function itemized(split: SplitForm, what: ToDivide): Divided {
  const items: { name: string; amount: number; participants: string[] }[] = [];
  for (const row of split.items) {
    const amount = parsedOrNothing(row.amount, what.currency);
    if (!amount) return failed({ kind: "bad_value", at: row.key });
    const name = row.name.trim();
    if (name === "") return failed({ kind: "item_without_name", at: row.key });
    const participants = what.ids.filter((userId) => row.participants.includes(userId));
    if (participants.length === 0) return failed({ kind: "item_without_people", at: row.key });
    items.push({ name, amount, participants });
  }
  return worked(what, { splitType: "ITEMIZED", items });
}
