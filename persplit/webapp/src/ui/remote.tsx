/** What is read over the network while a screen is shown: it comes, or the screen says why not and offers to try again. */

import { useEffect, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { Failure } from "../data/model.ts";
import { t } from "../text/index.ts";
import { Button } from "./controls.tsx";
import { Banner, Skeleton } from "./layout.tsx";

export interface Remote<T> {
  /** The newest that came; the one before stays while another is on its way. */
  readonly value: T | undefined;
  readonly error: unknown;
  readonly isLoading: boolean;
  readonly retry: () => void;
}

/** Reads when the screen appears, and again whenever `key` changes. An answer that is overtaken is dropped. */
export function useRemote<T>(load: () => Promise<T>, key: string): Remote<T> {
  const [attempt, setAttempt] = useState(0);
  const [state, setState] = useState<{ value: T | undefined; error: unknown; isLoading: boolean }>({
    value: undefined,
    error: undefined,
    isLoading: true,
  });
  useEffect(() => {
    let isCurrent = true;
    setState((before) => ({ ...before, error: undefined, isLoading: true }));
    load().then(
      (value) => isCurrent && setState({ value, error: undefined, isLoading: false }),
      (error: unknown) => isCurrent && setState((before) => ({ ...before, error, isLoading: false })),
    );
    return () => {
      isCurrent = false;
    };
  }, [key, attempt]);
  return { ...state, retry: () => setAttempt((count) => count + 1) };
}

/** What went wrong, and what to do; the server's own sentence where we have none. */
export function failureText(error: unknown): string {
  if (!(error instanceof Failure)) return String(error);
  return error.code === "offline" ? t().insight.needsConnection : error.message;
}

export function FailureBanner({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const isOffline = error instanceof Failure && error.code === "offline";
  return (
    <Banner tone="warning" icon={isOffline ? "offline" : "warning"}>
      <p>{failureText(error)}</p>
      {retry && (
        <Button kind="plain" onClick={retry}>
          {t().common.tryAgain}
        </Button>
      )}
    </Banner>
  );
}

/** Skeletons, the reason why it isn't there, or what came. */
export function RemoteView<T>({ of, lines = 3, children }: {
  of: Remote<T>;
  lines?: number;
  children: (value: T) => ComponentChildren;
}) {
  return (
    <>
      {of.error !== undefined && <FailureBanner error={of.error} retry={of.retry} />}
      {of.value !== undefined ? children(of.value) : of.isLoading && <Skeleton lines={lines} />}
    </>
  );
}
