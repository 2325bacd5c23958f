/** Commands that wait for the server, in the form in which they are kept and sent. */

import type { Command } from "../ledger/decide.ts";
import type { CommandType, Problem } from "../wire/types.ts";

/** Commands that wait or were refused: years of offline use, and a bound. */
export const OUTBOX_MAX = 10_000;
/** One command as JSON: the server takes a body of twice this. */
export const COMMAND_BYTES_MAX = 128 * 1024;
/** Commands of one push: the server takes 200; half of it loses less to a connection that breaks. */
export const PUSH_COMMANDS_MAX = 100;
/** Commands of one push over REST, as JSON: below the server's bound of 256 KiB for a body. */
export const PUSH_BYTES_MAX = 192 * 1024;
/** And over the socket, whose messages have at most 64 KiB. */
export const SOCKET_BYTES_MAX = 48 * 1024;

/** `pending`: not judged yet. `acked`: the server has it, its event is on its way here. `refused`: the final no. */
export type Status = "pending" | "acked" | "refused";

export interface Queued {
  /** Its place in the outbox; given by the database. */
  readonly position?: number;
  readonly commandId: string;
  readonly groupId: string;
  readonly type: CommandType;
  readonly fields: Readonly<Record<string, unknown>>;
  /** The device's clock, RFC 3339, for show. */
  readonly at: string;
  readonly status: Status;
  /** It may have reached the server. */
  readonly wasSent: boolean;
  readonly ackedSeq?: number;
  readonly problem?: Problem;
}

/** As `sync:push` takes it. */
export function toWire(queued: Queued): Record<string, unknown> {
  return { ...queued.fields, type: queued.type, commandId: queued.commandId, groupId: queued.groupId };
}

/** As the ledger takes it. Its fields were typed by `send`. */
export function commandOf(queued: Queued): Command {
  const { type, commandId, groupId, fields } = queued;
  return { type, commandId, groupId, fields } as Command;
}

/** Commands that count: the server hasn't refused them, and their events aren't here yet. */
export const isWaiting = (queued: Queued): boolean => queued.status !== "refused";

const encoder = new TextEncoder();

/** How many bytes it takes as JSON. */
export const bytesOf = (value: unknown): number => encoder.encode(JSON.stringify(value)).length;

/** The first of them, and those after it that fit into one body. */
export function batchOf(queued: readonly Queued[]): Queued[] {
  const batch: Queued[] = [];
  let bytes = 0;
  for (const one of queued.slice(0, PUSH_COMMANDS_MAX)) {
    bytes += bytesOf(toWire(one)) + 1;
    if (batch.length > 0 && bytes > PUSH_BYTES_MAX) {
      break;
    }
    batch.push(one);
  }
  return batch;
}

/** Where the id of what a command makes stands; the others name what they are about. */
const MADE: ReadonlySet<CommandType> = new Set([
  "expense:create",
  "settlement:create",
  "loan:create",
  "comment:add",
  "preset:create",
  "recurrence:create",
]);
const NAMES = ["id", "commentId", "expenseId", "settlementId", "loanId", "presetId", "recurrenceId", "userId"] as const;

/** The fields with an id for what the command makes, where none was given. */
export function withId(type: CommandType, fields: Record<string, unknown>, id: () => string): Record<string, unknown> {
  const isPlaceholder = type === "member:add" && fields["name"] !== undefined;
  return (MADE.has(type) || isPlaceholder) && fields["id"] === undefined ? { ...fields, id: id() } : fields;
}

/** The expense, settlement, comment, preset, recurring expense, placeholder or group that it makes or is about. */
export function thingIdOf(groupId: string, fields: Readonly<Record<string, unknown>>): string {
  const name = NAMES.find((known) => typeof fields[known] === "string");
  return name === undefined ? groupId : String(fields[name]);
}
