/** The ledger of two people, outside of any group: one for each pair and currency, found by its id. */

import { sha256Hex } from "./sha256.ts";

/** RFC 9562's version for what one makes up oneself, at its place among 32 hexadecimal digits. */
const VERSION = "8";
const VERSION_PLACE = 12;
const VARIANT_PLACE = 16;

/** The id of the ledger of these two users (by their ids, which are ASCII) in this currency: a UUID, the same whoever asks, and the same as the server's. */
export function directLedgerId(one: string, other: string, currency: string): string {
  const digits = sha256Hex(["direct", ...[one, other].sort(), currency].join("\0")).slice(0, 32);
  const variant = ((Number.parseInt(digits.charAt(VARIANT_PLACE), 16) & 0x3) | 0x8).toString(16);
  const marked =
    digits.slice(0, VERSION_PLACE) +
    VERSION +
    digits.slice(VERSION_PLACE + 1, VARIANT_PLACE) +
    variant +
    digits.slice(VARIANT_PLACE + 1);
  return marked.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
