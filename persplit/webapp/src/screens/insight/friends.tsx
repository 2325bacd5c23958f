/** My net with each person, over all groups. */

import type { GroupView } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import { Amount, Avatar } from "../../ui/content.tsx";
import { Banner, Empty, Page, Skeleton } from "../../ui/layout.tsx";
import { Button, ButtonLink } from "../../ui/controls.tsx";
import { useFetched } from "../../ui/fetched.tsx";
import type { RestSchemas } from "../../wire/types.ts";
import { friendsFromPlans, groupsWith, inOrder, type Friend } from "./friends_state.ts";

/** The server's largest page; who has more open accounts than this looks into the groups. */
const PAGE = 200;

export function Friends() {
  const summaries = store.groups.value;
  const groups = (summaries ?? []).flatMap(({ id }) => store.group(id).value ?? []);
  const key = (summaries ?? []).map(({ id, at }) => id + at).join(" ");
  const asked = useFetched<RestSchemas["Friends"]>(`/balances/friends?limit=${PAGE}`, key);
  const isFallback = asked.value === undefined && asked.failure !== undefined;
  const friends = asked.value?.friends ?? (isFallback ? friendsFromPlans(groups) : undefined);
  return (
    <Page title={t().insight.friendsTitle} actions={canLend() ? <ButtonLink kind="plain" href="#/lend">{t().loans.add}</ButtonLink> : null}>
      {isFallback && (
        <Banner icon="offline">
          <p>{t().insight.friendsFallback}</p>
          <Button kind="plain" onClick={asked.again}>
            {t().common.tryAgain}
          </Button>
        </Banner>
      )}
      {friends === undefined ? (
        <Skeleton lines={5} />
      ) : friends.length === 0 ? (
        <Empty icon="settle" title={t().insight.noFriends} hint={t().insight.noFriendsHint} />
      ) : (
        <ul class="stack">
          {inOrder(friends).map((friend) => (
            <FriendCard key={friend.userId} friend={friend} groups={groupsWith(groups, friend.userId)} />
          ))}
        </ul>
      )}
    </Page>
  );
}

/** Guests have no ledger of their own with somebody. */
function canLend(): boolean {
  return store.me.value?.guestOf === null && store.offers("openDirectLedger");
}

/** Where one settles up, if it is one place, and lending. */
function FriendWays({ friend, groups }: { friend: Friend; groups: readonly GroupView[] }) {
  const [only, ...others] = groups;
  const isOpen = friend.balances.some(({ amount }) => amount !== 0);
  const forWhom = <span class="visually-hidden">: {friend.name}</span>;
  return (
    <div class="row-wrap">
      {only && others.length === 0 && isOpen && (
        <ButtonLink kind="quiet" icon="settle" href={`#/g/${only.id}/balances`}>
          {t().groups.settleUp}
          {forWhom}
        </ButtonLink>
      )}
      {canLend() && (
        <ButtonLink kind="plain" href={`#/lend/${friend.userId}`}>
          {t().loans.add}
          {forWhom}
        </ButtonLink>
      )}
    </div>
  );
}

function FriendCard({ friend, groups }: { friend: Friend; groups: readonly GroupView[] }) {
  return (
    <li class="card stack-small">
      <div class="row top-row">
        <Avatar id={friend.userId} name={friend.name} />
        <div class="grow">
          <h2>{friend.name}</h2>
          <ul>
            {friend.balances.map(({ currency, amount }) => (
              <li class="row-wrap spread" key={currency}>
                <span class="muted">{amount > 0 ? t().insight.owesYou : t().insight.youOwe}</span>
                <Amount minor={amount} currency={currency} isSigned />
              </li>
            ))}
            {friend.loans.map(({ currency, amount }) => (
              <li class="row-wrap spread" key={`loans ${currency}`}>
                <span class="muted">{amount > 0 ? t().loans.owesYou : t().loans.youOwe}</span>
                <Amount minor={amount} currency={currency} isSigned />
              </li>
            ))}
          </ul>
        </div>
      </div>
      {groups.length > 0 && (
        <ul class="row-wrap" aria-label={t().insight.groupsWith(friend.name)}>
          {groups.map(({ id, group }) => (
            <li key={id}>
              <a class="chip plain-link" href={`#/g/${id}/balances`}>
                {group.kind === "DIRECT" ? t().loans.between : group.name}
              </a>
            </li>
          ))}
        </ul>
      )}
      <FriendWays friend={friend} groups={groups} />
    </li>
  );
}
