/** The name that others see, and how they reach and pay me. */

import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import type { User } from "../../wire/types.ts";
import { Button, TextField } from "../../ui/controls.tsx";
import { toast } from "../../ui/toasts.tsx";
import { VpaField } from "./fields.tsx";
import { FormFailure, useForm } from "../../ui/form.tsx";
import { inWords } from "./faults.ts";
import { NAME_LENGTH_MAX, profileChanges, profileFaults } from "./signing.ts";

const PHONE_LENGTH_MAX = 25;

export function ProfileForm({ me }: { me: User }) {
  const form = useForm({ name: me.name, phone: me.phone ?? "", vpa: me.vpa ?? "" }, (draft) => inWords(profileFaults(draft)), async (draft) => {
    const changes = profileChanges(me, draft);
    if (changes) await store.updateProfile(changes);
    toast(t().account.saved);
  });
  const isChanged = profileChanges(me, form.draft) !== undefined;
  return (
    <form class="card stack" noValidate onSubmit={form.submit}>
      <TextField
        label={t().account.name}
        value={form.draft.name}
        onInput={(name) => form.change({ name })}
        error={form.errorOf("name")}
        autocomplete="name"
        maxLength={NAME_LENGTH_MAX}
        isRequired
      />
      <TextField
        label={`${t().account.phone} (${t().common.optional})`}
        type="tel"
        value={form.draft.phone}
        onInput={(phone) => form.change({ phone })}
        error={form.errorOf("phone")}
        autocomplete="tel"
        maxLength={PHONE_LENGTH_MAX}
      />
      <VpaField value={form.draft.vpa} onInput={(vpa) => form.change({ vpa })} error={form.errorOf("vpa")} />
      <FormFailure failure={form.failure} fields={["name", "phone", "vpa"]} />
      {isChanged && (
        <Button type="submit" isBusy={form.isBusy} isWide>
          {t().common.save}
        </Button>
      )}
    </form>
  );
}
