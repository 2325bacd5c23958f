/** Loans in a list: between whom, when they are due, and what repays them today. */

import type { GroupView, LoanView } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import { Amount, Avatar, WaitingMark } from "../../ui/content.tsx";
import { SectionTitle } from "../../ui/layout.tsx";
import { dueOf, mineFirst, owedOn, sideOf, todayIn } from "./standing.ts";
import { dueWords, lentWords, rateWords } from "./words.ts";

export function LoanRows({ view, loans, label }: { view: GroupView; loans: readonly LoanView[]; label: string }) {
  const today = todayIn(view);
  return (
    <ul class="card card-flush" aria-label={label}>
      {loans.map((loan) => (
        <li key={loan.id}>
          <LoanRow view={view} loan={loan} today={today} />
        </li>
      ))}
    </ul>
  );
}

function LoanRow({ view, loan, today }: { view: GroupView; loan: LoanView; today: string }) {
  const side = sideOf(loan, view.me.userId);
  const otherId = side === "lender" ? loan.borrowerId : loan.lenderId;
  const isOpen = loan.status === "OPEN";
  return (
    <a class="list-row" href={`#/g/${view.id}/loans/${loan.id}`}>
      <Avatar id={otherId} name={view.people.get(otherId)?.name ?? "?"} />
      <span class="grow">
        <span class="strong two-lines">{lentWords(view, loan)}</span>
        {loan.description && <span class="small block one-line">{loan.description}</span>}
        <span class="muted small block">
          <DueWords loan={loan} today={today} />
          {loan.interestRate !== null && isOpen && ` · ${rateWords(loan)}`}
        </span>
        <WaitingMark waiting={loan.waiting} />
      </span>
      {isOpen ? (
        <Amount minor={signed(owedOn(loan, today).all, side)} currency={view.group.currency} isSigned={side !== "other"} />
      ) : (
        <span class="muted">
          <Amount minor={loan.principal} currency={view.group.currency} />
        </span>
      )}
    </a>
  );
}

/** What comes to me is more than nothing, what I have to pay less. */
function signed(amount: number, side: "lender" | "borrower" | "other"): number {
  return side === "borrower" ? -amount : amount;
}

/** When it is due, in the colour of how soon that is. */
export function DueWords({ loan, today }: { loan: LoanView; today: string }) {
  return (
    <span class="due" data-due={loan.status === "OPEN" ? dueOf(loan, today).kind : undefined}>
      {dueWords(loan, today)}
    </span>
  );
}

/** Whether a group has loans, or somebody could make one. */
export function hasLoans({ loans, members, group }: GroupView): boolean {
  return loans.length > 0 || (members.length > 1 && group.archivedAt === null);
}

/** Under a group's balances: its open loans, and the way to all of them. */
export function LoansOfGroup({ view }: { view: GroupView }) {
  const open = view.loans.filter(({ status }) => status === "OPEN");
  const place = `#/g/${view.id}/loans`;
  if (open.length === 0) {
    return (
      <p class="center">
        <a href={place}>{t().loans.title}</a>
      </p>
    );
  }
  return (
    <>
      <SectionTitle action={<a href={place}>{t().loans.all}</a>}>{t().loans.title}</SectionTitle>
      <LoanRows view={view} loans={mineFirst(open, view.me.userId)} label={t().loans.title} />
    </>
  );
}
