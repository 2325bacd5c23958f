/** Faults of fields in words. */

import { t } from "../../text/index.ts";
import type { Errors } from "../../ui/form.tsx";
import type { Faults } from "./signing.ts";

export function inWords(faults: Faults<string>): Errors {
  const entries = Object.entries(faults).flatMap(([field, fault]) => (fault ? [[field, t().account.faults[fault]]] : []));
  return Object.fromEntries(entries) as Errors;
}
