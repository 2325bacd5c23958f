/** How amounts, people, days and payment codes look everywhere. */

import { useEffect, useMemo, useRef } from "preact/hooks";
import { encode } from "uqr";
import { formatMoney } from "../ledger/money.ts";
import { locale, t } from "../text/index.ts";
import type { Waiting } from "../data/model.ts";
import { Icon } from "./icons.tsx";

/**
 * An amount. With `isSigned` it is a balance: green is owed to them, orange they owe. When it changes before one's eyes
 * it glows once, unless the person wants no motion.
 */
export function Amount({ minor, currency, isSigned = false, isLarge = false }: {
  minor: number;
  currency: string;
  isSigned?: boolean;
  isLarge?: boolean;
}) {
  const element = useRef<HTMLSpanElement>(null);
  const before = useRef(minor);
  useEffect(() => {
    if (before.current === minor) return;
    before.current = minor;
    const shown = element.current;
    shown?.classList.remove("moved");
    requestAnimationFrame(() => shown?.classList.add("moved"));
  }, [minor]);
  const sign = !isSigned || minor === 0 ? undefined : minor > 0 ? "owed" : "owes";
  const text = formatMoney(minor, currency, locale.value);
  return (
    <span ref={element} class={isLarge ? "amount amount-large" : "amount"} data-sign={sign}>
      {sign === "owed" ? `+${text}` : text}
    </span>
  );
}

/** More than these are not counted out. */
const COUNTED_MAX = 99;

/** A small number beside a name, which a screen reader hears in words. */
export function Badge({ count, words }: { count: number; words: string }) {
  return (
    <>
      <span class="badge" aria-hidden="true">
        {count > COUNTED_MAX ? `${COUNTED_MAX}+` : count}
      </span>
      <span class="visually-hidden"> {words}</span>
    </>
  );
}

const HUES = 8;

/** The first letters of a name on a colour that is the same for the same id everywhere. */
export function Avatar({ id, name }: { id: string; name: string }) {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  const words = name.trim().split(/\s+/u);
  const initials = words
    .slice(0, 2)
    .map((word) => [...new Intl.Segmenter().segment(word)][0]?.segment ?? "")
    .join("");
  return (
    <span class="avatar" data-hue={sum % HUES} aria-hidden="true">
      {initials}
    </span>
  );
}

/** `3 Mar`, with the year when it is another one. `day` is YYYY-MM-DD: no time zone touches it. */
export function formatDay(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  const isThisYear = date.getUTCFullYear() === new Date().getFullYear();
  return new Intl.DateTimeFormat(locale.value, {
    day: "numeric",
    month: "short",
    ...(isThisYear ? {} : { year: "numeric" }),
    timeZone: "UTC",
  }).format(date);
}

/** `3 Mar, 14:05` in the person's own time zone. `at` is RFC 3339. */
export function formatMoment(at: string): string {
  return new Intl.DateTimeFormat(locale.value, { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" }).format(new Date(at));
}

/** Today by the person's own clock, YYYY-MM-DD. */
export function today(): string {
  const now = new Date();
  return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}

/** Marks what the server has not confirmed yet. */
export function WaitingMark({ waiting }: { waiting: Waiting | undefined }) {
  if (!waiting) return null;
  return (
    <span class="waiting">
      <Icon name="waiting" size={16} />
      {t().common.waitingMark}
    </span>
  );
}

/** Modules of white around a code: what the standard asks for, on dark pages too. */
const QUIET_ZONE = 4;

/** A QR code, drawn on the device, so that it is there with no network. Error correction level M. */
export function Qr({ text, label }: { text: string; label: string }) {
  const code = useMemo(() => encode(text, { ecc: "M", border: QUIET_ZONE }), [text]);
  const path = code.data
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")))
    .join("");
  return (
    <svg class="qr" role="img" aria-label={label} viewBox={`0 0 ${code.size} ${code.size}`} shape-rendering="crispEdges">
      <rect width={code.size} height={code.size} fill="#ffffff" />
      <path d={path} fill="#000000" />
    </svg>
  );
}
