/** Light or dark, as the device has it or as the person wants it here. Kept on the device. */

import { signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const KEPT_AT = "persplit.theme";

const chosen = signal<Theme>("system");

export const theme: ReadonlySignal<Theme> = chosen;

/** Show the page so from now on, and remember it. */
export function wear(wanted: Theme): void {
  chosen.value = wanted;
  if (wanted === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = wanted;
  try {
    localStorage.setItem(KEPT_AT, wanted);
  } catch {
    // No storage in this window: the choice lasts as long as the page.
  }
}

/** As chosen before. Called before anything is drawn. */
export function wearAsBefore(): void {
  try {
    const kept = localStorage.getItem(KEPT_AT);
    if (kept === "light" || kept === "dark") wear(kept);
  } catch {
    // As above.
  }
}
