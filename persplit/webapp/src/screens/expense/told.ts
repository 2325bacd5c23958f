/** What the server said against a form, by the part of it that it is about. */

import { Failure } from "../../data/model.ts";
import { failureText } from "../../ui/failures.ts";
import { partOf } from "./form_fields.ts";

export type Told = Partial<Record<ReturnType<typeof partOf>, string>>;

export function toldBy(error: unknown): Told {
  if (!(error instanceof Failure) || error.errors.length === 0) return { other: failureText(error) };
  const told: Told = {};
  for (const { path, message } of error.errors) told[partOf(path)] ??= message;
  return told;
}
