/**
 * Money: whole numbers of minor units (paise for INR), never fractions. Amounts are at most 10^13 minor units, and a
 * group's sums stay far below 2^53, so a number holds each of them exactly.
 */

/** How many decimal digits a currency's minor unit has: INR 2, JPY 0, KWD 3 (ISO 4217, as the browser knows it). */
export declare function digitsOf(currency: string): number;

/** `₹1,23,456.50`, in the digits and grouping of the locale; `−` before a negative one. */
export declare function formatMoney(minor: number, currency: string, locale: string): string;

/** `1234.50`: to put into an input, or to copy for a UPI app. */
export declare function plainMoney(minor: number, currency: string): string;

/** What people type (`1,234.5`, `1.234,50`, `12k`, `1.5 lakh`, `१२३`, `300+45.50`) as minor units, or why it isn't an amount. */
export declare function parseMoney(
  text: string,
  currency: string,
): { readonly ok: true; readonly minor: number } | { readonly ok: false; readonly problem: "empty" | "not_an_amount" | "too_many_digits" | "too_large" };
