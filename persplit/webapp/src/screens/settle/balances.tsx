/** Where everybody stands, who pays whom, and what waits for my word. */

import { useState } from "preact/hooks";
import type { ScreenProps } from "../../app.tsx";
import type { GroupView, SettlementView } from "../../data/model.ts";
import { plural, t } from "../../text/index.ts";
import { BalanceBars } from "../../ui/balance_bars.tsx";
import { Amount, Avatar, formatMoment, WaitingMark } from "../../ui/content.tsx";
import { Button, ButtonLink } from "../../ui/controls.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Banner, Empty, Page, SectionTitle } from "../../ui/layout.tsx";
import { Fetched, useFetched, type FetchedState } from "../../ui/fetched.tsx";
import type { RestSchemas } from "../../wire/types.ts";
import { GroupTabs, nameOf, WithGroup } from "../group_frame.tsx";
import { hasLoans, LoansOfGroup } from "../loans/loan_rows.tsx";
import { canRemind, confirm, decline, remind } from "./actions.ts";
import { fullName, partyName } from "./party.ts";
import { awaitingMe, awaitingOthers, planOf, positionsOf, unitOf, type Payment } from "./plan.ts";

type Standing = RestSchemas["Balances"];

export function Balances({ params }: ScreenProps) {
  return <WithGroup groupId={params["groupId"] ?? ""}>{(view) => <Standing view={view} />}</WithGroup>;
}

function Standing({ view }: { view: GroupView }) {
  const standing = useFetched<Standing>(`/groups/${view.id}/balances`, String(view.seq));
  return (
    <Page title={view.group.name} backTo="/">
      <GroupTabs groupId={view.id} current="balances" />
      <AwaitingMe view={view} />
      <WhoPays view={view} standing={standing.value} />
      <SectionTitle>{t().settle.everybody}</SectionTitle>
      <BalanceBars bars={barsOf(view)} currency={view.group.currency} label={t().settle.everybody} />
      <AwaitingOthers view={view} />
      {hasLoans(view) && <LoansOfGroup view={view} />}
      {view.group.simplify && view.settleUp.length > 0 && <Debts view={view} standing={standing} />}
    </Page>
  );
}

/** A unit under its name, with its people below. */
function barsOf(view: GroupView) {
  return positionsOf(view, view.balances).map(({ id, members, amount }) => ({
    id,
    name: members.length > 1 ? (members[0]?.unit ?? "") : nameOf(view, id),
    fullName: members.length > 1 ? (members[0]?.unit ?? "") : fullName(view, id),
    note: members.length > 1 ? members.map(({ userId }) => nameOf(view, userId)).join(", ") : undefined,
    amount,
  }));
}

// --- what waits

function AwaitingMe({ view }: { view: GroupView }) {
  const payments = awaitingMe(view);
  if (payments.length === 0) return null;
  return (
    <section class="stack" aria-label={t().settle.awaitingYou}>
      <SectionTitle>{t().settle.awaitingYou}</SectionTitle>
      {payments.map((payment) => (
        <Question key={payment.id} view={view} payment={payment} />
      ))}
    </section>
  );
}

/** Did it arrive? */
function Question({ view, payment }: { view: GroupView; payment: SettlementView }) {
  const { fromUserId, toUserId, amount, note, utr, createdAt } = payment;
  const from = nameOf(view, fromUserId);
  const isForMe = toUserId === view.me.userId;
  return (
    <div class="card stack-small question">
      <a class="row top-row plain-link" href={`#/g/${view.id}/s/${payment.id}`}>
        <Avatar id={fromUserId} name={fullName(view, fromUserId)} />
        <span class="grow">
          <span class="strong block">{isForMe ? t().settle.saysPaidYou(from) : t().settle.saysPaid(from, nameOf(view, toUserId))}</span>
          <span class="big-amount block">
            <Amount minor={amount} currency={view.group.currency} />
          </span>
          <span class="muted small block">{[formatMoment(createdAt), note, utr && t().settle.utrIs(utr)].filter(Boolean).join(" · ")}</span>
        </span>
      </a>
      <WaitingMark waiting={payment.waiting} />
      <div class="buttons">
        <Button icon="check" onClick={() => void confirm(view, payment)}>
          {t().settle.gotIt}
        </Button>
        <Button kind="quiet" onClick={() => void decline(view, payment)}>
          {t().settle.didNotGetIt}
        </Button>
      </div>
    </div>
  );
}

