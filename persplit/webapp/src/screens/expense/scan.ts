/** From a receipt that the server read to what the form says, and what of it a person should look at. */

import type { RestSchemas } from "../../wire/types.ts";
import { type ExpenseForm, itemRow, shownMoney } from "./form_state.ts";
import type { People } from "./people.ts";

export type ScannedReceipt = RestSchemas["ScannedReceipt"];

/** What is less sure than this is pointed out; the server's own advice. */
const SURE = 0.8;
/** Shares of something out of a hundred. */
const PERCENT = 100;

/** The form with what was read. What a person typed and the receipt doesn't say stays. */
export function withReceipt(form: ExpenseForm, scanned: ScannedReceipt, people: People): ExpenseForm {
  const { proposal, currency } = scanned;
  const isNamed = scanned.merchant.value !== null;
  return {
    ...form,
    currency,
    amount: shownMoney(proposal.amount, currency),
    description: isNamed || form.description.trim() === "" ? proposal.description : form.description,
    date: proposal.date ?? form.date,
    split: {
      ...form.split,
      type: "ITEMIZED",
      items: proposal.items.map((item) =>
        itemRow(
          item.name,
          shownMoney(item.amount, currency),
          people.ids.filter((userId) => item.participants.includes(userId)),
        ),
      ),
    },
  };
}

export interface Doubt {
  /** Percent, whole. */
  readonly sure: number;
}

/** What a person should check. */
export interface Doubts {
  readonly description?: Doubt;
  readonly date?: Doubt;
  readonly amount?: Doubt;
  /** Names of items that were read badly. */
  readonly items: readonly string[];
  /** Minor units: the total less what was read; 0 where it adds up. */
  readonly difference: number;
}

export function doubtsOf(scanned: ScannedReceipt): Doubts {
  const { merchant, date, total } = scanned;
  return {
    ...(isDoubtful(merchant) ? { description: doubt(merchant.confidence) } : {}),
    ...(isDoubtful(date) ? { date: doubt(date.confidence) } : {}),
    ...(total.confidence < SURE ? { amount: doubt(total.confidence) } : {}),
    items: scanned.items.filter((item) => item.confidence < SURE).map((item) => item.name),
    difference: scanned.addsUp ? 0 : scanned.difference,
  };
}

const isDoubtful = (read: { value: string | null; confidence: number }): boolean =>
  read.value !== null && read.confidence < SURE;

const doubt = (confidence: number): Doubt => ({ sure: Math.round(confidence * PERCENT) });
