/** What is done about payments, from whichever screen: written, said, and taken back where that makes sense. */

import { store } from "../../data/store.ts";
import { Failure, type GroupView } from "../../data/model.ts";
import { formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import { toast } from "../../ui/toasts.tsx";
import { failureText } from "../../ui/failures.ts";
import type { Settlement } from "../../wire/types.ts";
import { nameOf } from "../group_frame.tsx";

/** A payment to be recorded, minor units. */
export interface NewPayment {
  readonly from: string;
  readonly to: string;
  readonly amount: number;
  readonly note?: string | undefined;
  readonly utr?: string | undefined;
  /** What it repays, as of which day (YYYY-MM-DD). */
  readonly loan?: { readonly id: string; readonly paidOn: string } | undefined;
}

/** Records a payment: it waits for its receiver. Resolves to its id, or to nothing where it failed and was said. */
export async function recordPayment(view: GroupView, payment: NewPayment): Promise<string | undefined> {
  const id = await create(view, payment);
  if (id !== undefined) toast(t().settle.recorded(money(view, payment.amount)), () => void take(view, id));
  return id;
}

/** Records a payment that I got, and confirms it at once: balances move. */
export async function recordReceived(view: GroupView, payment: NewPayment): Promise<string | undefined> {
  const id = await create(view, payment);
  if (id === undefined) return undefined;
  const isDone = await saying(async () => void (await store.send("settlement:confirm", view.id, { settlementId: id })));
  if (isDone) toast(t().settle.received(money(view, payment.amount)));
  return id;
}

export async function confirm(view: GroupView, { id, amount }: Settlement): Promise<void> {
  const isDone = await saying(async () => void (await store.send("settlement:confirm", view.id, { settlementId: id })));
  if (isDone) toast(t().settle.received(money(view, amount)));
}

/** It did not arrive. That is final, so taking it back records the payment anew. */
export async function decline(view: GroupView, settlement: Settlement): Promise<void> {
  const isDone = await saying(async () => void (await store.send("settlement:decline", view.id, { settlementId: settlement.id })));
  if (isDone) toast(t().settle.declined(nameOf(view, settlement.fromUserId)), () => void again(view, settlement));
}

/** The payment was not made after all. Final, too. */
export async function cancel(view: GroupView, settlement: Settlement): Promise<void> {
  if (await take(view, settlement.id)) toast(t().settle.cancelled, () => void again(view, settlement));
}

/** Who has an account can be told. */
export function canRemind(view: GroupView, userId: string): boolean {
  return store.offers("sendReminder") && view.people.get(userId)?.placeholder === false;
}

/** Asks who owes. Only online: a reminder that arrives days later reminds of nothing. */
export async function remind(view: GroupView, toUserId: string): Promise<void> {
  const name = nameOf(view, toUserId);
  const isDone = await saying(async () => void (await store.sendNow("reminder:send", view.id, { toUserId })), {
    reminded_recently: t().settle.remindedRecently(name),
    nothing_owed: t().settle.nothingOwed(name),
  });
  if (isDone) toast(t().settle.reminded(name));
}

async function create(view: GroupView, { from, to, amount, note, utr, loan }: NewPayment): Promise<string | undefined> {
  let id: string | undefined;
  await saying(async () => {
    const repaying = loan ? { loanId: loan.id, paidOn: loan.paidOn } : {};
    const fields = { fromUserId: from, toUserId: to, amount, ...(note ? { note } : {}), ...(utr ? { utr } : {}), ...repaying };
    ({ id } = await store.send("settlement:create", view.id, fields));
  });
  return id;
}

function take(view: GroupView, settlementId: string): Promise<boolean> {
  return saying(async () => void (await store.send("settlement:cancel", view.id, { settlementId })));
}

async function again(view: GroupView, settlement: Settlement): Promise<void> {
  const { fromUserId, toUserId, amount, note, utr, loanId, paidOn } = settlement;
  const loan = loanId !== undefined && paidOn !== undefined ? { id: loanId, paidOn } : undefined;
  await create(view, { loan, from: fromUserId, to: toUserId, amount, note: note ?? undefined, utr: utr ?? undefined });
}

/** Does it, and says what went wrong, in our words for the codes that we know. */
async function saying(act: () => Promise<void>, words: Readonly<Record<string, string>> = {}): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    toast((error instanceof Failure ? words[error.code] : undefined) ?? failureText(error));
    return false;
  }
}

function money(view: GroupView, minor: number): string {
  return formatMoney(minor, view.group.currency, locale.value);
}
