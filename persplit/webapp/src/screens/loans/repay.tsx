/** Paying a loan back, all of it or a part: a payment that names the loan. PerSplit never touches the money. */

import { useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import type { ScreenProps } from "../../app.tsx";
import type { GroupView, LoanView } from "../../data/model.ts";
import { daysBetween, isDay } from "../../ledger/days.ts";
import { repaid } from "../../ledger/loan.ts";
import { parseMoney, plainMoney } from "../../ledger/money.ts";
import { t } from "../../text/index.ts";
import { Button, TextField } from "../../ui/controls.tsx";
import { Banner, NotFound, Page } from "../../ui/layout.tsx";
import { nameOf, WithGroup } from "../group_frame.tsx";
import { recordPayment, recordReceived } from "../settle/actions.ts";
import { HowToPay } from "../settle/pay.tsx";
import { linkTo } from "../settle/plan.ts";
import { canChange, owedOn, repaymentsOf, sideOf, todayIn } from "./standing.ts";
import { money, who } from "./words.ts";

export function Repay({ params }: ScreenProps) {
  const { groupId = "", loanId = "" } = params;
  return (
    <WithGroup groupId={groupId}>
      {(view) => {
        const loan = view.loans.find(({ id }) => id === loanId);
        const isPossible = loan?.status === "OPEN" && canChange(view, loan);
        return isPossible ? <Repaying view={view} loan={loan} /> : <NotFound backTo={`/g/${groupId}/loans`} />;
      }}
    </WithGroup>
  );
}

function Repaying({ view, loan }: { view: GroupView; loan: LoanView }) {
  const today = latestDay(view, loan);
  const [typed, setTyped] = useState<string | undefined>(undefined);
  const [paidOn, setPaidOn] = useState(today);
  const { currency } = view.group;
  const isPossible = isDay(paidOn) && paidOn >= loan.date && daysBetween(paidOn, today) >= 0;
  const day = isPossible ? paidOn : today;
  const text = typed ?? plainMoney(owedOn(loan, day).all, currency);
  const parsed = parseMoney(text, currency);
  const minor = parsed.ok && parsed.minor > 0 ? parsed.minor : undefined;
  const problem = minor === undefined ? t().settle.amountProblem[parsed.ok ? "empty" : parsed.problem] : undefined;
  const side = sideOf(loan, view.me.userId);
  const paySide = side === "lender" ? "payee" : side === "borrower" ? "payer" : "other";
  const { borrowerId: from, lenderId: to } = loan;
  return (
    <Page title={titleOf(view, loan)} backTo={`/g/${view.id}/loans/${loan.id}`}>
      <Waiting view={view} loan={loan} />
      {currency === "INR" && linkTo(view, to) !== null && (
        <HowToPay view={view} side={paySide} from={from} to={to} minor={minor} onPart={setTyped} />
      )}
      <div class="card stack">
        <TextField
          label={t().settle.amount}
          value={text}
          onInput={setTyped}
          inputMode="decimal"
          error={problem}
          hint={minor === undefined ? undefined : partsWords(view, loan, minor, day)}
          isLarge
        />
        <TextField
          label={t().loans.paidOn}
          type="date"
          value={paidOn}
          min={loan.date}
          max={today}
          onInput={setPaidOn}
          error={isPossible ? undefined : t().loans.paidOnFault}
        />
      </div>
      <Record view={view} loan={loan} amount={isPossible ? minor : undefined} paidOn={day} />
    </Page>
  );
}

/** Today; where the loan was noted further to the east, its day has begun there already. */
function latestDay(view: GroupView, { date }: LoanView): string {
  const today = todayIn(view);
  return date > today ? date : today;
}

function titleOf(view: GroupView, loan: LoanView): string {
  const isLender = sideOf(loan, view.me.userId) === "lender";
  return isLender ? t().loans.gotBackTitle(who(view, loan.borrowerId)) : t().loans.repayTitle(who(view, loan.lenderId));
}

/** What the amount does to the loan, by the same rule by which it will be booked. */
function partsWords(view: GroupView, loan: LoanView, amount: number, day: string): string {
  const { after, repayment } = repaid(loan, amount, day);
  const rest = amount - repayment.interest - repayment.principal;
  if (rest > 0) return t().loans.tooMuch(money(view, rest));
  if (after.outstanding === 0) return t().loans.allOfIt(money(view, amount));
  const left = money(view, after.outstanding);
  return repayment.interest > 0 ? t().loans.partOfIt(money(view, repayment.interest), left) : t().loans.partWithoutInterest(left);
}

/** Somebody says that they have paid already. */
function Waiting({ view, loan }: { view: GroupView; loan: LoanView }) {
  const waiting = repaymentsOf(view, loan.id).filter(({ status }) => status === "PENDING");
  const [first] = waiting;
  if (!first) return null;
  const amount = money(view, waiting.reduce((sum, one) => sum + one.amount, 0));
  const isMine = loan.lenderId === view.me.userId;
  return (
    <Banner icon="waiting">
      {isMine ? t().settle.alreadyWaitsForYou(amount) : t().settle.alreadyWaits(amount, nameOf(view, loan.lenderId))}{" "}
      <a href={`#/g/${view.id}/s/${first.id}`}>{t().settle.seeIt}</a>
    </Banner>
  );
}

function Record({ view, loan, amount, paidOn }: { view: GroupView; loan: LoanView; amount: number | undefined; paidOn: string }) {
  const [, navigate] = useLocation();
  const isReceived = loan.lenderId === view.me.userId;

  async function record(isCash: boolean): Promise<void> {
    if (amount === undefined) return;
    const note = isCash ? t().settle.cashNote : undefined;
    const payment = { from: loan.borrowerId, to: loan.lenderId, amount, note, loan: { id: loan.id, paidOn } };
    const id = await (isReceived ? recordReceived(view, payment) : recordPayment(view, payment));
    if (id !== undefined) navigate(`/g/${view.id}/loans/${loan.id}`, { replace: true });
  }

  return (
    <section class="card stack" aria-label={t().loans.howPaid}>
      <h2>{t().loans.howPaid}</h2>
      <div class="buttons">
        <Button icon="check" onClick={() => void record(false)}>
          {t().loans.byTransfer}
        </Button>
        <Button kind="quiet" onClick={() => void record(true)}>
          {t().settle.inCash}
        </Button>
      </div>
      <p class="muted small">{isReceived ? t().loans.thenCounts : t().loans.thenConfirms(who(view, loan.lenderId))}</p>
    </section>
  );
}
