/** The store: the parts of the data layer put together, as the screens see them. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { directLedgerId } from "../ledger/direct.ts";
import type { LedgerStep } from "../ledger/fold.ts";
import { stepsOf } from "../ledger/fold.ts";
import type { Commands, CommandType, User } from "../wire/types.ts";
import { Book } from "./book.ts";
import { Connection } from "./connection.ts";
import { openDatabase } from "./database.ts";
import { failureOf, isOfStorage, pageBlocked, pageOutdated, storageFailed, told } from "./failures.ts";
import {
  type CommentView,
  type Connection as Standing,
  Failure,
  type GroupSummary,
  type GroupView,
  type Invitation,
  type Maybe,
  type PendingCommand,
  type RefusedCommand,
  type Step,
  type Store,
} from "./model.ts";
import { bytesOf, COMMAND_BYTES_MAX, commandOf, type Queued, thingIdOf, toWire, withId } from "./outbox.ts";
import type { Platform } from "./platform.ts";
import { type GroupChange, Replica } from "./replica.ts";
import { Rest } from "./rest.ts";
import { Session } from "./session.ts";
import { Syncing } from "./syncing.ts";
import { type TabMessage, Tabs } from "./tabs.ts";
import { Unread } from "./unread.ts";
import { newId, newKey } from "./uuid.ts";

/** How old what the server offers may be before it is asked again: it changes with its version. */
const OFFERS_MS = 24 * 60 * 60 * 1000;
/** How long a command that can only be carried out now waits for those before it. */
const FLUSH_MS = 10_000;
/** Groups whose past is kept folded. */
const HISTORIES_MAX = 4;

type Fields = Readonly<Record<string, unknown>>;

export class PageStore implements Store {
  readonly me: ReadonlySignal<Maybe<User>>;
  readonly isSignedOut: ReadonlySignal<boolean>;
  readonly connection: ReadonlySignal<Standing>;
  readonly groups: ReadonlySignal<Maybe<readonly GroupSummary[]>>;
  readonly pending: ReadonlySignal<readonly PendingCommand[]>;
  readonly refused: ReadonlySignal<readonly RefusedCommand[]>;
  readonly unread: ReadonlySignal<number>;
  readonly unreadIn: ReadonlySignal<ReadonlyMap<string, number>>;
  readonly storageFault: ReadonlySignal<Failure | null>;

  readonly #platform: Platform;
  readonly #rest: Rest;
  readonly #session: Session;
  readonly #book: Book;
  readonly #syncing: Syncing;
  readonly #unread: Unread;
  readonly #tabs: Tabs;
  readonly #standing = signal<Standing>("connecting");
  readonly #offers = signal<ReadonlySet<string>>(new Set());
  readonly #fault = signal<Failure | null>(null);
  readonly #histories = new Map<string, { seq: number; epoch: string; steps: LedgerStep[] }>();
  readonly #threads = new Map<string, { groupId: string; expenseId: string; isLearnt: boolean }>();
  #opened: Promise<Replica> | undefined;
  #opening: Promise<void> = Promise.resolve();
  #connection: Connection | undefined;
  #connectedAs: string | undefined;
  #isClosed = false;
  #endWake: () => void = () => undefined;
  #writing: Promise<unknown> = Promise.resolve();
  #guest: { readonly fields: string; readonly key: string } | undefined;

  constructor(platform: Platform) {
    this.#platform = platform;
    const replica = (): Promise<Replica> => this.#replica();
    this.#rest = new Rest(platform);
    this.#session = new Session(platform, this.#rest, replica);
    this.#book = new Book(replica);
    this.#syncing = new Syncing(this.#session, replica);
    this.#unread = new Unread(this.#session, replica);
    this.#tabs = new Tabs(platform, (message) => this.#background(this.#hear(message)));
    const { account } = this.#session;
    this.me = computed(() => (account.value === undefined ? undefined : (account.value?.user ?? null)));
    this.isSignedOut = computed(() => account.value?.isSignedOut ?? false);
    this.connection = this.#standing;
    this.groups = this.#book.groups;
    this.pending = this.#book.pending;
    this.refused = this.#book.refused;
    this.unread = this.#unread.total;
    this.unreadIn = this.#unread.in;
    this.storageFault = this.#fault;
    this.#wire();
  }

