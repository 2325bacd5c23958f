/** From one way to split to another: everybody's share stays what it was, where the other way can say it. */

import { inProportion } from "../../ledger/conversion.ts";
import type { Posting, Preset, SplitType } from "../../wire/types.ts";
import { VALUE_SCALE } from "../../ledger/exact.ts";
import { type Divided, parseScaled, parseSigned, scaledText } from "./division.ts";
import { itemRow, shownMoney, type SplitForm, type Typed, weightsOf } from "./form_state.ts";
import type { People } from "./people.ts";

/** Hundredths of a percent: 33.33, 33.33 and 33.34. */
const PERCENT_PARTS = 10_000;
const PARTS_SCALE = 100;

/** What the other type starts from. */
export interface Carried {
  readonly divided: Divided;
  readonly people: People;
  readonly currency: string;
  /** The amount as it was typed, and what it was for: a bill of items starts with them as its one line. */
  readonly amount: string;
  readonly description: string;
}

/** The same split in another type. What was typed there before stays, where the shares now say nothing. */
export function withType(split: SplitForm, type: SplitType, from: Carried): SplitForm {
  if (type === split.type) return split;
  const shares = from.divided.problem === null ? from.divided.shares.filter((share) => share.amount > 0) : [];
  const sharers = shares.length > 0 ? shares.map((share) => share.userId) : sharersOf(split, from.people);
  switch (type) {
    case "EQUAL":
      return { ...split, type, taking: sharers, leavesPayerOut: false };
    case "EXACT":
      return { ...split, type, exact: shares.length > 0 ? moneyTexts(shares, from.currency) : split.exact };
    case "PERCENTAGE":
      return { ...split, type, percent: shares.length > 0 ? percentTexts(shares) : split.percent };
    case "SHARES":
      return { ...split, type, weights: weightTexts(split, sharers, from.people) };
    case "ADJUSTMENT":
      return { ...split, type, taking: sharers, leavesPayerOut: false, adjustments: adjustmentTexts(split, shares, from) };
    case "ITEMIZED":
      return { ...split, type, items: split.items.length > 0 ? split.items : [itemRow(from.description, from.amount, sharers)] };
  }
}

/** Who takes part by what is typed, whether it adds up or not. */
function sharersOf(split: SplitForm, people: People): string[] {
  const typed: Partial<Record<SplitType, Typed>> = {
    EXACT: split.exact,
    PERCENTAGE: split.percent,
    SHARES: split.weights,
  };
  const texts = typed[split.type];
  const named = split.type === "ITEMIZED" ? split.items.flatMap((item) => item.participants) : split.taking;
  const found = people.ids.filter((userId) => (texts ? (texts[userId] ?? "").trim() !== "" : named.includes(userId)));
  return found.length > 0 ? found : [...people.ids];
}

function moneyTexts(shares: readonly Posting[], currency: string): Typed {
  return Object.fromEntries(shares.map(({ userId, amount }) => [userId, shownMoney(amount, currency)]));
}

function percentTexts(shares: readonly Posting[]): Typed {
  const parts = inProportion(PERCENT_PARTS, shares.map((share) => share.amount));
  return Object.fromEntries(
    shares.flatMap(({ userId }, place) => {
      const part = parts[place] ?? 0;
      return part > 0 ? [[userId, scaledText(part * PARTS_SCALE)]] : [];
    }),
  );
}

function weightTexts(split: SplitForm, sharers: readonly string[], people: People): Typed {
  const usual = weightsOf(sharers, people);
  return Object.fromEntries(sharers.map((userId) => [userId, split.weights[userId] || (usual[userId] ?? "1")]));
}

/** Equal shares need no plus; others differ from the smallest by so much. */
function adjustmentTexts(split: SplitForm, shares: readonly Posting[], from: Carried): Typed {
  if (split.type === "EQUAL" || shares.length === 0) return split.adjustments;
  const least = Math.min(...shares.map((share) => share.amount));
  return Object.fromEntries(
    shares
      .filter((share) => share.amount > least)
      .map(({ userId, amount }) => [userId, shownMoney(amount - least, from.currency)]),
  );
}

/** As the preset says. Those who have left since take no part. */
export function withPreset(split: SplitForm, preset: Preset, people: People): SplitForm {
  const among = preset.participants ?? people.ids;
  const known = people.ids.filter((userId) => among.includes(userId));
  const texts = Object.fromEntries(
    preset.splits.filter(({ userId }) => people.ids.includes(userId)).map(({ userId, value }) => [userId, String(value)]),
  );
  switch (preset.splitType) {
    case "PERCENTAGE":
      return { ...split, type: "PERCENTAGE", percent: texts };
    case "SHARES":
      return { ...split, type: "SHARES", weights: preset.splits.length > 0 ? texts : weightsOf(known, people) };
    default:
      return { ...split, type: "EQUAL", taking: known, leavesPayerOut: false };
  }
}

/** The fields of a preset that says what the split says now; null where a preset can't say it. */
export function presetFields(
  split: SplitForm,
  divided: Pick<Divided, "asked">,
  people: People,
): { splitType: SplitType; participants?: string[]; splits?: { userId: string; value: number }[] } | null {
  const { asked } = divided;
  if (asked === null || split.leavesPayerOut) return null;
  switch (asked.splitType) {
    case "EQUAL": {
      const among = asked.participants ?? [];
      return { splitType: "EQUAL", ...(among.length === people.ids.length ? {} : { participants: among }) };
    }
    case "SHARES":
    case "PERCENTAGE":
      return { splitType: asked.splitType, splits: asked.splits ?? [] };
    default:
      return null;
  }
}

/** What is left (minor units, or percent) equally among those who have typed nothing; among all where everybody has. */
export function withRestDivided(split: SplitForm, left: number, people: People, currency: string): SplitForm {
  const texts = split.type === "PERCENTAGE" ? split.percent : split.exact;
  const silent = people.ids.filter((userId) => !(texts[userId] ?? "").trim());
  const among = silent.length > 0 ? silent : people.ids;
  const isPercent = split.type === "PERCENTAGE";
  const whole = isPercent ? Math.round(left * VALUE_SCALE) : left;
  const parts = inProportion(whole, among.map(() => 1));
  const filled = Object.fromEntries(
    among.map((userId, place) => {
      const before = isPercent ? parseScaled(texts[userId] ?? "") : parseSigned(texts[userId] ?? "", currency);
      const value = (before ?? 0) + (parts[place] ?? 0);
      return [userId, isPercent ? scaledText(value) : shownMoney(value, currency)];
    }),
  );
  return isPercent ? { ...split, percent: { ...texts, ...filled } } : { ...split, exact: { ...texts, ...filled } };
}
