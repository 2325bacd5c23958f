/** Myself: the profile, how the page looks and speaks, what is kept of me, and the ways out. */

import { store } from "../../data/store.ts";
import { LANGUAGES, language, speak, t } from "../../text/index.ts";
import type { User } from "../../wire/types.ts";
import { Avatar } from "../../ui/content.tsx";
import { Segments } from "../../ui/controls.tsx";
import { useFetched } from "../../ui/fetched.tsx";
import { Icon, type IconName } from "../../ui/icons.tsx";
import { Page, SectionTitle } from "../../ui/layout.tsx";
import { theme, type Theme, wear } from "../../ui/theme.ts";
import { EmailSwitch } from "./email_switch.tsx";
import { Leaving } from "./leaving.tsx";
import { ProfileForm } from "./profile_form.tsx";
import { GuestUpgrade } from "./upgrade.tsx";

const THEMES: readonly Theme[] = ["system", "light", "dark"];

export function Me() {
  const me = store.me.value;
  if (!me) return null;
  return (
    <Page title={t().account.meTitle}>
      <WhoIAm me={me} />
      {me.guestOf !== null && <GuestUpgrade me={me} />}
      <SectionTitle>{t().account.profile}</SectionTitle>
      <ProfileForm key={me.id} me={me} />
      <SectionTitle>{t().account.howItLooks}</SectionTitle>
      <Preferences />
      {me.email !== null && store.offers("setEmail") && <EmailSwitch />}
      <SectionTitle>{t().account.access}</SectionTitle>
      <Links isGuest={me.guestOf !== null} />
      <Leaving me={me} />
    </Page>
  );
}

function WhoIAm({ me }: { me: User }) {
  return (
    <div class="row">
      <span class="avatar-large">
        <Avatar id={me.id} name={me.name} />
      </span>
      <div class="grow">
        <p class="strong one-line">{me.name}</p>
        <p class="muted small one-line">{me.email ?? t().account.guest}</p>
      </div>
    </div>
  );
}

function Preferences() {
  return (
    <div class="card stack">
      <div class="field">
        <span class="label">{t().account.language}</span>
        <Segments
          label={t().account.language}
          value={language.value}
          choices={LANGUAGES.map(({ code, name }) => ({ value: code, label: name }))}
          onChoose={(code) => void speak(code)}
        />
      </div>
      <div class="field">
        <span class="label">{t().account.theme}</span>
        <Segments
          label={t().account.theme}
          value={theme.value}
          choices={THEMES.map((value) => ({ value, label: t().account.themes[value] }))}
          onChoose={wear}
        />
      </div>
    </div>
  );
}

function Links({ isGuest }: { isGuest: boolean }) {
  const waiting = store.pending.value.length + store.refused.value.length;
  return (
    <ul class="card card-flush">
      {store.offers("listSessions") && <LinkRow href="/me/sessions" icon="person" label={t().account.sessionsTitle} />}
      {store.offers("createToken") && !isGuest && <LinkRow href="/me/tokens" icon="link" label={t().account.tokensTitle} />}
      <LinkRow href="/outbox" icon="waiting" label={t().account.outboxTitle} note={waiting > 0 ? String(waiting) : undefined} />
      {store.offers("listAudit") && !isGuest && <AdminLink />}
    </ul>
  );
}

/** Who is an admin of the platform only the server knows: it answers them, and refuses everybody else. */
function AdminLink() {
  const log = useFetched<unknown>("/admin/audit?limit=1");
  return log.value === undefined ? null : <LinkRow href="/admin" icon="chart" label={t().admin.title} />;
}

function LinkRow({ href, icon, label, note }: { href: string; icon: IconName; label: string; note?: string | undefined }) {
  return (
    <li>
      <a class="list-row" href={`#${href}`}>
        <Icon name={icon} />
        <span class="grow">{label}</span>
        {note && <span class="badge">{note}</span>}
        <Icon name="forward" size={20} />
      </a>
    </li>
  );
}
