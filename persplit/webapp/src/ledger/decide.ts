/**
 * `decide`: given the state and a command, the event that the server will make of it, or its refusal. Pure.
 *
 * These are the server's rules as far as a device can tell them: who may, what is asked, and the shares. What it can't
 * know (passwords, e-mail addresses, pairwise debts, when somebody was reminded) is left to the server, which judges
 * anyway. `null` where a command changes nothing that could be shown before the server has it.
 */

import type { Commands, CommandType } from "../wire/types.ts";
import { arrangementOf, type ArrangementCommand } from "./arranging.ts";
import { amountErrors, resolved, textErrors } from "./draft.ts";
import { check, invalid, Refusal } from "./errors.ts";
import { completed, hasOpenLoan, loanEvent, repaidOn } from "./lending.ts";
import type { Comment, Expense, Happening, LedgerEvent, Member, Settlement } from "./shapes.ts";
import { activeMembers, canonical, type GroupState, isAdmin, isMember, netOf } from "./state.ts";

export const MEMBERS_MAX = 256;
export const NAME_LENGTH_MAX = 100;
export const GROUP_DESCRIPTION_LENGTH_MAX = 500;
export const COMMENT_LENGTH_MAX = 1_000;
export const COMMENTS_MAX = 200;
export const NOTE_LENGTH_MAX = 200;
/** Settlements of one group that await an answer. */
export const PENDING_MAX = 500;
const UTR = /^[0-9]{12}$/;
const CURRENCY = /^[A-Z]{3}$/;

/** A command, by its type. */
export type Command = {
  [T in CommandType]: { readonly type: T; readonly commandId: string; readonly groupId: string; readonly fields: Commands[T] };
}[CommandType];

/** What a decision may look at besides the state and the command. */
export interface Asking {
  readonly actorId: string;
  readonly actorName: string;
  /** The time to record, RFC 3339 UTC with milliseconds. */
  readonly now: string;
  expense(id: string): Expense | undefined;
  settlement(id: string): Settlement | undefined;
  /** All comments on an expense, deleted ones too. */
  comments(expenseId: string): readonly Comment[];
}

type Fields<T extends CommandType> = Commands[T];

/** The version of the events' shape that these rules write. */
const EVENT_VERSION = 1;

/** The event that the command makes, at the place that it would get now; `null`: nothing to show. Throws `Refusal`. */
export function decide(state: GroupState | null, command: Command, asking: Asking): LedgerEvent | null {
  const happening = command.type === "group:create" ? groupCreated(state, command.fields, asking) : happened(state, command, asking);
  if (happening === null) {
    return null;
  }
  return {
    ...happening,
    groupId: command.groupId,
    seq: (state?.seq ?? 0) + 1,
    at: asking.now,
    by: asking.actorId,
    commandId: command.commandId,
    v: EVENT_VERSION,
  };
}

type OnGroup = Exclude<Command, { type: "group:create" }>;

/** What an archived group still takes: somebody has to be able to bring it back. */
const IN_ARCHIVED: ReadonlySet<CommandType> = new Set(["group:update", "group:leave"]);

function happened(state: GroupState | null, command: OnGroup, asking: Asking): Happening | null {
  if (state === null || !isMember(state, asking.actorId)) {
    throw new Refusal("not_found", "there is no such group");
  }
  if (state.settings.archivedAt !== null && !IN_ARCHIVED.has(command.type)) {
    throw new Refusal("group_archived", "the group is archived; an admin can bring it back");
  }
  if (state.settings.kind === "DIRECT") {
    checkDirect(command);
  }
  return ruled(state, command, asking);
}

/** A ledger of two people stays theirs, under the name and in the currency that it has. */
function checkDirect(command: OnGroup): void {
  const { name, currency, joinPassword } = command.type === "group:update" ? command.fields : {};
  const isOther = [name, currency, joinPassword].some((told) => told !== undefined);
  if (isOther || command.type === "group:leave" || command.type.startsWith("member:")) {
    throw new Refusal("forbidden", "this is a ledger of two people, who stay in it as it is");
  }
}

