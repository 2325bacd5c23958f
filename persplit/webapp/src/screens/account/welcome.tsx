/** Before anybody is signed in: what this is, and the three ways in. An invite in the address stays there. */

import { useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { store } from "../../data/store.ts";
import { LANGUAGES, language, speak, t } from "../../text/index.ts";
import { Segments, TextField } from "../../ui/controls.tsx";
import { isFailure } from "../../ui/failures.ts";
import { Icon } from "../../ui/icons.tsx";
import { Banner } from "../../ui/layout.tsx";
import { inviteOfAddress, type InviteMeant } from "../groups/invite_links.ts";
import { JoinFailure, PasswordWhereWanted } from "../groups/join_parts.tsx";
import { EmailField, PasswordField, VpaField } from "./fields.tsx";
import { FormFailure, SubmitButton, useForm } from "../../ui/form.tsx";
import { inWords } from "./faults.ts";
import {
  guestFaults,
  NAME_LENGTH_MAX,
  signInFaults,
  signUpFaults,
} from "./signing.ts";

type Way = "signUp" | "signIn" | "guest";

export function Welcome() {
  const [path] = useLocation();
  const invite = inviteOfAddress(path);
  const [way, setWay] = useState<Way>("signUp");
  const ways: readonly Way[] = invite ? ["signUp", "signIn", "guest"] : ["signUp", "signIn"];
  return (
    <main class="page welcome" id="main">
      <div class="welcome-top">
        <span class="brand">
          <Icon name="settle" size={28} />
          {t().common.appName}
        </span>
        <Segments label={t().account.language} value={language.value} choices={languageChoices()} onChoose={(code) => void speak(code)} />
      </div>
      <div class="welcome-words">
        <h1 tabIndex={-1}>{t().account.promise}</h1>
        <p class="muted">{t().account.promiseMore}</p>
      </div>
      <div class="card stack">
        {invite && <InviteNotice invite={invite} />}
        <Segments
          label={t().account.waysIn}
          value={way}
          choices={ways.map((value) => ({ value, label: t().account[value] }))}
          onChoose={setWay}
        />
        {way === "signUp" && <SignUpForm name={invite?.name ?? ""} goSignIn={() => setWay("signIn")} />}
        {way === "signIn" && <SignInForm />}
        {way === "guest" && invite && <GuestForm invite={invite} />}
      </div>
    </main>
  );
}

function languageChoices() {
  return LANGUAGES.map(({ code, name }) => ({ value: code, label: name }));
}

function InviteNotice({ invite }: { invite: InviteMeant }) {
  return (
    <Banner icon="groups">
      <strong>{t().account.invited}</strong>
      <br />
      {invite.name ? t().groups.claimNotice(invite.name) : t().account.invitedHint}
    </Banner>
  );
}

function SignUpForm({ name: placeName, goSignIn }: { name: string; goSignIn: () => void }) {
  const form = useForm({ name: placeName, email: "", password: "", vpa: "" }, (draft) => inWords(signUpFaults(draft)), ({ name, email, password, vpa }) =>
    store.register({ name: name.trim(), email: email.trim(), password, ...(vpa.trim() ? { vpa: vpa.trim() } : {}) }),
  );
  return (
    <form class="stack" noValidate onSubmit={form.submit}>
      <TextField
        label={t().account.name}
        hint={t().account.nameHint}
        value={form.draft.name}
        onInput={(name) => form.change({ name })}
        error={form.errorOf("name")}
        autocomplete="name"
        maxLength={NAME_LENGTH_MAX}
        isRequired
      />
      <EmailField
        value={form.draft.email}
        onInput={(email) => form.change({ email })}
        error={form.errorOf("email")}
        hint={
          isFailure(form.failure, "email_taken") && (
            <button class="link" type="button" onClick={goSignIn}>
              {t().account.signIn}
            </button>
          )
        }
      />
      <PasswordField isNew value={form.draft.password} onInput={(password) => form.change({ password })} error={form.errorOf("password")} />
      <VpaField value={form.draft.vpa} onInput={(vpa) => form.change({ vpa })} error={form.errorOf("vpa")} />
      <FormFailure failure={form.failure} fields={["name", "email", "password", "vpa"]} />
      <SubmitButton isBusy={form.isBusy}>{t().account.signUp}</SubmitButton>
    </form>
  );
}

function SignInForm() {
  const form = useForm({ email: "", password: "" }, (draft) => inWords(signInFaults(draft)), ({ email, password }) =>
    store.signIn({ email: email.trim(), password }),
  );
  return (
    <form class="stack" noValidate onSubmit={form.submit}>
      <EmailField value={form.draft.email} onInput={(email) => form.change({ email })} error={form.errorOf("email")} />
      <PasswordField isNew={false} value={form.draft.password} onInput={(password) => form.change({ password })} error={form.errorOf("password")} />
      <FormFailure failure={form.failure} fields={["email", "password"]} />
      <SubmitButton isBusy={form.isBusy}>{t().account.signIn}</SubmitButton>
    </form>
  );
}

function GuestForm({ invite }: { invite: InviteMeant }) {
  const [, navigate] = useLocation();
  const form = useForm({ name: invite.name ?? "", password: "" }, (draft) => inWords(guestFaults(draft)), async ({ name, password }) => {
    const { code, claim } = invite;
    const groupId = await store.joinAsGuest({
      name: name.trim(),
      code,
      ...(claim === undefined ? {} : { claim }),
      ...(password ? { password } : {}),
    });
    navigate(`/g/${groupId}`, { replace: true });
  });
  return (
    <form class="stack" noValidate onSubmit={form.submit}>
      <p class="muted small">{t().account.guestHint}</p>
      <TextField
        label={t().account.name}
        hint={t().account.nameHint}
        value={form.draft.name}
        onInput={(name) => form.change({ name })}
        error={form.errorOf("name")}
        autocomplete="name"
        maxLength={NAME_LENGTH_MAX}
        isRequired
      />
      <PasswordWhereWanted
        failure={form.failure}
        value={form.draft.password}
        onInput={(password) => form.change({ password })}
      />
      <JoinFailure failure={form.failure} />
      <SubmitButton isBusy={form.isBusy}>{t().account.guestGo}</SubmitButton>
    </form>
  );
}
