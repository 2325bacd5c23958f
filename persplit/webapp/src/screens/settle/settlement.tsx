/** One payment: how it stands, who has to do what next, and how it came about. */

import type { ScreenProps } from "../../app.tsx";
import type { GroupView, SettlementView } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import { Amount, Avatar, formatMoment, WaitingMark } from "../../ui/content.tsx";
import { Button, ButtonLink } from "../../ui/controls.tsx";
import { Icon, type IconName } from "../../ui/icons.tsx";
import { NotFound, Page, SectionTitle } from "../../ui/layout.tsx";
import { useFetched } from "../../ui/fetched.tsx";
import type { RestSchemas } from "../../wire/types.ts";
import { nameOf, WithGroup } from "../group_frame.tsx";
import { tellEvent } from "../insight/telling.ts";
import { tellingOf } from "../insight/telling_of.ts";
import { RepaidLoan } from "../loans/repaid_loan.tsx";
import { cancel, confirm, decline } from "./actions.ts";
import { fullName } from "./party.ts";
import { canAnswer, canCancel } from "./plan.ts";

const ICONS: Readonly<Record<SettlementView["status"], IconName>> = {
  PENDING: "waiting",
  COMPLETED: "check",
  DECLINED: "warning",
  CANCELLED: "close",
};

export function SettlementDetail({ params }: ScreenProps) {
  const { groupId = "", settlementId = "" } = params;
  return (
    <WithGroup groupId={groupId}>
      {(view) => {
        const payment = view.settlements.find(({ id }) => id === settlementId);
        return payment ? <Detail view={view} payment={payment} /> : <NotFound backTo={`/g/${groupId}/balances`} />;
      }}
    </WithGroup>
  );
}

function Detail({ view, payment }: { view: GroupView; payment: SettlementView }) {
  const { fromUserId, toUserId, amount, note, utr, status } = payment;
  const [from, to] = [nameOf(view, fromUserId), nameOf(view, toUserId)];
  return (
    <Page title={t().settle.paymentTitle} backTo={`/g/${view.id}/balances`}>
      <div class="card stack center">
        <p class="row-tight center-row">
          <Avatar id={fromUserId} name={fullName(view, fromUserId)} />
          <Icon name="forward" />
          <Avatar id={toUserId} name={fullName(view, toUserId)} />
        </p>
        <Amount minor={amount} currency={view.group.currency} isLarge />
        <p>{t().settle.fromTo(from, to)}</p>
        <p class="state" data-status={status} role="status">
          <Icon name={ICONS[status]} size={20} />
          {t().settle.status[status]}
        </p>
        <p class="muted">{nextStep(view, payment)}</p>
        <p class="center-row row-tight">
          <WaitingMark waiting={payment.waiting} />
        </p>
        <Actions view={view} payment={payment} />
      </div>
      {(note !== null || utr !== null) && (
        <dl class="card facts">
          {note !== null && <Fact name={t().settle.note} value={note} />}
          {utr !== null && <Fact name={t().settle.utr} value={utr} />}
        </dl>
      )}
      {payment.loanId !== undefined && <RepaidLoan view={view} payment={payment} loanId={payment.loanId} />}
      <History view={view} payment={payment} />
    </Page>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div class="fact">
      <dt class="muted small">{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** Who has to do what. */
function nextStep(view: GroupView, payment: SettlementView): string {
  const { status, fromUserId, toUserId, loanId, repayment } = payment;
  const [from, to] = [nameOf(view, fromUserId), nameOf(view, toUserId)];
  const words = loanId === undefined || (status === "COMPLETED" && repayment === undefined) ? t().settle : t().loans;
  if (status === "COMPLETED") return words.nextCompleted;
  if (status === "CANCELLED") return t().settle.nextCancelled;
  if (status === "DECLINED") return fromUserId === view.me.userId ? t().settle.nextDeclinedMine(to) : t().settle.nextDeclined(from, to);
  if (canAnswer(view, payment)) return words.nextYours;
  return view.people.get(toUserId)?.placeholder ? t().settle.nextAdmin(to) : words.nextTheirs(to);
}

function Actions({ view, payment }: { view: GroupView; payment: SettlementView }) {
  const isToAnswer = canAnswer(view, payment);
  return (
    <div class="buttons center-row">
      {isToAnswer && (
        <>
          <Button icon="check" onClick={() => void confirm(view, payment)}>
            {t().settle.gotIt}
          </Button>
          <Button kind="quiet" onClick={() => void decline(view, payment)}>
            {t().settle.didNotGetIt}
          </Button>
        </>
      )}
      {canCancel(view, payment) && !(isToAnswer && payment.createdBy !== view.me.userId) && (
        <Button kind="quiet" icon="undo" onClick={() => void cancel(view, payment)}>
          {t().settle.cancel}
        </Button>
      )}
      {payment.status === "DECLINED" && payment.fromUserId === view.me.userId && (
        <ButtonLink href={`#/g/${view.id}/settle/${payment.fromUserId}/${payment.toUserId}`} icon="settle">
          {t().settle.payAgain}
        </ButtonLink>
      )}
    </div>
  );
}

/** How it was noted, and what its receiver, or who took it back, said. */
function History({ view, payment }: { view: GroupView; payment: SettlementView }) {
  const answered = useFetched<RestSchemas["Events"]>(answerOf(payment));
  const telling = tellingOf(view);
  const noted = tellEvent({ ...NOTED, ...payment, type: "settlement:created", at: payment.createdAt, by: payment.createdBy, settlement: payment }, telling);
  const answer = answered.value?.events.find(({ seq }) => seq === payment.seq);
  const steps = [
    { at: payment.createdAt, text: noted },
    ...(payment.status === "PENDING"
      ? []
      : [{ at: payment.updatedAt, text: answer ? tellEvent(answer, telling) : t().settle.status[payment.status] }]),
  ];
  return (
    <>
      <SectionTitle>{t().settle.history}</SectionTitle>
      <ol class="card card-flush">
        {steps.map(({ at, text }) => (
          <li class="list-row" key={at}>
            <span class="grow">
              {text}
              <span class="muted small block">{formatMoment(at)}</span>
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}

/** What an event has that a sentence doesn't tell. */
const NOTED = { commandId: "", v: 1 } as const;

/** Where the server has the event of its present version; who did that isn't in the payment itself. */
function answerOf({ groupId, seq, status, waiting }: SettlementView): string | undefined {
  return status === "PENDING" || waiting ? undefined : `/groups/${groupId}/events?after=${seq - 1}&limit=1`;
}
