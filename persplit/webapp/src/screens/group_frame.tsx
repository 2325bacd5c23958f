/** What all screens of a group share: they find the group, or say that it isn't there, and lead to each other. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { store } from "../data/store.ts";
import type { GroupView } from "../data/model.ts";
import { t } from "../text/index.ts";
import { NotFound, Page, Skeleton } from "../ui/layout.tsx";

/** The group once it is known: skeletons until then, a plain word when there is none. */
export function WithGroup({ groupId, children }: { groupId: string; children: (group: GroupView) => ComponentChildren }) {
  const view = store.group(groupId).value;
  if (view === null) return <NotFound />;
  if (view === undefined) {
    return (
      <Page title={t().common.loading} backTo="/">
        <Skeleton lines={2} />
        <Skeleton lines={5} />
      </Page>
    );
  }
  return <>{children(view)}</>;
}

export type GroupTab = "feed" | "balances" | "charts" | "history";

/** The tabs of a group. `current` is the one shown. */
export function GroupTabs({ groupId, current }: { groupId: string; current: GroupTab }) {
  const tabs: readonly { tab: GroupTab; path: string; label: string }[] = [
    { tab: "feed", path: "", label: t().common.tabFeed },
    { tab: "balances", path: "/balances", label: t().common.tabBalances },
    { tab: "charts", path: "/charts", label: t().common.tabCharts },
    { tab: "history", path: "/history", label: t().common.tabHistory },
  ];
  const bar = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a narrow phone the last tab begins out of sight.
    bar.current?.querySelector('[aria-current="page"]')?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [current]);
  return (
    <nav class="segments" aria-label={t().common.groupTabs} ref={bar}>
      {tabs.map(({ tab, path, label }) => (
        <a key={tab} href={`#/g/${groupId}${path}`} aria-current={tab === current ? "page" : undefined}>
          {label}
        </a>
      ))}
    </nav>
  );
}

/** What a person is called in a group: "you" for oneself. Former members keep their names. */
export function nameOf(view: GroupView, userId: string): string {
  return userId === view.me.userId ? t().common.you : (view.people.get(userId)?.name ?? "?");
}
