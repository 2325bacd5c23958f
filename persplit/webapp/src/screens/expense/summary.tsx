/** The one line that says who paid and how it is split. */

import type { GroupView } from "../../data/model.ts";
import { formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import type { WorkedOut } from "./form_fields.ts";
import type { ExpenseForm } from "./form_state.ts";
import { shareSummary } from "./split_editor.tsx";
import { namesOf, splitProblemText } from "./split_words.ts";

/** Paid by you, split equally among 4; and what that comes to, or what is missing. */
export function Summary({ view, form, worked }: { view: GroupView; form: ExpenseForm; worked: WorkedOut }) {
  const { paid, divided, amount } = worked;
  const words = t().expense;
  const who = namesOf(view, paid.payerIds.length > 0 ? paid.payerIds : [form.payers.single]);
  const people = divided.shares.length > 0 ? divided.shares.filter((share) => share.amount > 0).length : form.split.taking.length;
  const type = divided.asked?.splitType ?? form.split.type;
  const isOpen = amount !== null && (divided.problem !== null || paid.problem !== null);
  return (
    <>
      <span class="summary-line">{words.summary(form.kind, who, words.splitHow[type](people))}</span>
      <span class={isOpen ? "summary-below error-text" : "summary-below small muted"}>
        {isOpen ? openText(form, worked) : shareSummary(divided, form.currency, view.me.userId)}
      </span>
    </>
  );
}

function openText(form: ExpenseForm, { paid, divided }: WorkedOut): string {
  if (divided.problem !== null) return splitProblemText(divided.problem, form.split.type, form.currency);
  const { problem } = paid;
  if (problem === null) return "";
  if (problem.kind === "nobody") return t().expense.payersNobody;
  if (problem.kind === "not_a_value") return t().expense.notAnAmount;
  const amount = formatMoney(Math.abs(problem.minor), form.currency, locale.value);
  return problem.minor > 0 ? t().expense.payersLeft(amount) : t().expense.payersTooMuch(amount);
}
