/** One payment between two people: how to make it, and "I have paid". PerSplit never touches the money. */

import { useRef, useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import type { ScreenProps } from "../../app.tsx";
import type { GroupView } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { formatMoney, parseMoney, plainMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import { useAction } from "../../ui/action.ts";
import { Amount, Avatar, Qr } from "../../ui/content.tsx";
import { Button, ButtonLink, CopyButton, copyText, TextField } from "../../ui/controls.tsx";
import { focusFirstError } from "../../ui/form.tsx";
import { Banner, NotFound, Page } from "../../ui/layout.tsx";
import { nameOf, WithGroup } from "../group_frame.tsx";
import { fullName } from "./party.ts";
import { canRemind, recordPayment, recordReceived, remind } from "./actions.ts";
import { amountLeft, canRecord, linkTo, paymentBetween, type Payment } from "./plan.ts";
import { payeeOf, paymentsNeeded, PAYMENT_LIMIT_PAISE, PICTURE_LIMIT_PAISE, utrOf, withAmount } from "./upi.ts";

/** Who looks at it. */
type Side = "payer" | "payee" | "other";

export function Pay({ params }: ScreenProps) {
  const { groupId = "", fromId = "", toId = "" } = params;
  return (
    <WithGroup groupId={groupId}>
      {(view) =>
        view.people.has(fromId) && view.people.has(toId) && fromId !== toId ? (
          <Paying key={fromId + toId} view={view} from={fromId} to={toId} />
        ) : (
          <NotFound backTo={`/g/${groupId}/balances`} />
        )
      }
    </WithGroup>
  );
}

function Paying({ view, from, to }: { view: GroupView; from: string; to: string }) {
  const planned = paymentBetween(view, from, to);
  const [typed, setTyped] = useState<string | undefined>(undefined);
  const { currency } = view.group;
  const text = typed ?? (planned ? plainMoney(amountLeft(planned), currency) : "");
  const parsed = parseMoney(text, currency);
  const minor = parsed.ok && parsed.minor > 0 ? parsed.minor : undefined;
  const problem = minor === undefined && typed !== undefined ? t().settle.amountProblem[parsed.ok ? "empty" : parsed.problem] : undefined;
  const side: Side = view.me.userId === from ? "payer" : view.me.userId === to ? "payee" : "other";
  return (
    <Page title={titleOf(view, side, from, to)} backTo={`/g/${view.id}/balances`}>
      {planned && planned.waiting > 0 && <Waiting view={view} planned={planned} side={side} to={to} />}
      <HowToPay view={view} side={side} from={from} to={to} minor={minor} onPart={setTyped} />
      <AmountField view={view} text={text} problem={problem} minor={minor} planned={planned} setTyped={setTyped} />
      {canRecord(view, from, to) && <Record view={view} side={side} from={from} to={to} minor={minor} onMissing={() => setTyped(text)} />}
    </Page>
  );
}

function titleOf(view: GroupView, side: Side, from: string, to: string): string {
  if (side === "payer") return t().settle.payTitle(nameOf(view, to));
  return side === "payee" ? t().settle.getPaidTitle(nameOf(view, from)) : t().settle.pays(nameOf(view, from), nameOf(view, to));
}

function Waiting({ view, planned, side, to }: { view: GroupView; planned: Payment; side: Side; to: string }) {
  const amount = formatMoney(planned.waiting, view.group.currency, locale.value);
  return (
    <Banner icon="waiting">
      {side === "payee" ? t().settle.alreadyWaitsForYou(amount) : t().settle.alreadyWaits(amount, nameOf(view, to))}{" "}
      <a href={`#/g/${view.id}/balances`}>{t().settle.seeIt}</a>
    </Banner>
  );
}

// --- how

interface Way {
  view: GroupView;
  side: Side;
  from: string;
  to: string;
  minor: number | undefined;
}

/** With a code to scan where there is one, else by what else is known. */
export function HowToPay({ onPart, ...way }: Way & { onPart: (text: string) => void }) {
  const { view, side, to, minor } = way;
  const { currency } = view.group;
  const link = linkTo(view, to);
  const head = (
    <div class="center stack-small">
      <p class="row-tight center-row">
        <Avatar id={to} name={fullName(view, to)} />
        <span class="strong big-name">{fullName(view, to)}</span>
      </p>
      {minor !== undefined && <Amount minor={minor} currency={currency} isLarge />}
    </div>
  );
  if (currency !== "INR" || link === null || minor === undefined) {
    return (
      <>
        <div class="card">{head}</div>
        {currency !== "INR" ? <Banner>{t().settle.noUpiForCurrency(currency)}</Banner> : link === null ? <NoUpiId {...way} /> : null}
      </>
    );
  }
  const payable = withAmount(link, minor);
  return (
    <>
      {minor > PAYMENT_LIMIT_PAISE && <OverLimit minor={minor} onPart={onPart} />}
      <section class="card stack" aria-label={t().settle.scanTitle}>
        {head}
        <Qr text={payable} label={t().settle.qrLabel(nameOf(view, to), formatMoney(minor, currency, locale.value))} />
        <p class="center muted small">{side === "payee" ? t().settle.letThemScan(nameOf(view, way.from)) : t().settle.scanFromHere}</p>
        {minor > PICTURE_LIMIT_PAISE && <Banner tone="warning" icon="warning">{t().settle.notAsPicture}</Banner>}
      </section>
      <ByHand {...way} link={payable} minor={minor} />
    </>
  );
}

/** UPI takes it in several payments only. */
function OverLimit({ minor, onPart }: { minor: number; onPart: (text: string) => void }) {
  return (
    <Banner tone="warning" icon="warning">
      <p>{t().settle.overLimit(paymentsNeeded(minor))}</p>
      <Button kind="plain" onClick={() => onPart(plainMoney(PAYMENT_LIMIT_PAISE, "INR"))}>
        {t().settle.payFirstPart}
      </Button>
    </Banner>
  );
}

/** Without a second phone: the id and the amount to paste, and the link, which apps may decline. */
function ByHand({ side, view, to, link, minor }: Way & { link: string; minor: number }) {
  const upiId = payeeOf(link);
  return (
    <section class="card stack" aria-label={t().settle.byHand}>
      <h2>{side === "payee" ? t().settle.sendThem : t().settle.byHand}</h2>
      <p class="row">
        <span class="grow">
          <span class="muted small block">{t().settle.upiId}</span>
          <span class="strong">{upiId}</span>
        </span>
      </p>
      <div class="buttons">
        <CopyButton text={upiId} label={t().settle.copyUpiId} />
        <CopyButton text={plainMoney(minor, "INR")} label={t().settle.copyAmount} />
      </div>
      {side !== "payee" && (
        <div class="stack-small">
          <a class="button button-wide" data-kind="plain" href={link}>
            {t().settle.openApp}
          </a>
          <p class="muted small">{t().settle.appMayDecline}</p>
          <p class="small">{t().settle.checkName(fullName(view, to))}</p>
        </div>
      )}
    </section>
  );
}

function NoUpiId({ view, side, to }: Way) {
  const name = nameOf(view, to);
  if (side === "payee") {
    return store.me.value?.vpa ? (
      <Banner>{t().settle.notInPlan}</Banner>
    ) : (
      <Banner>
        <p>{t().settle.youHaveNoUpiId}</p>
        <ButtonLink href="#/me" kind="plain">
          {t().settle.addUpiId}
        </ButtonLink>
      </Banner>
    );
  }
  const isPlaceholder = view.people.get(to)?.placeholder ?? false;
  return (
    <Banner>
      <p>{isPlaceholder ? t().settle.hasNoAccount(name) : t().settle.hasNoUpiId(name)}</p>
      {!isPlaceholder && (
        <Button kind="plain" icon="share" onClick={() => void askForUpiId()}>
          {t().settle.askForUpiId(name)}
        </Button>
      )}
    </Banner>
  );
}

/** By whatever the person's device sends messages with; copied where it has no such thing. */
async function askForUpiId(): Promise<void> {
  const text = `${t().settle.askText} ${location.origin}/#/me`;
  if (!("share" in navigator)) return copyText(text);
  try {
    await navigator.share({ text });
  } catch {
    // They thought better of it.
  }
}

// --- how much

function AmountField({ view, text, problem, minor, planned, setTyped }: {
  view: GroupView;
  text: string;
  problem: string | undefined;
  minor: number | undefined;
  planned: Payment | undefined;
  setTyped: (text: string) => void;
}) {
  const { currency } = view.group;
  const isMore = planned !== undefined && minor !== undefined && minor > planned.amount;
  const plannedText = planned && formatMoney(planned.amount, currency, locale.value);
  return (
    <TextField
      label={t().settle.amount}
      value={text}
      onInput={setTyped}
      inputMode="decimal"
      error={problem}
      hint={isMore ? t().settle.moreThanPlanned(plannedText ?? "") : plannedText && t().settle.planned(plannedText)}
    />
  );
}

// --- and then

/** What has to happen until it counts. */
function whoConfirms(view: GroupView, side: Side, to: string): string {
  const name = nameOf(view, to);
  if (side === "payee") return t().settle.thenCounts;
  if (!view.people.get(to)?.placeholder) return t().settle.thenConfirms(name);
  return view.me.role === "ADMIN" ? t().settle.thenYouConfirm(name) : t().settle.thenAdmin(name);
}

function Record({ view, side, from, to, minor, onMissing }: Way & { onMissing: () => void }) {
  const [, navigate] = useLocation();
  const [utr, setUtr] = useState("");
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const action = useAction();
  const element = useRef<HTMLFormElement>(null);
  const isUpi = view.group.currency === "INR" && linkTo(view, to) !== null;

  /** Once, however often somebody taps. */
  function record(isCash: boolean): void {
    const known = utrOf(utr);
    if (minor === undefined) return onMissing();
    if (!isCash && utr.trim() !== "" && known === undefined) {
      focusFirstError(element.current);
      return setProblem(t().settle.utrProblem);
    }
    const payment = { from, to, amount: minor, utr: isCash ? undefined : known, note: isCash ? t().settle.cashNote : undefined };
    action.run(async () => {
      const id = await (side === "payee" ? recordReceived(view, payment) : recordPayment(view, payment));
      if (id !== undefined) navigate(`/g/${view.id}/s/${id}`);
    });
  }

  return (
    <form
      ref={element}
      class="card stack"
      aria-label={t().settle.afterwards}
      onSubmit={(event) => {
        event.preventDefault();
        record(false);
      }}
    >
      <h2>{t().settle.afterwards}</h2>
      {side !== "payee" && isUpi && (
        <TextField
          label={`${t().settle.utr} (${t().common.optional})`}
          hint={t().settle.utrHint}
          value={utr}
          onInput={(text) => {
            setUtr(text);
            setProblem(undefined);
          }}
          inputMode="numeric"
          error={problem}
        />
      )}
      <div class="buttons">
        <Button icon="check" type="submit" isBusy={action.isBusy}>
          {side === "payer" ? t().settle.iHavePaid : side === "payee" ? t().settle.iGotIt : t().settle.theyHavePaid(nameOf(view, from))}
        </Button>
        <Button kind="quiet" isBusy={action.isBusy} onClick={() => record(true)}>
          {side === "payee" ? t().settle.gotCash : t().settle.inCash}
        </Button>
        {side === "payee" && canRemind(view, from) && (
          <Button kind="plain" icon="bell" onClick={() => void remind(view, from)}>
            {t().settle.remind}
          </Button>
        )}
      </div>
      <p class="muted small">{whoConfirms(view, side, to)}</p>
    </form>
  );
}
