/** A new group: a name is enough. From there one goes to invite the others. */

import { useLocation } from "wouter-preact";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import { TextField } from "../../ui/controls.tsx";
import { newId } from "../../ui/ids.ts";
import { Banner, Page } from "../../ui/layout.tsx";
import { FormFailure, SubmitButton, useForm } from "../../ui/form.tsx";
import { inWords } from "../account/faults.ts";
import { CurrencyField, GroupPasswordField, SimplifyField, ZoneField } from "./group_fields.tsx";
import { GROUP_NAME_LENGTH_MAX, groupFaults, newGroup, ownZone } from "./group_form.ts";

export function NewGroup() {
  if (store.me.value?.guestOf != null) {
    return (
      <Page title={t().groups.newGroup} backTo="/">
        <Banner>
          {t().groups.guestHint} <a href="#/me">{t().account.upgradeGo}</a>
        </Banner>
      </Page>
    );
  }
  return (
    <Page title={t().groups.newGroup} backTo="/">
      <NewGroupForm />
    </Page>
  );
}

function NewGroupForm() {
  const [, navigate] = useLocation();
  const start = { name: "", description: "", currency: "INR", timeZone: ownZone(), simplify: true, password: "" };
  const form = useForm(start, (draft) => inWords(groupFaults(draft)), async (draft) => {
    const groupId = newId();
    await store.send("group:create", groupId, newGroup(draft));
    navigate(`/g/${groupId}/invite`, { replace: true });
  });
  return (
    <form class="stack" noValidate onSubmit={form.submit}>
      <div class="card stack">
        <TextField
          label={t().groups.groupName}
          placeholder={t().groups.groupNameExample}
          value={form.draft.name}
          onInput={(name) => form.change({ name })}
          error={form.errorOf("name")}
          maxLength={GROUP_NAME_LENGTH_MAX}
          isRequired
          isFirst
        />
        <CurrencyField value={form.draft.currency} onChoose={(currency) => form.change({ currency })} />
      </div>
      <details class="disclosure">
        <summary>{t().groups.moreSettings}</summary>
        <div class="card stack">
          <SimplifyField value={form.draft.simplify} onToggle={(simplify) => form.change({ simplify })} />
          <GroupPasswordField
            value={form.draft.password}
            onInput={(password) => form.change({ password })}
            error={form.errorOf("password")}
            hasOne={false}
          />
          <ZoneField value={form.draft.timeZone} onChoose={(timeZone) => form.change({ timeZone })} />
        </div>
      </details>
      <FormFailure failure={form.failure} />
      <SubmitButton isBusy={form.isBusy}>{t().groups.makeGroup}</SubmitButton>
    </form>
  );
}
