/** Which screen stands at which address, and the frame around them all. */

import type { ComponentType } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { Route, Router, Switch, useLocation } from "wouter-preact";
import { useHashLocation } from "wouter-preact/use-hash-location";
import { store } from "./data/store.ts";
import { isUpdateReady } from "./sw/register.ts";
import { t } from "./text/index.ts";
import { Button } from "./ui/controls.tsx";
import { Badge } from "./ui/content.tsx";
import { Icon, type IconName } from "./ui/icons.tsx";
import { Banner, NotFound, Page, Skeleton } from "./ui/layout.tsx";
import { Toasts } from "./ui/toasts.tsx";
import { StorageNotice } from "./screens/account/storage_notice.tsx";
import { SignedOutNotice } from "./screens/account/signed_out.tsx";
import { Welcome } from "./screens/account/welcome.tsx";
import { Groups } from "./screens/groups/groups.tsx";
import { Feed } from "./screens/groups/feed.tsx";

/** What the address names: `/g/:groupId/e/:expenseId`. */
export interface ScreenProps {
  params: Readonly<Record<string, string>>;
}

type Screen = ComponentType<ScreenProps>;

/** A screen that is loaded when somebody goes there: the first load stays small. */
function lazy(load: () => Promise<Screen>): Screen {
  let loaded: Screen | undefined;
  return function Lazy({ params }: ScreenProps) {
    const [Found, setFound] = useState<Screen | undefined>(() => loaded);
    const [hasFailed, setFailed] = useState(false);
    const connection = store.connection.value;
    useEffect(() => {
      if (Found) return;
      load().then(
        (screen) => {
          loaded = screen;
          setFound(() => screen);
        },
        () => setFailed(true),
      );
    }, [connection]);
    if (Found) return <Found params={params} />;
    return (
      <Page title={t().common.loading} backTo="/">
        {hasFailed ? <PartMissing /> : <Skeleton lines={4} />}
      </Page>
    );
  };
}

/** With no network it comes with the network. Else the server has another version of the page, with other files. */
function PartMissing() {
  if (store.connection.value !== "connected") {
    return <Banner tone="warning" icon="offline">{t().common.offline}</Banner>;
  }
  return (
    <Banner tone="warning" icon="warning">
      <p>{t().common.partMissing}</p>
      <Button kind="quiet" onClick={() => location.reload()}>
        {t().common.loadAgain}
      </Button>
    </Banner>
  );
}

const SCREENS: readonly (readonly [path: string, screen: Screen])[] = [
  ["/", Groups],
  ["/new", lazy(async () => (await import("./screens/groups/new_group.tsx")).NewGroup)],
  ["/join/:code?/:claim?/:name?", lazy(async () => (await import("./screens/groups/join.tsx")).Join)],
  ["/g/:groupId", Feed],
  ["/g/:groupId/invite", lazy(async () => (await import("./screens/groups/invite.tsx")).Invite)],
  ["/g/:groupId/settings", lazy(async () => (await import("./screens/groups/settings.tsx")).GroupSettings)],
  ["/g/:groupId/add", lazy(async () => (await import("./screens/expense/form.tsx")).AddExpense)],
  ["/g/:groupId/add/repeating", lazy(async () => (await import("./screens/expense/form.tsx")).AddRecurring)],
  ["/g/:groupId/mend/:commandId", lazy(async () => (await import("./screens/expense/mend.tsx")).MendCommand)],
  ["/g/:groupId/e/:expenseId", lazy(async () => (await import("./screens/expense/detail.tsx")).ExpenseDetail)],
  ["/g/:groupId/e/:expenseId/edit", lazy(async () => (await import("./screens/expense/form.tsx")).EditExpense)],
  ["/g/:groupId/search", lazy(async () => (await import("./screens/expense/search.tsx")).Search)],
  ["/g/:groupId/recurring", lazy(async () => (await import("./screens/expense/recurring.tsx")).Recurring)],
  ["/g/:groupId/recurring/:recurrenceId", lazy(async () => (await import("./screens/expense/form.tsx")).EditRecurring)],
  ["/g/:groupId/presets", lazy(async () => (await import("./screens/expense/presets.tsx")).Presets)],
  ["/g/:groupId/balances", lazy(async () => (await import("./screens/settle/balances.tsx")).Balances)],
  ["/g/:groupId/settle/:fromId/:toId", lazy(async () => (await import("./screens/settle/pay.tsx")).Pay)],
  ["/g/:groupId/s/:settlementId", lazy(async () => (await import("./screens/settle/settlement.tsx")).SettlementDetail)],
  ["/g/:groupId/loans", lazy(async () => (await import("./screens/loans/loans.tsx")).Loans)],
  ["/g/:groupId/loans/new", lazy(async () => (await import("./screens/loans/loan_editor.tsx")).NewLoan)],
  ["/g/:groupId/loans/:loanId", lazy(async () => (await import("./screens/loans/loan_detail.tsx")).LoanDetail)],
  ["/g/:groupId/loans/:loanId/edit", lazy(async () => (await import("./screens/loans/loan_editor.tsx")).EditLoan)],
  ["/g/:groupId/loans/:loanId/repay", lazy(async () => (await import("./screens/loans/repay.tsx")).Repay)],
  ["/lend", lazy(async () => (await import("./screens/loans/lend.tsx")).Lend)],
  ["/lend/:userId", lazy(async () => (await import("./screens/loans/lend.tsx")).Lend)],
  ["/g/:groupId/explain/:fromId/:toId", lazy(async () => (await import("./screens/settle/explain.tsx")).Explain)],
  ["/g/:groupId/charts", lazy(async () => (await import("./screens/insight/charts.tsx")).Charts)],
  ["/g/:groupId/history", lazy(async () => (await import("./screens/insight/time_machine.tsx")).TimeMachine)],
  ["/g/:groupId/files", lazy(async () => (await import("./screens/insight/files.tsx")).Files)],
  ["/activity", lazy(async () => (await import("./screens/insight/activity.tsx")).Activity)],
  ["/friends", lazy(async () => (await import("./screens/insight/friends.tsx")).Friends)],
  ["/me", lazy(async () => (await import("./screens/account/me.tsx")).Me)],
  ["/me/sessions", lazy(async () => (await import("./screens/account/sessions.tsx")).Sessions)],
  ["/me/tokens", lazy(async () => (await import("./screens/account/tokens.tsx")).Tokens)],
  ["/outbox", lazy(async () => (await import("./screens/account/outbox.tsx")).Outbox)],
  ["/admin", lazy(async () => (await import("./screens/admin/admin.tsx")).Admin)],
];

