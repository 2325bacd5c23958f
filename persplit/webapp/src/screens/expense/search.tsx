/** Finding expenses on this device: live while one types, with what they come to. */

import { useState } from "preact/hooks";
import type { ScreenProps } from "../../app.tsx";
import type { ExpenseView, GroupView } from "../../data/model.ts";
import { locale, t } from "../../text/index.ts";
import { formatMoney, parseMoney } from "../../ledger/money.ts";
import { Button, Select, TextField } from "../../ui/controls.tsx";
import { Amount, formatDay, WaitingMark } from "../../ui/content.tsx";
import { Empty, Page } from "../../ui/layout.tsx";
import { nameOf, WithGroup } from "../group_frame.tsx";
import { categoryIcon, categoryName } from "./categories.ts";
import { type Filter, filterCount, NO_FILTER, search } from "./filter.ts";
import { Fold } from "./fold.tsx";
import { categoryKey } from "./category_list.ts";
import { canonicalOf, payersOf } from "./people.ts";
import { namesOf } from "./split_words.ts";

/** Of what is looked for: a few words. */
const TEXT_LENGTH_MAX = 100;
/** Rows that are drawn at once. */
const PAGE_ROWS = 50;

export function Search({ params }: ScreenProps) {
  return <WithGroup groupId={params["groupId"] ?? ""}>{(view) => <SearchIn view={view} />}</WithGroup>;
}

function SearchIn({ view }: { view: GroupView }) {
  const [filter, setFilter] = useState(NO_FILTER);
  const [isOpen, setOpen] = useState(false);
  const [shown, setShown] = useState(PAGE_ROWS);
  const { currency } = view.group;
  const found = search(view.expenses, filter, currency, view.me.userId, canonicalOf(view.people));
  const change = (changed: Partial<Filter>) => {
    setFilter((before) => ({ ...before, ...changed }));
    setShown(PAGE_ROWS);
  };
  const count = filterCount(filter);
  const isFiltered = count > 0 || filter.text !== "";
  const rest = found.expenses.length - shown;
  return (
    <Page
      title={t().expense.search}
      backTo={`/g/${view.id}`}
      actions={
        isFiltered && (
          <Button kind="plain" onClick={() => setFilter(NO_FILTER)}>
            {t().expense.clear}
          </Button>
        )
      }
    >
      <div class="search-field">
        <TextField
          label={t().expense.searchText}
          isLabelHidden
          isFirst
          type="search"
          inputMode="search"
          placeholder={t().expense.searchExample}
          maxLength={TEXT_LENGTH_MAX}
          value={filter.text}
          onInput={(text) => change({ text })}
        />
      </div>
      <Fold
        icon="settings"
        title={count > 0 ? `${t().expense.filters} (${count})` : t().expense.filters}
        isOpen={isOpen}
        onToggle={setOpen}
      >
        <Filters view={view} filter={filter} onChange={change} />
      </Fold>
      <div class="card sums" role="status">
        <span>{t().expense.found(found.expenses.length)}</span>
        <span>
          <span class="muted">{t().expense.total}</span> <Amount minor={found.total} currency={currency} />
        </span>
        <span>
          <span class="muted">{t().expense.myShare}</span> <Amount minor={found.myShare} currency={currency} />
        </span>
      </div>
      {found.expenses.length === 0 ? (
        <Empty icon="search" title={t().expense.foundNone} hint={t().expense.foundNoneHint} />
      ) : (
        <ul class="card card-flush">
          {found.expenses.slice(0, shown).map((expense) => (
            <li key={expense.id}>
              <ExpenseRow view={view} expense={expense} />
            </li>
          ))}
        </ul>
      )}
      {rest > 0 && (
        <Button kind="quiet" isWide onClick={() => setShown(shown + PAGE_ROWS)}>
          {t().expense.showMore(Math.min(rest, PAGE_ROWS))}
        </Button>
      )}
    </Page>
  );
}

function Filters({ view, filter, onChange }: { view: GroupView; filter: Filter; onChange: (change: Partial<Filter>) => void }) {
  const words = t().expense;
  const people = [
    { value: "", label: words.anybody },
    ...[...view.people.values()]
      .filter((member) => ![...view.people.values()].some((other) => other.claimed === member.userId))
      .map((member) => ({ value: member.userId, label: nameOf(view, member.userId) })),
  ];
  return (
    <>
      <div class="form-pair">
        <Select label={words.member} value={filter.member} choices={people} onChoose={(member) => onChange({ member })} />
        <Select label={words.payer} value={filter.payer} choices={people} onChoose={(payer) => onChange({ payer })} />
      </div>
      <Select
        label={words.category}
        value={filter.category}
        choices={[{ value: "", label: words.anyCategory }, ...usedCategories(view.expenses)]}
        onChoose={(category) => onChange({ category })}
      />
      <div class="form-pair">
        <AmountField label={words.amountFrom} value={filter.amountFrom} currency={view.group.currency} onInput={(amountFrom) => onChange({ amountFrom })} />
        <AmountField label={words.amountTo} value={filter.amountTo} currency={view.group.currency} onInput={(amountTo) => onChange({ amountTo })} />
      </div>
      <div class="form-pair">
        <TextField label={words.dateFrom} type="date" value={filter.dateFrom} onInput={(dateFrom) => onChange({ dateFrom })} />
        <TextField label={words.dateTo} type="date" value={filter.dateTo} onInput={(dateTo) => onChange({ dateTo })} />
      </div>
    </>
  );
}

/** Only those that something was spent on, by name. */
function usedCategories(expenses: readonly ExpenseView[]): { value: string; label: string }[] {
  const used = [...new Set(expenses.map((expense) => categoryKey(expense.category)).filter((key) => key !== null))];
  return used
    .map((category) => ({ value: category, label: `${categoryIcon(category)} ${categoryName(category)}` }))
    .sort((a, b) => categoryName(a.value).localeCompare(categoryName(b.value), locale.value));
}

function AmountField({ label, value, currency, onInput }: { label: string; value: string; currency: string; onInput: (value: string) => void }) {
  const parsed = parseMoney(value, currency);
  const isWrong = !parsed.ok && parsed.problem !== "empty";
  return (
    <TextField
      label={label}
      inputMode="decimal"
      value={value}
      hint={parsed.ok ? formatMoney(parsed.minor, currency, locale.value) : undefined}
      error={isWrong ? t().expense.notAnAmount : undefined}
      onInput={onInput}
    />
  );
}

function ExpenseRow({ view, expense }: { view: GroupView; expense: ExpenseView }) {
  const canonical = canonicalOf(view.people);
  const who = namesOf(view, payersOf(expense).map((payer) => canonical(payer.userId)));
  return (
    <a class="list-row" href={`#/g/${view.id}/e/${expense.id}`}>
      <span class="icon-tile" aria-hidden="true">
        {categoryIcon(expense.category)}
      </span>
      <span class="grow">
        <span class="row-head">
          <span class="grow row-title">{expense.description}</span>
          <Amount minor={expense.amount} currency={view.group.currency} />
        </span>
        <span class="small muted row-below">
          {formatDay(expense.date)} · {t().expense.paidByWhom(expense.kind ?? "EXPENSE", who)}{" "}
          <WaitingMark waiting={expense.waiting} />
        </span>
      </span>
    </a>
  );
}
