/**
 * Who pays whom, from where I stand: my rows first, people who settle together as one, payments that wait counted in,
 * and what I may do about a payment.
 */

import type { GroupView, SettlementView } from "../../data/model.ts";
import type { Member, Posting } from "../../wire/types.ts";

export interface Payment {
  /** Who is to pay: I myself where it is my unit's turn. */
  readonly from: string;
  readonly to: string;
  /** Minor units, as planned. */
  readonly amount: number;
  /** Minor units of it that were paid already, so somebody says, and wait for the receiver's word. */
  readonly waiting: number;
  readonly upiLink: string | null;
}

export interface Plan {
  readonly mine: readonly Payment[];
  readonly toMe: readonly Payment[];
  readonly others: readonly Payment[];
}

/** The id under which somebody is in the group now: who took a placeholder over stands for it. */
export function canonical(view: GroupView, userId: string): string {
  for (const member of view.people.values()) if (member.claimed === userId) return member.userId;
  return userId;
}

/** Everybody who settles together with them, they included, in order of joining. */
export function unitOf(view: GroupView, userId: string): readonly Member[] {
  const unit = view.people.get(userId)?.unit ?? null;
  const members = unit === null ? [] : view.members.filter((member) => member.unit === unit);
  const alone = view.people.get(userId);
  return members.length > 1 ? members : alone ? [alone] : [];
}

/** Whether they are one person, or settle together. */
export function isSameParty(view: GroupView, one: string, other: string): boolean {
  return one === other || unitOf(view, one).some(({ userId }) => userId === other);
}

/** What waits for an answer of payments from one party to another, minor units. What repays a loan moves no balance. */
export function waitingBetween(view: GroupView, from: string, to: string): number {
  return view.settlements
    .filter(({ status, loanId }) => status === "PENDING" && loanId === undefined)
    .filter((it) => isSameParty(view, canonical(view, it.fromUserId), from) && isSameParty(view, canonical(view, it.toUserId), to))
    .reduce((sum, { amount }) => sum + amount, 0);
}

/** The plan, mine first. */
export function planOf(view: GroupView): Plan {
  const me = view.me.userId;
  const rows = view.settleUp.map(({ from, to, amount, upiLink }): Payment => ({
    from: isSameParty(view, from, me) ? me : from,
    to,
    amount,
    upiLink,
    waiting: waitingBetween(view, from, to),
  }));
  const mine = rows.filter(({ from }) => from === me);
  const toMe = rows.filter(({ to }) => isSameParty(view, to, me));
  return { mine, toMe, others: rows.filter((row) => !mine.includes(row) && !toMe.includes(row)) };
}

/** The plan's payment between two people or their units, if it has one. */
export function paymentBetween(view: GroupView, from: string, to: string): Payment | undefined {
  const { mine, toMe, others } = planOf(view);
  return [...mine, ...toMe, ...others].find((row) => isSameParty(view, row.from, from) && isSameParty(view, row.to, to));
}

/** What is left to pay of it; all of it where payments that wait already cover it. */
export function amountLeft({ amount, waiting }: Payment): number {
  return waiting < amount ? amount - waiting : amount;
}

/** A link that pays this person, for whatever amount: the plan's, or that of another row to them. */
export function linkTo(view: GroupView, to: string): string | null {
  return view.settleUp.find((row) => row.to === to && row.upiLink !== null)?.upiLink ?? null;
}

export interface Position {
  readonly id: string;
  readonly members: readonly Member[];
  /** Minor units; positive is owed to them. */
  readonly amount: number;
}

/** Net positions, a unit's people as one, in order of joining. */
export function positionsOf(view: GroupView, balances: readonly Posting[]): readonly Position[] {
  const byId = new Map(balances.map(({ userId, amount }) => [userId, amount]));
  const found = new Map<string, Position>();
  for (const member of [...view.people.values()].filter(({ userId }) => byId.has(userId))) {
    const unit = unitOf(view, member.userId);
    const id = unit[0]?.userId ?? member.userId;
    const before = found.get(id);
    const amount = (before?.amount ?? 0) + (byId.get(member.userId) ?? 0);
    found.set(id, { id, members: unit.filter(({ userId }) => byId.has(userId)), amount });
  }
  return [...found.values()];
}

/** Payments whose arrival I am asked about, oldest first. */
export function awaitingMe(view: GroupView): readonly SettlementView[] {
  return view.settlements.filter((it) => canAnswer(view, it)).reverse();
}

/** My own payments that wait for somebody else's word, oldest first. */
export function awaitingOthers(view: GroupView): readonly SettlementView[] {
  const me = view.me.userId;
  return view.settlements
    .filter((it) => it.status === "PENDING" && canonical(view, it.fromUserId) === me && !canAnswer(view, it))
    .reverse();
}

/** The receiver says whether it arrived; for a placeholder, who has no account, an admin. */
export function canAnswer(view: GroupView, { status, toUserId }: SettlementView): boolean {
  return status === "PENDING" && speaksFor(view, canonical(view, toUserId));
}

/** Who recorded it, or the payer, takes it back. */
export function canCancel(view: GroupView, { status, createdBy, fromUserId }: SettlementView): boolean {
  return status === "PENDING" && (createdBy === view.me.userId || speaksFor(view, canonical(view, fromUserId)));
}

/** The two people concerned record a payment, or an admin. */
export function canRecord(view: GroupView, from: string, to: string): boolean {
  return view.me.userId === from || view.me.userId === to || view.me.role === "ADMIN";
}

function speaksFor(view: GroupView, userId: string): boolean {
  const isPlaceholder = view.people.get(userId)?.placeholder ?? false;
  return userId === view.me.userId || (isPlaceholder && view.me.role === "ADMIN");
}
