/** Who paid: one of all, or several with what each of them paid. */

import type { GroupView } from "../../data/model.ts";
import { formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import { Segments, Select, TextField } from "../../ui/controls.tsx";
import { nameOf } from "../group_frame.tsx";
import { shownMoney, type ExpenseForm, type PayerForm } from "./form_state.ts";
import type { Paid } from "./payers.ts";
import type { People } from "./people.ts";
import { PersonRow, Status } from "./person_row.tsx";

export function PayerEditor({ view, people, form, amount, paid, isChecked, onChange }: {
  view: GroupView;
  people: People;
  form: ExpenseForm;
  amount: number | null;
  paid: Paid;
  /** Whether somebody tried to save: only then nothing yet is a mistake. */
  isChecked: boolean;
  onChange: (payers: PayerForm) => void;
}) {
  const { payers } = form;
  const toggle = (isSeveral: boolean) =>
    onChange({
      ...payers,
      isSeveral,
      // What one paid is where several start.
      amounts:
        isSeveral && Object.keys(payers.amounts).length === 0 && amount !== null
          ? { [payers.single]: shownMoney(amount, form.currency) }
          : payers.amounts,
    });
  return (
    <section class="stack-small" aria-label={payerTitle(form)}>
      <h2>{payerTitle(form)}</h2>
      <Segments
        label={payerTitle(form)}
        value={payers.isSeveral ? "several" : "one"}
        choices={[
          { value: "one", label: t().expense.onePayer },
          { value: "several", label: t().expense.severalPayers },
        ]}
        onChoose={(value) => toggle(value === "several")}
      />
      {payers.isSeveral ? (
        <SeveralPayers view={view} people={people} form={form} paid={paid} onChange={onChange} />
      ) : (
        <Select
          label={payerTitle(form)}
          isLabelHidden
          value={payers.single}
          choices={people.ids.map((userId) => ({ value: userId, label: nameOf(view, userId) }))}
          onChoose={(single) => onChange({ ...payers, single })}
        />
      )}
      {payers.isSeveral && (amount !== null || isChecked) && <PayerStatus form={form} paid={paid} />}
    </section>
  );
}

function payerTitle(form: ExpenseForm): string {
  return form.kind === "EXPENSE" ? t().expense.paidBy : t().expense.receivedBy;
}

function SeveralPayers({ view, people, form, paid, onChange }: {
  view: GroupView;
  people: People;
  form: ExpenseForm;
  paid: Paid;
  onChange: (payers: PayerForm) => void;
}) {
  const { payers } = form;
  const bad = paid.problem?.kind === "not_a_value" ? paid.problem.at : undefined;
  return (
    <ul>
      {people.ids.map((userId) => {
        const name = nameOf(view, userId);
        return (
          <PersonRow key={userId} view={view} id={userId}>
            <TextField
              label={t().expense.paidByName(name)}
              isLabelHidden
              inputMode="decimal"
              value={payers.amounts[userId] ?? ""}
              placeholder="0"
              error={bad === userId ? t().expense.notAnAmount : undefined}
              onInput={(text) => onChange({ ...payers, amounts: { ...payers.amounts, [userId]: text } })}
            />
          </PersonRow>
        );
      })}
    </ul>
  );
}

function PayerStatus({ form, paid }: { form: ExpenseForm; paid: Paid }) {
  const { problem } = paid;
  if (problem === null) return <Status tone="good">{t().expense.addsUp}</Status>;
  if (problem.kind === "nobody") return <Status tone="open">{t().expense.payersNobody}</Status>;
  if (problem.kind === "not_a_value") return null;
  const amount = formatMoney(Math.abs(problem.minor), form.currency, locale.value);
  return (
    <Status tone="open">{problem.minor > 0 ? t().expense.payersLeft(amount) : t().expense.payersTooMuch(amount)}</Status>
  );
}
