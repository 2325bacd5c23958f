/** From an expense as asked for to an expense as recorded: defaults filled in, checked, shares worked out. */

import type { Commands } from "../wire/types.ts";
import { isDay } from "./days.ts";
import { canonicalRate, inCurrency, type Sums } from "./conversion.ts";
import { check, type FieldError, invalid, Refusal } from "./errors.ts";
import { scaled, total, VALUE_SCALE } from "./exact.ts";
import { AMOUNT_MAX } from "./money.ts";
import type { Expense, Posting, SplitType } from "./shapes.ts";
import { type BillItem, sharesOf, type Split } from "./split.ts";
import { activeMembers, canonical, type GroupState, paidByOf, payersOf } from "./state.ts";

export const DESCRIPTION_LENGTH_MAX = 200;
export const NOTES_LENGTH_MAX = 2_000;
export const CATEGORY_LENGTH_MAX = 50;
export const ITEM_NAME_LENGTH_MAX = 100;
export const ITEMS_MAX = 200;
/** People who paid for one expense. */
export const PAYERS_MAX = 32;
const SHARES_VALUE_MAX = 1_000_000;

/** The fields of `expense:create` and `expense:update` that say what is spent and how it is divided. */
export type Asked = Omit<Commands["expense:create"], "id" | "includePayer" | "kind"> &
  Partial<Pick<Commands["expense:create"], "includePayer" | "kind">>;

const BY_PARTICIPANTS: ReadonlySet<SplitType> = new Set(["EQUAL", "ADJUSTMENT"]);

export interface Setting {
  readonly state: GroupState;
  /** Who may pay and take part. */
  readonly people: ReadonlySet<string>;
  /** Breaks ties between equal remainders. */
  readonly expenseId: string;
  /** Pays unless told. */
  readonly actorId: string;
  /** RFC 3339 UTC; its day is the expense's date unless told. */
  readonly now: string;
  /** The version that this one replaces. */
  readonly before?: Expense | undefined;
}

/** What is asked for, with what was left out filled in. */
interface Full {
  readonly amount: number;
  readonly splitType: SplitType;
  readonly payers: readonly Posting[];
  readonly participants: readonly string[];
  readonly splits: readonly Split[];
  readonly items: readonly BillItem[];
  readonly includePayer: boolean;
}

/** Throws `Refusal` with every bad field that one look finds. */
export function resolved(asked: Asked, setting: Setting): Expense {
  const told = withPreset(setting.state, asked);
  check(fieldErrors(told));
  const rate = rateOf(told, setting);
  const before = setting.before === undefined || rate === undefined ? setting.before : asTyped(setting.before);
  const typed = divided(told, { ...setting, before });
  const { currency } = setting.state.settings;
  if (rate === undefined || told.currency === undefined) {
    return recorded(told, setting, typed, keptOriginal(told, setting, typed));
  }
  const sums = inCurrency(typed, told.currency, rate.rate, currency);
  if (sums.amount < 1 || sums.amount > AMOUNT_MAX) {
    throw invalid({
      path: "amount",
      message: `comes to ${sums.amount} minor units of ${currency}: from 1 to ${AMOUNT_MAX}`,
    });
  }
  return recorded(told, setting, { ...typed, ...sums }, {
    currency: told.currency,
    amount: typed.amount,
    rate: rate.rate,
    rateSource: rate.source,
    paidBy: paidByOf(typed.payers, typed.amount),
    splits: [...typed.splits],
    items: asItems(typed.items),
    shares: [...typed.shares],
  });
}

type Whole = Full & Sums;

function recorded(told: Asked, setting: Setting, whole: Whole, original: Expense["original"]): Expense {
  const { state, before, actorId, now } = setting;
  return {
    id: setting.expenseId,
    groupId: state.groupId,
    seq: state.seq + 1,
    description: told.description.trim(),
    amount: whole.amount,
    paidBy: paidByOf(whole.payers, whole.amount),
    splitType: whole.splitType,
    participants: [...whole.participants],
    splits: [...whole.splits],
    items: asItems(whole.items),
    includePayer: whole.includePayer,
    date: told.date ?? before?.date ?? now.slice(0, 10),
    category: told.category ?? null,
    notes: told.notes || null,
    shares: [...whole.shares],
    createdBy: before?.createdBy ?? actorId,
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
    deletedAt: null,
    kind: told.kind ?? "EXPENSE",
    ...(before?.attachments === undefined ? {} : { attachments: before.attachments }),
    ...(original === undefined ? {} : { original }),
    ...(before?.recurrenceId === undefined ? {} : { recurrenceId: before.recurrenceId }),
  };
}

const asItems = (items: readonly BillItem[]): Expense["items"] =>
  items.map((item) => ({ ...item, participants: [...item.participants] }));

