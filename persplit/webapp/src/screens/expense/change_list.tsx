/** What differs between two versions, in words: before → after. */

import type { ComponentChildren } from "preact";
import type { GroupView } from "../../data/model.ts";
import { formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import type { ExpenseKind, Posting, SplitType } from "../../wire/types.ts";
import { formatDay } from "../../ui/content.tsx";
import { nameOf } from "../group_frame.tsx";
import { categoryName } from "./categories.ts";
import type { Change } from "./changes.ts";

export function ChangeList({ view, changes }: { view: GroupView; changes: readonly Change[] }) {
  return (
    <dl class="version-changes">
      {changes.map((change) => (
        <div key={change.field}>
          <dt class="small muted">{t().expense.changedFields[change.field]}</dt>
          <dd>{change.field === "shares" ? <MovedShares view={view} change={change} /> : <BeforeAfter {...sides(view, change)} />}</dd>
        </div>
      ))}
    </dl>
  );
}

function BeforeAfter({ before, after }: { before: ComponentChildren; after: ComponentChildren }) {
  return (
    <>
      <del>{before}</del> <span aria-hidden="true">→</span> <ins>{after}</ins>
    </>
  );
}

function MovedShares({ view, change }: { view: GroupView; change: Change & { field: "shares" } }) {
  const show = (minor: number) => formatMoney(minor, view.group.currency, locale.value);
  return (
    <ul>
      {change.moved.map(({ userId, before, after }) => (
        <li key={userId}>
          {nameOf(view, userId)}: <BeforeAfter before={show(before)} after={show(after)} />
        </li>
      ))}
    </ul>
  );
}

function sides(view: GroupView, change: Exclude<Change, { field: "shares" }>): { before: string; after: string } {
  switch (change.field) {
    case "amount":
      return { before: money(change.before), after: money(change.after) };
    case "paidBy":
      return { before: payers(view, change.before, change.after), after: payers(view, change.after, change.before) };
    case "items":
      return { before: t().expense.itemsCount(change.before), after: t().expense.itemsCount(change.after) };
    default:
      return { before: plain(change.field, change.before), after: plain(change.field, change.after) };
  }
}

function money({ minor, currency }: { minor: number; currency: string }): string {
  return formatMoney(minor, currency, locale.value);
}

/** The names alone say it where one person paid before and after. */
function payers(view: GroupView, some: readonly Posting[], others: readonly Posting[]): string {
  const isSingle = some.length === 1 && others.length === 1;
  return some
    .map(({ userId, amount }) => {
      const name = nameOf(view, userId);
      return isSingle ? name : `${name} ${money({ minor: amount, currency: view.group.currency })}`;
    })
    .join(", ");
}

function plain(field: Change["field"], value: string | null): string {
  if (value === null || value === "") return t().expense.nothing;
  switch (field) {
    case "date":
      return formatDay(value);
    case "category":
      return categoryName(value);
    case "kind":
      return t().expense.kinds[value as ExpenseKind];
    case "splitType":
      return t().expense.splitTypes[value as SplitType];
    default:
      return value;
  }
}
