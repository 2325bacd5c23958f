/**
 * What the screens see of the data: the groups with everything that waits counted in, and the few things to do.
 *
 * Screens import from here and from `store.ts`, and from nothing else under `data/`. All signals change by themselves:
 * a friend's expense, another tab, the connection coming back. Everything that is read here is there with no network.
 */

import type { ReadonlySignal } from "@preact/signals";
import type {
  Comment,
  Commands,
  CommandType,
  Expense,
  Group,
  LedgerEvent,
  Loan,
  Member,
  PlanRow,
  Posting,
  Preset,
  Problem,
  Recurrence,
  Settlement,
  User,
} from "../wire/types.ts";

/** `undefined` while it is being found out (show skeletons), `null` when there is none. */
export type Maybe<T> = T | null | undefined;

/** How a thing that waits in the outbox stands. */
export interface Waiting {
  /** The commands of this device that the server has not confirmed yet, oldest first. */
  readonly commandIds: readonly string[];
}

export type ExpenseView = Expense & { readonly waiting?: Waiting };
export type SettlementView = Settlement & { readonly waiting?: Waiting };
/** Interest up to a day: see `accrued` and `toRepay` in `ledger/loan.ts`. */
export type LoanView = Loan & { readonly waiting?: Waiting };
export type CommentView = Comment & { readonly waiting?: Waiting };

/** A group as it will be if the server takes everything that waits. */
export interface GroupView {
  readonly id: string;
  /** Up to which event the server has told us; 0 when the group itself still waits. */
  readonly seq: number;
  /** The ledger of two people (`kind` is DIRECT) has the other one's name. */
  readonly group: Group;
  /** Who is in it now. */
  readonly members: readonly Member[];
  /** Everybody who ever was, by id: names in history come from here. */
  readonly people: ReadonlyMap<string, Member>;
  readonly me: Member;
  /** Net positions in minor units, waiting changes counted in: positive is owed to them. Sums to zero. */
  readonly balances: readonly Posting[];
  readonly myBalance: number;
  /** The fewest payments, as the server planned them last. */
  readonly settleUp: readonly PlanRow[];
  /** Whether something that waits makes `settleUp` older than `balances`. */
  readonly isPlanStale: boolean;
  /** Not deleted, newest first: by date, of one day by when it was added. */
  readonly expenses: readonly ExpenseView[];
  readonly deletedExpenses: readonly ExpenseView[];
  /** Newest first. */
  readonly settlements: readonly SettlementView[];
  readonly presets: readonly Preset[];
  readonly recurrences: readonly Recurrence[];
  /** The open ones, then those that were closed last; newest first. They are no part of the balances. */
  readonly loans: readonly LoanView[];
  /** How many commands of this group wait. */
  readonly waitingCount: number;
}

/** A line of a list of groups: cheap, no expenses. */
export interface GroupSummary {
  readonly id: string;
  /** What it is called; the ledger of two people like the other one. */
  readonly name: string;
  readonly kind: Group["kind"];
  readonly currency: string;
  readonly myBalance: number;
  readonly memberCount: number;
  /** Of my own, lent or borrowed: they are no part of the balance. */
  readonly openLoanCount: number;
  readonly isArchived: boolean;
  readonly waitingCount: number;
  /** RFC 3339, of the last event. */
  readonly at: string;
}

/** A command that the server refused: to be mended or dropped. */
export interface RefusedCommand {
  readonly commandId: string;
  readonly groupId: string;
  readonly type: CommandType;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly problem: Problem;
}

/** A command as it waits. */
export interface PendingCommand {
  readonly commandId: string;
  readonly groupId: string;
  readonly type: CommandType;
  readonly fields: Readonly<Record<string, unknown>>;
  /** The device's clock, RFC 3339. */
  readonly at: string;
  /** It may have reached the server: it can't be taken back any more. */
  readonly wasSent: boolean;
}

/** `connected`: what is shown is what is. `restarting` and `connecting` come back by themselves. */
export type Connection = "connected" | "connecting" | "offline";

/** One step of the past: an event, with what it did to the balances. */
export interface Step {
  readonly event: LedgerEvent;
  /** What it changed, in minor units, only those who moved. */
  readonly changed: readonly Posting[];
  /** Everybody's net position after it. */
  readonly balances: readonly Posting[];
}

/** A coded refusal or fault of the server, or of the way there (`code: "offline"`). */
export class Failure extends Error {
  readonly code: string;
  readonly status: number;
  readonly errors: readonly { readonly path: string; readonly message: string }[];
  readonly retryAfterMs: number | undefined;

  constructor(problem: {
    code: string;
    status: number;
    detail: string;
    errors?: readonly { readonly path: string; readonly message: string }[];
    retryAfterMs?: number;
  }) {
    super(problem.detail);
    this.code = problem.code;
    this.status = problem.status;
    this.errors = problem.errors ?? [];
    this.retryAfterMs = problem.retryAfterMs;
  }
}

