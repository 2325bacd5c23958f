/** What the server refused, or what broke on the way, in the words of the language shown. */

import { Failure } from "../data/model.ts";
import { t } from "../text/index.ts";
import type { Problem } from "../wire/types.ts";

/** A sentence that says what to do; the server's own where we have none. */
export function failureText(error: unknown): string {
  if (!(error instanceof Failure)) return error instanceof Error ? error.message : String(error);
  if (error.code === "rate_limited") return t().account.rateLimited(secondsToWait(error));
  const [first] = error.errors;
  if (error.code === "validation_failed" && first) return first.message;
  const known: Readonly<Record<string, string | undefined>> = t().account.failures;
  return known[error.code] ?? error.message;
}

/** Refusals that name no field, and are about one all the same. */
const FIELD_OF: Readonly<Record<string, string | undefined>> = { email_taken: "email" };

/** What is wrong with the field, where the failure is about it. */
export function fieldFailure(error: unknown, path: string): string | undefined {
  if (!(error instanceof Failure)) return undefined;
  return FIELD_OF[error.code] === path ? failureText(error) : error.errors.find((one) => one.path === path)?.message;
}

/** Which fields the failure is about; none where it is about the whole. */
export function failedFields(error: unknown): readonly string[] {
  if (!(error instanceof Failure)) return [];
  const field = FIELD_OF[error.code];
  return field === undefined ? error.errors.map(({ path }) => path) : [field];
}

export function isFailure(error: unknown, code: string): error is Failure {
  return error instanceof Failure && error.code === code;
}

/** At least one second: "in 0 seconds" sounds like now. */
function secondsToWait(error: Failure): number {
  return Math.max(1, Math.ceil((error.retryAfterMs ?? 0) / 1000));
}

/** The same of a refusal that the server told some time ago. */
export function problemText({ code, status, detail, errors }: Problem): string {
  return failureText(new Failure({ code, status, detail, errors }));
}
