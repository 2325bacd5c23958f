/** Files to the person's device. */

/** The browser needs the address for a moment after the click. */
const KEPT_MS = 60_000;

/** Offers the content as a download with this name. */
export function saveFile(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
}
