/**
 * The service worker: keeps the page's own files on the device, so that it opens with no network.
 *
 * It touches two kinds of requests and no others: opening the page, and the files of the build under `/assets/`. What the
 * server says by its interfaces is never kept here; that is the replica's job. A new version takes over as soon as its
 * files are all there: the next time the page is opened it is the new one, and a page that is open goes on with the files
 * of the version it came from.
 */

export {};

declare const self: ServiceWorkerGlobalScope;
/** Put in by the build: the files of this version, the page itself first, and a hash over all of them. */
declare const FILES: readonly string[];
declare const VERSION: string;

const PREFIX = "persplit-page-";
const CACHE = PREFIX + VERSION;
/** This version and the one before it, for pages that are still open. */
const VERSIONS_MAX = 2;
/** How long the page is waited for, in ms: a phone that shows one bar would otherwise wait for a minute. */
const PAGE_WAIT_MS = 2_000;
const PAGE = "/";

self.addEventListener("install", (event) => {
  event.waitUntil(keepFiles().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(dropOldVersions().then(takeOver));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && opensPage(url.pathname)) event.respondWith(page(request));
  else if (url.pathname.startsWith("/assets/")) event.respondWith(asset(request));
});

function opensPage(path: string): boolean {
  return path === PAGE || path.startsWith("/i/");
}

/** All files, from the version before where they are the same: their names have their hashes. */
async function keepFiles(): Promise<void> {
  const cache = await caches.open(CACHE);
  await Promise.all(
    FILES.map(async (file) => {
      const kept = file === PAGE ? undefined : await caches.match(file);
      if (kept === undefined) await cache.add(new Request(file, { cache: "no-cache", credentials: "omit" }));
      else await cache.put(file, kept);
    }),
  );
}

async function dropOldVersions(): Promise<void> {
  // In the order in which they were made.
  const ours = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(ours.slice(0, Math.max(0, ours.length - VERSIONS_MAX + 1)).map((name) => caches.delete(name)));
}

/** Serve the pages that are open, and tell them what this version consists of: a page of another one can say so. */
async function takeOver(): Promise<void> {
  await self.clients.claim();
  for (const client of await self.clients.matchAll({ type: "window" })) client.postMessage({ files: FILES });
}

/** The page as the server has it; as we keep it when the server can't be reached or isn't well. */
async function page(request: Request): Promise<Response> {
  const kept = await caches.match(PAGE, { cacheName: CACHE });
  if (kept === undefined) return fetch(request);
  try {
    const found = await fetch(request, { signal: AbortSignal.timeout(PAGE_WAIT_MS) });
    return found.status >= 500 ? kept : found;
  } catch {
    return kept;
  }
}

async function asset(request: Request): Promise<Response> {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}
