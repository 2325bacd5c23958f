/**
 * The invite that this window shows for a group. The server tells a code once; it is kept for as long as the window
 * is open, so that coming back makes no new one each time, and it is there with no network.
 */

import type { RestSchemas } from "../../wire/types.ts";

export type Invite = RestSchemas["Invite"];

const PREFIX = "persplit.invite";

/** One for each person and group: the next who signs in here doesn't find it. */
function keyOf(userId: string, groupId: string): string {
  return `${PREFIX}.${userId}.${groupId}`;
}

/** Undefined where there is none that still lets somebody in, as far as is known here. */
export function keptInvite(userId: string, groupId: string, now: Date): Invite | undefined {
  try {
    const kept = sessionStorage.getItem(keyOf(userId, groupId));
    const invite = kept === null ? undefined : (JSON.parse(kept) as Invite);
    return invite && new Date(invite.expiresAt) > now ? invite : undefined;
  } catch {
    return undefined;
  }
}

export function keepInvite(userId: string, groupId: string, invite: Invite): void {
  try {
    sessionStorage.setItem(keyOf(userId, groupId), JSON.stringify(invite));
  } catch {
    // No storage in this window: the next visit makes a new one.
  }
}

export function forgetInvite(userId: string, groupId: string): void {
  try {
    sessionStorage.removeItem(keyOf(userId, groupId));
  } catch {
    // As above.
  }
}

/** Whoever signs in next in this window finds none. */
export function forgetInvites(): void {
  try {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith(`${PREFIX}.`)) sessionStorage.removeItem(key);
    }
  } catch {
    // As above.
  }
}
