/** What every expense has: an amount, and what it was for. */

import { useRef, useState } from "preact/hooks";
import { formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import { IconButton, TextField } from "../../ui/controls.tsx";
import { DESCRIPTION_LENGTH_MAX, type FormProblems, type WorkedOut } from "./form_fields.ts";
import type { ExpenseForm } from "./form_state.ts";
import type { Doubts } from "./scan.ts";
import { amountProblemText, fieldProblemText } from "./split_words.ts";
import type { Told } from "./told.ts";

/** What a number pad lacks: one more amount to add. */
function PlusButton({ form, onChange }: { form: ExpenseForm; onChange: (change: Partial<ExpenseForm>) => void }) {
  const element = useRef<HTMLDivElement>(null);
  return (
    <div class="amount-plus" ref={element}>
      <IconButton
        icon="add"
        label={t().expense.addAmount}
        onClick={() => {
          onChange({ amount: `${form.amount.replace(/\+\s*$/u, "")}+` });
          element.current?.parentElement?.querySelector("input")?.focus();
        }}
      />
    </div>
  );
}

export function Essentials({ form, problems, worked, told, doubts, onChange }: {
  form: ExpenseForm;
  problems: FormProblems;
  worked: WorkedOut;
  told: Told;
  doubts: Doubts | null;
  onChange: (change: Partial<ExpenseForm>) => void;
}) {
  const [isLeft, setLeft] = useState(false);
  const problem = worked.amountProblem;
  const isWrong = problem !== null && problem !== "empty" && isLeft;
  const amountError = problems.amount || isWrong ? amountProblemText(problem ?? "empty") : undefined;
  return (
    <div class="card stack">
      <div class="amount-field">
        <span class="amount-symbol" aria-hidden="true">
          {symbolOf(form.currency)}
        </span>
        <TextField
          label={`${t().expense.amount} (${form.currency})`}
          isLarge
          isFirst={form.amount === ""}
          inputMode="decimal"
          value={form.amount}
          placeholder="0"
          hint={amountHint(form, worked, doubts)}
          error={told.amount ?? amountError}
          onInput={(amount) => {
            setLeft(false);
            onChange({ amount });
          }}
          onBlur={() => setLeft(true)}
        />
        {worked.amount !== null && <PlusButton form={form} onChange={onChange} />}
      </div>
      <TextField
        label={t().expense.description}
        placeholder={t().expense.descriptionExample}
        maxLength={DESCRIPTION_LENGTH_MAX}
        value={form.description}
        hint={doubts?.description ? t().expense.scanUnsure(doubts.description.sure) : undefined}
        error={told.description ?? fieldProblemText(problems.description, t().expense.needDescription)}
        onInput={(description) => onChange({ description })}
      />
    </div>
  );
}

/** What was typed as an amount, where that isn't plain from it. */
function amountHint(form: ExpenseForm, worked: WorkedOut, doubts: Doubts | null): string | undefined {
  if (doubts?.amount) return t().expense.scanUnsure(doubts.amount.sure);
  if (worked.amount === null) return t().expense.amountHint;
  const shown = formatMoney(worked.amount, form.currency, locale.value);
  return /^[0-9]*\.?[0-9]*$/u.test(form.amount) && form.amount.length <= 3 ? undefined : `= ${shown}`;
}

function symbolOf(currency: string): string {
  const parts = new Intl.NumberFormat(locale.value, { style: "currency", currency, currencyDisplay: "narrowSymbol" }).formatToParts(0);
  return parts.find((part) => part.type === "currency")?.value ?? currency;
}
