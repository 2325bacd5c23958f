/** What the answer to an attempt to join asks of the person. */

import { Failure } from "../../data/model.ts";

export type PasswordWanted = "no" | "missing" | "wrong";

/** Whether the group wants its password, or another one than was given. */
export function passwordWanted(failure: unknown): PasswordWanted {
  if (!(failure instanceof Failure)) return "no";
  if (failure.errors.some(({ path }) => path === "password")) return "missing";
  return failure.code === "forbidden" ? "wrong" : "no";
}

/** What an attempt to join failed by, told apart where there is something of our own to say. */
export type JoinTrouble = "gone" | "member" | "claimed" | undefined;

export function joinTrouble(failure: unknown): JoinTrouble {
  if (!(failure instanceof Failure)) return undefined;
  if (failure.code === "not_found") return "gone";
  if (failure.code === "already_member") return "member";
  return failure.errors.some(({ path }) => path === "claim") ? "claimed" : undefined;
}
