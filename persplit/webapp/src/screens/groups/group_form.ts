/** What a group is set up with: its draft, what is wrong with it, and the currencies and time zones to choose from. */

import type { Commands, Group } from "../../wire/types.ts";

export const GROUP_NAME_LENGTH_MAX = 100;
export const DESCRIPTION_LENGTH_MAX = 500;
export const PASSWORD_LENGTH_MIN = 8;
export const PASSWORD_LENGTH_MAX = 128;

/** Asked for most, in this order; the others follow by their names. */
const COMMON_CURRENCIES = "INR USD EUR GBP AED SGD AUD CAD THB LKR NPR".split(" ");
/** All that the server takes: ISO 4217's that are in use. The browser's own list has withdrawn ones, too. */
const CURRENCIES = (
  "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP " +
  "CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR " +
  "IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU " +
  "MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG " +
  "SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV " +
  "WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
).split(" ");

/** What browsers still call by a name of before. */
const ZONES_TODAY: Readonly<Record<string, string>> = {
  "Asia/Calcutta": "Asia/Kolkata",
  "Asia/Katmandu": "Asia/Kathmandu",
  "Asia/Rangoon": "Asia/Yangon",
  "Asia/Saigon": "Asia/Ho_Chi_Minh",
  "Europe/Kiev": "Europe/Kyiv",
};

export interface Choice {
  readonly value: string;
  readonly label: string;
}

/** Common ones first, each with its name in the language: `INR · Indian Rupee`. */
export function currencyChoices(language: string): readonly Choice[] {
  const names = new Intl.DisplayNames(language, { type: "currency", fallback: "code" });
  const others = CURRENCIES.filter((code) => !COMMON_CURRENCIES.includes(code));
  return [...COMMON_CURRENCIES, ...others].map((code) => ({ value: code, label: `${code} · ${names.of(code) ?? code}` }));
}

/** The name of today of a time zone. */
export function zoneToday(zone: string): string {
  return ZONES_TODAY[zone] ?? zone;
}

/** Where the browser is. */
export function ownZone(): string {
  return zoneToday(Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC");
}

/** All that the browser knows, and `kept` even where it doesn't know it. */
export function zoneChoices(kept: string): readonly Choice[] {
  const zones = new Set(["UTC", kept, ...Intl.supportedValuesOf("timeZone").map(zoneToday)]);
  return [...zones].sort().map((value) => ({ value, label: value.replaceAll("_", " ") }));
}

export interface GroupDraft {
  readonly name: string;
  readonly description: string;
  readonly currency: string;
  readonly timeZone: string;
  readonly simplify: boolean;
  /** Empty: none, or as it is. */
  readonly password: string;
}

export type GroupFault = "required" | "passwordShort";

export function groupFaults({ name, password }: GroupDraft): Partial<Record<"name" | "password", GroupFault>> {
  return {
    ...(name.trim() === "" ? { name: "required" as const } : {}),
    ...(password !== "" && [...password].length < PASSWORD_LENGTH_MIN ? { password: "passwordShort" as const } : {}),
  };
}

/** The command's fields that make the group. */
export function newGroup(draft: GroupDraft): Commands["group:create"] {
  return {
    name: draft.name.trim(),
    currency: draft.currency,
    timeZone: draft.timeZone,
    simplify: draft.simplify,
    ...(draft.description.trim() ? { description: draft.description.trim() } : {}),
    ...(draft.password ? { joinPassword: draft.password } : {}),
  };
}

export function draftOf(group: Group): GroupDraft {
  const { name, description, currency, timeZone, simplify } = group;
  return { name, description: description ?? "", currency, timeZone: zoneToday(timeZone), simplify, password: "" };
}

/** Only what changed; undefined when nothing did. */
export function groupChanges(group: Group, draft: GroupDraft): Commands["group:update"] | undefined {
  const before = draftOf(group);
  const changes: Commands["group:update"] = {};
  if (draft.name.trim() !== before.name) changes.name = draft.name.trim();
  if (draft.description.trim() !== before.description) changes.description = draft.description.trim();
  if (draft.currency !== before.currency) changes.currency = draft.currency;
  if (draft.timeZone !== before.timeZone) changes.timeZone = draft.timeZone;
  if (draft.simplify !== before.simplify) changes.simplify = draft.simplify;
  if (draft.password) changes.joinPassword = draft.password;
  return Object.keys(changes).length > 0 ? changes : undefined;
}