function AwaitingOthers({ view }: { view: GroupView }) {
  const payments = awaitingOthers(view);
  if (payments.length === 0) return null;
  return (
    <>
      <SectionTitle>{t().settle.awaitingOthers}</SectionTitle>
      <ul class="card card-flush">
        {payments.map((payment) => (
          <li key={payment.id}>
            <a class="list-row" href={`#/g/${view.id}/s/${payment.id}`}>
              <Icon name="waiting" />
              <span class="grow">
                {t().settle.waitsFor(nameOf(view, payment.toUserId))}
                <span class="muted small block">{formatMoment(payment.createdAt)}</span>
                <WaitingMark waiting={payment.waiting} />
              </span>
              <Amount minor={payment.amount} currency={view.group.currency} />
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}

// --- who pays whom

function WhoPays({ view, standing }: { view: GroupView; standing: Standing | undefined }) {
  const { mine, toMe, others } = planOf(view);
  const count = view.settleUp.length;
  if (count === 0 && !view.isPlanStale) {
    return <Empty icon="check" title={t().settle.allSettled} hint={t().settle.allSettledHint} />;
  }
  const debts = standing?.seq === view.seq && view.group.simplify ? standing.debts.length : 0;
  return (
    <section class="stack" aria-label={t().settle.whoPaysWhom}>
      <SectionTitle>{t().settle.whoPaysWhom}</SectionTitle>
      {view.isPlanStale && <Banner icon="waiting">{t().settle.planIsStale}</Banner>}
      {mine.map((row) => (
        <PaymentCard key={row.to} view={view} row={row} isMine />
      ))}
      {toMe.map((row) => (
        <PaymentCard key={row.from} view={view} row={row} isMine={false} />
      ))}
      {count > 0 && mine.length + toMe.length === 0 && <p class="muted">{t().settle.nothingForYou}</p>}
      {others.length > 0 && <OtherPayments view={view} rows={others} />}
      {debts > count && (
        <p class="muted small">
          {plural(count, { one: t().settle.insteadOfOne(debts), other: t().settle.insteadOf(count, debts) })}
        </p>
      )}
    </section>
  );
}

function PaymentCard({ view, row, isMine }: { view: GroupView; row: Payment; isMine: boolean }) {
  const other = isMine ? row.to : row.from;
  const name = partyName(view, other);
  const speaker = nameOf(view, other);
  const place = `#/g/${view.id}/settle/${row.from}/${row.to}`;
  return (
    <div class="card stack-small">
      <div class="row top-row">
        <Avatar id={other} name={name} />
        <div class="grow">
          <p class="strong">{isMine ? t().settle.youPay(name) : t().settle.paysYou(name)}</p>
          {isMine && unitOf(view, row.from).length > 1 && <p class="muted small">{t().settle.forUnit(view.me.unit ?? "")}</p>}
          {name !== speaker && <p class="muted small">{isMine ? t().settle.toSpeaker(speaker) : t().settle.fromSpeaker(speaker)}</p>}
          <p class="row-wrap spread">
            <span class="big-amount">
              <Amount minor={isMine ? -row.amount : row.amount} currency={view.group.currency} isSigned />
            </span>
            <a class="small" href={`#/g/${view.id}/explain/${row.from}/${row.to}`}>
              {t().settle.why}
            </a>
          </p>
        </div>
      </div>
      {row.waiting > 0 && (
        <p class="muted small row-tight">
          <Icon name="waiting" size={16} />
          <span>
            <Amount minor={row.waiting} currency={view.group.currency} /> {isMine ? t().settle.waitsForWord(speaker) : t().settle.waitsForYourWord}
          </span>
        </p>
      )}
      <div class="buttons">
        <ButtonLink href={place} icon={isMine ? "settle" : "qr"} kind={isMine && row.waiting < row.amount ? "main" : "quiet"}>
          {isMine ? t().settle.pay : t().settle.getPaid}
        </ButtonLink>
        {!isMine && canRemind(view, other) && (
          <Button kind="quiet" icon="bell" onClick={() => void remind(view, row.from)}>
            {t().settle.remind}
          </Button>
        )}
      </div>
    </div>
  );
}

function OtherPayments({ view, rows }: { view: GroupView; rows: readonly Payment[] }) {
  return (
    <ul class="card card-flush" aria-label={t().settle.otherPayments}>
      {rows.map(({ from, to, amount }) => (
        <li key={from + to}>
          <a class="list-row" href={`#/g/${view.id}/explain/${from}/${to}`}>
            <span class="grow">{t().settle.pays(partyName(view, from), partyName(view, to))}</span>
            <Amount minor={amount} currency={view.group.currency} />
            <Icon name="forward" size={18} />
          </a>
        </li>
      ))}
    </ul>
  );
}

// --- the debts behind it, on demand

function Debts({ view, standing }: { view: GroupView; standing: FetchedState<Standing> }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <section class="stack">
      <button class="button button-wide" data-kind="plain" type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? t().settle.hideDebts : t().settle.showDebts}
      </button>
      {isOpen && (
        <Fetched found={standing}>
          {({ debts }) => (
            <ul class="card card-flush" aria-label={t().settle.debts}>
              {debts.map(({ from, to, amount }) => (
                <li class="list-row" key={from + to}>
                  <span class="grow">{t().settle.owes(nameOf(view, from), nameOf(view, to), from === view.me.userId)}</span>
                  <Amount minor={amount} currency={view.group.currency} />
                </li>
              ))}
            </ul>
          )}
        </Fetched>
      )}
    </section>
  );
}
