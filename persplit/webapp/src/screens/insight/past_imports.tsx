/** What was imported, and taking it back. */

import { useState } from "preact/hooks";
import type { GroupView } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import { formatMoment } from "../../ui/content.tsx";
import { Button } from "../../ui/controls.tsx";
import { SectionTitle } from "../../ui/layout.tsx";
import { failureText } from "../../ui/failures.ts";
import { Fetched, useFetched } from "../../ui/fetched.tsx";
import { toast } from "../../ui/toasts.tsx";
import type { RestSchemas } from "../../wire/types.ts";
import { nameOf } from "../group_frame.tsx";

/** Takes all back that an import made. Says itself what went wrong. */
export async function undoImport(groupId: string, importId: string): Promise<void> {
  try {
    await store.post(`/groups/${groupId}/imports/${importId}/undo`);
    toast(t().insight.importUndone);
  } catch (error) {
    toast(failureText(error));
  }
}

/** `version` changes when something was imported just now. */
export function PastImports({ view, version }: { view: GroupView; version: number }) {
  const [undone, setUndone] = useState(0);
  const past = useFetched<RestSchemas["PastImports"]>(`/groups/${view.id}/imports`, `${version} ${undone}`);
  if (past.value?.imports.length === 0) return null;
  return (
    <>
      <SectionTitle>{t().insight.pastImports}</SectionTitle>
      <Fetched found={past}>
        {({ imports }) => (
          <ul class="card card-flush">
            {imports.map(({ importId, at, by, undoneAt }) => (
              <li class="list-row" key={importId}>
                <span class="grow">
                  {formatMoment(at)}
                  <span class="muted small block">
                    {nameOf(view, by)}
                    {undoneAt !== null && ` · ${t().insight.undoneAt(formatMoment(undoneAt))}`}
                  </span>
                </span>
                {undoneAt === null && view.me.role === "ADMIN" && (
                  <Button kind="quiet" icon="undo" onClick={() => void undoImport(view.id, importId).then(() => setUndone((before) => before + 1))}>
                    {t().insight.undoImport}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Fetched>
    </>
  );
}
