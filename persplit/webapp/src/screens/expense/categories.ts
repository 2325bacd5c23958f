/** What expenses are for: the server's list, kept on the device so that it is there with no network. */

import { signal } from "@preact/signals";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import type { RestSchemas } from "../../wire/types.ts";

export type Category = RestSchemas["Category"];

const KEPT_AT = "persplit.categories";
const NONE_ICON = "🧾";

const list = signal<readonly Category[]>(kept());
let isAsked = false;

function kept(): readonly Category[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEPT_AT) ?? "[]");
    return Array.isArray(found) ? (found as Category[]) : [];
  } catch {
    return [];
  }
}

/** The list, in the order in which to show it. The server is asked for it once while the page is open. */
export function categories(): readonly Category[] {
  if (!isAsked && store.offers("listCategories")) {
    isAsked = true;
    store.get<RestSchemas["Categories"]>("/categories").then(keep, () => {
      isAsked = false;
    });
  }
  return list.value;
}

function keep(answer: RestSchemas["Categories"]): void {
  list.value = answer.categories;
  try {
    localStorage.setItem(KEPT_AT, JSON.stringify(answer.categories));
  } catch {
    // No storage in this window: it is asked for again the next time.
  }
}

/** The emoji of a category; that of a receipt where it has none. */
export function categoryIcon(category: string | null): string {
  return categories().find(({ key }) => key === category)?.icon ?? NONE_ICON;
}

/** Its name in the language shown; a free text is its own. */
export function categoryName(category: string): string {
  const names: Readonly<Record<string, string>> = t().expense.categories;
  return names[category] ?? categories().find(({ key }) => key === category)?.name ?? category;
}
