/** Waiting for what a signal comes to. */

import type { ReadonlySignal } from "@preact/signals";

/** How long a test waits for what must come; a noisy machine never needs it, a bug always does. */
const PATIENCE_MS = 30_000;

/** Resolves with the signal's value once it is as wished. */
export function until<T>(shown: ReadonlySignal<T>, isWished: (value: T) => boolean, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    let end = (): void => undefined;
    const patience = setTimeout(() => {
      end();
      reject(new Error(`it never came: ${what}; last: ${JSON.stringify(shown.peek())?.slice(0, 2_000)}`));
    }, PATIENCE_MS);
    const stop = shown.subscribe((value) => {
      if (!isOver && isWished(value)) {
        isOver = true;
        clearTimeout(patience);
        queueMicrotask(() => end());
        resolve(value);
      }
    });
    end = stop;
  });
}