function ruled(state: GroupState, command: OnGroup, asking: Asking): Happening | null {
  const [about] = command.type.split(":");
  switch (about) {
    case "group":
    case "member":
      return aboutPeople(state, command as Extract<OnGroup, { type: `${"group" | "member"}:${string}` }>, asking);
    case "expense":
    case "attachment":
      return aboutExpense(state, command as Extract<OnGroup, { type: `${"expense" | "attachment"}:${string}` }>, asking);
    case "settlement":
      return aboutSettlement(state, command as Extract<OnGroup, { type: `settlement:${string}` }>, asking);
    case "loan":
      return loanEvent(state, command as Extract<OnGroup, { type: `loan:${string}` }>, asking);
    case "preset":
    case "recurrence":
      return arrangementOf(state, command as ArrangementCommand, asking);
    default:
      return saying(state, command as Extract<OnGroup, { type: `${"comment" | "reminder"}:${string}` }>, asking);
  }
}

// --- the group and its members

function groupCreated(state: GroupState | null, fields: Fields<"group:create">, asking: Asking): Happening {
  if (state !== null) {
    throw new Refusal("conflict", "a group with this id exists");
  }
  check([
    ...textErrors("name", fields.name, NAME_LENGTH_MAX),
    ...textErrors("description", fields.description ?? "", GROUP_DESCRIPTION_LENGTH_MAX, 0),
    ...(CURRENCY.test(fields.currency ?? "INR") ? [] : [{ path: "currency", message: "not an ISO 4217 currency code" }]),
  ]);
  return {
    type: "group:created",
    group: {
      name: fields.name.trim(),
      description: fields.description?.trim() || null,
      currency: fields.currency ?? "INR",
      simplify: fields.simplify ?? true,
      hasPassword: fields.joinPassword !== undefined,
      archivedAt: null,
      seq: 1,
      timeZone: fields.timeZone ?? "UTC",
      kind: "GROUP",
    },
    member: newMember(asking.actorId, asking.actorName, asking.now, "ADMIN"),
  };
}

function newMember(userId: string, name: string, now: string, role: Member["role"], placeholder = false): Member {
  return {
    userId,
    name,
    role,
    placeholder,
    joinedAt: now,
    leftAt: null,
    claimed: null,
    unit: null,
    blocked: false,
    weight: 1,
  };
}

function aboutPeople(
  state: GroupState,
  command: Extract<OnGroup, { type: `${"group" | "member"}:${string}` }>,
  asking: Asking,
): Happening | null {
  switch (command.type) {
    case "group:update":
      return groupUpdated(state, command.fields, asking);
    case "group:leave":
      return left(state, memberOf(state, asking.actorId), asking, false);
    case "member:add":
      return memberAdded(state, command.fields, asking);
    case "member:remove":
      return memberRemoved(state, command.fields, asking);
    case "member:unblock":
      return memberUnblocked(state, command.fields, asking);
    case "member:unit":
      return unitChanged(state, command.fields, asking);
  }
}

function groupUpdated(state: GroupState, fields: Fields<"group:update">, asking: Asking): Happening {
  checkAdmin(state, asking);
  const before = state.settings;
  checkSeen(fields.expectedSeq, before.seq);
  if (before.archivedAt !== null && fields.archived !== false) {
    throw new Refusal("group_archived", "the group is archived; bring it back first");
  }
  check([
    ...(fields.name === undefined ? [] : textErrors("name", fields.name, NAME_LENGTH_MAX)),
    ...textErrors("description", fields.description ?? "", GROUP_DESCRIPTION_LENGTH_MAX, 0),
  ]);
  const hasAmounts = state.expenseCount > 0 || state.settlementCount > 0 || state.recurrences.size > 0 || state.loans.size > 0;
  if ((fields.currency ?? before.currency) !== before.currency && hasAmounts) {
    throw invalid({ path: "currency", message: "the group has expenses in its currency" });
  }
  const archived = fields.archived === true ? (before.archivedAt ?? asking.now) : null;
  return {
    type: "group:updated",
    before,
    group: {
      name: fields.name?.trim() ?? before.name,
      description: fields.description === undefined ? before.description : fields.description.trim() || null,
      currency: fields.currency ?? before.currency,
      simplify: fields.simplify ?? before.simplify,
      hasPassword: before.hasPassword || fields.joinPassword !== undefined,
      archivedAt: fields.archived === undefined ? before.archivedAt : archived,
      seq: state.seq + 1,
      timeZone: fields.timeZone ?? before.timeZone ?? "UTC",
      kind: before.kind ?? "GROUP",
    },
  };
}

