/** What the data layer needs of the world around it. A page's is `browserPlatform`; tests bring their own. */

export interface Channel {
  post(message: unknown): void;
  close(): void;
}

export interface Platform {
  /** `https://split.example.org`, without a slash at its end. */
  readonly origin: string;
  /** The name of the database on this device: who shares it shares the replica. */
  readonly database: string;
  readonly fetch: typeof fetch;
  /** Absent on pages that came over plain HTTP: then every tab is on its own. */
  readonly locks: LockManager | undefined;
  now(): number;
  /** 16 random bytes. */
  random(): Uint8Array;
  isOnline(): boolean;
  /** Asks the browser not to clear this page's storage when it runs short of it. */
  persist(): void;
  /** Tells the other tabs of this device; `hear` gets what they tell. */
  channel(name: string, hear: (message: unknown) => void): Channel;
  /** Calls `wake` when the network, or the person, may have come back; returns what ends it. */
  onWake(wake: () => void): () => void;
  /** Calls `sleep` when there is no network any more; returns what ends it. */
  onOffline(sleep: () => void): () => void;
}

const DATABASE = "persplit";
const UUID_BYTES = 16;

/** The page's own world. */
export function browserPlatform(): Platform {
  return {
    origin: location.origin,
    database: DATABASE,
    fetch: (input, init) => fetch(input, init),
    locks: "locks" in navigator ? navigator.locks : undefined,
    now: () => Date.now(),
    random: () => crypto.getRandomValues(new Uint8Array(UUID_BYTES)),
    isOnline: () => navigator.onLine,
    persist,
    channel: openChannel,
    onWake,
    onOffline: (sleep) => listening(window, "offline", sleep),
  };
}

/** A channel between tabs; where the browser has none, nobody hears. */
export function openChannel(name: string, hear: (message: unknown) => void): Channel {
  if (typeof BroadcastChannel === "undefined") {
    return { post: () => undefined, close: () => undefined };
  }
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event: MessageEvent<unknown>) => hear(event.data);
  return { post: (message) => channel.postMessage(message), close: () => channel.close() };
}

function persist(): void {
  // Absent on pages that came over plain HTTP.
  const storage = "storage" in navigator ? navigator.storage : undefined;
  storage?.persist().catch(() => undefined); // the browser may say no
}

function onWake(wake: () => void): () => void {
  const look = (): void => {
    if (document.visibilityState === "visible") {
      wake();
    }
  };
  const ends = [listening(window, "online", wake), listening(window, "pageshow", wake), listening(document, "visibilitychange", look)];
  return () => ends.forEach((end) => end());
}

function listening(target: EventTarget, event: string, hear: () => void): () => void {
  target.addEventListener(event, hear);
  return () => target.removeEventListener(event, hear);
}
