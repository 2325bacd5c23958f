/** What admins did, newest first. */

import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import { formatMoment } from "../../ui/content.tsx";
import { Button } from "../../ui/controls.tsx";
import { Skeleton } from "../../ui/layout.tsx";
import { NeedsNetwork } from "../../ui/fetched.tsx";
import type { RestSchemas } from "../../wire/types.ts";
import { usePaged } from "./paged.ts";

const PAGE = 20;

export function Audit() {
  const log = usePaged(async (cursor) => {
    const query = new URLSearchParams({ limit: String(PAGE), ...(cursor === null ? {} : { cursor }) });
    const page = await store.get<RestSchemas["AuditEntries"]>(`/admin/audit?${query.toString()}`);
    return { items: page.entries, nextCursor: page.nextCursor };
  }, "");
  return (
    <div class="stack">
      {log.error !== undefined && <NeedsNetwork failure={log.error} onAgain={log.more} />}
      {log.items === undefined && log.isBusy && <Skeleton lines={3} />}
      {log.items?.length === 0 && <p class="muted">{t().admin.none}</p>}
      {log.items !== undefined && log.items.length > 0 && (
        <ul class="card card-flush">
          {log.items.map(({ id, at, action, by, on }) => (
            <li class="list-row" key={id}>
              <span class="grow">
                {t().admin.actions[action]}
                <span class="muted small block">{[by === null ? t().admin.commandLine : t().admin.byId(by === store.me.value?.id ? store.me.value.name : by), on !== null && t().admin.onId(on)].filter(Boolean).join(" · ")}</span>
              </span>
              <span class="muted small">{formatMoment(at)}</span>
            </li>
          ))}
        </ul>
      )}
      {log.hasMore && (
        <Button kind="quiet" isWide isBusy={log.isBusy} onClick={log.more}>
          {t().insight.loadMore}
        </Button>
      )}
    </div>
  );
}
