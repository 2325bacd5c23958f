/** What is missing from a split, in words. */

import type { GroupView } from "../../data/model.ts";
import { formatMoney, type NoAmount } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import type { SplitType } from "../../wire/types.ts";
import { nameOf } from "../group_frame.tsx";
import type { SplitProblem } from "./division.ts";
import type { FieldProblem } from "./form_fields.ts";

/** The sentence; empty where the row itself says it. */
export function splitProblemText(problem: SplitProblem, type: SplitType, currency: string): string {
  const words = t().expense;
  switch (problem.kind) {
    case "no_amount":
      return words.typeAmount;
    case "nobody":
    case "no_weights":
      return words.splitNobody;
    case "no_items":
      return words.noItems;
    case "percent_differs": {
      const percent = new Intl.NumberFormat(locale.value, { maximumFractionDigits: 4 }).format(Math.abs(problem.left));
      return problem.left > 0 ? words.percentLeft(percent) : words.percentTooMuch(percent);
    }
    case "amounts_differ": {
      const amount = formatMoney(Math.abs(problem.left), currency, locale.value);
      if (type === "ADJUSTMENT") return words.adjustmentsExceed(amount);
      return problem.left > 0 ? words.left(amount) : words.tooMuch(amount);
    }
    case "below_zero":
      return words.belowZero;
    case "bad_value":
      return type === "ITEMIZED" ? words.itemNoAmount : words.notAValue;
    case "item_without_name":
      return words.itemNoName;
    case "item_without_people":
      return words.itemNoPeople;
  }
}

/** Why what was typed isn't an amount, and what to do. */
export function amountProblemText(problem: NoAmount | "zero"): string {
  const words = t().expense;
  const texts: Record<NoAmount | "zero", string> = {
    empty: words.needAmount,
    not_an_amount: words.notAnAmount,
    too_many_digits: words.tooManyDigits,
    too_large: words.tooLarge,
    zero: words.needMore,
  };
  return texts[problem];
}

/** The same for the other fields; `required` is the field's own sentence. */
export function fieldProblemText(problem: FieldProblem | undefined, required: string): string | undefined {
  const words = t().expense;
  switch (problem) {
    case undefined:
      return undefined;
    case "required":
    case "no_rate":
      return required;
    case "not_a_rate":
      return words.notARate;
    case "not_a_count":
      return words.needCount;
    case "end_before_start":
      return words.endBeforeStart;
    default:
      return amountProblemText(problem);
  }
}

/** `you`, `you and Asha`: inside a sentence, as the language joins them. */
export function namesOf(view: GroupView, userIds: readonly string[]): string {
  const names = userIds.map((userId) => (userId === view.me.userId ? t().expense.youInside : nameOf(view, userId)));
  return new Intl.ListFormat(locale.value, { type: "conjunction" }).format(names);
}
