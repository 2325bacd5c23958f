/** Which codes mean what to do, and how refusals of this device look like the server's. */

import { Refusal } from "../ledger/errors.ts";
import type { Problem } from "../wire/types.ts";
import { Failure } from "./model.ts";

/** After these the same command, under the same key, may yet succeed. */
const TEMPORARY: ReadonlySet<string> = new Set([
  "offline",
  "store_unavailable",
  "server_restarting",
  "internal_error",
  "rate_limited",
]);
/** These ask for another token. */
const SIGN_IN: ReadonlySet<string> = new Set([
  "token_missing",
  "token_invalid",
  "token_reused",
  "token_expired",
  "account_disabled",
]);

export const isTemporary = (code: string): boolean => TEMPORARY.has(code);
export const asksToSignIn = (code: string): boolean => SIGN_IN.has(code);

/** What the server's rules answer with each of the ledger's refusals. */
const STATUSES: Readonly<Record<string, number>> = { validation_failed: 422, rate_unknown: 422, not_found: 404, forbidden: 403 };
const CONFLICT = 409;

/** There is no network, no server at the address, or no answer in time. */
export function offline(detail: string): Failure {
  return new Failure({ code: "offline", status: 0, detail });
}

/** The device's own storage fails us: what was stored before is intact, what was being stored was not. */
export function storageFailed(error: unknown): Failure {
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const isOutdated = error instanceof DOMException && error.name === "VersionError";
  return isOutdated ? pageOutdated() : new Failure({ code: "storage_failed", status: 0, detail });
}

/** A newer version of this page has the storage: this one has to be loaded anew. */
export function pageOutdated(): Failure {
  return new Failure({ code: "page_outdated", status: 0, detail: "a newer version of this page is open in another tab" });
}

/** An older version of this page, in another tab, doesn't let go of the storage. */
export function pageBlocked(): Failure {
  return new Failure({ code: "page_blocked", status: 0, detail: "an older version of this page is open in another tab" });
}

const OF_STORAGE: ReadonlySet<string> = new Set(["storage_failed", "page_outdated", "page_blocked"]);

export const isOfStorage = (code: string): boolean => OF_STORAGE.has(code);

export function failureOf(problem: Partial<Problem>): Failure {
  return new Failure({
    code: problem.code ?? "internal_error",
    status: problem.status ?? 0,
    detail: problem.detail ?? problem.title ?? "",
    errors: problem.errors ?? [],
    ...(problem.retryAfterMs == null ? {} : { retryAfterMs: problem.retryAfterMs }),
  });
}

/** The ledger's refusal, as the server would put it; anything else stays what it is. */
export function told(error: unknown): unknown {
  if (!(error instanceof Refusal)) {
    return error;
  }
  const { code, message, errors } = error;
  return new Failure({ code, status: STATUSES[code] ?? CONFLICT, detail: message, errors });
}
