/** An expense: what it was, who paid, who bears how much, what was said about it and what was changed. */

import { useState } from "preact/hooks";
import { navigate } from "wouter-preact/use-hash-location";
import type { ScreenProps } from "../../app.tsx";
import type { ExpenseView, GroupView } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import type { Posting } from "../../wire/types.ts";
import { Button } from "../../ui/controls.tsx";
import { Amount, formatDay, formatMoment, WaitingMark } from "../../ui/content.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Banner, NotFound, Page } from "../../ui/layout.tsx";
import { toast, toastFailure } from "../../ui/toasts.tsx";
import { nameOf, WithGroup } from "../group_frame.tsx";
import { Attachments } from "./attachments.tsx";
import { categoryIcon, categoryName } from "./categories.ts";
import { Comments } from "./comments.tsx";
import { Fold } from "./fold.tsx";
import { History } from "./history.tsx";
import { canonicalOf, payersOf } from "./people.ts";
import { Face } from "./person_row.tsx";
import { namesOf } from "./split_words.ts";

export function ExpenseDetail({ params }: ScreenProps) {
  const groupId = params["groupId"] ?? "";
  return (
    <WithGroup groupId={groupId}>
      {(view) => {
        const expense = [...view.expenses, ...view.deletedExpenses].find((one) => one.id === params["expenseId"]);
        return expense ? <Detail key={expense.id} view={view} expense={expense} /> : <NotFound backTo={`/g/${groupId}`} />;
      }}
    </WithGroup>
  );
}

function Detail({ view, expense }: { view: GroupView; expense: ExpenseView }) {
  const isDeleted = expense.deletedAt !== null;
  const canChange = !isDeleted && view.group.archivedAt === null;
  const address = `/g/${view.id}/e/${expense.id}`;
  const [isHistoryOpen, setHistoryOpen] = useState(false);
  return (
    <Page
      title={expense.description}
      backTo={`/g/${view.id}`}
      actions={
        canChange && (
          <a class="icon-button" href={`#${address}/edit`} aria-label={t().common.edit} title={t().common.edit}>
            <Icon name="edit" />
          </a>
        )
      }
    >
      {isDeleted && <Deleted view={view} expense={expense} />}
      <RefusedBanner view={view} expense={expense} />
      <Head view={view} expense={expense} />
      <People view={view} expense={expense} />
      <Items view={view} expense={expense} />
      {expense.notes && (
        <section class="card stack-small">
          <h2>{t().expense.notes}</h2>
          <p class="notes">{expense.notes}</p>
        </section>
      )}
      <Attachments view={view} expense={expense} />
      <Comments view={view} expenseId={expense.id} />
      <Fold icon="history" title={t().expense.history} isOpen={isHistoryOpen} onToggle={setHistoryOpen}>
        <History view={view} expense={expense} />
      </Fold>
      {canChange && (
        <Button kind="danger" icon="trash" isWide onClick={() => void remove(view, expense)}>
          {t().common.delete}
        </Button>
      )}
    </Page>
  );
}

async function remove(view: GroupView, expense: ExpenseView): Promise<void> {
  try {
    await store.send("expense:delete", view.id, { expenseId: expense.id });
    toast(t().expense.deleted(expense.description), () => void restore(view, expense));
    navigate(`/g/${view.id}`, { replace: true });
  } catch (error) {
    toastFailure(error);
  }
}

async function restore(view: GroupView, expense: ExpenseView): Promise<void> {
  try {
    await store.send("expense:restore", view.id, { expenseId: expense.id });
    toast(t().expense.restored);
  } catch (error) {
    toastFailure(error);
  }
}

function Deleted({ view, expense }: { view: GroupView; expense: ExpenseView }) {
  return (
    <Banner tone="warning" icon="trash">
      <p>{t().expense.isDeleted}</p>
      <Button kind="quiet" icon="undo" onClick={() => void restore(view, expense)}>
        {t().expense.restore}
      </Button>
    </Banner>
  );
}

/** A change of mine that the server refused: it leads to where it can be mended. */
function RefusedBanner({ view, expense }: { view: GroupView; expense: ExpenseView }) {
  const command = store.refused.value.find(
    ({ groupId, fields }) => groupId === view.id && (fields["expenseId"] === expense.id || fields["id"] === expense.id),
  );
  if (!command) return null;
  return (
    <Banner tone="danger" icon="warning">
      <p>{t().expense.refusedBanner}</p>
      <a href={`#/g/${view.id}/mend/${command.commandId}`}>{t().expense.mend}</a>
    </Banner>
  );
}

