/** A group: what happened, newest first, with my balance on top. Changes by itself as others write. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { store } from "../../data/store.ts";
import type { GroupView } from "../../data/model.ts";
import type { ScreenProps } from "../../app.tsx";
import { locale, t } from "../../text/index.ts";
import { today } from "../../ui/content.tsx";
import { Button, ButtonLink } from "../../ui/controls.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Banner, Empty, Page } from "../../ui/layout.tsx";
import { GroupTabs, WithGroup } from "../group_frame.tsx";
import { HeroAmount } from "./balance_words.tsx";
import { byDay, feedRows, localDay, type Row } from "./feed_rows.ts";
import { FeedRow } from "./feed_row.tsx";
import { NewsForScreenReaders } from "./feed_news.tsx";

/** Rows that are drawn at first, and more each time: a phone draws these at once. */
const ROWS_AT_ONCE = 40;
const DAY_MS = 86_400_000;

export function Feed({ params }: ScreenProps) {
  const groupId = params["groupId"] ?? "";
  return <WithGroup groupId={groupId}>{(view) => <FeedScreen key={groupId} view={view} />}</WithGroup>;
}

function FeedScreen({ view }: { view: GroupView }) {
  useSeen(view);
  const isArchived = view.group.archivedAt !== null;
  return (
    <Page title={view.group.name} backTo="/" actions={<Actions view={view} />}>
      <GroupTabs groupId={view.id} current="feed" />
      {isArchived && (
        <Banner icon="archive">
          {t().groups.isArchived} <a href={`#/g/${view.id}/settings`}>{t().groups.settingsTitle}</a>
        </Banner>
      )}
      <MyBalance view={view} />
      <NewsForScreenReaders view={view} />
      {/* Before the rows: by keyboard one doesn't go through all of them. */}
      {!isArchived && (
        <div class="float">
          <ButtonLink href={`#/g/${view.id}/add`} icon="add">
            {t().groups.addExpense}
          </ButtonLink>
        </div>
      )}
      <Rows view={view} />
    </Page>
  );
}

/** What is in front of somebody counts as seen: not what comes while the page is in the background. */
function useSeen({ id, seq }: GroupView): void {
  useEffect(() => {
    const see = () => {
      if (document.visibilityState === "visible" && seq > 0) store.markRead(id);
    };
    see();
    document.addEventListener("visibilitychange", see);
    return () => document.removeEventListener("visibilitychange", see);
  }, [id, seq]);
}

function Actions({ view: { id: groupId, group } }: { view: GroupView }) {
  return (
    <>
      <IconLink icon="search" href={`#/g/${groupId}/search`} label={t().groups.search} />
      {group.kind === "GROUP" && <IconLink icon="qr" href={`#/g/${groupId}/invite`} label={t().groups.inviteTitle} />}
      <IconLink icon="settings" href={`#/g/${groupId}/settings`} label={t().groups.settingsTitle} />
    </>
  );
}

function IconLink({ icon, href, label }: { icon: "search" | "qr" | "settings"; href: string; label: string }) {
  return (
    <a class="icon-button" href={href} aria-label={label} title={label}>
      <Icon name={icon} />
    </a>
  );
}

function MyBalance({ view }: { view: GroupView }) {
  const { myBalance, group } = view;
  const words = myBalance > 0 ? t().common.youAreOwed : myBalance < 0 ? t().common.youOwe : t().groups.yourBalance;
  return (
    <section class="card hero" aria-label={t().groups.yourBalance}>
      <div class="hero-line">
        <span class="hero-words">{words}</span>
        <HeroAmount minor={myBalance} currency={group.currency} />
      </div>
      {myBalance !== 0 && (
        <ButtonLink kind="quiet" href={`#/g/${view.id}/balances`} icon="settle">
          {t().groups.settleUp}
        </ButtonLink>
      )}
    </section>
  );
}

function Rows({ view }: { view: GroupView }) {
  const rows = useMemo(() => feedRows(view, localDay), [view.expenses, view.settlements, view.loans]);
  const [count, setCount] = useState(ROWS_AT_ONCE);
  const days = useMemo(() => byDay(rows, count), [rows, count]);
  if (rows.length === 0) return <NothingYet view={view} />;
  return (
    <>
      {days.map(({ day, rows: ofDay }) => (
        <section key={day} class="stack-small" aria-label={dayTitle(day)}>
          <h2 class="day">{dayTitle(day)}</h2>
          <ul class="card card-flush">
            {ofDay.map((row) => (
              <li key={idOf(row)}>
                <FeedRow row={row} view={view} />
              </li>
            ))}
          </ul>
        </section>
      ))}
      {rows.length > count && <More onMore={() => setCount((now) => now + ROWS_AT_ONCE)} />}
    </>
  );
}

function idOf(row: Row): string {
  if (row.kind === "loan") return row.loan.id;
  return row.kind === "expense" ? row.expense.id : row.settlement.id;
}

/** `Today`, `Yesterday`, else the day of the week and the date. */
function dayTitle(day: string): string {
  const now = today();
  const between = Math.round((Date.parse(now) - Date.parse(day)) / DAY_MS);
  if (between === 0 || between === 1) {
    const word = new Intl.RelativeTimeFormat(locale.value, { numeric: "auto" }).format(-between, "day");
    return word.charAt(0).toLocaleUpperCase(locale.value) + word.slice(1);
  }
  const isThisYear = day.slice(0, 4) === now.slice(0, 4);
  return new Intl.DateTimeFormat(locale.value, {
    weekday: "short",
    day: "numeric",
    month: "long",
    ...(isThisYear ? {} : { year: "numeric" }),
    timeZone: "UTC",
  }).format(new Date(`${day}T00:00:00Z`));
}

/** More by itself as one comes near the end; the button is for who doesn't scroll. */
function More({ onMore }: { onMore: () => void }) {
  const end = useRef<HTMLDivElement>(null);
  const more = useRef(onMore);
  more.current = onMore;
  useEffect(() => {
    if (!end.current) return undefined;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) more.current();
    }, { rootMargin: "600px" });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={end} class="center">
      <Button kind="plain" onClick={onMore}>
        {t().groups.showOlder}
      </Button>
    </div>
  );
}

function NothingYet({ view }: { view: GroupView }) {
  const isAlone = view.members.length === 1;
  return (
    <Empty icon="receipt" title={t().groups.noExpenses} hint={isAlone ? t().groups.noExpensesAlone : t().groups.noExpensesHint}>
      {isAlone && (
        <ButtonLink kind="quiet" href={`#/g/${view.id}/invite`} icon="qr">
          {t().groups.inviteOthers}
        </ButtonLink>
      )}
    </Empty>
  );
}
