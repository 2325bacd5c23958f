/** Groups and what is in them, for tests: what a test doesn't say is plain. */

import type { ExpenseView, GroupView, LoanView, SettlementView } from "../../src/data/model.ts";
import type { Member } from "../../src/wire/types.ts";

const AT = "2026-11-20T10:00:00.000Z";

export function member(userId: string, told: Partial<Member> = {}): Member {
  return {
    userId,
    name: userId,
    role: "MEMBER",
    placeholder: false,
    joinedAt: AT,
    leftAt: null,
    claimed: null,
    unit: null,
    blocked: false,
    ...told,
  };
}

export function expense(told: Partial<ExpenseView> = {}): ExpenseView {
  return {
    id: "e",
    groupId: "g",
    seq: 1,
    description: "Dinner",
    amount: 100,
    paidBy: "me",
    splitType: "EQUAL",
    participants: ["me", "ravi"],
    splits: [],
    items: [],
    includePayer: true,
    date: "2026-11-20",
    category: null,
    notes: null,
    shares: [
      { userId: "me", amount: 50 },
      { userId: "ravi", amount: 50 },
    ],
    createdBy: "me",
    createdAt: AT,
    updatedAt: AT,
    deletedAt: null,
    ...told,
  };
}

export function settlement(told: Partial<SettlementView> = {}): SettlementView {
  return {
    id: "s",
    groupId: "g",
    seq: 1,
    fromUserId: "ravi",
    toUserId: "me",
    amount: 50,
    note: null,
    utr: null,
    status: "COMPLETED",
    createdBy: "ravi",
    createdAt: AT,
    updatedAt: AT,
    ...told,
  };
}

export function loan(told: Partial<LoanView> = {}): LoanView {
  return {
    id: "l",
    groupId: "g",
    seq: 1,
    lenderId: "me",
    borrowerId: "ravi",
    principal: 1_000,
    date: "2026-11-20",
    dueDate: null,
    interestRate: null,
    description: null,
    status: "OPEN",
    outstanding: 1_000,
    interestOwed: 0,
    interestParts: 0,
    interestPaid: 0,
    accruedThrough: "2026-11-20",
    createdBy: "me",
    createdAt: AT,
    updatedAt: AT,
    deletedAt: null,
    ...told,
  };
}

export function viewOf(told: Partial<GroupView> = {}): GroupView {
  const members = told.members ?? [member("me", { role: "ADMIN" })];
  return {
    id: "g",
    seq: 1,
    group: {
      id: "g",
      seq: 1,
      name: "Goa",
      description: null,
      currency: "INR",
      simplify: true,
      hasPassword: false,
      archivedAt: null,
      timeZone: "Asia/Kolkata",
      kind: "GROUP",
      createdBy: "me",
      createdAt: AT,
      updatedAt: AT,
      members: [...members],
    },
    members,
    people: new Map(members.map((one) => [one.userId, one])),
    me: members[0] ?? member("me"),
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
    ...told,
  };
}
