/** The expense that a form stands for, as it would be recorded: to be held against another version. */

import { inProportion } from "../../ledger/conversion.ts";
import type { Posting } from "../../wire/types.ts";
import type { Version } from "./changes.ts";
import type { WorkedOut } from "./form_fields.ts";
import type { ExpenseForm } from "./form_state.ts";

/** Null while something is missing. Amounts in the group's currency. */
export function versionOf(form: ExpenseForm, worked: WorkedOut, category: string | null): Version | null {
  const { amount, paid, divided, rate, inGroupCurrency } = worked;
  if (amount === null || paid.asked === null || divided.asked === null) return null;
  const inGroup = inGroupCurrency ?? amount;
  const payers: readonly Posting[] =
    typeof paid.asked === "string" ? [{ userId: paid.asked, amount: inGroup }] : converted(inGroup, paid.asked);
  return {
    description: form.description.trim(),
    amount: inGroup,
    paidBy: [...payers],
    splitType: divided.asked.splitType,
    date: form.date,
    category,
    notes: form.notes.trim() || null,
    shares: converted(inGroup, divided.shares),
    items: divided.asked.items ?? [],
    kind: form.kind,
    ...(rate === null
      ? {}
      : {
          original: {
            currency: form.currency,
            amount,
            rate,
            rateSource: "GIVEN",
            paidBy: paid.asked,
            splits: divided.asked.splits ?? [],
            items: divided.asked.items ?? [],
            shares: [...divided.shares],
          },
        }),
  };
}

function converted(total: number, parts: readonly Posting[]): Posting[] {
  const amounts = inProportion(total, parts.map((part) => part.amount));
  return parts.map(({ userId }, place) => ({ userId, amount: amounts[place] ?? 0 }));
}