function memberAdded(state: GroupState, fields: Fields<"member:add">, asking: Asking): Happening | null {
  checkAdmin(state, asking);
  const { id, name } = fields;
  if (id !== undefined && isMember(state, id)) {
    throw new Refusal("already_member", "already a member of the group");
  }
  if (id !== undefined && state.members.has(id)) {
    throw new Refusal("conflict", "this id was used before");
  }
  if (activeMembers(state).length >= MEMBERS_MAX) {
    throw new Refusal("limit_reached", `a group has at most ${MEMBERS_MAX} members`);
  }
  if (name === undefined || id === undefined) {
    return null; // whose address it is, only the server knows
  }
  check(textErrors("name", name, NAME_LENGTH_MAX));
  return { type: "member:joined", member: newMember(id, name.trim(), asking.now, "MEMBER", true) };
}

function memberRemoved(state: GroupState, fields: Fields<"member:remove">, asking: Asking): Happening {
  const blocks = fields.block ?? false;
  if (fields.userId !== asking.actorId || blocks) {
    checkAdmin(state, asking);
  }
  const member = state.members.get(fields.userId);
  if (blocks) {
    checkMayBeBlocked(member, fields.userId, asking);
    if (member !== undefined && member.leftAt !== null) {
      return { type: "member:left", member: { ...member, blocked: true } };
    }
  }
  return left(state, memberOf(state, fields.userId), asking, blocks);
}

function checkMayBeBlocked(member: Member | undefined, userId: string, asking: Asking): void {
  if (userId === asking.actorId) {
    throw invalid({ path: "block", message: "nobody blocks themself" });
  }
  if (member?.placeholder) {
    throw invalid({ path: "block", message: "a placeholder can't come in again anyway" });
  }
  if (member?.blocked) {
    throw new Refusal("conflict", "blocked already");
  }
}

function left(state: GroupState, member: Member, asking: Asking, blocked: boolean): Happening<"member:left"> {
  if ((state.balances.get(member.userId) ?? 0) !== 0) {
    throw new Refusal("balance_not_zero", "leaving takes a zero balance: settle up first");
  }
  const isWaiting = Array.from(state.pending.values()).some(
    (waiting) => waiting.fromUserId === member.userId || waiting.toUserId === member.userId,
  );
  if (isWaiting) {
    throw new Refusal("settlement_pending", "a payment awaits an answer: confirm, decline or cancel it first");
  }
  if (hasOpenLoan(state, member.userId)) {
    throw new Refusal("balance_not_zero", "a loan isn't repaid: repay it, or delete it, first");
  }
  const others = activeMembers(state).filter((other) => other.userId !== member.userId);
  const isNeeded = member.role === "ADMIN" && !others.some((other) => other.role === "ADMIN");
  if (isNeeded && others.some((other) => !other.placeholder)) {
    throw new Refusal("conflict", "the group's only admin: make somebody else an admin first");
  }
  return { type: "member:left", member: { ...member, leftAt: asking.now, unit: null, blocked } };
}

function memberUnblocked(state: GroupState, fields: Fields<"member:unblock">, asking: Asking): Happening {
  checkAdmin(state, asking);
  const member = state.members.get(fields.userId);
  if (!member?.blocked) {
    throw new Refusal("not_found", "nobody is blocked by this id");
  }
  return { type: "member:unblocked", member: { ...member, blocked: false } };
}

function unitChanged(state: GroupState, fields: Fields<"member:unit">, asking: Asking): Happening {
  if (fields.userId !== asking.actorId || fields.unit !== null) {
    checkAdmin(state, asking);
  }
  const before = memberOf(state, fields.userId);
  return { type: "member:updated", before, member: { ...before, unit: fields.unit } };
}