  #wire(): void {
    this.#session.onToken = (token) => this.#tabs.post({ kind: "token", token });
    this.#session.onAccount = () => this.#tabs.post({ kind: "account", account: this.#session.account.value ?? null });
    this.#syncing.onGroup = async (change) => {
      await this.#book.take(change);
      this.#tabs.post(change);
      this.#forgetThreads(change);
      await this.#unread.heard(change);
    };
    this.#syncing.onOutbox = async () => {
      await this.#book.reloadOutbox();
      this.#tabs.post({ kind: "outbox", isNew: false });
    };
    this.#unread.onChanged = () => this.#tabs.post({ kind: "marks" });
    this.#book.onFault = (error) => this.#minded(error);
  }

  // --- beginning and end

  /** Read what is here, and connect. */
  async start(): Promise<void> {
    this.#opening = this.#open();
    await this.#opening;
    if (this.#isClosed) {
      return;
    }
    this.#endWake = this.#platform.onWake(() => this.#background(this.#lookAround()));
    this.#tabs.whenLeading(
      () => {
        this.#connect();
        this.#background(this.#session.endEarlier());
      },
      () => this.#disconnect(),
    );
  }

  async #open(): Promise<void> {
    try {
      await this.#session.reload();
      await Promise.all([this.#book.reload(this.#person()), this.#unread.reload(), this.#loadOffers()]);
    } catch (error) {
      this.#minded(error);
    }
  }

  /** Let go of everything; another tab takes the connection over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endWake();
    this.#connection?.stop();
    this.#tabs.close();
    await this.#writing.catch(() => undefined);
    await this.#opened?.then((replica) => replica.close()).catch(() => undefined);
  }

  /** A newer page, in another tab, changes the database: this one has to let go of it. */
  #makeWay(): void {
    this.#fault.value = pageOutdated();
    void this.close();
  }

  #replica(): Promise<Replica> {
    const notices = {
      onBlocking: () => this.#makeWay(),
      onBlocked: () => {
        this.#fault.value = pageBlocked();
      },
      onTerminated: () => {
        this.#opened = undefined; // whoever needs it next opens it again
      },
    };
    this.#opened ??= openDatabase(this.#platform.database, notices).then(
      (database) => {
        this.#fault.value = null; // whatever was in the way is gone
        return new Replica(database);
      },
      (error: unknown) => {
        this.#opened = undefined;
        throw storageFailed(error);
      },
    );
    return this.#opened;
  }

  #person(): { id: string; name: string } | undefined {
    const user = this.#session.account.value?.user;
    return user === undefined ? undefined : { id: user.id, name: user.name };
  }

  #background(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#minded(error));
  }

  /** What goes wrong where nobody waits for it: a fault of the storage is told, no network is nothing new. */
  #minded(error: unknown): void {
    if (this.#isClosed) {
      return;
    }
    if (error instanceof Failure) {
      if (isOfStorage(error.code)) {
        this.#fault.value = error;
      }
      return;
    }
    console.error(error);
  }

  // --- the connection

  /** The connection of who is signed in now, if this tab has it. */
  #connect(): void {
    const account = this.#session.account.value;
    const isOver = account == null || account.isSignedOut || this.#isClosed;
    // A guest who has made an account hears all of their groups from then on.
    const wanted = isOver ? undefined : `${account.user.id} ${account.user.guestOf ?? ""}`;
    if (!this.#tabs.isLeading || wanted === this.#connectedAs) {
      return;
    }
    this.#disconnect();
    this.#connectedAs = wanted;
    if (wanted === undefined) {
      this.#stand("offline");
      return;
    }
    const connection = new Connection(this.#platform, this.#session, this.#syncing);
    connection.onStanding = (standing) => this.#stand(standing);
    connection.onFault = (error) => this.#minded(error);
    connection.onRead = (read) => this.#background(this.#heardRead(read));
    connection.onCaughtUp = () => this.#background(this.#caughtUp());
    this.#connection = connection;
    this.#background(
      connection.run().finally(() => {
        if (this.#connection === connection) {
          this.#connection = undefined;
          this.#connectedAs = undefined;
        }
      }),
    );
  }

  #disconnect(): void {
    this.#connection?.stop();
    this.#connection = undefined;
    this.#connectedAs = undefined;
  }

  #stand(standing: Standing): void {
    this.#stands(standing);
    this.#tabs.post({ kind: "standing", standing });
  }

  #stands(standing: Standing): void {
    this.#standing.value = standing;
    if (standing !== "connecting" && this.#session.account.value != null) {
      this.#book.current();
    }
  }

  /** All that the server has is here. */
  async #caughtUp(): Promise<void> {
    this.#book.current();
    await this.#learnComments();
    await this.#renewOffers();
    await this.#unread.count();
  }

  #heardRead(read: { groupId: string; seq: number }): Promise<void> {
    const head = this.#book.record(read.groupId)?.state.seq ?? 0;
    return this.#unread.readElsewhere(read.groupId, read.seq, head);
  }

  /** What another tab tells. */
  async #hear(message: TabMessage): Promise<void> {
    switch (message.kind) {
      case "group":
        return this.#book.take(message);
      case "outbox":
        await this.#book.reloadOutbox();
        return message.isNew ? this.#wake() : undefined;
      case "marks":
        return this.#unread.reload();
      case "offers":
        return this.#loadOffers();
      case "account":
        return this.#accountChanged();
      case "token":
        return this.#session.hear(message.token);
      case "standing":
        this.#tabs.heardLeader();
        if (!this.#tabs.isLeading) {
          this.#stands(message.standing);
        }
        return;
      case "hello":
        if (this.#tabs.isLeading) {
          this.#tabs.post({ kind: "standing", standing: this.#standing.value });
        }
    }
  }

  /** The person is here again: other tabs may have told what this one, asleep, hasn't heard. */
  async #lookAround(): Promise<void> {
    const stored = await (await this.#replica()).account();
    const known = this.#session.account.value;
    if (stored?.user.id !== known?.user.id || stored?.isSignedOut !== known?.isSignedOut) {
      return this.#accountChanged();
    }
    await this.#book.catchUp();
    await this.#session.endEarlier();
  }

  async #accountChanged(): Promise<void> {
    await this.#session.reload();
    await Promise.all([this.#book.reload(this.#person()), this.#unread.reload()]);
    this.#connect();
  }

  #wake(): void {
    this.#connection?.wake();
  }

  // --- the account

  async register(fields: { name: string; email: string; password: string; vpa?: string; phone?: string }): Promise<void> {
    await this.#enter("/auth/register", fields);
  }

  async signIn(fields: { email: string; password: string }): Promise<void> {
    await this.#enter("/auth/login", fields);
  }

  async joinAsGuest(fields: Invitation & { name: string }): Promise<string> {
    const asked = JSON.stringify(fields);
    if (this.#guest?.fields !== asked) {
      // Until there is an answer it is the same guest who asks.
      this.#guest = { fields: asked, key: newKey(this.#platform) };
    }
    const joined = (await this.#enter("/guests", { ...fields, key: this.#guest.key })) as { group: { id: string } };
    this.#guest = undefined;
    await this.#syncing.pull(joined.group.id);
    return joined.group.id;
  }

  async #enter(path: string, fields: object): Promise<unknown> {
    const answer = await this.#session.enter(path, fields);
    await this.#accountChanged();
    return answer;
  }

  async signOut(options: { force?: boolean; everywhere?: boolean } = {}): Promise<void> {
    const kept = this.#book.outbox.length;
    if (kept > 0 && options.force !== true) {
      throw new Failure({ code: "unsent", status: 0, detail: `${kept} commands are not on the server` });
    }
    const isEnded = await this.#session.end(options.everywhere ?? false);
    const replica = await this.#replica();
    await replica.forget(options.force ?? false);
    if (!isEnded) {
      await replica.setEnding(true);
    }
    await this.#accountChanged();
    this.#session.onAccount();
  }

  async updateProfile(fields: {
    name?: string;
    phone?: string | null;
    vpa?: string | null;
    locale?: string | null;
  }): Promise<void> {
    const user = (await this.#session.ask({ method: "PATCH", path: "/auth/me", body: fields })) as User;
    await this.#session.setUser(user);
  }

  async join(invitation: Invitation): Promise<string> {
    await this.#syncing.push().catch(() => undefined); // what waits may be about the group; the answer doesn't hang on it
    const joined = (await this.#session.ask({
      method: "POST",
      path: "/groups/join",
      body: invitation,
      key: newId(this.#platform),
    })) as { group: { id: string } };
    await this.#syncing.pull(joined.group.id);
    return joined.group.id;
  }

  async openDirectLedger({ userId, currency, timeZone }: { userId: string; currency: string; timeZone: string }): Promise<string> {
    const groupId = directLedgerId(this.#me().id, userId, currency);
    if (this.#book.record(groupId) === undefined) {
      const path = `/people/${encodeURIComponent(userId)}/ledger`;
      await this.#session.ask({ method: "POST", path, body: { currency, timeZone }, key: newId(this.#platform) });
      await this.#syncing.pull(groupId);
    }
    return groupId;
  }

  // --- reading

  group(groupId: string): ReadonlySignal<Maybe<GroupView>> {
    return this.#book.group(groupId);
  }

  comments(groupId: string, expenseId: string): ReadonlySignal<Maybe<readonly CommentView[]>> {
    const key = JSON.stringify([groupId, expenseId]);
    if (!this.#threads.has(key)) {
      this.#threads.set(key, { groupId, expenseId, isLearnt: false });
      this.#background(this.#opening.then(() => this.#learnComments()));
    }
    return this.#book.comments(groupId, expenseId);
  }

  /** What is held of the group was replaced: what was said before has to be fetched once more. */
  #forgetThreads(change: GroupChange): void {
    for (const [key, thread] of this.#threads) {
      if (change.isWhole && thread.groupId === change.groupId) {
        this.#threads.set(key, { ...thread, isLearnt: false });
      }
    }
  }

  /** Fetch what was said before a snapshot about the expenses that somebody looks at. */
  async #learnComments(): Promise<void> {
    for (const [key, thread] of this.#threads) {
      const { groupId, expenseId, isLearnt } = thread;
      if (!isLearnt && this.#book.record(groupId)?.isComplete === false) {
        this.#threads.set(key, { ...thread, isLearnt: true });
        try {
          await this.#syncing.learnComments(groupId, expenseId);
        } catch (error) {
          this.#threads.set(key, thread); // once more with the next connection
          throw error;
        }
      }
    }
  }

  async history(groupId: string): Promise<readonly Step[]> {
    const replica = await this.#replica();
    await this.#syncing.complete(groupId);
    const record = await replica.group(groupId);
    if (record === undefined) {
      return [];
    }
    const known = this.#histories.get(groupId);
    if (known?.seq === record.state.seq && known.epoch === record.epoch) {
      return known.steps;
    }
    const steps = stepsOf(await replica.events(groupId));
    if (this.#histories.size >= HISTORIES_MAX) {
      this.#histories.clear();
    }
    this.#histories.set(groupId, { seq: record.state.seq, epoch: record.epoch, steps });
    return steps;
  }

  offers(operationId: string): boolean {
    return this.#offers.value.has(operationId);
  }

  async #loadOffers(): Promise<void> {
    const stored = await (await this.#replica()).offers();
    this.#offers.value = new Set(stored?.operations ?? []);
  }

  async #renewOffers(): Promise<void> {
    const replica = await this.#replica();
    const stored = await replica.offers();
    const now = this.#platform.now();
    if (stored !== undefined && now - stored.at < OFFERS_MS) {
      return;
    }
    const operations = operationsOf(await this.#rest.document("/openapi.json"));
    await replica.setOffers({ at: now, operations });
    this.#offers.value = new Set(operations);
    this.#tabs.post({ kind: "offers" });
  }

  // --- writing

  send<T extends CommandType>(
    type: T,
    groupId: string,
    fields: Commands[T],
  ): Promise<{ commandId: string; id: string }> {
    return this.#inTurn(() => this.#enqueued(type, groupId, fields as Fields));
  }

  /** One write at a time: each is judged on top of those before it. */
  #inTurn<R>(write: () => Promise<R>): Promise<R> {
    const written = this.#writing.then(write).catch((error: unknown) => {
      throw told(error);
    });
    this.#writing = written.catch(() => undefined);
    return written;
  }

  async #enqueued(
    type: CommandType,
    groupId: string,
    fields: Fields,
    inPlaceOf?: string,
  ): Promise<{ commandId: string; id: string }> {
    const queued = this.#command(type, groupId, fields);
    const me = this.#me();
    await this.#book.decided(commandOf(queued), queued.at, me);
    const stored = await (await this.#replica()).enqueue(queued, me.id, inPlaceOf);
    await (inPlaceOf === undefined ? this.#book.queued(stored) : this.#book.reloadOutbox());
    this.#tabs.post({ kind: "outbox", isNew: true });
    this.#wake();
    if (this.#standing.value !== "connected") {
      this.#platform.persist(); // it may be here for long, and nowhere else
    }
    return { commandId: queued.commandId, id: thingIdOf(groupId, queued.fields) };
  }

  #command(type: CommandType, groupId: string, told: Fields): Queued {
    const fields = withId(type, told, () => newId(this.#platform));
    const queued: Queued = {
      commandId: newId(this.#platform),
      groupId,
      type,
      fields,
      at: new Date(this.#platform.now()).toISOString(),
      status: "pending",
      wasSent: false,
    };
    if (bytesOf(toWire(queued)) > COMMAND_BYTES_MAX) {
      throw new Failure({ code: "too_large", status: 413, detail: `a command has at most ${COMMAND_BYTES_MAX} bytes` });
    }
    return queued;
  }

  #me(): { id: string; name: string } {
    const me = this.#person();
    if (me === undefined) {
      throw new Failure({ code: "token_missing", status: 401, detail: "nobody is signed in" });
    }
    return me;
  }

  async sendNow<T extends CommandType>(type: T, groupId: string, fields: Commands[T]): Promise<{ seq: number }> {
    await this.#flushed();
    const queued = this.#command(type, groupId, fields as Fields);
    const [ack] = await this.#syncing.pushByRest([toWire(queued)]);
    if (ack?.ok !== true) {
      throw failureOf(ack?.error ?? {});
    }
    const seq = ack.seq ?? 0;
    if (type === "group:leave") {
      await this.#syncing.drop([groupId], this.#me().id);
    } else if ((this.#book.record(groupId)?.state.seq ?? 0) < seq) {
      await this.#syncing.pull(groupId);
    }
    return { seq };
  }

  /** What was written before goes first. Rejects with `Failure` where it can't. */
  async #flushed(): Promise<void> {
    if (!this.#book.outbox.some((queued) => queued.status === "pending")) {
      return;
    }
    if (this.#tabs.isLeading) {
      return this.#syncing.push();
    }
    this.#tabs.post({ kind: "outbox", isNew: true });
    await new Promise<void>((resolve, reject) => {
      const end = this.pending.subscribe((pending) => {
        if (!pending.some((command) => this.#isUnjudged(command.commandId))) {
          clearTimeout(patience);
          queueMicrotask(() => end());
          resolve();
        }
      });
      const patience = setTimeout(() => {
        end();
        reject(new Failure({ code: "offline", status: 0, detail: "what was written before isn't on the server yet" }));
      }, FLUSH_MS);
    });
  }

  #isUnjudged(commandId: string): boolean {
    return this.#book.outbox.some((queued) => queued.commandId === commandId && queued.status === "pending");
  }

  drop(commandId: string): Promise<void> {
    return this.#inTurn(async () => {
      await (await this.#replica()).drop(commandId);
      await this.#book.reloadOutbox();
      this.#tabs.post({ kind: "outbox", isNew: false });
    });
  }

  resend(commandId: string, fields: Fields): Promise<void> {
    return this.#inTurn(async () => {
      const old = this.#book.outbox.find((queued) => queued.commandId === commandId);
      if (old?.status !== "refused") {
        throw new Failure({ code: "not_found", status: 404, detail: "no refused command has this id" });
      }
      await this.#enqueued(old.type, old.groupId, fields, commandId);
    });
  }

  markRead(groupId: string): void {
    const seq = this.#book.record(groupId)?.state.seq;
    if (seq !== undefined) {
      this.#background(this.#unread.read(groupId, seq));
    }
  }

  // --- REST

  async get<T>(path: string): Promise<T> {
    return (await this.#session.ask({ method: "GET", path })) as T;
  }

  async post<T>(path: string, body?: unknown): Promise<T> {
    const answer = await this.#write("POST", path, body ?? {});
    if (path === "/auth/upgrade") {
      await this.#session.renewed(await this.#session.token()); // the guest's token opens one group alone
      this.#connect();
    }
    return answer as T;
  }

  async put<T>(path: string, body: unknown): Promise<T> {
    return (await this.#write("PUT", path, body)) as T;
  }

  async patch<T>(path: string, body: unknown): Promise<T> {
    return (await this.#write("PATCH", path, body)) as T;
  }

  async delete(path: string, body?: unknown): Promise<void> {
    await this.#write("DELETE", path, body);
  }

  async upload<T>(path: string, file: Blob): Promise<T> {
    return (await this.#session.ask({ method: "POST", path, body: file })) as T;
  }

  download(path: string): Promise<Blob> {
    return this.#session.download({ method: "GET", path });
  }

  #write(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body: unknown): Promise<unknown> {
    const hasKey = typeof body === "object" && body !== null && "commandId" in body;
    return this.#session.ask({ method, path, body, ...(hasKey ? {} : { key: newId(this.#platform) }) });
  }
}

/** The operationIds of an OpenAPI document. */
function operationsOf(document: unknown): string[] {
  const { paths } = document as { paths: Record<string, Record<string, { operationId?: string }>> };
  return Object.values(paths).flatMap((methods) =>
    Object.values(methods).flatMap((operation) => operation.operationId ?? []),
  );
}

