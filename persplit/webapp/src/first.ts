/** Runs before the page is drawn for the first time, so that a dark page doesn't flash in white. */

import { applyTheme, keptTheme } from "./ui/theme_kept.ts";

applyTheme(keptTheme());