function divided(told: Asked, setting: Setting): Whole {
  const full = filled(told, setting);
  check(shapeErrors(full));
  check(peopleErrors(told, full, setting.people));
  check(payerErrors(told, full));
  const sharers = sharersOf(full);
  const kept = sharesKept(full, setting);
  return { ...full, shares: kept ?? sharesOf({ ...full, expenseId: setting.expenseId, sharers }) };
}

// --- what is left out

function withPreset(state: GroupState, asked: Asked): Asked {
  if (asked.presetId === undefined) {
    return asked;
  }
  const preset = state.presets.get(asked.presetId);
  if (preset === undefined) {
    throw invalid({ path: "presetId", message: "there is no such preset in this group" });
  }
  if (asked.splits?.length || asked.items?.length || asked.participants !== undefined) {
    throw invalid({ path: "presetId", message: "says itself how to divide, and among whom" });
  }
  const { presetId: _, ...rest } = asked;
  return {
    ...rest,
    splitType: preset.splitType,
    splits: preset.splits,
    ...(preset.participants == null ? {} : { participants: preset.participants }),
  };
}

function filled(told: Asked, setting: Setting): Full {
  const { state } = setting;
  const now = (userId: string): string => canonical(state, userId);
  const splitType = told.splitType ?? "EQUAL";
  const named = (told.splits ?? []).map((split) => ({ userId: now(split.userId), value: split.value }));
  const splits = named.length > 0 ? named : defaultSplits(told, state, splitType);
  const items = (told.items ?? []).map((item) => ({ ...item, participants: item.participants.map(now) }));
  return {
    amount: told.amount,
    splitType,
    payers: payersFor(told, setting),
    participants: told.participants?.map(now) ?? participantsFor(state, splitType, splits, items),
    splits,
    items,
    includePayer: told.includePayer ?? true,
  };
}

function payersFor(told: Asked, { state, actorId, before }: Setting): Posting[] {
  const moved = (payer: Posting): Posting => ({ ...payer, userId: canonical(state, payer.userId) });
  if (told.paidBy !== undefined) {
    return payersOf({ paidBy: told.paidBy, amount: told.amount }).map(moved);
  }
  if (before === undefined) {
    return [{ userId: actorId, amount: told.amount }];
  }
  const paid = payersOf(before).map(moved);
  return paid.length === 1 ? paid.map((payer) => ({ ...payer, amount: told.amount })) : paid;
}

/** What is divided by SHARES with none told: by everybody's weight as it is now. */
function defaultSplits(told: Asked, state: GroupState, splitType: SplitType): Split[] {
  if (splitType !== "SHARES") {
    return [];
  }
  const sharing = told.participants?.map((userId) => canonical(state, userId));
  const people = sharing ?? activeMembers(state).map((member) => member.userId);
  return people.map((userId) => ({ userId, value: state.members.get(userId)?.weight ?? 1 }));
}

function participantsFor(
  state: GroupState,
  splitType: SplitType,
  splits: readonly Split[],
  items: readonly BillItem[],
): string[] {
  if (BY_PARTICIPANTS.has(splitType)) {
    return activeMembers(state).map((member) => member.userId);
  }
  if (splitType === "ITEMIZED") {
    return [...new Set(items.flatMap((item) => item.participants))];
  }
  return splits.map((split) => split.userId);
}

/** Who takes part once the payer is left out where that was asked for; nobody else has a split. */
function sharersOf(full: Full): string[] {
  const paying = new Set(full.includePayer ? [] : full.payers.map((payer) => payer.userId));
  const sharers = full.participants.filter((userId) => !paying.has(userId));
  if (sharers.length === 0) {
    throw invalid({ path: "participants", message: "leaving the payer out leaves nobody to share this" });
  }
  const sharing = new Set(sharers);
  check(
    full.splits.flatMap(({ userId }, index) =>
      sharing.has(userId)
        ? []
        : [
            {
              path: `splits.${index}.userId`,
              message: paying.has(userId) ? "the payer is left out" : "takes no part in the expense",
            },
          ],
    ),
  );
  return sharers;
}

// --- another currency

function rateOf(told: Asked, { state, before }: Setting): { rate: string; source: "GIVEN" | "TABLE" } | undefined {
  if (told.currency === undefined || told.currency === state.settings.currency) {
    if (told.rate !== undefined) {
      throw invalid({ path: "rate", message: "goes with another currency than the group's" });
    }
    return undefined;
  }
  if (told.rate !== undefined) {
    const rate = canonicalRate(told.rate);
    if (rate === undefined) {
      throw invalid({ path: "rate", message: "a positive decimal number such as 97.25" });
    }
    return { rate, source: "GIVEN" };
  }
  const known = before?.original;
  if (known?.currency === told.currency) {
    return { rate: known.rate, source: known.rateSource };
  }
  throw new Refusal("rate_unknown", `no rate is known here from ${told.currency} to ${state.settings.currency}`);
}

