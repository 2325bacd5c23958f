/** One line of the feed: what it was, who paid, and what it is to me. */

import type { ExpenseView, GroupView, LoanView, SettlementView } from "../../data/model.ts";
import { formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import { WaitingMark } from "../../ui/content.tsx";
import { Icon } from "../../ui/icons.tsx";
import { categoryIcon } from "../expense/categories.ts";
import { payersOf } from "../expense/people.ts";
import { nameOf } from "../group_frame.tsx";
import { todayIn } from "../loans/standing.ts";
import { dueWords, lentWords } from "../loans/words.ts";
import { effectOn, idsOf, shortName, type Row } from "./feed_rows.ts";

export function FeedRow({ row, view }: { row: Row; view: GroupView }) {
  if (row.kind === "loan") return <LoanRow loan={row.loan} view={view} />;
  return row.kind === "expense" ? (
    <ExpenseRow expense={row.expense} view={view} />
  ) : (
    <SettlementRow settlement={row.settlement} view={view} />
  );
}

function money(minor: number, view: GroupView): string {
  return formatMoney(minor, view.group.currency, locale.value);
}

function ExpenseRow({ expense, view }: { expense: ExpenseView; view: GroupView }) {
  return (
    <a class="list-row" href={`#/g/${view.id}/e/${expense.id}`}>
      <span class="icon-tile" aria-hidden="true">
        {categoryIcon(expense.category)}
      </span>
      <span class="grow">
        <span class="strong two-lines">{expense.description}</span>
        <span class="muted small row-note">{whoPaid(expense, view)}</span>
        <WaitingMark waiting={expense.waiting} />
      </span>
      <Effect effect={effectOn(idsOf(view.me), expense)} isSpent={(expense.kind ?? "EXPENSE") === "EXPENSE"} view={view} />
    </a>
  );
}

function whoPaid(expense: ExpenseView, view: GroupView): string {
  const payers = payersOf(expense);
  const amount = money(expense.amount, view);
  const isReceived = (expense.kind ?? "EXPENSE") !== "EXPENSE";
  const [first] = payers;
  if (payers.length !== 1 || !first) return t().groups.severalPaid(payers.length, amount, isReceived);
  const isMe = idsOf(view.me).has(first.userId);
  return isMe ? t().groups.youPaid(amount, isReceived) : t().groups.namePaid(shortName(nameOf(view, first.userId)), amount, isReceived);
}

function Effect({ effect, isSpent, view }: { effect: number | undefined; isSpent: boolean; view: GroupView }) {
  if (effect === undefined) return <span class="muted small balance-words">{t().groups.notInvolved}</span>;
  if (effect === 0) return <span class="muted small balance-words">{t().groups.nothingOwed}</span>;
  return (
    <span class="balance-words" data-sign={effect > 0 ? "owed" : "owes"}>
      <span class="small">{effectWords(effect > 0, isSpent)}</span>
      <span class="amount">{money(Math.abs(effect), view)}</span>
    </span>
  );
}

/** Nobody lends by receiving a refund for the others. */
function effectWords(isOwed: boolean, isSpent: boolean): string {
  if (isSpent) return isOwed ? t().groups.youLent : t().groups.youBorrowed;
  return isOwed ? t().groups.youGet : t().groups.youOwe;
}

function SettlementRow({ settlement, view }: { settlement: SettlementView; view: GroupView }) {
  const mine = idsOf(view.me);
  const isPending = settlement.status === "PENDING";
  const from = mine.has(settlement.fromUserId) ? undefined : shortName(nameOf(view, settlement.fromUserId));
  const to = mine.has(settlement.toUserId) ? undefined : shortName(nameOf(view, settlement.toUserId));
  return (
    <a class="list-row" href={`#/g/${view.id}/s/${settlement.id}`}>
      <span class="icon-tile settled-tile">
        <Icon name={isPending ? "clock" : "check"} />
      </span>
      <span class="grow">
        <span class="two-lines">{t().groups.paidWhom(from, to)}</span>
        {isPending && !settlement.waiting && (
          <span class="muted small row-note">{to === undefined ? t().groups.awaitsYou : t().groups.awaitsThem}</span>
        )}
        {settlement.loanId !== undefined && <span class="muted small row-note">{t().loans.repaysLoan}</span>}
        <WaitingMark waiting={settlement.waiting} />
      </span>
      <span class="amount">{money(settlement.amount, view)}</span>
    </a>
  );
}

/** It moves no balance: the amount is what was lent, in no colour. */
function LoanRow({ loan, view }: { loan: LoanView; view: GroupView }) {
  return (
    <a class="list-row" href={`#/g/${view.id}/loans/${loan.id}`}>
      <span class="icon-tile" aria-hidden="true">
        <Icon name="settle" />
      </span>
      <span class="grow">
        <span class="two-lines">{lentWords(view, loan)}</span>
        <span class="muted small row-note">
          {t().loans.loan} · {dueWords(loan, todayIn(view))}
        </span>
        <WaitingMark waiting={loan.waiting} />
      </span>
      <span class="amount">{money(loan.principal, view)}</span>
    </a>
  );
}