// --- expenses

function aboutExpense(
  state: GroupState,
  command: Extract<OnGroup, { type: `${"expense" | "attachment"}:${string}` }>,
  asking: Asking,
): Happening | null {
  switch (command.type) {
    case "expense:create":
      return expenseCreated(state, command.fields, asking);
    case "expense:update":
      return expenseUpdated(state, command.fields, asking);
    case "expense:delete":
      return expenseDeleted(state, command.fields, asking);
    case "expense:restore":
      return expenseRestored(state, command.fields, asking);
    case "attachment:remove":
      return attachmentRemoved(state, command.fields, asking);
    case "attachment:add":
      counting(command.fields.expenseId, asking);
      return null; // what was uploaded, only the server knows
  }
}

function expenseCreated(state: GroupState, fields: Fields<"expense:create">, asking: Asking): Happening {
  const { id, ...asked } = fields;
  if (id === undefined) {
    throw invalid({ path: "id", message: "required" });
  }
  if (asking.expense(id) !== undefined) {
    throw new Refusal("conflict", "an expense with this id exists");
  }
  const people = new Set(activeMembers(state).map((member) => member.userId));
  const { actorId, now } = asking;
  return { type: "expense:created", expense: resolved(asked, { state, people, expenseId: id, actorId, now }) };
}

function expenseUpdated(state: GroupState, fields: Fields<"expense:update">, asking: Asking): Happening {
  const { expenseId, expectedSeq, ...asked } = fields;
  const before = counting(expenseId, asking);
  checkSeen(expectedSeq, before.seq);
  // Who took part and has left may stay in, as long as it changes nothing for them.
  const people = new Set(activeMembers(state).map((member) => member.userId));
  for (const userId of netOf(before).keys()) {
    people.add(canonical(state, userId));
  }
  const { actorId, now } = asking;
  const expense = resolved(asked, { state, people, expenseId, actorId, now, before });
  checkFormerMembers(state, before, expense);
  return { type: "expense:updated", before, expense };
}

function expenseDeleted(state: GroupState, fields: Fields<"expense:delete">, asking: Asking): Happening {
  const before = expenseOf(fields.expenseId, asking);
  checkSeen(fields.expectedSeq, before.seq);
  if (before.deletedAt !== null) {
    throw new Refusal("conflict", "the expense is deleted already");
  }
  checkFormerMembers(state, before, null);
  return {
    type: "expense:deleted",
    expense: { ...before, seq: state.seq + 1, updatedAt: asking.now, deletedAt: asking.now },
  };
}

function expenseRestored(state: GroupState, fields: Fields<"expense:restore">, asking: Asking): Happening {
  const before = expenseOf(fields.expenseId, asking);
  checkSeen(fields.expectedSeq, before.seq);
  if (before.deletedAt === null) {
    throw new Refusal("conflict", "the expense is not deleted");
  }
  checkFormerMembers(state, null, before);
  return {
    type: "expense:restored",
    expense: { ...before, seq: state.seq + 1, updatedAt: asking.now, deletedAt: null },
  };
}

function attachmentRemoved(state: GroupState, fields: Fields<"attachment:remove">, asking: Asking): Happening {
  const expense = counting(fields.expenseId, asking);
  const attachments = expense.attachments ?? [];
  const attachment = attachments.find((known) => known.id === fields.attachmentId);
  if (attachment === undefined) {
    throw new Refusal("not_found", "nothing like that is attached to the expense");
  }
  const kept = attachments.filter((known) => known !== attachment);
  return {
    type: "attachment:removed",
    attachment,
    expense: { ...expense, seq: state.seq + 1, updatedAt: asking.now, attachments: kept },
  };
}

function expenseOf(id: string, asking: Asking): Expense {
  const expense = asking.expense(id);
  if (expense === undefined) {
    throw new Refusal("not_found", "there is no such expense in this group");
  }
  return expense;
}

function counting(id: string, asking: Asking): Expense {
  const expense = expenseOf(id, asking);
  if (expense.deletedAt !== null) {
    throw new Refusal("conflict", "the expense is deleted: restore it first");
  }
  return expense;
}

