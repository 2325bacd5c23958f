/** Short messages at the bottom: what was done, with a way back. Instead of "are you sure". */

import { signal } from "@preact/signals";
import { t } from "../text/index.ts";
import { failureText } from "./failures.ts";

/** Long enough to read it and reach for "undo". */
const SHOWN_MS = 6_000;
/** By keyboard, or with a screen reader, the way back is farther. */
const UNDO_SHOWN_MS = 10_000;
/** More than these at once are noise: the oldest goes. */
const SHOWN_MAX = 3;

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly undo: (() => void) | undefined;
}

const shown = signal<readonly Toast[]>([]);
let lastId = 0;

export function toast(text: string, undo?: () => void): void {
  lastId += 1;
  const id = lastId;
  // The same said twice is said once; each way back stays.
  const others = shown.value.filter((one) => one.text !== text || one.undo !== undefined);
  shown.value = [...others, { id, text, undo }].slice(-SHOWN_MAX);
  expireLater(id, undo ? UNDO_SHOWN_MS : SHOWN_MS);
}

/** Not while the focus is in them: nobody loses what they are about to press. */
function expireLater(id: number, afterMs: number): void {
  setTimeout(() => {
    if (document.activeElement?.closest(".toasts")) expireLater(id, SHOWN_MS);
    else dismiss(id);
  }, afterMs);
}

/** What went wrong, in words. */
export function toastFailure(error: unknown): void {
  toast(failureText(error));
}

function dismiss(id: number): void {
  shown.value = shown.value.filter((one) => one.id !== id);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.value.map(({ id, text, undo }) => (
        <div class="toast" key={id}>
          <span class="grow">{text}</span>
          {undo && (
            <button
              type="button"
              onClick={() => {
                dismiss(id);
                undo();
              }}
            >
              {t().common.undo}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
