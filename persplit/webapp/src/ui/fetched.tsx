/** What is asked of the server while one looks: skeletons, then the answer, or what to do when there is none. */

import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { store } from "../data/store.ts";
import { t } from "../text/index.ts";
import { Button } from "./controls.tsx";
import { failureText, isFailure } from "./failures.ts";
import { Banner, Skeleton } from "./layout.tsx";

export interface FetchedState<T> {
  /** Undefined until it is there. What was there stays while it is asked for again. */
  readonly value: T | undefined;
  readonly failure: unknown;
  again(): void;
  /** Shows this in the meantime, for what was changed just now. */
  set(value: T): void;
}

/** The answer to a GET under `/api/v1`; undefined as the path: not yet. Asked again when `version` changes. */
export function useFetched<T>(path: string | undefined, version = ""): FetchedState<T> {
  return useLoaded(path === undefined ? undefined : () => store.get<T>(path), `${path} ${version}`);
}

/** What is loaded in whatever way. Asked again when `key` changes, and when the connection is back. */
export function useLoaded<T>(load: (() => Promise<T>) | undefined, key: string): FetchedState<T> {
  const [value, setValue] = useState<T | undefined>(undefined);
  const [failure, setFailure] = useState<unknown>(undefined);
  const asked = useRef(0);

  const again = useCallback(() => {
    if (load === undefined) return;
    asked.current += 1;
    const mine = asked.current;
    load().then(
      (answer) => {
        if (mine !== asked.current) return;
        setFailure(undefined);
        setValue(answer);
      },
      (error: unknown) => {
        if (mine === asked.current) setFailure(error);
      },
    );
  }, [key]);

  const isConnected = store.connection.value === "connected";
  useEffect(again, [again, isConnected]);
  useEffect(() => () => void (asked.current += 1), []);
  return { value, failure, again, set: setValue };
}

export function Fetched<T>({ found, children, lines = 4 }: {
  found: FetchedState<T>;
  children: (value: T) => ComponentChildren;
  lines?: number;
}) {
  if (found.value !== undefined) return <>{children(found.value)}</>;
  if (found.failure === undefined) return <Skeleton lines={lines} />;
  return <NeedsNetwork failure={found.failure} onAgain={found.again} />;
}

/** Says in place that this needs the network, and offers to try again where that helps. */
export function NeedsNetwork({ failure, onAgain }: { failure: unknown; onAgain?: (() => void) | undefined }) {
  const isOffline = isFailure(failure, "offline");
  return (
    <Banner tone="warning" icon={isOffline ? "offline" : "warning"}>
      <p>{isOffline ? t().account.needsNetwork : failureText(failure)}</p>
      {onAgain && (
        <Button kind="plain" onClick={onAgain}>
          {t().common.tryAgain}
        </Button>
      )}
    </Banner>
  );
}
