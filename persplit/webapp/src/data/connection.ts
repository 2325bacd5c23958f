/**
 * The lasting connection: a socket that brings news, and what is done about it. It stays connected, comes back by
 * itself, and keeps the replica and the server equal.
 *
 * Messages are taken one at a time, in order. A broadcast is the event that it tells of, if it follows on what is here
 * and comes to the balances that it says; else the group's tail is pulled.
 */

import { io, type Socket } from "socket.io-client";
import type { Problem, SessionReady } from "../wire/types.ts";
import { asksToSignIn, failureOf, isTemporary, offline } from "./failures.ts";
import { type Connection as Standing, Failure } from "./model.ts";
import type { Platform } from "./platform.ts";
import type { Ack, Position } from "./replica.ts";
import type { Session } from "./session.ts";
import type { Broadcast, Syncing } from "./syncing.ts";

/** How long to wait for a connection, and then for the server to be ready. */
const CONNECT_MS = 10_000;
/** How long to wait for an ack; the server takes seven seconds for a push at most. */
const ACK_MS = 12_000;
/** How long a connection that may have slept has to answer, and how often it is asked at most. */
const LOOK_MS = 5_000;
const BACKOFF_MS_FIRST = 500;
const BACKOFF_MS_MAX = 60_000;
/** The longest that a server may ask us to stay away. */
const RETRY_AFTER_MS_MAX = 300_000;
/** How often to look at the list of groups though nothing was heard: who is put out of one hears nothing of it. */
const SWEEP_MS = 300_000;
/** Groups that the server takes in `since`. */
const SINCE_MAX = 500;
/** Connections that fail in a row before what there is to tell goes by REST: some networks let no socket through. */
const FAILURES_BEFORE_REST = 2;
/** Failures in a row before it is said that there is no connection, rather than that one is being made. */
const FAILURES_BEFORE_OFFLINE = 2;

/** How long to wait before the next attempt: full jitter, so that a server's clients don't come back at once. */
export function backoffMs(attempt: number): number {
  return Math.random() * Math.min(BACKOFF_MS_MAX, BACKOFF_MS_FIRST * 2 ** Math.min(attempt, 16));
}

/** The end of a socket, or of the attempt at one. */
interface End {
  readonly code: string | undefined;
  readonly retryAfterMs: number;
  readonly wasLive: boolean;
}

export class Connection {
  readonly #platform: Platform;
  readonly #session: Session;
  readonly #syncing: Syncing;
  /** Whose it is. */
  readonly #userId: string;
  #socket: Socket | undefined;
  #turn: Promise<void> = Promise.resolve();
  /** The access token that the socket goes by. */
  #token: string | undefined;
  #isStopped = false;
  #isLive = false;
  #lookedAt = 0;
  #rouse: () => void = () => undefined;
  #ends: (() => void)[] = [];
  onStanding: (standing: Standing) => void = () => undefined;
  /** Told when the person has read a group elsewhere. */
  onRead: (read: { groupId: string; seq: number }) => void = () => undefined;
  /** Told once everything is here: news come by themselves from then on, or are asked for where no socket gets through. */
  onCaughtUp: () => void = () => undefined;
  onFault: (error: unknown) => void = () => undefined;

  constructor(platform: Platform, session: Session, syncing: Syncing) {
    this.#platform = platform;
    this.#session = session;
    this.#syncing = syncing;
    this.#userId = session.userId ?? "";
  }

  /** Go on until stopped, or until the session is over. */
  async run(): Promise<void> {
    this.#ends = [
      this.#platform.onWake(() => this.#look()),
      this.#platform.onOffline(() => this.#socket?.disconnect()),
    ];
    let failures = 0;
    let isReached = true;
    while (!this.#isStopped && !(this.#session.account.value?.isSignedOut ?? true)) {
      const isNear = failures < FAILURES_BEFORE_OFFLINE || isReached;
      this.#tell(isNear && this.#platform.isOnline() ? "connecting" : "offline");
      const end = await this.#once();
      failures = end.wasLive ? 0 : failures + 1;
      if (this.#isStopped) {
        break;
      }
      isReached = failures >= FAILURES_BEFORE_REST && (await this.#syncedByRest());
      await this.#pause(Math.min(end.retryAfterMs, RETRY_AFTER_MS_MAX) + backoffMs(failures));
    }
    this.#tell("offline");
    this.stop();
  }

