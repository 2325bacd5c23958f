/** Bringing others in: a code to scan, a link to send, a name to add. */

import { useState } from "preact/hooks";
import { store } from "../../data/store.ts";
import type { GroupView } from "../../data/model.ts";
import type { ScreenProps } from "../../app.tsx";
import { t } from "../../text/index.ts";
import type { Member } from "../../wire/types.ts";
import { Avatar, Qr } from "../../ui/content.tsx";
import { Button, ButtonLink, CopyButton } from "../../ui/controls.tsx";
import { NeedsNetwork } from "../../ui/fetched.tsx";
import { Banner, Page, SectionTitle, Sheet, Skeleton } from "../../ui/layout.tsx";
import { toastFailure } from "../../ui/toasts.tsx";
import { nameOf, WithGroup } from "../group_frame.tsx";
import { AddPerson } from "./add_person.tsx";
import { InviteList } from "./invite_list.tsx";
import { linkFor } from "./invite_links.ts";
import { InviteTerms } from "./invite_terms.tsx";
import { termsOf } from "./invite_words.ts";
import { useInvite, type InviteState } from "./use_invite.ts";

export function Invite({ params }: ScreenProps) {
  const groupId = params["groupId"] ?? "";
  return <WithGroup groupId={groupId}>{(view) => <InviteScreen key={groupId} view={view} />}</WithGroup>;
}

function InviteScreen({ view }: { view: GroupView }) {
  const isGuest = store.me.value?.guestOf != null;
  return (
    <Page title={t().groups.inviteTitle} backTo={`/g/${view.id}`}>
      {isGuest ? (
        <Banner>
          {t().groups.guestNoInvite} <a href="#/me">{t().account.upgradeGo}</a>
        </Banner>
      ) : (
        <ForMembers view={view} />
      )}
      <ButtonLink kind="quiet" href={`#/g/${view.id}`} isWide>
        {t().groups.goToGroup}
      </ButtonLink>
    </Page>
  );
}

function ForMembers({ view }: { view: GroupView }) {
  const state = useInvite(view);
  const [opened, setOpened] = useState<"terms" | "list" | undefined>(undefined);
  return (
    <>
      <InviteCard view={view} state={state} />
      <div class="row-wrap center-items">
        <Button kind="plain" onClick={() => setOpened("terms")}>
          {t().groups.otherTerms}
        </Button>
        <Button kind="plain" onClick={() => setOpened("list")}>
          {t().groups.allInvites}
        </Button>
      </div>
      <WhoIsIn view={view} />
      {view.me.role === "ADMIN" && (
        <>
          <SectionTitle>{t().groups.addPerson}</SectionTitle>
          <AddPerson view={view} />
        </>
      )}
      <Placeholders view={view} url={state.invite?.url} />
      {opened === "terms" && <InviteTerms view={view} onMade={state.show} onClose={() => setOpened(undefined)} />}
      {opened === "list" && <InviteList view={view} shownId={state.invite?.id} onRevoked={state.revoked} onClose={() => setOpened(undefined)} />}
    </>
  );
}

/** Who is in the group by name only: each gets a link of their own, by which they take over what is noted for them. */
function Placeholders({ view, url }: { view: GroupView; url: string | undefined }) {
  const [linked, setLinked] = useState<Member | undefined>(undefined);
  const placeholders = view.members.filter(({ placeholder }) => placeholder);
  if (placeholders.length === 0) return null;
  return (
    <>
      <SectionTitle>{t().groups.placeholders}</SectionTitle>
      <p class="muted small">{t().groups.placeholdersHint}</p>
      <ul class="card card-flush">
        {placeholders.map((member) => (
          <li key={member.userId} class="list-row">
            <span class="grow">{member.name}</span>
            {url && (
              <Button kind="plain" icon="link" onClick={() => setLinked(member)}>
                {t().groups.ownLink}
                <span class="visually-hidden">: {member.name}</span>
              </Button>
            )}
          </li>
        ))}
      </ul>
      {linked && url && (
        <Sheet title={t().groups.linkForName(linked.name)} onClose={() => setLinked(undefined)}>
          <p class="muted">{t().groups.linkForHint(linked.name)}</p>
          <Code url={linkFor(url, linked.userId, linked.name)} groupName={view.group.name} />
        </Sheet>
      )}
    </>
  );
}

/** Grows before one's eyes as others scan the code. */
function WhoIsIn({ view }: { view: GroupView }) {
  return (
    <section class="stack-small" aria-label={t().groups.alreadyIn}>
      <SectionTitle>{t().groups.alreadyIn}</SectionTitle>
      <ul class="who-is-in" aria-live="polite">
        {view.members.map(({ userId, name }) => (
          <li key={userId}>
            <Avatar id={userId} name={name} />
            <span class="one-line small">{nameOf(view, userId)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function InviteCard({ view, state }: { view: GroupView; state: InviteState }) {
  if (!state.invite) {
    if (state.failure !== undefined) return <NeedsNetwork failure={state.failure} onAgain={state.again} />;
    return (
      <>
        {view.seq === 0 && <Banner icon="waiting">{t().groups.inviteWaits}</Banner>}
        <Skeleton lines={8} />
      </>
    );
  }
  return (
    <section class="card stack" aria-label={t().groups.inviteTitle}>
      <p class="center strong">{t().groups.scanToJoin(view.group.name)}</p>
      <Code url={state.invite.url} groupName={view.group.name} code={state.invite.code} />
      <p class="muted small center">
        {termsOf(state.invite)}
        {view.group.hasPassword && ` ${t().groups.inviteAsksPassword}`}
      </p>
    </section>
  );
}

function Code({ url, groupName, code }: { url: string; groupName: string; code?: string }) {
  return (
    <>
      <Qr text={url} label={t().groups.qrLabel(groupName)} />
      <p class="invite-link">{url}</p>
      <div class="row-wrap center-items">
        {"share" in navigator && (
          <Button icon="share" onClick={() => void share(url, groupName)}>
            {t().common.share}
          </Button>
        )}
        <CopyButton text={url} label={t().groups.copyLink} />
        {code && <CopyButton text={code} label={t().groups.copyCode} kind="plain" />}
      </div>
    </>
  );
}

async function share(url: string, groupName: string): Promise<void> {
  try {
    await navigator.share({ title: t().common.appName, text: t().groups.shareText(groupName), url });
  } catch (error) {
    // Closing the sheet without sending is no fault.
    if (!(error instanceof DOMException && error.name === "AbortError")) toastFailure(error);
  }
}
