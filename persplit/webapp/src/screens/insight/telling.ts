/** Events in words, and where they lead. */

import { t } from "../../text/index.ts";
import type { Who } from "../../text/en/insight.ts";
import type { Expense, LedgerEvent, Posting, Settlement } from "../../wire/types.ts";

/** How an event is told: by whose eyes, with which names. */
export interface Telling {
  readonly me: string;
  readonly nameOf: (userId: string) => string;
  /** Minor units of the group's currency as they are read. */
  readonly money: (minor: number) => string;
}

type Tell<Type extends LedgerEvent["type"]> = (event: Extract<LedgerEvent, { type: Type }>, by: Who, telling: Telling) => string;

/** `Asha added “Dinner”, ₹900.00`. */
export function tellEvent(event: LedgerEvent, telling: Telling): string {
  const by = who(telling, event.by);
  switch (event.type) {
    case "expense:created":
    case "expense:updated":
    case "expense:deleted":
    case "expense:restored":
      return tellExpense(event, by, telling);
    case "settlement:created":
    case "settlement:completed":
    case "settlement:declined":
    case "settlement:cancelled":
      return tellSettlement(event, by, telling);
    case "loan:created":
    case "loan:updated":
    case "loan:deleted":
    case "loan:restored":
      return tellLoan(event, by, telling);
    case "member:joined":
    case "member:updated":
    case "member:left":
    case "member:unblocked":
      return tellMember(event, by, telling);
    case "group:created":
      return t().insight.tellGroupCreated(by, event.group.name);
    case "group:updated":
      return tellGroup(event, by);
    case "reminder:sent":
      return t().insight.tellReminder(by, who(telling, event.reminder.toUserId), telling.money(event.reminder.amount));
    case "comment:added":
      return t().insight.tellComment(by, event.comment.text);
    case "comment:deleted":
      return t().insight.tellCommentDeleted(by);
    case "attachment:added":
      return t().insight.tellAttachment(by, event.expense.description);
    case "attachment:removed":
      return t().insight.tellAttachmentRemoved(by, event.expense.description);
    case "preset:saved":
      return t().insight.tellPreset(by, event.preset.name);
    case "preset:deleted":
      return t().insight.tellPresetDeleted(by, event.preset.name);
    case "recurrence:saved":
      return t().insight.tellRecurrence(by, event.recurrence.expense.description);
    case "recurrence:stopped":
      return t().insight.tellRecurrenceStopped(by, event.recurrence.expense.description);
  }
}

const tellExpense: Tell<"expense:created" | "expense:updated" | "expense:deleted" | "expense:restored"> = (event, by, telling) => {
  const { insight } = t();
  const { description } = event.expense;
  const amount = expenseMoney(event.expense, telling);
  switch (event.type) {
    case "expense:created":
      return insight.tellExpenseCreated(by, description, amount);
    case "expense:deleted":
      return insight.tellExpenseDeleted(by, description, amount);
    case "expense:restored":
      return insight.tellExpenseRestored(by, description, amount);
    case "expense:updated":
      return event.before && event.before.amount !== event.expense.amount
        ? insight.tellExpenseAmount(by, description, expenseMoney(event.before, telling), amount)
        : insight.tellExpenseUpdated(by, description, amount);
  }
};

const tellSettlement: Tell<"settlement:created" | "settlement:completed" | "settlement:declined" | "settlement:cancelled"> = (
  { type, settlement },
  by,
  telling,
) => {
  const { insight } = t();
  const [from, to, amount] = partiesOf(settlement, telling);
  const whole = (words: string) => (settlement.loanId === undefined ? words : t().loans.tellOfLoan(words));
  switch (type) {
    case "settlement:created":
      return whole(insight.tellPaid(by, from, to, amount));
    case "settlement:completed":
      return whole(insight.tellConfirmed(by, from, amount));
    case "settlement:declined":
      return insight.tellDeclined(by, from, amount);
    case "settlement:cancelled":
      return insight.tellCancelled(by, to, amount);
  }
};

