/**
 * What the page says, in the language of the person. `t().groups.title` in a component follows a change of language.
 *
 * English is always there; another language is loaded when somebody wants it. One file for each area and language; a
 * message is a string, or a function of what it names and counts. A language that lacks a message does not compile.
 */

import { computed, signal } from "@preact/signals";
import { en } from "./en/index.ts";

export type Messages = typeof en;
export type Language = "en" | "hi";

export const LANGUAGES: readonly { readonly code: Language; readonly name: string }[] = [
  { code: "en", name: "English" },
  { code: "hi", name: "हिन्दी" },
];

const KEPT_AT = "persplit.language";

const messages = signal<Messages>(en);
const chosen = signal<Language>("en");

/** The language that is shown. */
export const language = computed(() => chosen.value);

/**
 * The locale for numbers and dates: the browser's where it speaks the language shown, so that `en-US` people get their
 * dates; Indian otherwise.
 */
export const locale = computed(() => {
  const own = navigator.languages.find((tag) => tag.split("-")[0] === chosen.value);
  return own !== undefined && own.includes("-") ? own : `${chosen.value}-IN`;
});

/** The messages in the language shown. */
export function t(): Messages {
  return messages.value;
}

/** Show the page in a language from now on, and remember it on this device. */
export async function speak(code: Language): Promise<void> {
  messages.value = code === "hi" ? (await import("./hi/index.ts")).hi : en;
  chosen.value = code;
  document.documentElement.lang = code;
  try {
    localStorage.setItem(KEPT_AT, code);
  } catch {
    // No storage in this window: the choice lasts as long as the page.
  }
}

/** The language chosen before, or the browser's; English where that can't be loaded now. */
export async function speakAsBefore(): Promise<void> {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEPT_AT);
  } catch {
    // As above.
  }
  const wanted = [kept, ...navigator.languages].find((tag) => LANGUAGES.some(({ code }) => tag?.startsWith(code)));
  // Its file may not come, over a line that breaks: a page in English is better than none.
  await speak(wanted?.startsWith("hi") ? "hi" : "en").catch(() => undefined);
}

/** One of the forms by the plural rules of the language: `plural(n, { one: "1 person", other: `${n} people` })`. */
export function plural(count: number, forms: { readonly one: string; readonly other: string }): string {
  return new Intl.PluralRules(chosen.value).select(count) === "one" ? forms.one : forms.other;
}
