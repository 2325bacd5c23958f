/** Lists that come page by page. */

import { useEffect, useState } from "preact/hooks";

export interface Paged<T> {
  readonly items: readonly T[] | undefined;
  readonly hasMore: boolean;
  readonly error: unknown;
  readonly isBusy: boolean;
  /** The next page, or the first once more. */
  readonly more: () => void;
  readonly change: (change: (item: T) => T) => void;
}

/** From the first page on, again whenever `key` changes. `load` takes the cursor of the page, `null` for the first. */
export function usePaged<T>(load: (cursor: string | null) => Promise<{ items: readonly T[]; nextCursor: string | null }>, key: string): Paged<T> {
  const [items, setItems] = useState<readonly T[] | undefined>(undefined);
  const [cursor, setCursor] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(undefined);
  const [isBusy, setBusy] = useState(false);

  function fetchPage(from: string | null, isWanted: () => boolean): void {
    setBusy(true);
    load(from).then(
      (page) => {
        if (!isWanted()) return;
        setItems((before) => (from === null ? page.items : [...(before ?? []), ...page.items]));
        setCursor(page.nextCursor);
        setError(undefined);
        setBusy(false);
      },
      (failure: unknown) => {
        if (!isWanted()) return;
        setError(failure);
        setBusy(false);
      },
    );
  }

  useEffect(() => {
    let isCurrent = true;
    fetchPage(null, () => isCurrent);
    return () => {
      isCurrent = false;
    };
  }, [key]);

  return {
    items,
    hasMore: cursor !== null,
    error,
    isBusy,
    more: () => fetchPage(cursor, () => true),
    change: (change) => setItems((before) => before?.map(change)),
  };
}