function Head({ view, expense }: { view: GroupView; expense: ExpenseView }) {
  const { original, kind = "EXPENSE" } = expense;
  const { currency } = view.group;
  return (
    <section class="card stack-small wraps-title" aria-label={t().expense.detailTitle}>
      <p>
        <Amount minor={expense.amount} currency={currency} isLarge />
      </p>
      {original && (
        <p class="small muted">
          {t().expense.typedAt(formatMoney(original.amount, original.currency, locale.value), original.rate)}
        </p>
      )}
      <p class="row-wrap">
        <span>{formatDay(expense.date)}</span>
        {expense.category !== null && (
          <span class="tag">
            <span aria-hidden="true">{categoryIcon(expense.category)}</span> {categoryName(expense.category)}
          </span>
        )}
        {kind !== "EXPENSE" && <span class="tag">{t().expense.kinds[kind]}</span>}
        <WaitingMark waiting={expense.waiting} />
      </p>
      <p class="small muted">{t().expense.addedBy(namesOf(view, [expense.createdBy]), formatMoment(expense.createdAt))}</p>
      {expense.recurrenceId !== undefined && (
        <a class="row small" href={`#/g/${view.id}/recurring`}>
          <Icon name="repeat" size={18} />
          {t().expense.byRecurring}
        </a>
      )}
    </section>
  );
}

function People({ view, expense }: { view: GroupView; expense: ExpenseView }) {
  const isExpense = (expense.kind ?? "EXPENSE") === "EXPENSE";
  const words = t().expense;
  const payers = payersOf(expense);
  const mine = myPart(view, expense, payers);
  return (
    <section class="card stack">
      <div class="stack-small">
        <h2>{isExpense ? words.whoPaid : words.whoReceived}</h2>
        <Postings view={view} postings={payers} />
      </div>
      <div class="stack-small">
        <h2>{isExpense ? words.whoBears : words.whoGets}</h2>
        <p class="small muted">{words.splitTypes[expense.splitType]}</p>
        <Postings view={view} postings={expense.shares} />
      </div>
      <p class="my-part strong" data-sign={mine > 0 ? "owed" : mine < 0 ? "owes" : undefined}>
        {myPartText(mine, view.group.currency)}
      </p>
    </section>
  );
}

/** What the expense does to my balance, in minor units. */
function myPart(view: GroupView, expense: ExpenseView, payers: readonly Posting[]): number {
  const canonical = canonicalOf(view.people);
  const mineOf = (postings: readonly Posting[]) =>
    postings.reduce((sum, { userId, amount }) => (canonical(userId) === view.me.userId ? sum + amount : sum), 0);
  const lent = mineOf(payers) - mineOf(expense.shares);
  return (expense.kind ?? "EXPENSE") === "EXPENSE" ? lent : -lent;
}

function myPartText(mine: number, currency: string): string {
  const amount = formatMoney(Math.abs(mine), currency, locale.value);
  if (mine === 0) return t().expense.notInvolved;
  return mine > 0 ? t().expense.youLent(amount) : t().expense.youBorrowed(amount);
}

function Postings({ view, postings }: { view: GroupView; postings: readonly Posting[] }) {
  const canonical = canonicalOf(view.people);
  return (
    <ul>
      {postings.map(({ userId, amount }) => {
        const name = nameOf(view, canonical(userId));
        return (
          <li class="person-row" key={userId}>
            <Face view={view} id={canonical(userId)} />
            <span class="grow person-name">{name}</span>
            <Amount minor={amount} currency={view.group.currency} />
          </li>
        );
      })}
    </ul>
  );
}

function Items({ view, expense }: { view: GroupView; expense: ExpenseView }) {
  if (expense.items.length === 0) return null;
  const canonical = canonicalOf(view.people);
  const { currency } = view.group;
  const rest = expense.amount - expense.items.reduce((sum, item) => sum + item.amount, 0);
  return (
    <section class="card stack-small">
      <h2>{t().expense.items}</h2>
      <ul>
        {expense.items.map((item, place) => (
          <li class="item-row" key={place}>
            <span class="grow">
              {item.name}
              <span class="small muted item-people">
                {item.participants.map((userId) => nameOf(view, canonical(userId))).join(", ")}
              </span>
            </span>
            <Amount minor={item.amount} currency={currency} />
          </li>
        ))}
        {rest !== 0 && (
          <li class="item-row muted">
            <span class="grow">{t().expense.rest}</span>
            <Amount minor={rest} currency={currency} />
          </li>
        )}
      </ul>
    </section>
  );
}
