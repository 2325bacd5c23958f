/** What a browser says of itself (`User-Agent`), cut down to what a person recognises. */

/** The first that is named counts: browsers name those, too, whose pages they imitate. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\//u, "Edge"],
  [/\bOPR\//u, "Opera"],
  [/\bSamsungBrowser\//u, "Samsung Internet"],
  [/\bFirefox\/|\bFxiOS\//u, "Firefox"],
  [/\bChrome\/|\bHeadlessChrome\/|\bCriOS\//u, "Chrome"],
  [/\bSafari\//u, "Safari"],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\bAndroid\b/u, "Android"],
  [/\biPhone\b/u, "iPhone"],
  [/\biPad\b/u, "iPad"],
  [/\bWindows\b/u, "Windows"],
  [/\bCrOS\b/u, "ChromeOS"],
  [/\bMac OS X\b/u, "Mac"],
  [/\bLinux\b/u, "Linux"],
];

/** `Chrome · Android`; a label that is no browser's stays as it is (`persplit-cli`); undefined of none. */
export function deviceName(device: string | null): string | undefined {
  if (!device) return undefined;
  const found = [BROWSERS, SYSTEMS].flatMap((names) => names.find(([sign]) => sign.test(device))?.[1] ?? []);
  return device.startsWith("Mozilla/") && found.length > 0 ? found.join(" · ") : device;
}
