/** Groups for the tests of screens: as small as they can be. */

import type { GroupView, SettlementView } from "../../src/data/model.ts";
import type { Expense, Member } from "../../src/wire/types.ts";

const AT = "2026-11-01T10:00:00.000Z";

export function member(userId: string, more: Partial<Member> = {}): Member {
  return {
    userId,
    name: userId.charAt(0).toUpperCase() + userId.slice(1),
    role: "MEMBER",
    placeholder: false,
    joinedAt: AT,
    leftAt: null,
    claimed: null,
    unit: null,
    blocked: false,
    ...more,
  };
}

/** A group of these people, seen by the first of them. */
export function groupOf(people: readonly Member[], more: Partial<GroupView> = {}): GroupView {
  const [me] = people;
  if (!me) throw new Error("a group has somebody in it");
  return {
    id: "goa",
    seq: 10,
    group: {
      id: "goa",
      seq: 10,
      name: "Goa",
      description: null,
      currency: "INR",
      simplify: true,
      hasPassword: false,
      archivedAt: null,
      timeZone: "Asia/Kolkata",
      kind: "GROUP",
      createdBy: me.userId,
      createdAt: AT,
      updatedAt: AT,
      members: [...people],
    },
    members: people.filter(({ leftAt }) => leftAt === null),
    people: new Map(people.map((one) => [one.userId, one])),
    me,
    balances: [],
    myBalance: 0,
    settleUp: [],
    isPlanStale: false,
    expenses: [],
    deletedExpenses: [],
    settlements: [],
    loans: [],
    presets: [],
    recurrences: [],
    waitingCount: 0,
    ...more,
  };
}

export function row(from: string, to: string, amount: number, upiLink: string | null = null) {
  return { from, to, amount, upiLink, qrUrl: null };
}

export function settlement(fromUserId: string, toUserId: string, amount: number, more: Partial<SettlementView> = {}): SettlementView {
  return {
    id: `${fromUserId}-${toUserId}-${amount}`,
    groupId: "goa",
    seq: 5,
    fromUserId,
    toUserId,
    amount,
    note: null,
    utr: null,
    status: "PENDING",
    createdBy: fromUserId,
    createdAt: AT,
    updatedAt: AT,
    ...more,
  };
}

/** Paid by one, shared as told. */
export function expense(paidBy: Expense["paidBy"], amount: number, shares: Readonly<Record<string, number>>, more: Partial<Expense> = {}): Expense {
  return {
    id: `e${amount}`,
    groupId: "goa",
    seq: 3,
    description: "Dinner",
    amount,
    paidBy,
    splitType: "EXACT",
    participants: Object.keys(shares),
    splits: [],
    items: [],
    includePayer: true,
    date: "2026-11-03",
    category: null,
    notes: null,
    shares: Object.entries(shares).map(([userId, share]) => ({ userId, amount: share })),
    createdBy: "asha",
    createdAt: AT,
    updatedAt: AT,
    deletedAt: null,
    ...more,
  };
}