const tellLoan: Tell<"loan:created" | "loan:updated" | "loan:deleted" | "loan:restored"> = ({ type, loan }, by, telling) => {
  const { loans } = t();
  const [lender, borrower] = [who(telling, loan.lenderId), who(telling, loan.borrowerId)];
  const amount = telling.money(loan.principal);
  switch (type) {
    case "loan:created":
      return loans.tellCreated(by, lender, borrower, amount);
    case "loan:updated":
      return loans.tellUpdated(by, lender, borrower, amount);
    case "loan:deleted":
      return loans.tellDeleted(by, lender, borrower, amount);
    case "loan:restored":
      return loans.tellRestored(by, lender, borrower, amount);
  }
};

const tellMember: Tell<"member:joined" | "member:updated" | "member:left" | "member:unblocked"> = (event, by, telling) => {
  const { insight } = t();
  const member = who(telling, event.member.userId, event.member.name);
  switch (event.type) {
    case "member:joined":
      return event.by === event.member.userId ? insight.tellJoined(member) : insight.tellAdded(by, member);
    case "member:left":
      return event.by === event.member.userId ? insight.tellLeft(member) : insight.tellRemoved(by, member);
    case "member:unblocked":
      return insight.tellUnblocked(by, member);
    case "member:updated":
      return tellChange(event, by, member);
  }
};

function tellChange({ member: after, before }: { member: { role: string; unit: string | null }; before?: { role: string; unit: string | null } }, by: Who, member: Who): string {
  const { insight } = t();
  if (before && before.role !== after.role) return after.role === "ADMIN" ? insight.tellAdmin(by, member) : insight.tellNoAdmin(by, member);
  if (before && before.unit !== after.unit) return after.unit === null ? insight.tellAlone(member) : insight.tellUnit(member, after.unit);
  return insight.tellMemberUpdated(by, member);
}

function tellGroup({ group, before }: Extract<LedgerEvent, { group: unknown }>, by: Who): string {
  const { insight } = t();
  if (before && before.name !== group.name) return insight.tellRenamed(by, group.name);
  if (before && (before.archivedAt === null) !== (group.archivedAt === null)) {
    return group.archivedAt === null ? insight.tellUnarchived(by) : insight.tellArchived(by);
  }
  return insight.tellGroupUpdated(by);
}

/** What it changed: `you −₹300.00, Ravi −₹300.00`. Empty where no balance moved. */
export function tellChanges(changed: readonly Posting[], telling: Telling): string {
  return changed.map(({ userId, amount }) => `${t().insight.who(who(telling, userId))} ${signed(amount, telling)}`).join(", ");
}

/** Where an event leads; the group's page where the thing has no page of its own. */
export function placeOf(groupId: string, event: LedgerEvent): string {
  const group = `/g/${groupId}`;
  switch (event.type) {
    case "expense:created":
    case "expense:updated":
    case "expense:deleted":
    case "expense:restored":
    case "attachment:added":
    case "attachment:removed":
      return `${group}/e/${event.expense.id}`;
    case "comment:added":
    case "comment:deleted":
      return `${group}/e/${event.comment.expenseId}`;
    case "settlement:created":
    case "settlement:completed":
    case "settlement:declined":
    case "settlement:cancelled":
      return `${group}/s/${event.settlement.id}`;
    case "loan:created":
    case "loan:updated":
    case "loan:deleted":
    case "loan:restored":
      return `${group}/loans/${event.loan.id}`;
    case "reminder:sent":
      return `${group}/balances`;
    case "preset:saved":
    case "preset:deleted":
      return `${group}/presets`;
    case "recurrence:saved":
    case "recurrence:stopped":
      return `${group}/recurring`;
    default:
      return group;
  }
}

function who({ me, nameOf }: Telling, userId: string, recorded?: string): Who {
  return { isMe: userId === me, name: recorded ?? nameOf(userId) };
}

function partiesOf({ fromUserId, toUserId, amount }: Settlement, telling: Telling): [Who, Who, string] {
  return [who(telling, fromUserId), who(telling, toUserId), telling.money(amount)];
}

/** Money that came back counts as less than nothing. */
function expenseMoney({ amount, kind }: Expense, telling: Telling): string {
  return (kind ?? "EXPENSE") === "EXPENSE" ? telling.money(amount) : signed(amount, telling);
}

function signed(minor: number, { money }: Telling): string {
  return minor > 0 ? `+${money(minor)}` : money(minor);
}