/** Who has left stays at zero: a change that would leave them owing or owed is refused. */
function checkFormerMembers(state: GroupState, before: Expense | null, after: Expense | null): void {
  const [old, fresh] = [canonicalNet(state, before), canonicalNet(state, after)];
  for (const userId of new Set([...old.keys(), ...fresh.keys()])) {
    if (!isMember(state, userId) && (old.get(userId) ?? 0) !== (fresh.get(userId) ?? 0)) {
      throw new Refusal(
        "balance_not_zero",
        "this would change the balance of somebody who has left the group: add them again first",
      );
    }
  }
}

function canonicalNet(state: GroupState, expense: Expense | null): Map<string, number> {
  const net = new Map<string, number>();
  for (const [userId, amount] of expense === null ? [] : netOf(expense)) {
    const user = canonical(state, userId);
    net.set(user, (net.get(user) ?? 0) + amount);
  }
  return net;
}

// --- settlements

function aboutSettlement(
  state: GroupState,
  command: Extract<OnGroup, { type: `settlement:${string}` }>,
  asking: Asking,
): Happening {
  switch (command.type) {
    case "settlement:create":
      return settlementCreated(state, command.fields, asking);
    case "settlement:confirm":
      return answered(state, command.fields, asking, "COMPLETED");
    case "settlement:decline":
      return answered(state, command.fields, asking, "DECLINED");
    case "settlement:cancel":
      return answered(state, command.fields, asking, "CANCELLED");
  }
}

function settlementCreated(state: GroupState, fields: Fields<"settlement:create">, asking: Asking): Happening {
  const { id, note, utr } = fields;
  const from = canonical(state, fields.fromUserId ?? asking.actorId);
  const to = canonical(state, fields.toUserId);
  if (id === undefined) {
    throw invalid({ path: "id", message: "required" });
  }
  check([
    ...amountErrors("amount", fields.amount),
    ...textErrors("note", note ?? "", NOTE_LENGTH_MAX, 0),
    ...(utr === undefined || UTR.test(utr) ? [] : [{ path: "utr", message: "twelve digits" }]),
    ...(isMember(state, from) ? [] : [{ path: "fromUserId", message: "not a member of the group" }]),
    ...(isMember(state, to) ? [] : [{ path: "toUserId", message: "not a member of the group" }]),
    ...(from === to ? [{ path: "toUserId", message: "nobody pays themself" }] : []),
  ]);
  if (asking.settlement(id) !== undefined) {
    throw new Refusal("conflict", "a settlement with this id exists");
  }
  if (state.pending.size >= PENDING_MAX) {
    throw new Refusal("limit_reached", `${PENDING_MAX} payments await an answer in this group: see to some of them first`);
  }
  if (asking.actorId !== from && asking.actorId !== to && !isAdmin(state, asking.actorId)) {
    throw new Refusal("forbidden", "only the two people concerned, or an admin, can record a payment");
  }
  const paidOn = repaidOn(state, fields, { from, to, asking });
  return {
    type: "settlement:created",
    settlement: {
      id,
      groupId: state.groupId,
      seq: state.seq + 1,
      fromUserId: from,
      toUserId: to,
      amount: fields.amount,
      note: note?.trim() || null,
      utr: utr ?? null,
      status: "PENDING",
      createdBy: asking.actorId,
      createdAt: asking.now,
      updatedAt: asking.now,
      ...(fields.loanId === undefined || paidOn === undefined ? {} : { loanId: fields.loanId, paidOn }),
    },
  };
}

const ANSWERS = {
  COMPLETED: { type: "settlement:completed", refused: "only who receives the payment can confirm it" },
  DECLINED: { type: "settlement:declined", refused: "only who receives the payment can decline it" },
  CANCELLED: { type: "settlement:cancelled", refused: "only the payer, or who recorded it, can cancel it" },
} as const;

