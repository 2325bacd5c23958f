/** Something that a person sets off and that takes a while: one at a time, with what went wrong. */

import { useRef, useState } from "preact/hooks";

export interface Action {
  readonly isBusy: boolean;
  /** What the last run threw; undefined once it runs again. */
  readonly failure: unknown;
  /** Does nothing while an earlier run goes on. */
  run(work: () => Promise<void>): void;
  fail(failure: unknown): void;
}

export function useAction(): Action {
  const isRunning = useRef(false);
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(undefined);

  async function runOnce(work: () => Promise<void>): Promise<void> {
    if (isRunning.current) return;
    isRunning.current = true;
    setBusy(true);
    setFailure(undefined);
    try {
      await work();
    } catch (error) {
      setFailure(error);
    } finally {
      isRunning.current = false;
      setBusy(false);
    }
  }

  return { isBusy, failure, run: (work) => void runOnce(work), fail: setFailure };
}
