/** A guest becomes somebody with an account: the same person, with all that they have in the group. */

import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import type { User } from "../../wire/types.ts";
import { toast } from "../../ui/toasts.tsx";
import { EmailField, PasswordField } from "./fields.tsx";
import { FormFailure, SubmitButton, useForm } from "../../ui/form.tsx";
import { inWords } from "./faults.ts";
import { upgradeFaults } from "./signing.ts";

export function GuestUpgrade({ me }: { me: User }) {
  const form = useForm(
    { email: "", password: "" },
    (draft) => inWords(upgradeFaults(draft, me.name)),
    async (draft) => {
      await store.post<User>("/auth/upgrade", { email: draft.email.trim(), password: draft.password });
      toast(t().account.upgraded);
    },
  );
  return (
    <form class="card stack" noValidate onSubmit={form.submit}>
      <div class="stack-small">
        <h2>{t().account.upgradeTitle}</h2>
        <p class="muted small">{t().account.upgradeHint}</p>
      </div>
      <EmailField value={form.draft.email} onInput={(email) => form.change({ email })} error={form.errorOf("email")} />
      <PasswordField isNew value={form.draft.password} onInput={(password) => form.change({ password })} error={form.errorOf("password")} />
      <FormFailure failure={form.failure} fields={["email", "password"]} />
      <SubmitButton isBusy={form.isBusy}>{t().account.upgradeGo}</SubmitButton>
    </form>
  );
}
