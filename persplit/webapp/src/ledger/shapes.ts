/** The shapes of the wire that the ledger reckons with. */

import type { Group, LedgerEvent } from "../wire/types.ts";

export type {
  Attachment,
  Comment,
  Expense,
  ExpenseKind,
  Group,
  LedgerEvent,
  Loan,
  Member,
  Posting,
  Preset,
  Recurrence,
  Repayment,
  Settlement,
  SplitType,
} from "../wire/types.ts";

/** The shape of the events of a type. */
export type EventOf<T extends LedgerEvent["type"]> = LedgerEvent extends infer E
  ? E extends { readonly type: infer U }
    ? T extends U
      ? Omit<E, "type"> & { readonly type: T }
      : never
    : never
  : never;
/** What an event has besides its place in the ledger. */
export type Happening<T extends LedgerEvent["type"] = LedgerEvent["type"]> = T extends unknown
  ? Omit<EventOf<T>, "groupId" | "seq" | "at" | "by" | "commandId" | "v">
  : never;

/** A group's settings, as its events have them. */
export type GroupSettings = EventOf<"group:created">["group"];

/** The settings among what is told of a group. When they changed last isn't: 0, so that only the server minds. */
export function settingsOf(group: Group): GroupSettings {
  const { name, description, currency, simplify, hasPassword, archivedAt, timeZone, kind } = group;
  return { name, description, currency, simplify, hasPassword, archivedAt, timeZone, kind, seq: 0 };
}
