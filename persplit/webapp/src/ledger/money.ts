/**
 * Money: whole numbers of minor units (paise for INR), never fractions. Amounts are at most 10^13 minor units, and a
 * group's sums stay far below 2^53, so a number holds each of them exactly.
 */

/** The largest amount in minor units. */
export const AMOUNT_MAX = 10 ** 13;
/** Terms of a sum that is typed: a long bill, added up. */
const TERMS_MAX = 50;
/** Formats that are kept ready: a handful of currencies in one or two languages. */
const FORMATS_MAX = 64;
const MINUS = "−";

/**
 * ISO 4217, where it isn't two. Not the browser's table: that one says what people write in cash (no digits of an
 * Iraqi dinar), and the server reckons by the standard.
 */
const DIGITS: ReadonlyMap<string, number> = new Map([
  ..."BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(" ").map((code) => [code, 0] as const),
  ..."BHD IQD JOD KWD LYD OMR TND".split(" ").map((code) => [code, 3] as const),
  ..."CLF UYW".split(" ").map((code) => [code, 4] as const),
]);

/** How many decimal digits a currency's minor unit has: INR 2, JPY 0, KWD 3 (ISO 4217). */
export function digitsOf(currency: string): number {
  return DIGITS.get(currency) ?? 2;
}

/** Its whole part, and the decimals as text with all their zeros. */
function apart(minor: number, digits: number): { whole: bigint; decimals: string } {
  const text = String(Math.abs(minor)).padStart(digits + 1, "0");
  const point = text.length - digits;
  return { whole: BigInt(text.slice(0, point)), decimals: text.slice(point) };
}

interface Format {
  readonly whole: Intl.NumberFormat;
  /** The locale's ten digits. */
  readonly digits: readonly string[];
}

const formats = new Map<string, Format>();

function formatFor(currency: string, locale: string): Format {
  const key = `${locale} ${currency}`;
  const known = formats.get(key);
  if (known !== undefined) {
    return known;
  }
  const digits = digitsOf(currency);
  const plain = new Intl.NumberFormat(locale, { useGrouping: false });
  const made: Format = {
    whole: new Intl.NumberFormat(locale, {
      style: "currency",
      currency,
      currencyDisplay: "narrowSymbol",
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }),
    digits: Array.from({ length: 10 }, (_, digit) => plain.format(digit)),
  };
  if (formats.size >= FORMATS_MAX) {
    formats.clear();
  }
  formats.set(key, made);
  return made;
}

/** `₹1,23,456.50`, in the digits and grouping of the locale; `−` before a negative one. */
export function formatMoney(minor: number, currency: string, locale: string): string {
  const format = formatFor(currency, locale);
  const { whole, decimals } = apart(minor, digitsOf(currency));
  // The browser formats the whole part, which it does exactly; the decimals take the place of its zeros.
  const parts = format.whole.formatToParts(whole).map((part) =>
    part.type === "fraction"
      ? Array.from(decimals, (digit) => format.digits[Number(digit)] ?? digit).join("")
      : part.value,
  );
  return (minor < 0 ? MINUS : "") + parts.join("");
}

/** `1234.50`: to put into an input, or to copy for a UPI app. */
export function plainMoney(minor: number, currency: string): string {
  const { whole, decimals } = apart(minor, digitsOf(currency));
  return `${minor < 0 ? "-" : ""}${whole}${decimals ? `.${decimals}` : ""}`;
}

/** Why what was typed isn't an amount. */
export type NoAmount = "empty" | "not_an_amount" | "too_many_digits" | "too_large";
export type ParsedMoney =
  | { readonly ok: true; readonly minor: number }
  | { readonly ok: false; readonly problem: NoAmount };

/** The zeros of the scripts whose digits people type: each has its ten in a row. */
const ZEROS = [
  0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xff10,
] as const;

