/** What expenses can be for: the list that the page knows, and what the server has since added to it. */

import { signal } from "@preact/signals";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import type { RestSchemas } from "../../wire/types.ts";
import { CATEGORIES, categoryKey, isKnown } from "./category_list.ts";

/** What to send as an expense's category, and its emoji. */
export interface Category {
  readonly key: string;
  readonly icon: string;
}

type Told = RestSchemas["Category"];

const KEPT_AT = "persplit.categories";
const NONE_ICON = "🧾";
const KNOWN: readonly Category[] = Object.entries(CATEGORIES).map(([key, { icon }]) => ({ key, icon }));

/** What the server told last: kept on the device, to be there with no network. */
const told = signal<readonly Told[]>(kept());
let isAsked = false;

function kept(): readonly Told[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEPT_AT) ?? "[]");
    return Array.isArray(found) ? (found as Told[]) : [];
  } catch {
    return [];
  }
}

/** All of them, in the order in which to show them. The server is asked once while the page is open. */
export function categories(): readonly Category[] {
  if (!isAsked && store.offers("listCategories")) {
    isAsked = true;
    store.get<RestSchemas["Categories"]>("/categories").then(keep, () => {
      isAsked = false;
    });
  }
  return told.value.length > 0 ? told.value : KNOWN;
}

function keep(answer: RestSchemas["Categories"]): void {
  told.value = answer.categories;
  try {
    localStorage.setItem(KEPT_AT, JSON.stringify(answer.categories));
  } catch {
    // No storage in this window: it is asked for again the next time.
  }
}

/** The emoji of a category; that of a receipt where it has none. */
export function categoryIcon(category: string | null): string {
  const key = categoryKey(category);
  return categories().find((one) => one.key === key)?.icon ?? NONE_ICON;
}

/** Its name in the language shown; a free text is its own. */
export function categoryName(category: string): string {
  const key = categoryKey(category) ?? category;
  if (isKnown(key)) return t().expense.categories[key];
  return told.value.find((one) => one.key === key)?.name ?? category;
}
