/** Why one pays the other: both people's debts, and the expenses and payments behind each. */

import type { ScreenProps } from "../../app.tsx";
import type { GroupView } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import { Amount, formatDay } from "../../ui/content.tsx";
import { ButtonLink } from "../../ui/controls.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Banner, NotFound, Page, SectionTitle } from "../../ui/layout.tsx";
import { Fetched, useFetched } from "../../ui/fetched.tsx";
import type { RestSchemas } from "../../wire/types.ts";
import { nameOf, WithGroup } from "../group_frame.tsx";
import { partyName } from "./party.ts";
import { canRecord, isSameParty, paymentBetween } from "./plan.ts";

type Explanation = RestSchemas["Explanation"];
type Debt = Explanation["debts"][number];
type Cause = Debt["causes"][number];

export function Explain({ params }: ScreenProps) {
  const { groupId = "", fromId = "", toId = "" } = params;
  return (
    <WithGroup groupId={groupId}>
      {(view) =>
        view.people.has(fromId) && view.people.has(toId) ? (
          <Why view={view} from={fromId} to={toId} />
        ) : (
          <NotFound backTo={`/g/${groupId}/balances`} />
        )
      }
    </WithGroup>
  );
}

function Why({ view, from, to }: { view: GroupView; from: string; to: string }) {
  const explanation = useFetched<Explanation>(
    `/groups/${view.id}/explain?from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`,
    String(view.seq),
  );
  const planned = paymentBetween(view, from, to);
  const isMe = from === view.me.userId;
  return (
    <Page title={t().settle.whyTitle} backTo={`/g/${view.id}/balances`}>
      {planned && (
        <div class="card stack-small center">
          <p>{isMe ? t().settle.youPay(partyName(view, to)) : t().settle.pays(partyName(view, from), partyName(view, to))}</p>
          <Amount minor={planned.amount} currency={view.group.currency} isLarge />
        </div>
      )}
      <Fetched found={explanation} lines={6}>
        {(value) => <Reasons view={view} from={from} to={to} debts={value.debts} />}
      </Fetched>
      {canRecord(view, from, to) && (
        <ButtonLink href={`#/g/${view.id}/settle/${from}/${to}`} icon="settle" isWide>
          {isMe ? t().settle.pay : t().settle.recordPayment}
        </ButtonLink>
      )}
    </Page>
  );
}

/** The payer's debts, then the receiver's. A debt between the two stands under the payer alone. */
function Reasons({ view, from, to, debts }: { view: GroupView; from: string; to: string; debts: readonly Debt[] }) {
  const ofPayer = debts.filter((debt) => isSameParty(view, debt.from, from) || isSameParty(view, debt.to, from));
  const ofReceiver = debts.filter((debt) => !ofPayer.includes(debt));
  const isDirect = ofPayer.some((debt) => debt.to === to && debt.from === from) && debts.length === 1;
  return (
    <>
      {!isDirect && <Banner>{t().settle.howPlanWorks}</Banner>}
      <Side view={view} person={from} debts={ofPayer} />
      <Side view={view} person={to} debts={ofReceiver} />
    </>
  );
}

function Side({ view, person, debts }: { view: GroupView; person: string; debts: readonly Debt[] }) {
  if (debts.length === 0) return null;
  return (
    <>
      <SectionTitle>{t().settle.debtsOf(partyName(view, person), person === view.me.userId)}</SectionTitle>
      {debts.map((debt) => (
        <details class="card card-flush" key={debt.from + debt.to} open={debts.length === 1}>
          <summary class="list-row">
            <span class="grow">{t().settle.owes(nameOf(view, debt.from), nameOf(view, debt.to), debt.from === view.me.userId)}</span>
            <Amount minor={debt.amount} currency={view.group.currency} />
            <span class="chevron">
              <Icon name="forward" size={18} />
            </span>
          </summary>
          <ul>
            {debt.causes.map((cause) => (
              <li key={cause.kind + cause.id}>
                <CauseRow view={view} cause={cause} />
              </li>
            ))}
          </ul>
        </details>
      ))}
    </>
  );
}

function CauseRow({ view, cause }: { view: GroupView; cause: Cause }) {
  const content = (
    <>
      <span class="grow">
        {cause.kind === "handover" ? t().settle.handover : cause.description}
        <span class="muted small block">
          {cause.kind === "settlement" && `${t().settle.payment} · `}
          {formatDay(cause.date)}
        </span>
      </span>
      <Amount minor={cause.amount} currency={view.group.currency} />
    </>
  );
  if (cause.kind === "handover") return <div class="list-row cause">{content}</div>;
  return (
    <a class="list-row cause" href={`#/g/${view.id}/${cause.kind === "expense" ? "e" : "s"}/${cause.id}`}>
      {content}
    </a>
  );
}