/** The expense in the currency in which it was typed. */
export function asTyped(expense: Expense): Expense {
  const { original, ...rest } = expense;
  if (original === undefined) {
    return expense;
  }
  const { amount, paidBy, splits, items, shares } = original;
  return { ...rest, amount, paidBy, splits, items, shares };
}

/** An edit by who knows nothing of currencies, and leaves the money alone, keeps what was typed in another. */
function keptOriginal(told: Asked, { state, before }: Setting, after: Whole): Expense["original"] {
  if (before?.original === undefined || told.currency !== undefined) {
    return undefined;
  }
  const isSame =
    (before.kind ?? "EXPENSE") === (told.kind ?? "EXPENSE") &&
    sameDivision(divisionOf(state, before), after) &&
    samePeople(postingsOf(state, before.shares), after.shares);
  return isSame ? before.original : undefined;
}

// --- the shares that stood

/** The shares that stood, where the edit asks for the same division; undefined where it has to be worked out. */
function sharesKept(full: Full, { state, before }: Setting): Posting[] | undefined {
  if (before === undefined || !sameDivision(divisionOf(state, before), full)) {
    return undefined;
  }
  return postingsOf(state, before.shares);
}

const postingsOf = (state: GroupState, postings: readonly Posting[]): Posting[] =>
  postings.map((posting) => ({ userId: canonical(state, posting.userId), amount: posting.amount }));

function divisionOf(state: GroupState, expense: Expense): Full {
  const now = (userId: string): string => canonical(state, userId);
  return {
    amount: expense.amount,
    splitType: expense.splitType,
    payers: postingsOf(state, payersOf(expense)),
    participants: expense.participants.map(now),
    splits: expense.splits.map((split) => ({ ...split, userId: now(split.userId) })),
    items: expense.items.map((item) => ({ ...item, participants: item.participants.map(now) })),
    includePayer: expense.includePayer,
  };
}

function sameDivision(was: Full, now: Full): boolean {
  return JSON.stringify(divisionKey(was)) === JSON.stringify(divisionKey(now));
}

/** All that the shares follow from, in no order of people. */
function divisionKey(full: Full): unknown {
  return [
    full.amount,
    full.splitType,
    full.includePayer ? null : sortedOnce(full.payers.map((payer) => payer.userId)),
    sortedOnce(full.participants),
    sortedOnce(full.splits.map((split) => `${split.userId} ${split.value}`)),
    full.items.map((item) => [item.amount, sortedOnce(item.participants)]),
  ];
}

const sortedOnce = (texts: readonly string[]): string[] => [...new Set(texts)].sort();

const samePeople = (a: readonly Posting[], b: readonly Posting[]): boolean =>
  JSON.stringify(sortedOnce(a.map((it) => `${it.userId} ${it.amount}`))) ===
  JSON.stringify(sortedOnce(b.map((it) => `${it.userId} ${it.amount}`)));

// --- checks

function fieldErrors(told: Asked): FieldError[] {
  const splitType = told.splitType ?? "EQUAL";
  return [
    ...textErrors("description", told.description, DESCRIPTION_LENGTH_MAX),
    ...amountErrors("amount", told.amount),
    ...(told.category === undefined ? [] : textErrors("category", told.category, CATEGORY_LENGTH_MAX)),
    ...(told.notes === undefined ? [] : textErrors("notes", told.notes, NOTES_LENGTH_MAX, 0)),
    ...(told.date === undefined || isDay(told.date) ? [] : [{ path: "date", message: "not a day, YYYY-MM-DD" }]),
    ...(typeof told.paidBy === "object" ? payerAmountErrors(told.paidBy) : []),
    ...(told.splits ?? []).flatMap((split, index) => valueErrors(`splits.${index}.value`, split.value, splitType)),
    ...itemErrors(told.items ?? []),
  ];
}

function payerAmountErrors(payers: readonly Posting[]): FieldError[] {
  const many = payers.length > PAYERS_MAX ? [{ path: "paidBy", message: `at most ${PAYERS_MAX}` }] : [];
  return [...many, ...payers.flatMap((payer, index) => amountErrors(`paidBy.${index}.amount`, payer.amount))];
}

function itemErrors(items: readonly BillItem[]): FieldError[] {
  const many = items.length > ITEMS_MAX ? [{ path: "items", message: `at most ${ITEMS_MAX}` }] : [];
  return [
    ...many,
    ...items.flatMap((item, index) => [
      ...textErrors(`items.${index}.name`, item.name, ITEM_NAME_LENGTH_MAX),
      ...amountErrors(`items.${index}.amount`, item.amount),
      ...(item.participants.length > 0
        ? []
        : [{ path: `items.${index}.participants`, message: "at least one person takes part" }]),
    ]),
  ];
}