function answered(
  state: GroupState,
  fields: Fields<"settlement:confirm">,
  asking: Asking,
  status: keyof typeof ANSWERS,
): Happening {
  const settlement = asking.settlement(fields.settlementId);
  if (settlement === undefined) {
    throw new Refusal("not_found", "there is no such settlement in this group");
  }
  checkSeen(fields.expectedSeq, settlement.seq);
  if (settlement.status !== "PENDING") {
    throw new Refusal("already_settled", `the settlement is ${settlement.status.toLowerCase()} already`);
  }
  const [from, to] = [canonical(state, settlement.fromUserId), canonical(state, settlement.toUserId)];
  const { type, refused } = ANSWERS[status];
  const isOwn = status === "CANCELLED" && asking.actorId === settlement.createdBy;
  if (!isOwn && !speaksFor(state, status === "CANCELLED" ? from : to, asking)) {
    throw new Refusal("forbidden", refused);
  }
  const after = { ...settlement, seq: state.seq + 1, status, updatedAt: asking.now, fromUserId: from, toUserId: to };
  return type === "settlement:completed" ? { type, ...completed(state, after) } : { type, settlement: after };
}

/** The person themself; for a placeholder, who has no account, an admin. */
const speaksFor = (state: GroupState, userId: string, asking: Asking): boolean =>
  asking.actorId === userId || (state.members.get(userId)?.placeholder === true && isAdmin(state, asking.actorId));

// --- what is said

function saying(
  state: GroupState,
  command: Extract<OnGroup, { type: `${"comment" | "reminder"}:${string}` }>,
  asking: Asking,
): Happening | null {
  switch (command.type) {
    case "comment:add":
      return commentAdded(state, command.fields, asking);
    case "comment:delete":
      return commentDeleted(state, command.fields, asking);
    case "reminder:send":
      return null;
  }
}

function commentAdded(state: GroupState, fields: Fields<"comment:add">, asking: Asking): Happening {
  expenseOf(fields.expenseId, asking);
  check(textErrors("text", fields.text, COMMENT_LENGTH_MAX));
  const known = asking.comments(fields.expenseId);
  if (fields.id === undefined) {
    throw invalid({ path: "id", message: "required" });
  }
  if (known.some((comment) => comment.id === fields.id)) {
    throw new Refusal("conflict", "a comment with this id exists");
  }
  if (known.length >= COMMENTS_MAX) {
    throw new Refusal("limit_reached", `an expense has at most ${COMMENTS_MAX} comments`);
  }
  return {
    type: "comment:added",
    comment: {
      id: fields.id,
      groupId: state.groupId,
      expenseId: fields.expenseId,
      seq: state.seq + 1,
      text: fields.text.trim(),
      createdBy: asking.actorId,
      createdAt: asking.now,
      deletedAt: null,
    },
  };
}

function commentDeleted(state: GroupState, fields: Fields<"comment:delete">, asking: Asking): Happening {
  const comment = asking.comments(fields.expenseId).find((known) => known.id === fields.commentId);
  if (comment === undefined) {
    throw new Refusal("not_found", "there is no such comment on this expense");
  }
  if (canonical(state, comment.createdBy) !== asking.actorId && !isAdmin(state, asking.actorId)) {
    throw new Refusal("forbidden", "only who wrote a comment, or an admin, can delete it");
  }
  if (comment.deletedAt !== null) {
    throw new Refusal("conflict", "the comment is deleted already");
  }
  return { type: "comment:deleted", comment: { ...comment, seq: state.seq + 1, deletedAt: asking.now } };
}

// --- what several rules check

function checkAdmin(state: GroupState, asking: Asking): void {
  if (!isAdmin(state, asking.actorId)) {
    throw new Refusal("forbidden", "only an admin of the group can do this");
  }
}

function memberOf(state: GroupState, userId: string): Member {
  const member = state.members.get(userId);
  if (member === undefined || member.leftAt !== null) {
    throw new Refusal("not_found", "there is no such member in this group");
  }
  return member;
}

/** `seq` is that of the thing's last change; the caller may have seen it at any seq from there on. */
export function checkSeen(expectedSeq: number | undefined, seq: number): void {
  if (expectedSeq !== undefined && seq > expectedSeq) {
    throw new Refusal("conflict", `it has changed since seq ${expectedSeq}; it is at seq ${seq} now`);
  }
}
