/** An amount in another currency than the group's: which, and at what rate. The server's own rate is offered. */

import { useEffect, useState } from "preact/hooks";
import { store } from "../../data/store.ts";
import { formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import type { RestSchemas } from "../../wire/types.ts";
import { Select, TextField } from "../../ui/controls.tsx";
import { formatDay } from "../../ui/content.tsx";
import { currencyChoices } from "./currencies.ts";
import { fieldProblemText } from "./split_words.ts";
import type { FieldProblem, WorkedOut } from "./form_fields.ts";
import type { ExpenseForm } from "./form_state.ts";

type Rate = RestSchemas["Rate"];

export function CurrencyFields({ form, groupCurrency, worked, problem, onChange }: {
  form: ExpenseForm;
  groupCurrency: string;
  worked: WorkedOut;
  problem: FieldProblem | undefined;
  onChange: (change: Partial<ExpenseForm>) => void;
}) {
  const rates = useRates(groupCurrency, form.date);
  const known = rates.find((rate) => rate.currency === form.currency);
  const choose = (currency: string) =>
    onChange({ currency, rate: rates.find((rate) => rate.currency === currency)?.rate ?? "" });
  useEffect(() => {
    if (known && form.rate === "") onChange({ rate: known.rate });
  }, [known]);
  const isOther = form.currency !== groupCurrency;
  return (
    <div class="stack-small">
      <Select
        label={t().expense.currency}
        value={form.currency}
        choices={currencyChoices([groupCurrency, ...rates.map((rate) => rate.currency)])}
        onChoose={choose}
      />
      {isOther && (
        <TextField
          label={t().expense.rate(form.currency, groupCurrency)}
          inputMode="decimal"
          value={form.rate}
          hint={known ? t().expense.rateHint(formatDay(known.date)) : t().expense.rateUnknown}
          error={fieldProblemText(problem, t().expense.needRate(form.currency, groupCurrency))}
          onInput={(rate) => onChange({ rate })}
        />
      )}
      {isOther && worked.inGroupCurrency !== null && (
        <p role="status">{t().expense.inGroupCurrency(formatMoney(worked.inGroupCurrency, groupCurrency, locale.value))}</p>
      )}
    </div>
  );
}

/** What the server knows for the day; nothing where it offers none, or can't be reached. */
function useRates(into: string, date: string): readonly Rate[] {
  const [rates, setRates] = useState<readonly Rate[]>([]);
  useEffect(() => {
    if (!store.offers("listRates") || date === "") return;
    let isCurrent = true;
    store.get<RestSchemas["Rates"]>(`/rates?into=${into}&date=${date}`).then(
      (answer) => {
        if (isCurrent) setRates(answer.rates);
      },
      () => undefined, // It is only a hint: what isn't known is typed.
    );
    return () => {
      isCurrent = false;
    };
  }, [into, date]);
  return rates;
}
