/**
 * The replica: one IndexedDB database that holds all that a device knows, shared by the tabs.
 *
 *     meta         `account` (who is signed in, no token), `offers` (what the server can do), `ending` (a session that
 *                  the server has still to be told to end)
 *     groups       per group its folded state, epoch, names and plan
 *     events       the server's events that came as such; those before a snapshot are fetched when asked for
 *     expenses, settlements, comments   their present versions
 *     outbox       commands that wait, oldest first, and those that were refused
 *     marks        up to where each group was read
 */

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Comment, Expense, LedgerEvent, Settlement } from "../ledger/shapes.ts";
import { type GroupState, STATE_VERSION } from "../ledger/state.ts";
import type { PlanRow, User } from "../wire/types.ts";
import type { Queued } from "./outbox.ts";

/** Raised whenever the stores, or what is in them, change. */
const SCHEMA_VERSION = 1;
/** Other rules make other states: a page of before has to let go of what a newer one reads, and may not write to it. */
const VERSION = 1_000 * SCHEMA_VERSION + STATE_VERSION;

/** What is kept of a group besides its events and things. */
export interface GroupRecord {
  readonly id: string;
  /** The ledger that `state.seq` belongs to. */
  readonly epoch: string;
  readonly state: GroupState;
  /** What people are called now, as the server said last. */
  readonly names: ReadonlyMap<string, string>;
  readonly settleUp: readonly PlanRow[];
  /** The seq after which `settleUp` was worked out. */
  readonly planSeq: number;
  /** Whether all events, from the first on, are here. */
  readonly isComplete: boolean;
}

export interface Account {
  readonly user: User;
  /** The server has ended the session: what is here stays until they sign in again. */
  readonly isSignedOut: boolean;
}

/** Up to where a group was read, and what others did since. */
export interface Mark {
  readonly groupId: string;
  readonly seq: number;
  readonly unread: number;
  /** The server hasn't heard of it. */
  readonly isUnsent: boolean;
}

/** What the server offers, by operationId, and when it was asked (milliseconds). */
export interface Offers {
  readonly at: number;
  readonly operations: readonly string[];
}

export interface Schema extends DBSchema {
  meta: { key: string; value: Account | Offers | true };
  groups: { key: string; value: GroupRecord };
  events: { key: [string, number]; value: LedgerEvent };
  expenses: { key: [string, string]; value: Expense };
  settlements: { key: [string, string]; value: Settlement };
  comments: { key: [string, string, string]; value: Comment };
  outbox: { key: number; value: Queued; indexes: { command: string; group: string } };
  marks: { key: string; value: Mark };
}

export type Database = IDBPDatabase<Schema>;
/** What belongs to a group, by the group's id first. */
export const GROUP_STORES = ["events", "expenses", "settlements", "comments"] as const;
export const ALL_STORES = ["meta", "groups", ...GROUP_STORES, "outbox", "marks"] as const;

/** What the browser may ask of who has the database open. */
export interface Notices {
  /** A newer page, in another tab, waits for this one to let go. */
  readonly onBlocking: () => void;
  /** A page of before, in another tab, doesn't let go of it: this one has to wait. */
  readonly onBlocked: () => void;
  /** The browser has closed it, as when its storage was cleared. */
  readonly onTerminated: () => void;
}

/** Opens the database, or makes it. What was folded by other rules is left out: it is fetched anew. */
export async function openDatabase(name: string, notices: Notices, version = VERSION): Promise<Database> {
  return openDB<Schema>(name, version, {
    upgrade(database, before, _, transaction) {
      if (before > 0) {
        for (const store of ["groups", ...GROUP_STORES] as const) {
          void transaction.objectStore(store).clear();
        }
        return;
      }
      database.createObjectStore("meta");
      database.createObjectStore("groups", { keyPath: "id" });
      database.createObjectStore("events", { keyPath: ["groupId", "seq"] });
      database.createObjectStore("expenses", { keyPath: ["groupId", "id"] });
      database.createObjectStore("settlements", { keyPath: ["groupId", "id"] });
      database.createObjectStore("comments", { keyPath: ["groupId", "expenseId", "id"] });
      const outbox = database.createObjectStore("outbox", { keyPath: "position", autoIncrement: true });
      outbox.createIndex("command", "commandId", { unique: true });
      outbox.createIndex("group", "groupId");
      database.createObjectStore("marks", { keyPath: "groupId" });
    },
    blocking: notices.onBlocking,
    blocked: notices.onBlocked,
    terminated: notices.onTerminated,
  });
}