/** Whether it is from one to the largest amount. */
export function amountErrors(path: string, amount: number): FieldError[] {
  if (!Number.isSafeInteger(amount)) {
    return [{ path, message: "minor units: an integer" }];
  }
  return amount >= 1 && amount <= AMOUNT_MAX ? [] : [{ path, message: `from 1 to ${AMOUNT_MAX} minor units` }];
}

/** Whether it has as many characters as it may, space around it not counted. */
export function textErrors(path: string, text: string, most: number, least = 1): FieldError[] {
  const length = Array.from(text.trim()).length;
  return length >= least && length <= most ? [] : [{ path, message: `from ${least} to ${most} characters` }];
}

function valueErrors(path: string, value: number, splitType: SplitType): FieldError[] {
  if (splitType === "PERCENTAGE" || splitType === "SHARES") {
    const exact = scaled(value);
    const most = splitType === "PERCENTAGE" ? 100 : SHARES_VALUE_MAX;
    const least = splitType === "PERCENTAGE" ? 0n : 1n;
    if (exact === undefined) {
      return [{ path, message: "a number with at most four decimal places" }];
    }
    return exact >= least && exact <= BigInt(most * VALUE_SCALE) ? [] : [{ path, message: `up to ${most}` }];
  }
  const least = splitType === "ADJUSTMENT" ? -AMOUNT_MAX : 0;
  const isFine = Number.isSafeInteger(value) && value >= least && value <= AMOUNT_MAX;
  return isFine ? [] : [{ path, message: `minor units from ${least} to ${AMOUNT_MAX}` }];
}

/** What is given for a split type that doesn't take it, or missing where it does. */
function shapeErrors(full: Full): FieldError[] {
  const { splitType: kind, splits, items, participants } = full;
  const errors: FieldError[] = [];
  const say = (isWrong: boolean, path: string, message: string): void => {
    if (isWrong) {
      errors.push({ path, message });
    }
  };
  say(splits.length > 0 && (kind === "EQUAL" || kind === "ITEMIZED"), "splits", `${kind} takes no splits`);
  const needsSplits = kind === "EXACT" || kind === "PERCENTAGE" || kind === "ADJUSTMENT";
  say(splits.length === 0 && needsSplits, "splits", `${kind} needs at least one split`);
  say(items.length > 0 && kind !== "ITEMIZED", "items", `${kind} takes no items`);
  say(items.length === 0 && kind === "ITEMIZED", "items", "ITEMIZED needs at least one item");
  const byParticipants = BY_PARTICIPANTS.has(kind);
  say(!full.includePayer && !byParticipants, "includePayer", `${kind} says itself who takes part`);
  say(participants.length === 0 && (byParticipants || kind === "SHARES"), "participants", "at least one person takes part");
  if (!byParticipants) {
    const named = [...splits.map((split) => split.userId), ...items.flatMap((item) => item.participants)];
    const isOther = JSON.stringify(sortedOnce(participants)) !== JSON.stringify(sortedOnce(named));
    say(named.length > 0 && isOther, "participants", `not the people whom the ${kind} division names`);
  }
  return errors;
}

/** Strangers and duplicates, each with its path on the wire. */
function peopleErrors(told: Asked, full: Full, people: ReadonlySet<string>): FieldError[] {
  const isOne = typeof told.paidBy === "string" || (told.paidBy?.length ?? 0) === 1;
  const payers = full.payers.map((payer) => payer.userId);
  const sharing = full.splits.map((split) => split.userId);
  return [
    ...listed(payers, people, (index) => (isOne ? "paidBy" : `paidBy.${index}.userId`)),
    ...(told.participants === undefined ? [] : listed(full.participants, people, (index) => `participants.${index}`)),
    ...(told.splits?.length || told.participants === undefined
      ? listed(sharing, people, (index) => `splits.${index}.userId`)
      : []),
    ...full.items.flatMap((item, number) =>
      listed(item.participants, people, (index) => `items.${number}.participants.${index}`),
    ),
  ];
}

function listed(
  userIds: readonly string[],
  people: ReadonlySet<string>,
  path: (index: number) => string,
): FieldError[] {
  const seen = new Set<string>();
  const errors: FieldError[] = [];
  userIds.forEach((userId, index) => {
    if (!people.has(userId)) {
      errors.push({ path: path(index), message: "not a member of the group" });
    } else if (seen.has(userId)) {
      errors.push({ path: path(index), message: "named twice" });
    }
    seen.add(userId);
  });
  return errors;
}

function payerErrors(told: Asked, full: Full): FieldError[] {
  const paid = total(full.payers.map((payer) => payer.amount));
  return paid === told.amount
    ? []
    : [{ path: "paidBy", message: `the payers paid ${paid}, not the amount ${told.amount}` }];
}
