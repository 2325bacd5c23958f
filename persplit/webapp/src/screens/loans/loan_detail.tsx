/** One loan: what is owed of it today, what was paid back, and what can be done about it. */

import type { ScreenProps } from "../../app.tsx";
import type { GroupView, LoanView, SettlementView } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import { Amount, Avatar, formatDay, WaitingMark } from "../../ui/content.tsx";
import { Button, ButtonLink } from "../../ui/controls.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Banner, NotFound, Page, SectionTitle } from "../../ui/layout.tsx";
import { nameOf, WithGroup } from "../group_frame.tsx";
import { deleteLoan, restoreLoan } from "./actions.ts";
import { DueWords } from "./loan_rows.tsx";
import { canChange, dueOf, owedOn, repaymentsOf, restOf, sideOf, todayIn } from "./standing.ts";
import { inLocale, lentWords, money, rateWords, who } from "./words.ts";

export function LoanDetail({ params }: ScreenProps) {
  const { groupId = "", loanId = "" } = params;
  return (
    <WithGroup groupId={groupId}>
      {(view) => {
        const loan = view.loans.find(({ id }) => id === loanId);
        return loan ? <Detail view={view} loan={loan} /> : <NotFound backTo={`/g/${groupId}/loans`} />;
      }}
    </WithGroup>
  );
}

function Detail({ view, loan }: { view: GroupView; loan: LoanView }) {
  const today = todayIn(view);
  const isOpen = loan.status === "OPEN";
  return (
    <Page title={t().loans.loan} backTo={`/g/${view.id}/loans`} actions={isOpen && canChange(view, loan) ? <ChangeLink view={view} loan={loan} /> : null}>
      <Standing view={view} loan={loan} today={today} />
      <Head view={view} loan={loan} today={today} />
      <SectionTitle>{t().loans.repayments}</SectionTitle>
      <Repayments view={view} loan={loan} />
      <Facts view={view} loan={loan} />
      {loan.status !== "DELETED" && canChange(view, loan) && (
        <Button kind="danger" icon="trash" isWide onClick={() => void deleteLoan(view, loan)}>
          {t().common.delete}
        </Button>
      )}
    </Page>
  );
}

function ChangeLink({ view, loan }: { view: GroupView; loan: LoanView }) {
  return (
    <a class="icon-button" href={`#/g/${view.id}/loans/${loan.id}/edit`} aria-label={t().loans.change} title={t().loans.change}>
      <Icon name="edit" />
    </a>
  );
}

/** What became of it, or that it is late. */
function Standing({ view, loan, today }: { view: GroupView; loan: LoanView; today: string }) {
  if (loan.status === "DELETED") {
    return (
      <Banner tone="warning" icon="trash">
        <p>{t().loans.deletedBanner}</p>
        {canChange(view, loan) && (
          <Button kind="quiet" icon="undo" onClick={() => void restoreLoan(view, loan.id)}>
            {t().loans.restore}
          </Button>
        )}
      </Banner>
    );
  }
  if (loan.status === "REPAID") return <Banner icon="check">{t().loans.repaidBanner}</Banner>;
  const due = dueOf(loan, today);
  return due.kind === "overdue" ? (
    <Banner tone="warning" icon="clock">
      {t().loans.overdueBy(due.days)}
    </Banner>
  ) : null;
}

function Head({ view, loan, today }: { view: GroupView; loan: LoanView; today: string }) {
  const { currency } = view.group;
  const isOpen = loan.status === "OPEN";
  const owed = owedOn(loan, today);
  return (
    <section class="card stack center" aria-label={t().loans.loan}>
      <p class="row-tight center-row">
        <Avatar id={loan.lenderId} name={who(view, loan.lenderId).name} />
        <Icon name="forward" />
        <Avatar id={loan.borrowerId} name={who(view, loan.borrowerId).name} />
      </p>
      <div>
        <p class="muted small">{isOpen ? toRepayWords(view, loan) : lentWords(view, loan)}</p>
        <Amount minor={isOpen ? owed.all : loan.principal} currency={currency} isLarge />
        {isOpen && (
          <p class="small">
            {lentWords(view, loan)} · <DueWords loan={loan} today={today} />
          </p>
        )}
      </div>
      {isOpen && loan.interestRate !== null && (
        <dl class="loan-sums">
          <Sum name={t().loans.principalLeft} minor={owed.principal} currency={currency} />
          <Sum name={t().loans.interestToday} minor={owed.interest} currency={currency} />
        </dl>
      )}
      <WaitingMark waiting={loan.waiting} />
      {isOpen && canChange(view, loan) && <RepayLink view={view} loan={loan} />}
    </section>
  );
}

