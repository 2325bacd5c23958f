/** Light or dark as it was chosen on this device. Alone in its module: it runs before anything else is loaded. */

export type Theme = "system" | "light" | "dark";

const KEPT_AT = "persplit.theme";

export function keptTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEPT_AT);
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    return "system";
  }
}

export function keepTheme(theme: Theme): void {
  try {
    localStorage.setItem(KEPT_AT, theme);
  } catch {
    // No storage in this window: the choice lasts as long as the page.
  }
}

/** Has the style sheet draw the page so. */
export function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}
