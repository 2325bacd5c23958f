/** Light or dark, as the device has it or as the person wants it here. */

import { signal, type ReadonlySignal } from "@preact/signals";
import { applyTheme, keepTheme, keptTheme, type Theme } from "./theme_kept.ts";

export type { Theme };

const chosen = signal<Theme>(keptTheme());

export const theme: ReadonlySignal<Theme> = chosen;

/** Show the page so from now on, and remember it. */
export function wear(wanted: Theme): void {
  chosen.value = wanted;
  applyTheme(wanted);
  keepTheme(wanted);
}
