/** Ids that are new everywhere and sort by time: UUIDs of version 7 (RFC 9562). `crypto.randomUUID` needs HTTPS. */

import type { Platform } from "./platform.ts";

const TIME_BYTES = 6;

export function newId(platform: Pick<Platform, "now" | "random">): string {
  const bytes = platform.random();
  let time = platform.now();
  for (let place = TIME_BYTES - 1; place >= 0; place--) {
    bytes[place] = time % 256;
    time = Math.floor(time / 256);
  }
  return asUuid(bytes, 7);
}

/** Nothing but chance: UUIDs of version 4, where the id is a secret. */
export const newKey = (platform: Pick<Platform, "random">): string => asUuid(platform.random(), 4);

function asUuid(bytes: Uint8Array, version: number): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | (version << 4);
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80; // the variant
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
