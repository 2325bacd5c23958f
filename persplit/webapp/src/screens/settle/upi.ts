/**
 * UPI payment links, as the server makes them: `upi://pay?pa=…&pn=…&am=…&cu=INR&tn=…`.
 *
 * A link carries no signature, so one for another amount differs in `am` alone. It is made here, by the same rule as on
 * the server (whole paise, two decimals, never a fraction of a float), so that a part can be paid with no network, too.
 */

/** Most that a QR sent as a picture may ask of a person, in paise (NPCI circular OC-76C of 8 April 2025). */
export const PICTURE_LIMIT_PAISE = 2_000_00;
/** Most that one person may send another in one payment, in paise (NPCI). Banks may set less. */
export const PAYMENT_LIMIT_PAISE = 1_00_000_00;

const AMOUNT = /([?&]am=)[^&]*/u;
const PAYEE = /[?&]pa=([^&]*)/u;
const UTR = /^\d{12}$/u;

/** `1250.50` of 125050 paise. */
export function rupees(paise: number): string {
  const rest = paise % 100;
  return `${(paise - rest) / 100}.${String(rest).padStart(2, "0")}`;
}

/** The same link for another amount. */
export function withAmount(link: string, paise: number): string {
  return link.replace(AMOUNT, (_, key: string) => key + rupees(paise));
}

/** The UPI id that the link pays. */
export function payeeOf(link: string): string {
  return decodeURIComponent(PAYEE.exec(link)?.[1] ?? "");
}

/** How many payments of at most the limit it takes. */
export function paymentsNeeded(paise: number): number {
  return Math.ceil(paise / PAYMENT_LIMIT_PAISE);
}

/** What people copy of the bank's reference, without its spaces; `undefined` where it isn't one. */
export function utrOf(text: string): string | undefined {
  const digits = text.replace(/\s/gu, "");
  return UTR.test(digits) ? digits : undefined;
}
