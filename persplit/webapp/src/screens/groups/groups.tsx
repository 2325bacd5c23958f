/** All my groups, with my balance in each and overall. */

import { store } from "../../data/store.ts";
import type { GroupSummary } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import { Avatar, Badge } from "../../ui/content.tsx";
import { ButtonLink } from "../../ui/controls.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Banner, Empty, Page, SectionTitle, Skeleton } from "../../ui/layout.tsx";
import { apart, totals } from "./overview.ts";
import { BalanceWords, HeroAmount } from "./balance_words.tsx";

export function Groups() {
  const groups = store.groups.value;
  const isGuest = store.me.value?.guestOf != null;
  return (
    <Page
      title={t().groups.title}
      actions={
        isGuest ? null : (
          <ButtonLink kind="plain" href="#/join">
            {t().groups.join}
          </ButtonLink>
        )
      }
    >
      <RefusedBanner />
      {groups ? <Found groups={groups} isGuest={isGuest} /> : <Skeleton lines={5} />}
    </Page>
  );
}

function Found({ groups, isGuest }: { groups: readonly GroupSummary[]; isGuest: boolean }) {
  const { used, direct, archived } = apart(groups);
  if (groups.length === 0) return <NoGroups isGuest={isGuest} />;
  return (
    <>
      <Overall groups={groups} />
      {used.length > 0 && <GroupList groups={used} />}
      {direct.length > 0 && (
        <>
          <SectionTitle>{t().groups.betweenTwo}</SectionTitle>
          <GroupList groups={direct} />
        </>
      )}
      {archived.length > 0 && (
        <details class="disclosure">
          <summary>{t().groups.archivedGroups(archived.length)}</summary>
          <GroupList groups={archived} />
        </details>
      )}
      {isGuest ? (
        <p class="muted small center">
          {t().groups.guestHint} <a href="#/me">{t().account.upgradeGo}</a>
        </p>
      ) : (
        <div class="float">
          <ButtonLink href="#/new" icon="add">
            {t().groups.newGroup}
          </ButtonLink>
        </div>
      )}
    </>
  );
}

function RefusedBanner() {
  const count = store.refused.value.length;
  if (count === 0) return null;
  return (
    <Banner tone="danger" icon="warning">
      {t().groups.refusedBanner(count)} <a href="#/outbox">{t().groups.lookAtThem}</a>
    </Banner>
  );
}

function NoGroups({ isGuest }: { isGuest: boolean }) {
  return (
    <Empty icon="groups" title={t().groups.noGroups} hint={t().groups.noGroupsHint}>
      {!isGuest && (
        <>
          <ButtonLink href="#/new" icon="add">
            {t().groups.makeFirst}
          </ButtonLink>
          <ButtonLink kind="plain" href="#/join" icon="qr">
            {t().groups.joinOne}
          </ButtonLink>
        </>
      )}
    </Empty>
  );
}

function Overall({ groups }: { groups: readonly GroupSummary[] }) {
  return (
    <section class="card hero" aria-label={t().groups.overall}>
      <ul class="stack-small">
        {totals(groups).map(({ currency, net }) => (
          <li key={currency} class="hero-line">
            <span class="hero-words">{balanceWord(net)}</span>
            {net === 0 ? <span class="hero-settled">{t().common.settledUp}</span> : <HeroAmount minor={net} currency={currency} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function balanceWord(net: number): string {
  if (net === 0) return t().groups.overall;
  return net > 0 ? t().groups.owedOverall : t().groups.oweOverall;
}

function GroupList({ groups }: { groups: readonly GroupSummary[] }) {
  return (
    <ul class="card card-flush">
      {groups.map((group) => (
        <li key={group.id}>
          <GroupRow group={group} />
        </li>
      ))}
    </ul>
  );
}

function noteOn({ kind, memberCount, openLoanCount }: GroupSummary): string {
  const loans = openLoanCount === 0 ? undefined : t().loans.allLoans(openLoanCount);
  if (kind === "DIRECT") return loans ?? t().loans.between;
  return [t().groups.people(memberCount), loans].filter(Boolean).join(" · ");
}

function GroupRow({ group }: { group: GroupSummary }) {
  const unread = store.unreadIn.value.get(group.id) ?? 0;
  return (
    <a class="list-row" href={`#/g/${group.id}`}>
      <Avatar id={group.id} name={group.name} />
      <span class="grow">
        <span class="group-name">
          <span class="strong two-lines">{group.name}</span>
          {unread > 0 && (
            <Badge count={unread} words={t().groups.unread(unread)} />
          )}
        </span>
        <span class="muted small row-note">{noteOn(group)}</span>
        {group.waitingCount > 0 && (
          <span class="waiting">
            <Icon name="waiting" size={16} />
            {t().groups.waiting(group.waitingCount)}
          </span>
        )}
      </span>
      <BalanceWords minor={group.myBalance} currency={group.currency} />
    </a>
  );
}
