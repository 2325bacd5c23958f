/**
 * The tabs of one device: they share the replica, hear of each other's changes, and one of them has the connection.
 * Without Web Locks (a page over plain HTTP) each has its own, and they share the rest all the same.
 */

import type { Account } from "./database.ts";
import type { Connection } from "./model.ts";
import type { Channel, Platform } from "./platform.ts";
import type { GroupChange } from "./replica.ts";
import type { Token } from "./session.ts";

export type TabMessage =
  | GroupChange
  | { readonly kind: "outbox" | "marks" | "offers" }
  | { readonly kind: "account"; readonly account: Account | null }
  | { readonly kind: "token"; readonly token: Token }
  | { readonly kind: "standing"; readonly standing: Connection }
  /** A new tab asks how the connection stands. */
  | { readonly kind: "hello" };

export class Tabs {
  readonly #platform: Platform;
  readonly #channel: Channel;
  readonly #closing = new AbortController();

  constructor(platform: Platform, hear: (message: TabMessage) => void) {
    this.#platform = platform;
    this.#channel = platform.channel(platform.database, (message) => hear(message as TabMessage));
  }

  post(message: TabMessage): void {
    if (!this.#closing.signal.aborted) {
      this.#channel.post(message);
    }
  }

  /** Calls `lead` once this tab is the one that has the connection, which it stays until it is closed. */
  whenLeading(lead: () => void): void {
    const { signal } = this.#closing;
    const { locks, database } = this.#platform;
    if (locks === undefined) {
      lead();
      return;
    }
    const untilClosed = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    locks
      .request(`${database}-connection`, { signal }, () => {
        lead();
        return untilClosed;
      })
      .catch(() => undefined); // closed before its turn came
  }

  close(): void {
    this.#closing.abort();
    this.#channel.close();
  }
}
