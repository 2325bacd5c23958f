/** What a group is, who is in it, and the ways out of it. */

import { store } from "../../data/store.ts";
import type { GroupView } from "../../data/model.ts";
import type { ScreenProps } from "../../app.tsx";
import { t } from "../../text/index.ts";
import { Icon, type IconName } from "../../ui/icons.tsx";
import { Banner, Page, SectionTitle } from "../../ui/layout.tsx";
import { WithGroup } from "../group_frame.tsx";
import { GroupWays } from "./group_ways.tsx";
import { Members } from "./member_list.tsx";
import { GroupFacts, SettingsForm } from "./settings_form.tsx";
import { draftOf } from "./group_form.ts";
import { GroupWebhooks } from "./webhooks.tsx";

export function GroupSettings({ params }: ScreenProps) {
  const groupId = params["groupId"] ?? "";
  return <WithGroup groupId={groupId}>{(view) => <SettingsScreen key={groupId} view={view} />}</WithGroup>;
}

function SettingsScreen({ view }: { view: GroupView }) {
  const isAdmin = view.me.role === "ADMIN";
  const isArchived = view.group.archivedAt !== null;
  const isDirect = view.group.kind === "DIRECT";
  return (
    <Page title={t().groups.settingsTitle} backTo={`/g/${view.id}`}>
      {isArchived && <Banner icon="archive">{t().groups.isArchived}</Banner>}
      {isAdmin && !isArchived && !isDirect ? (
        // What somebody else changed meanwhile takes the place of what is typed here.
        <SettingsForm key={JSON.stringify(draftOf(view.group))} view={view} />
      ) : (
        <GroupFacts view={view} />
      )}
      {!isDirect && (
        <>
          <SectionTitle>{t().groups.members(view.members.length)}</SectionTitle>
          <Members view={view} />
        </>
      )}
      <SectionTitle>{t().groups.alsoHere}</SectionTitle>
      <Links groupId={view.id} isDirect={view.group.kind === "DIRECT"} />
      <GroupWays view={view} />
      {isAdmin && !isArchived && store.offers("addGroupWebhook") && store.me.value?.guestOf === null && <GroupWebhooks groupId={view.id} />}
    </Page>
  );
}

function Links({ groupId, isDirect }: { groupId: string; isDirect: boolean }) {
  const links: readonly { path: string; icon: IconName; label: string }[] = [
    ...(isDirect ? [] : [{ path: "invite", icon: "qr", label: t().groups.inviteTitle } as const]),
    { path: "loans", icon: "settle", label: t().loans.title },
    { path: "recurring", icon: "repeat", label: t().groups.recurring },
    { path: "presets", icon: "edit", label: t().groups.presets },
    { path: "files", icon: "download", label: t().groups.files },
  ];
  return (
    <ul class="card card-flush">
      {links.map(({ path, icon, label }) => (
        <li key={path}>
          <a class="list-row" href={`#/g/${groupId}/${path}`}>
            <Icon name={icon} />
            <span class="grow">{label}</span>
            <Icon name="forward" size={20} />
          </a>
        </li>
      ))}
    </ul>
  );
}