const ZEROS_OF_TEN: readonly (readonly [RegExp, number])[] = [
  [/^(k|thousand|हज़ार|हजार)$/u, 3],
  [/^(l|lac|lacs|lakh|lakhs|लाख)$/u, 5],
  [/^(m|mn|million|millions)$/u, 6],
  [/^(cr|crore|crores|करोड़|करोड)$/u, 7],
];

const TERM = /^([0-9][0-9.,]*|[.,][0-9]+)([\p{L}\p{M}]*)$/u;
const GROUPED = {
  ",": /^[0-9]{1,3}(,[0-9]{2,3})*,[0-9]{3}$/,
  ".": /^[0-9]{1,3}(\.[0-9]{3})+$/,
} as const;
type Separator = keyof typeof GROUPED;

/** What people type (`1,234.5`, `1.234,50`, `12k`, `1.5 lakh`, `१२३`, `300+45.50`) as minor units, or why it isn't an amount. */
export function parseMoney(text: string, currency: string): ParsedMoney {
  const terms = simplified(text, currency).split("+");
  if (terms.length === 1 && terms[0] === "") {
    return { ok: false, problem: "empty" };
  }
  let sum = 0n;
  for (const term of terms.slice(0, TERMS_MAX + 1)) {
    const minor = minorOf(term, digitsOf(currency));
    if (typeof minor === "string") {
      return { ok: false, problem: minor };
    }
    sum += minor;
  }
  if (terms.length > TERMS_MAX || sum > BigInt(AMOUNT_MAX)) {
    return { ok: false, problem: "too_large" };
  }
  return { ok: true, minor: Number(sum) };
}

/** With plain digits, and without what says nothing: space, apostrophes between digits, the currency. */
function simplified(text: string, currency: string): string {
  return Array.from(text.normalize("NFC"), plainDigit)
    .join("")
    .toLowerCase()
    .replace(/[\s'’_]|\p{Sc}/gu, "")
    .replaceAll("٫", ".")
    .replaceAll("٬", ",")
    .replaceAll(currency.toLowerCase(), "")
    .replace(/(^|\+)(rs\.?|रु\.?|रू\.?)/gu, "$1")
    .replace(/\/-$/, "");
}

function plainDigit(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const zero = ZEROS.find((first) => code >= first && code < first + 10);
  return zero === undefined ? character : String(code - zero);
}

function minorOf(term: string, digits: number): bigint | NoAmount {
  const [, number, unit = ""] = TERM.exec(term) ?? [];
  const zeros = unit === "" ? 0 : ZEROS_OF_TEN.find(([names]) => names.test(unit))?.[1];
  const written = number === undefined || zeros === undefined ? undefined : wholeAndDecimals(number);
  if (written === undefined || zeros === undefined) {
    return "not_an_amount";
  }
  const decimals = written.decimals.replace(/0+$/, "");
  const places = digits + zeros;
  if (decimals.length > places) {
    return "too_many_digits";
  }
  return BigInt((written.whole || "0") + decimals.padEnd(places, "0"));
}

/** Which separator groups and which begins the decimals is told by where they stand; undefined where it can't be. */
function wholeAndDecimals(number: string): { whole: string; decimals: string } | undefined {
  const point = Math.max(number.lastIndexOf("."), number.lastIndexOf(","));
  if (point < 0) {
    return { whole: number, decimals: "" };
  }
  const last = number[point] as Separator;
  const other: Separator = last === "." ? "," : ".";
  const [before, after] = [number.slice(0, point), number.slice(point + 1)];
  if (before.includes(last) || (last === "," && !before.includes(other) && GROUPED[","].test(number))) {
    // All of one kind: it groups. A single comma before three digits does, too, as `1,234` is written here.
    return GROUPED[last].test(number) ? { whole: number.replaceAll(last, ""), decimals: "" } : undefined;
  }
  if (before.includes(other) && !GROUPED[other].test(before)) {
    return undefined;
  }
  return { whole: before.replaceAll(other, ""), decimals: after };
}