  stop(): void {
    this.#isStopped = true;
    this.#ends.forEach((end) => end());
    this.#ends = [];
    this.#socket?.disconnect();
    this.#rouse();
  }

  /** There is something to push. */
  wake(): void {
    if (this.#isLive) {
      this.#pushSoon(0);
    } else {
      this.#rouse();
    }
  }

  /** The person is here again: a connection that slept may be dead without knowing, and who waits need wait no longer. */
  #look(): void {
    const socket = this.#socket;
    if (!this.#isLive || socket === undefined) {
      this.#rouse();
      return;
    }
    const now = this.#platform.now();
    if (now - this.#lookedAt > LOOK_MS) {
      this.#lookedAt = now;
      this.#asked(socket, "auth:renew", { token: this.#token }, LOOK_MS).catch((error: unknown) => {
        if (error instanceof Failure && error.code === "offline") {
          socket.disconnect();
        }
      });
    }
  }

  #tell(standing: Standing): void {
    this.onStanding(standing);
  }

  #minded(error: unknown): void {
    if (!(error instanceof Failure) || !isTemporary(error.code)) {
      this.onFault(error);
    }
  }

  async #syncedByRest(): Promise<boolean> {
    try {
      await this.#syncing.sync();
      this.onCaughtUp();
      return true;
    } catch (error) {
      this.#minded(error);
      return false;
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#rouse = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  // --- one connection

  /** One connection, from its beginning to its end. */
  async #once(): Promise<End> {
    try {
      let end = await this.#attempt(true);
      if (!end.wasLive && end.code !== undefined && asksToSignIn(end.code)) {
        // The token is over, or the session is: only a renewal can tell.
        await this.#session.renewed(this.#token);
        end = await this.#attempt(true);
      } else if (end.code === "validation_failed") {
        end = await this.#attempt(false);
      }
      if (end.wasLive && end.code !== undefined && (end.code === "signed_out" || asksToSignIn(end.code))) {
        await this.#session.renewed(this.#token);
      }
      return end;
    } catch (error) {
      this.#minded(error);
      const retryAfterMs = error instanceof Failure ? (error.retryAfterMs ?? 0) : 0;
      return { code: undefined, retryAfterMs, wasLive: false };
    }
  }

  async #attempt(tellsSince: boolean): Promise<End> {
    const token = await this.#session.token();
    this.#token = token;
    const since = tellsSince ? await this.#syncing.positions() : new Map<string, Position>();
    if (this.#isStopped) {
      return { code: undefined, retryAfterMs: 0, wasLive: false };
    }
    const socket = io(this.#platform.origin, {
      transports: ["websocket"],
      auth: (send) => send({ token, since: Object.fromEntries(Array.from(since).slice(0, SINCE_MAX)) }),
      // Not the library's own: it knows neither fresh tokens nor why it was disconnected.
      reconnection: false,
      forceNew: true,
      timeout: CONNECT_MS,
    });
    this.#socket = socket;
    try {
      return await this.#lived(socket, since);
    } finally {
      this.#isLive = false;
      this.#syncing.pushBySocket = undefined;
      this.#socket = undefined;
      socket.removeAllListeners();
      socket.disconnect();
      await this.#turn;
    }
  }

  #lived(socket: Socket, since: ReadonlyMap<string, Position>): Promise<End> {
    return new Promise((resolve) => {
      let why: { code?: string; retryAfterMs?: number } = {};
      let sweep: ReturnType<typeof setInterval> | undefined;
      const patience = setTimeout(() => end(), 2 * CONNECT_MS);
      const end = (): void => {
        clearTimeout(patience);
        clearInterval(sweep);
        resolve({ code: why.code, retryAfterMs: why.retryAfterMs ?? 0, wasLive: this.#isLive });
      };
      socket.on("connect_error", (error: Error & { data?: Problem }) => {
        why = error.data ?? {};
        end();
      });
      socket.on("session:closing", (told: { code: string; retryAfterMs: number }) => {
        why = told;
      });
      socket.on("disconnect", end);
      socket.on("auth:expiring", () => void this.#renew(socket));
      socket.on("activity:read", (read: { groupId: string; seq: number }) => this.onRead(read));
      socket.on("session:ready", (ready: SessionReady) => {
        clearTimeout(patience);
        sweep = setInterval(() => this.#inTurn(() => this.#syncing.refresh(false)), SWEEP_MS);
        this.#inTurn(() => this.#welcome(socket, ready, since));
      });
      socket.onAny((type: string, told: unknown) => {
        if (isBroadcast(told)) {
          this.#inTurn(() => this.#syncing.hear(type, told));
        }
      });
    });
  }

  /** One message at a time. What goes wrong is mended by the next greeting: the connection begins anew. */
  #inTurn(take: () => Promise<void>): void {
    const socket = this.#socket;
    this.#turn = this.#turn.then(async () => {
      if (this.#socket !== socket || this.#isStopped || this.#session.userId !== this.#userId) {
        return;
      }
      try {
        await take();
      } catch (error) {
        this.#minded(error);
        socket?.disconnect();
      }
    });
  }

  async #welcome(socket: Socket, ready: SessionReady, since: ReadonlyMap<string, Position>): Promise<void> {
    await this.#session.setUser(ready.user);
    const listed = new Set(ready.groups.map((group) => group.id));
    await this.#syncing.drop(Array.from(since.keys()).filter((groupId) => !listed.has(groupId)), this.#userId);
    for (const { id, seq, epoch, sync } of ready.groups) {
      const have = since.get(id) ?? { seq: 0, epoch: null };
      const isTaken = sync != null && (await this.#syncing.take(id, have, sync, this.#userId)) && sync.more !== true;
      if (!isTaken && (have.seq !== seq || have.epoch !== epoch)) {
        await this.#syncing.pull(id);
      }
    }
    if (this.#socket !== socket) {
      return;
    }
    this.#isLive = true;
    this.#syncing.pushBySocket = (commands) => this.#push(socket, commands);
    this.#tell("connected");
    this.#pushSoon(0);
    this.onCaughtUp();
    this.#inTurn(() => this.#syncing.refresh(false));
  }

  /** Push now; where the server can't, once more when it asks for it. */
  #pushSoon(failures: number): void {
    const socket = this.#socket;
    this.#syncing.push().catch((error: unknown) => {
      this.#minded(error);
      const retryAfterMs = error instanceof Failure ? (error.retryAfterMs ?? 0) : 0;
      setTimeout(
        () => {
          if (this.#socket === socket && this.#isLive) {
            this.#pushSoon(failures + 1);
          }
        },
        Math.min(retryAfterMs, RETRY_AFTER_MS_MAX) + backoffMs(failures + 1),
      );
    });
  }

  async #push(socket: Socket, commands: readonly Record<string, unknown>[]): Promise<readonly Ack[]> {
    if (this.#session.userId !== this.#userId) {
      throw offline("this connection was another person's");
    }
    const answer = (await this.#asked(socket, "sync:push", { commands })) as { results: Ack[] };
    return answer.results;
  }

  /** The server's ack. Rejects with `Failure`: without one in time nothing is known. */
  async #asked(socket: Socket, event: string, body: unknown, ms = ACK_MS): Promise<unknown> {
    let ack: { ok: boolean; error?: Problem };
    try {
      ack = (await socket.timeout(ms).emitWithAck(event, body)) as { ok: boolean; error?: Problem };
    } catch {
      throw offline("no ack in time");
    }
    if (!ack.ok) {
      throw failureOf(ack.error ?? {});
    }
    return ack;
  }

  async #renew(socket: Socket): Promise<void> {
    try {
      this.#token = await this.#session.renewed(this.#token);
      await this.#asked(socket, "auth:renew", { token: this.#token });
    } catch (error) {
      this.#minded(error); // without it the server ends the connection, and the next one begins with a renewal
    }
  }
}

function isBroadcast(told: unknown): told is Broadcast {
  return typeof told === "object" && told !== null && "updatedBalances" in told;
}