export function App() {
  const me = store.me.value;
  return (
    <Router hook={useHashLocation}>
      <a class="skip" href="#main" onClick={skipToContent}>
        {t().common.skipToContent}
      </a>
      <UpdateBanner />
      {me ? (
        <div class="frame">
          <StorageNotice />
          <SignedOutNotice />
          <ConnectionBanner />
          <Switch>
            {SCREENS.map(([path, Screen]) => (
              <Route key={path} path={path}>
                {(params) => <Screen params={params as ScreenProps["params"]} />}
              </Route>
            ))}
            <Route>
              <NotFound />
            </Route>
          </Switch>
          <Navigation />
        </div>
      ) : me === null ? (
        <Welcome />
      ) : (
        <>
          <StorageNotice />
          <Page title={t().common.appName}>
            <Skeleton lines={4} />
          </Page>
        </>
      )}
      <FreshScroll />
      <Toasts />
    </Router>
  );
}

/** Where one goes anew the page begins at its top; going back, the browser finds the place where one was. */
function FreshScroll() {
  const [path] = useLocation();
  useLayoutEffect(() => {
    const state = history.state as { readonly wasSeen?: boolean } | null;
    if (state?.wasSeen) return;
    history.replaceState({ wasSeen: true }, "");
    scrollTo(0, 0);
  }, [path]);
  return null;
}

/** The address is the router's: the link must not change it. */
function skipToContent(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("#main h1")?.focus();
}

/** Coming back takes less than this nearly always: no need to mention it. */
const CONNECTING_QUIETLY_MS = 1_500;

function ConnectionBanner() {
  const connection = store.connection.value;
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    if (connection !== "connecting") return undefined;
    const timer = setTimeout(() => setLong(true), CONNECTING_QUIETLY_MS);
    return () => {
      clearTimeout(timer);
      setLong(false);
    };
  }, [connection]);
  if (store.isSignedOut.value || connection === "connected" || (connection === "connecting" && !isLong)) return null;
  return (
    <div class="connection" role="status">
      <Icon name="offline" size={18} />
      {connection === "offline" ? t().common.offline : t().common.connecting}
    </div>
  );
}

function UpdateBanner() {
  if (!isUpdateReady.value) return null;
  return (
    <div class="connection" role="status">
      {t().common.updateReady}
      <button type="button" class="button" data-kind="plain" onClick={() => location.reload()}>
        {t().common.reload}
      </button>
    </div>
  );
}

function Navigation() {
  const [path] = useLocation();
  const unread = store.unread.value;
  const entries: readonly { href: string; icon: IconName; label: string; isCurrent: boolean; count?: number }[] = [
    { href: "/", icon: "groups", label: t().common.navGroups, isCurrent: /^\/($|g\/|new$|join)/u.test(path) },
    { href: "/activity", icon: "activity", label: t().common.navActivity, isCurrent: path === "/activity", count: unread },
    { href: "/friends", icon: "settle", label: t().common.navFriends, isCurrent: path === "/friends" || path.startsWith("/lend") },
    { href: "/me", icon: "person", label: t().common.navMe, isCurrent: path.startsWith("/me") || path === "/outbox" || path === "/admin" },
  ];
  return (
    <nav class="nav" aria-label={t().common.mainNavigation}>
      <span class="brand">
        <Icon name="settle" size={28} />
        {t().common.appName}
      </span>
      {entries.map(({ href, icon, label, isCurrent, count }) => (
        <a key={href} href={`#${href}`} aria-current={isCurrent ? "page" : undefined}>
          <Icon name={icon} />
          {label}
          {count ? <Badge count={count} words={t().groups.unread(count)} /> : null}
        </a>
      ))}
    </nav>
  );
}
