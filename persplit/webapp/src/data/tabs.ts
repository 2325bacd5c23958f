/**
 * The tabs of one device: they share the replica, hear of each other's changes, and one of them has the connection.
 * Without Web Locks (a page over plain HTTP) each has its own, and they share the rest all the same.
 */

import type { Account } from "./database.ts";
import type { Connection } from "./model.ts";
import type { Channel, Platform } from "./platform.ts";
import type { GroupChange } from "./replica.ts";
import type { Token } from "./session.ts";

/** How long the tab that has the connection may take to answer another; a busy one takes a tenth. */
const LEADER_MS = 4_000;

export type TabMessage =
  | GroupChange
  | { readonly kind: "marks" | "offers" }
  /** `isNew`: there is something to push. */
  | { readonly kind: "outbox"; readonly isNew: boolean }
  | { readonly kind: "account"; readonly account: Account | null }
  | { readonly kind: "token"; readonly token: Token }
  | { readonly kind: "standing"; readonly standing: Connection }
  /** A new tab asks how the connection stands. */
  | { readonly kind: "hello" };

export class Tabs {
  readonly #platform: Platform;
  readonly #channel: Channel;
  readonly #closing = new AbortController();
  readonly #ends: (() => void)[] = [];
  #roles = { lead: (): void => undefined, follow: (): void => undefined };
  #isLeading = false;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(platform: Platform, hear: (message: TabMessage) => void) {
    this.#platform = platform;
    this.#channel = platform.channel(platform.database, (message) => hear(message as TabMessage));
  }

  post(message: TabMessage): void {
    if (!this.#closing.signal.aborted) {
      this.#channel.post(message);
    }
  }

  /**
   * Calls `lead` once this tab is the one that has the connection, and `follow` if another has taken it over: it is
   * next in turn again then.
   */
  whenLeading(lead: () => void, follow: () => void): void {
    this.#roles = { lead, follow };
    if (this.#platform.locks === undefined) {
      this.#isLeading = true;
      lead();
      return;
    }
    this.#queue(false);
    this.#ends.push(this.#platform.onWake(() => this.#askForLeader()));
    this.#askForLeader();
  }

  /** The tab that has the connection has said something. */
  heardLeader(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }

  get isLeading(): boolean {
    return this.#isLeading;
  }

  #queue(steals: boolean): void {
    const { locks, database } = this.#platform;
    const { signal } = this.#closing;
    locks
      // One that steals can't be called off as well.
      ?.request(`${database}-connection`, steals ? { steal: true } : { signal }, () => this.#led())
      .catch(() => {
        // Closed before its turn came, or taken over while it led.
        if (this.#isLeading && !signal.aborted) {
          this.#isLeading = false;
          this.#roles.follow();
          this.#queue(false);
        }
      });
  }

  #led(): Promise<void> {
    const { signal } = this.#closing;
    if (this.#isLeading || signal.aborted) {
      return Promise.resolve(); // its turn came twice, by waiting and by stealing
    }
    this.heardLeader();
    this.#isLeading = true;
    this.#roles.lead();
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
  }

  /** A phone lets a tab in the background sleep with the lock in its hands: who is looked at takes it over. */
  #askForLeader(): void {
    if (this.#isLeading || this.#silence !== undefined) {
      return;
    }
    this.post({ kind: "hello" });
    this.#silence = setTimeout(() => {
      this.#silence = undefined;
      if (!this.#isLeading && !this.#closing.signal.aborted) {
        this.#queue(true);
      }
    }, LEADER_MS);
  }

  close(): void {
    this.heardLeader();
    this.#ends.forEach((end) => end());
    this.#closing.abort();
    this.#channel.close();
  }
}
