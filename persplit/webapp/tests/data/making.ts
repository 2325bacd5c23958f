/** A small group on a device, as the server and the person would have made it. */

import { type Database, openDatabase } from "../../src/data/database.ts";
import type { Queued } from "../../src/data/outbox.ts";
import { type Position, Replica, type Taken } from "../../src/data/replica.ts";
import type { LedgerEvent } from "../../src/ledger/shapes.ts";
import type { User } from "../../src/wire/types.ts";

export const ASHA = "asha";
export const GROUP = "goa";
export const AT = "2026-03-01T10:00:00.000Z";
let databases = 0;

/** Of a database. */
export const newName = (): string => `replica-${++databases}`;
export const NOTICES = { onBlocking: (): void => undefined, onBlocked: (): void => undefined, onTerminated: (): void => undefined };

export const person = (id: string): User => ({ id, name: id, email: null, phone: null, vpa: null, locale: null, createdAt: AT, guestOf: null });

/** Asha's. */
export async function opened(): Promise<{ replica: Replica; database: Database }> {
  const database = await openDatabase(newName(), NOTICES);
  const replica = new Replica(database);
  await replica.setAccount({ user: person(ASHA), isSignedOut: false });
  return { replica, database };
}

const recorded = (seq: number, commandId = `c${seq}`, by = ASHA): { groupId: string; seq: number; at: string; by: string; commandId: string; v: number } => ({
  groupId: GROUP,
  seq,
  at: AT,
  by,
  commandId,
  v: 1,
});

export const FOUNDED: LedgerEvent = {
  ...recorded(1),
  type: "group:created",
  group: { name: "Goa", description: null, currency: "INR", simplify: true, hasPassword: false, archivedAt: null, seq: 1 },
  member: { userId: ASHA, name: "Asha", role: "ADMIN", placeholder: false, joinedAt: AT, leftAt: null, claimed: null, unit: null, blocked: false },
};

export const spent = (seq: number, commandId = `c${seq}`): LedgerEvent => ({
  ...recorded(seq, commandId),
  type: "expense:created",
  expense: {
    id: `e${seq}`, groupId: GROUP, seq, description: "Tea", amount: 500, paidBy: ASHA, splitType: "EQUAL", participants: [ASHA],
    splits: [], items: [], includePayer: true, date: "2026-03-01", category: null, notes: null, shares: [{ userId: ASHA, amount: 500 }],
    createdBy: ASHA, createdAt: AT, updatedAt: AT, deletedAt: null,
  },
});

export const command = (commandId: string, fields: Record<string, unknown> = { note: commandId }): Queued => ({
  commandId, groupId: GROUP, type: "expense:create", fields, at: AT, status: "pending", wasSent: false,
});

export const take = (replica: Replica, have: Position, events: LedgerEvent[], more: object = {}): Promise<Taken> =>
  replica.take(GROUP, have, { reset: false, epoch: "one", events, ...more }, ASHA);
