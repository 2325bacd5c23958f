/** What is typed into the form of an expense: texts as they were typed, not yet amounts. */

import { plainMoney } from "../../ledger/money.ts";
import type { ExpenseKind, Posting, Recurrence, SplitType } from "../../wire/types.ts";
import { payersOf, type People } from "./people.ts";

/** Typed texts by user id. Who has none typed nothing. */
export type Typed = Readonly<Record<string, string>>;

export interface ItemRow {
  /** Only to tell rows apart while they are edited. */
  readonly key: string;
  readonly name: string;
  readonly amount: string;
  readonly participants: readonly string[];
}

export interface SplitForm {
  readonly type: SplitType;
  /** EQUAL and ADJUSTMENT: who takes part. */
  readonly taking: readonly string[];
  /** EQUAL and ADJUSTMENT: but not who paid. */
  readonly leavesPayerOut: boolean;
  readonly exact: Typed;
  readonly percent: Typed;
  readonly weights: Typed;
  readonly adjustments: Typed;
  readonly items: readonly ItemRow[];
}

export interface PayerForm {
  readonly isSeveral: boolean;
  /** Who paid it all. */
  readonly single: string;
  /** What each of several paid. */
  readonly amounts: Typed;
}

export type Frequency = Recurrence["schedule"]["frequency"];

export interface RepeatForm {
  readonly frequency: Frequency;
  readonly interval: string;
  readonly ends: "never" | "on" | "after";
  readonly endDay: string;
  readonly count: string;
}

export interface ExpenseForm {
  /** Of the expense (or recurring expense) that comes of it; decides who gets the odd paisa. */
  readonly id: string;
  readonly kind: ExpenseKind;
  readonly amount: string;
  readonly currency: string;
  readonly rate: string;
  readonly description: string;
  /** `undefined`: whatever is guessed; `null`: none. */
  readonly category: string | null | undefined;
  readonly date: string;
  readonly notes: string;
  readonly payers: PayerForm;
  readonly split: SplitForm;
  readonly repeat: RepeatForm | null;
}

/** The fields of an expense as a command, a template or an expense of the group has them. */
export interface ExpenseFields {
  readonly description?: string;
  readonly amount?: number;
  readonly paidBy?: string | readonly Posting[];
  readonly splitType?: SplitType;
  readonly presetId?: string;
  readonly participants?: readonly string[];
  readonly splits?: readonly { readonly userId: string; readonly value: number }[];
  readonly items?: readonly { readonly name: string; readonly amount: number; readonly participants: readonly string[] }[];
  readonly includePayer?: boolean;
  readonly category?: string | null;
  readonly notes?: string | null;
  readonly kind?: ExpenseKind;
  readonly currency?: string;
  readonly rate?: string;
  readonly date?: string;
}

export const ONCE_A_MONTH: RepeatForm = { frequency: "MONTHLY", interval: "1", ends: "never", endDay: "", count: "" };

let lastKey = 0;

/** A line of the bill, with a key that no other has. */
export function itemRow(name: string, amount: string, participants: readonly string[]): ItemRow {
  lastKey += 1;
  return { key: `item-${lastKey}`, name, amount, participants };
}

export function emptySplit(people: People): SplitForm {
  return {
    type: "EQUAL",
    taking: people.ids,
    leavesPayerOut: false,
    exact: {},
    percent: {},
    weights: {},
    adjustments: {},
    items: [],
  };
}

export function emptyForm(id: string, people: People, currency: string, date: string): ExpenseForm {
  return {
    id,
    kind: "EXPENSE",
    amount: "",
    currency,
    rate: "",
    description: "",
    category: undefined,
    date,
    notes: "",
    payers: { isSeveral: false, single: people.me, amounts: {} },
    split: emptySplit(people),
    repeat: null,
  };
}

/** The form that would have made these fields. Amounts of `fields` are minor units of its `currency`, or the group's. */
export function formOf(
  id: string,
  fields: ExpenseFields,
  people: People,
  groupCurrency: string,
  date: string,
  canonical: (userId: string) => string,
): ExpenseForm {
  const currency = fields.currency ?? groupCurrency;
  const empty = emptyForm(id, people, currency, fields.date ?? date);
  return {
    ...empty,
    kind: fields.kind ?? "EXPENSE",
    amount: fields.amount === undefined ? "" : shownMoney(fields.amount, currency),
    rate: fields.rate ?? "",
    description: fields.description ?? "",
    category: fields.category ?? null,
    notes: fields.notes ?? "",
    payers: payerForm(fields, people, currency, canonical) ?? empty.payers,
    split: splitForm(fields, people, currency, canonical),
  };
}

function payerForm(
  fields: ExpenseFields,
  people: People,
  currency: string,
  canonical: (userId: string) => string,
): PayerForm | undefined {
  if (fields.paidBy === undefined) return undefined;
  const payers = payersOf({ amount: fields.amount ?? 0, paidBy: fields.paidBy as string | Posting[] });
  const first = canonical(payers[0]?.userId ?? "");
  return {
    isSeveral: payers.length > 1,
    // Who isn't there any more can't be chosen either.
    single: people.ids.includes(first) ? first : people.me,
    amounts:
      payers.length > 1
        ? Object.fromEntries(payers.map((payer) => [canonical(payer.userId), shownMoney(payer.amount, currency)]))
        : {},
  };
}

function splitForm(
  fields: ExpenseFields,
  people: People,
  currency: string,
  canonical: (userId: string) => string,
): SplitForm {
  const type = fields.splitType ?? "EQUAL";
  const texts = (show: (value: number) => string): Typed =>
    Object.fromEntries((fields.splits ?? []).map(({ userId, value }) => [canonical(userId), show(value)]));
  const asMoney = (value: number) => shownMoney(value, currency);
  const byWeight = fields.splits?.length ? texts(String) : weightsOf(fields.participants?.map(canonical) ?? people.ids, people);
  return {
    type,
    taking: fields.participants?.map(canonical) ?? people.ids,
    leavesPayerOut: fields.includePayer === false,
    exact: type === "EXACT" ? texts(asMoney) : {},
    percent: type === "PERCENTAGE" ? texts(String) : {},
    weights: type === "SHARES" ? byWeight : {},
    adjustments: type === "ADJUSTMENT" ? texts(asMoney) : {},
    items: (fields.items ?? []).map((item) =>
      itemRow(item.name, shownMoney(item.amount, currency), item.participants.map(canonical)),
    ),
  };
}

/** Everybody's usual weight, as text. */
export function weightsOf(ids: readonly string[], people: People): Typed {
  return Object.fromEntries(ids.map((userId) => [userId, String(people.weights.get(userId) ?? 1)]));
}

/** As somebody would type it: `1234.50`, but `1200` and not `1200.00`. */
export function shownMoney(minor: number, currency: string): string {
  return plainMoney(minor, currency).replace(/\.0+$/u, "");
}