export interface Invitation {
  readonly code: string;
  readonly password?: string;
  /** The placeholder's user id whose history becomes mine. */
  readonly claim?: string;
}

/** See the module. Every method that talks to the server rejects with `Failure`. */
export interface Store {
  /** Who is signed in. Known offline, too. */
  readonly me: ReadonlySignal<Maybe<User>>;
  /** The session was ended by the server, or elsewhere: what is on the device stays until they sign in again or forget it. */
  readonly isSignedOut: ReadonlySignal<boolean>;
  readonly connection: ReadonlySignal<Connection>;
  readonly groups: ReadonlySignal<Maybe<readonly GroupSummary[]>>;
  readonly pending: ReadonlySignal<readonly PendingCommand[]>;
  readonly refused: ReadonlySignal<readonly RefusedCommand[]>;
  /** Events that others made and I have not seen, over all groups; by group in `unreadIn`. */
  readonly unread: ReadonlySignal<number>;
  readonly unreadIn: ReadonlySignal<ReadonlyMap<string, number>>;
  /**
   * What is wrong with the storage of this device, once something is: `storage_failed`, what is written may be lost;
   * `page_outdated` or `page_blocked`, a newer or older version of this page has it.
   */
  readonly storageFault: ReadonlySignal<Failure | null>;
  /** Whether the server offers an operation of `/openapi.json`, by its operationId (`scanReceipt`, …). */
  offers(operationId: string): boolean;

  /** The group; `null` when I am not in it or it does not exist. The signal lives as long as the page. */
  group(groupId: string): ReadonlySignal<Maybe<GroupView>>;
  /** Comments on an expense, oldest first. */
  comments(groupId: string, expenseId: string): ReadonlySignal<Maybe<readonly CommentView[]>>;
  /** The group's whole past, oldest first; loads what is missing (needs the network once). */
  history(groupId: string): Promise<readonly Step[]>;
  /** Who I owe or am owed by, over all groups, worked out on the device from what is held: by currency. */

  register(fields: { name: string; email: string; password: string; vpa?: string; phone?: string }): Promise<void>;
  signIn(fields: { email: string; password: string }): Promise<void>;
  /** Join as a guest, with no account: a token for that group alone. Resolves to the group's id. */
  joinAsGuest(fields: Invitation & { name: string }): Promise<string>;
  /** Ends the session and forgets what is on the device. Rejects with `code: "unsent"` while commands wait, unless forced. */
  signOut(options?: { force?: boolean; everywhere?: boolean }): Promise<void>;
  updateProfile(fields: {
    name?: string;
    phone?: string | null;
    vpa?: string | null;
    locale?: string | null;
  }): Promise<void>;
  /** Resolves to the group's id. */
  join(invitation: Invitation): Promise<string>;
  /**
   * My ledger with somebody who shares a group with me, which is a group of us two; made if there is none, in this
   * time zone. Resolves to the group's id; needs the network until it is held here.
   */
  openDirectLedger(fields: { userId: string; currency: string; timeZone: string }): Promise<string>;

  /**
   * Write: durably into the outbox, shown at once, sent when there is a way. Resolves with the ids when it is durable
   * on the device (not when the server has it). `groupId` is a new UUID for `group:create`; ids of what is created are
   * made here unless given. Rejects with `Failure` (`validation_failed`, …) when this device can already tell.
   */
  send<T extends CommandType>(type: T, groupId: string, fields: Commands[T]): Promise<{ commandId: string; id: string }>;
  /** Like `send`, but waits for the server's answer: for what makes sense only online. */
  sendNow<T extends CommandType>(type: T, groupId: string, fields: Commands[T]): Promise<{ seq: number }>;
  /** Take back a command that was refused or never sent. */
  drop(commandId: string): Promise<void>;
  /** Send a refused command again, mended, under a new id. */
  resend(commandId: string, fields: Readonly<Record<string, unknown>>): Promise<void>;
  /** Everything up to now in the group counts as seen. */
  markRead(groupId: string): void;

  /**
   * A REST call under `/api/v1` for what is not part of the replica: `get("/activity?limit=50")`. JSON in and out; the
   * caller names the shape. The token is renewed when it has run out.
   */
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  put<T>(path: string, body: unknown): Promise<T>;
  patch<T>(path: string, body: unknown): Promise<T>;
  delete(path: string, body?: unknown): Promise<void>;
  /** A file as the body (attachments, receipts, imports). */
  upload<T>(path: string, file: Blob): Promise<T>;
  /** A file as the answer (attachments, exports). */
  download(path: string): Promise<Blob>;
}
