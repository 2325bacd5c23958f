/** What happened in all groups, newest first, with marks on what is news. */

import { useEffect, useState } from "preact/hooks";
import { store } from "../../data/store.ts";
import { formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import { Avatar, formatDay } from "../../ui/content.tsx";
import { Button } from "../../ui/controls.tsx";
import { isFailure } from "../../ui/failures.ts";
import { Banner, Empty, Page, SectionTitle, Skeleton } from "../../ui/layout.tsx";
import { NeedsNetwork } from "../../ui/fetched.tsx";
import type { RestSchemas } from "../../wire/types.ts";
import { byDay, feedFromGroups, mergedFeed, unreadGroups, type Entry } from "./feed.ts";
import { placeOf, tellEvent, type Telling } from "./telling.ts";

const PAGE = 30;

type Feed = RestSchemas["Feed"];

/** The feed so far, and more of it. What comes in while one looks is put on top. */
function useFeed() {
  const [entries, setEntries] = useState<readonly Entry[] | undefined>(undefined);
  const [cursor, setCursor] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(undefined);
  const [isBusy, setBusy] = useState(false);

  async function load(from: string | null): Promise<void> {
    setBusy(true);
    try {
      const page = await store.get<Feed>(`/activity?limit=${PAGE}${from === null ? "" : `&cursor=${encodeURIComponent(from)}`}`);
      setEntries((before) => mergedFeed(before ?? [], page.entries));
      if (from !== null || entries === undefined) setCursor(page.nextCursor);
      setError(undefined);
      for (const groupId of unreadGroups(page.entries)) store.markRead(groupId);
    } catch (failure) {
      setError(failure);
      // A guest has no feed, but sees here all that there is.
      if (isFailure(failure, "account_needed")) for (const groupId of store.unreadIn.value.keys()) store.markRead(groupId);
    } finally {
      setBusy(false);
    }
  }

  return { entries, cursor, error, isBusy, load };
}

export function Activity() {
  const { entries, cursor, error, isBusy, load } = useFeed();
  const summaries = store.groups.value ?? [];
  const news = summaries.map(({ id, at }) => id + at).join(" ");
  useEffect(() => void load(null), [news, store.connection.value === "connected"]);
  const isGuest = isFailure(error, "account_needed");
  const isFallback = entries === undefined && (isGuest || isFailure(error, "offline"));
  const shown = isFallback ? feedFromGroups(summaries.flatMap(({ id }) => store.group(id).value ?? []), PAGE) : entries;
  return (
    <Page title={t().insight.activityTitle}>
      {isFallback ? (
        <Banner icon={isGuest ? "info" : "offline"}>{isGuest ? t().insight.activityGuest : t().insight.activityFallback}</Banner>
      ) : (
        error !== undefined && <NeedsNetwork failure={error} onAgain={() => void load(null)} />
      )}
      {shown === undefined && error === undefined && <Skeleton lines={6} />}
      {shown?.length === 0 && <Empty icon="activity" title={t().insight.noActivity} hint={t().insight.noActivityHint} />}
      {byDay(shown ?? []).map(({ day, entries: ofDay }) => (
        <section class="stack" key={day} aria-label={formatDay(day)}>
          <SectionTitle>{formatDay(day)}</SectionTitle>
          <ul class="card card-flush">
            {ofDay.map((entry) => (
              <li key={`${entry.groupId} ${entry.event.type} ${entry.event.seq}`}>
                <FeedRow entry={entry} />
              </li>
            ))}
          </ul>
        </section>
      ))}
      {cursor !== null && (
        <Button kind="quiet" isWide isBusy={isBusy} onClick={() => void load(cursor)}>
          {isBusy ? t().common.loading : t().insight.loadMore}
        </Button>
      )}
    </Page>
  );
}

/** `14:05`: the day stands above. */
function formatTime(at: string): string {
  return new Intl.DateTimeFormat(locale.value, { hour: "numeric", minute: "2-digit" }).format(new Date(at));
}

function FeedRow({ entry }: { entry: Entry }) {
  const { groupId, groupName, currency, unread, event } = entry;
  const view = store.group(groupId).value;
  const me = store.me.value?.id ?? "";
  const nameOf = (userId: string) => view?.people.get(userId)?.name ?? t().insight.somebody;
  const telling: Telling = { me, nameOf, money: (minor) => formatMoney(minor, currency, locale.value) };
  return (
    <a class="list-row feed-row" href={`#${placeOf(groupId, event)}`} data-unread={unread}>
      <Avatar id={event.by} name={event.by === me ? (store.me.value?.name ?? "") : nameOf(event.by)} />
      <span class="grow">
        {unread && <span class="visually-hidden">{t().insight.unread} </span>}
        {tellEvent(event, telling)}
        <span class="muted small block">
          {groupName} · {formatTime(event.at)}
        </span>
      </span>
      {unread && <span class="dot" aria-hidden="true" />}
    </a>
  );
}
