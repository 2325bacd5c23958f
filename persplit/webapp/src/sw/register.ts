/** Registers the service worker, and tells when a newer version of the page waits for the next load. */

import { type ReadonlySignal, signal } from "@preact/signals";

const WORKER = "/sw.js";
/** How often a page that stays open asks for a newer version, in ms. */
const UPDATE_EVERY_MS = 60 * 60 * 1_000;

const ready = signal(false);

/** A newer version is on the device: it is shown when the page is loaded the next time. */
export const isUpdateReady: ReadonlySignal<boolean> = ready;

/** Once, when the page has started. Does nothing where browsers offer no workers: over plain HTTP, but for localhost. */
export async function registerWorker(): Promise<void> {
  const workers = (navigator as Partial<Navigator>).serviceWorker;
  if (workers === undefined) return;
  workers.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    if (isVersion(data)) ready.value = !ownFiles().every((file) => data.files.includes(file));
  });
  try {
    const registration = await workers.register(trustedUrl(WORKER), { updateViaCache: "none" });
    // An update that fails is tried again the next time.
    setInterval(() => void registration.update().catch(() => undefined), UPDATE_EVERY_MS);
  } catch {
    // A browser that forbids storage forbids workers: the page then works as long as there is a network.
  }
}

/** What a worker says when it takes over: the files of its version. */
function isVersion(data: unknown): data is { readonly files: readonly string[] } {
  return typeof data === "object" && data !== null && "files" in data && Array.isArray(data.files);
}

/** The files that this page was loaded with. */
function ownFiles(): string[] {
  const elements = document.head.querySelectorAll<HTMLScriptElement | HTMLLinkElement>("script[src], link[rel=stylesheet]");
  return [...elements].map((element) => new URL("src" in element ? element.src : element.href).pathname);
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): { createScriptURL(url: string): unknown };
}

/** The one address of a script that is named in the page's code, in the form that its content policy asks for. */
function trustedUrl(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (trustedTypes === undefined) return url;
  const rules = {
    createScriptURL(asked: string): string {
      if (asked !== WORKER) throw new TypeError(`${asked} is not a script of ours`);
      return asked;
    },
  };
  return trustedTypes.createPolicy("persplit", rules).createScriptURL(url) as string;
}
