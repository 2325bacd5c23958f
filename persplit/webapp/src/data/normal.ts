/** What the wire leaves out where it is as usual, put in: so the shapes are what their types say. */

import type { Expense, GroupSettings, LedgerEvent, Member } from "../ledger/shapes.ts";

export const normalExpense = (expense: Expense): Expense => ({ ...expense, kind: expense.kind ?? "EXPENSE" });

export const normalMember = (member: Member): Member => ({ ...member, weight: member.weight ?? 1 });

const normalSettings = (settings: GroupSettings): GroupSettings => ({
  ...settings,
  timeZone: settings.timeZone ?? "UTC",
  kind: settings.kind ?? "GROUP",
});

export function normalEvent(event: LedgerEvent): LedgerEvent {
  if ("expense" in event) {
    const expense = normalExpense(event.expense);
    return "before" in event && event.before != null
      ? { ...event, expense, before: normalExpense(event.before) }
      : { ...event, expense };
  }
  if (event.type.startsWith("member:") && "member" in event) {
    return { ...event, member: normalMember(event.member as Member) } as LedgerEvent;
  }
  if ("group" in event) {
    const group = normalSettings(event.group);
    return event.member == null ? { ...event, group } : { ...event, group, member: normalMember(event.member) };
  }
  return event;
}