function toRepayWords(view: GroupView, loan: LoanView): string {
  const side = sideOf(loan, view.me.userId);
  return side === "lender" ? t().loans.toPayYou : side === "borrower" ? t().loans.toPay : t().loans.toPayThem;
}

function Sum({ name, minor, currency }: { name: string; minor: number; currency: string }) {
  return (
    <>
      <dt class="muted">{name}</dt>
      <dd>
        <Amount minor={minor} currency={currency} />
      </dd>
    </>
  );
}

function RepayLink({ view, loan }: { view: GroupView; loan: LoanView }) {
  const side = sideOf(loan, view.me.userId);
  const words = side === "lender" ? t().loans.gotBack : side === "borrower" ? t().loans.repay : t().loans.theyRepay(who(view, loan.borrowerId));
  return (
    <ButtonLink href={`#/g/${view.id}/loans/${loan.id}/repay`} icon={side === "lender" ? "check" : "settle"} isWide>
      {words}
    </ButtonLink>
  );
}

function Repayments({ view, loan }: { view: GroupView; loan: LoanView }) {
  const repayments = repaymentsOf(view, loan.id);
  if (repayments.length === 0) return <p class="muted">{t().loans.noRepayments}</p>;
  return (
    <ul class="card card-flush">
      {repayments.map((payment) => (
        <li key={payment.id}>
          <a class="list-row" href={`#/g/${view.id}/s/${payment.id}`}>
            <Icon name={payment.status === "PENDING" ? "waiting" : "check"} />
            <span class="grow">
              {formatDay(payment.paidOn ?? payment.createdAt.slice(0, 10))}
              <span class="muted small block">{repaidWords(view, payment)}</span>
              <WaitingMark waiting={payment.waiting} />
            </span>
            <Amount minor={payment.amount} currency={view.group.currency} />
          </a>
        </li>
      ))}
    </ul>
  );
}

function repaidWords(view: GroupView, payment: SettlementView): string {
  const { repayment, toUserId } = payment;
  if (payment.status === "PENDING") return toUserId === view.me.userId ? t().settle.waitsForYourWord : t().settle.waitsFor(nameOf(view, toUserId));
  if (repayment === undefined) return t().loans.andBalance(money(view, payment.amount));
  const { interest, principal } = repayment;
  const parts = interest === 0 ? t().loans.ofItPrincipal(money(view, principal)) : t().loans.ofIt(money(view, interest), money(view, principal));
  const rest = restOf(payment);
  return rest === 0 ? parts : `${parts} · ${t().loans.andBalance(money(view, rest))}`;
}

function Facts({ view, loan }: { view: GroupView; loan: LoanView }) {
  return (
    <div class="card loan-facts">
      <dl class="loan-facts">
        <Fact name={t().loans.lentFirst} value={`${money(view, loan.principal)} · ${formatDay(loan.date)}`} />
        <Fact name={t().loans.dueDay} value={loan.dueDate === null ? t().loans.noDueDay : formatDay(loan.dueDate)} />
        <Fact
          name={t().loans.interestPart}
          value={rateWords(loan)}
          hint={loan.interestRate === null ? undefined : t().loans.rule(inLocale(loan.interestRate))}
        />
        {loan.interestPaid > 0 && <Fact name={t().loans.interestPaid} value={money(view, loan.interestPaid)} />}
        {loan.description && <Fact name={t().loans.note} value={loan.description} />}
      </dl>
      <p class="muted small">{t().loans.notedBy(who(view, loan.createdBy), formatDay(loan.createdAt.slice(0, 10)))}</p>
    </div>
  );
}

function Fact({ name, value, hint }: { name: string; value: string; hint?: string | undefined }) {
  return (
    <div>
      <dt class="muted small">{name}</dt>
      <dd>{value}</dd>
      {hint && <dd class="muted small">{hint}</dd>}
    </div>
  );
}
