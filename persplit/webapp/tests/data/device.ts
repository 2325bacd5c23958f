/** A device for tests: its own IndexedDB and cookies, the real network. Tabs of one device share both. */

import { PageStore } from "../../src/data/page_store.ts";
import { openChannel, type Platform } from "../../src/data/platform.ts";

/** A port that refuses: where the sockets go of who is in a network that lets none through. */
const NOBODY_THERE = "http://127.0.0.1:9";

let devices = 0;

interface Options {
  readonly signal?: AbortSignal;
  readonly steal?: boolean;
}

interface Asked {
  readonly work: () => unknown;
  readonly resolve: (outcome: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Web Locks, as far as they are used: a lock goes to who asked first, or to who steals it. */
class Locks {
  readonly #held = new Map<string, Asked>();
  readonly #waiting = new Map<string, Asked[]>();

  request(name: string, ...rest: readonly unknown[]): Promise<unknown> {
    const work = rest.at(-1) as () => unknown;
    const { signal, steal } = (rest.length > 1 ? rest[0] : {}) as Options;
    return new Promise((resolve, reject) => {
      const asked = { work, resolve, reject };
      const waiting = this.#waiting.get(name) ?? [];
      this.#waiting.set(name, waiting);
      if (steal === true) {
        this.#held.get(name)?.reject(new DOMException("stolen", "AbortError"));
        this.#grant(name, asked);
        return;
      }
      signal?.addEventListener("abort", () => {
        if (waiting.includes(asked)) {
          waiting.splice(waiting.indexOf(asked), 1);
          reject(new DOMException("called off", "AbortError"));
        }
      });
      waiting.push(asked);
      this.#next(name);
    });
  }

  #next(name: string): void {
    if (!this.#held.has(name)) {
      const asked = this.#waiting.get(name)?.shift();
      if (asked !== undefined) {
        this.#grant(name, asked);
      }
    }
  }

  #grant(name: string, asked: Asked): void {
    this.#held.set(name, asked);
    const release = (): void => {
      if (this.#held.get(name) === asked) {
        this.#held.delete(name);
        this.#next(name);
      }
    };
    void Promise.resolve().then(asked.work).then(asked.resolve, asked.reject).finally(release);
  }
}

export class Device {
  readonly #origin: string;
  readonly #name = `device-${++devices}`;
  readonly #cookies = new Map<string, string>();
  readonly #locks: LockManager | undefined;
  readonly #tabs: PageStore[] = [];
  readonly #wakes = new Set<() => void>();
  readonly #hasSockets: boolean;

  constructor(origin: string, { hasLocks = true, hasSockets = true } = {}) {
    this.#origin = origin;
    this.#hasSockets = hasSockets;
    this.#locks = hasLocks ? (new Locks() as unknown as LockManager) : undefined;
  }

  /** Opens the page in one more tab. */
  async tab(): Promise<PageStore> {
    const store = new PageStore(this.platform());
    this.#tabs.push(store);
    await store.start();
    return store;
  }

  /** Another tab has the connection, and the system lets it sleep. */
  fallAsleep(): void {
    void this.#locks?.request(`${this.#name}-connection`, () => new Promise(() => undefined)).catch(() => undefined);
  }

  async close(): Promise<void> {
    await Promise.all(this.#tabs.map((tab) => tab.close()));
  }

  /** The person looks at it again: it tries to connect at once. */
  wake(): void {
    this.#wakes.forEach((wake) => wake());
  }

  platform(): Platform {
    return {
      origin: this.#hasSockets ? this.#origin : NOBODY_THERE,
      database: this.#name,
      fetch: (input, init) => this.#fetched(input, init),
      locks: this.#locks,
      now: () => Date.now(),
      random: () => crypto.getRandomValues(new Uint8Array(16)),
      isOnline: () => true,
      persist: () => undefined,
      channel: openChannel,
      onWake: (wake) => {
        this.#wakes.add(wake);
        return () => this.#wakes.delete(wake);
      },
      onOffline: () => () => undefined,
    };
  }

  async #fetched(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const headers = new Headers(init?.headers);
    headers.set("Cookie", Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join("; "));
    const response = await fetch(String(input).replace(NOBODY_THERE, this.#origin), { ...init, headers });
    for (const cookie of response.headers.getSetCookie()) {
      const [name = "", value = ""] = (cookie.split(";")[0] ?? "").split("=");
      this.#cookies.set(name, value.replaceAll('"', ""));
    }
    return response;
  }
}
