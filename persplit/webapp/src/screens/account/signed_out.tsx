/** The server has ended this session: what is on the device stays, until one signs in again or forgets it. */

import { useState } from "preact/hooks";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import { useAction } from "../../ui/action.ts";
import { Button } from "../../ui/controls.tsx";
import { isFailure } from "../../ui/failures.ts";
import { Icon } from "../../ui/icons.tsx";
import { Sheet } from "../../ui/layout.tsx";
import { signOut } from "./sign_out.ts";
import { PasswordField } from "./fields.tsx";
import { FormFailure, SubmitButton, useForm } from "../../ui/form.tsx";
import { inWords } from "./faults.ts";

export function SignedOutNotice() {
  const [isOpen, setOpen] = useState(false);
  if (!store.isSignedOut.value) return null;
  return (
    <>
      <div class="connection" role="status">
        <Icon name="warning" size={18} />
        <span>{t().account.signedOut}</span>
        <Button kind="plain" onClick={() => setOpen(true)}>
          {t().account.signIn}
        </Button>
      </div>
      {isOpen && <SignInAgain onClose={() => setOpen(false)} />}
    </>
  );
}

function SignInAgain({ onClose }: { onClose: () => void }) {
  const email = store.me.value?.email ?? null;
  return (
    <Sheet title={t().account.signInAgain} onClose={onClose}>
      {email === null ? <p>{t().account.guestEnded}</p> : <AgainForm email={email} onDone={onClose} />}
      <ForgetButton />
    </Sheet>
  );
}

function AgainForm({ email, onDone }: { email: string; onDone: () => void }) {
  const form = useForm(
    { password: "" },
    ({ password }) => (password === "" ? inWords({ password: "required" }) : {}),
    async ({ password }) => {
      await store.signIn({ email, password });
      onDone();
    },
  );
  const isWrong = isFailure(form.failure, "credentials_invalid");
  return (
    <form class="stack" noValidate onSubmit={form.submit}>
      <p class="muted">{email}</p>
      <PasswordField isNew={false} value={form.draft.password} onInput={(password) => form.change({ password })} error={isWrong ? t().account.wrongPassword : form.errorOf("password")} />
      {!isWrong && <FormFailure failure={form.failure} fields={["password"]} />}
      <SubmitButton isBusy={form.isBusy}>{t().account.signIn}</SubmitButton>
    </form>
  );
}

function ForgetButton() {
  const action = useAction();
  const unsent = store.pending.value.length + store.refused.value.length;
  return (
    <>
      {unsent > 0 && <p class="muted small">{t().account.unsentLost(unsent)}</p>}
      <Button kind="danger" isBusy={action.isBusy} onClick={() => action.run(() => signOut({ force: true }))} isWide>
        {t().account.forgetDevice}
      </Button>
    </>
  );
}
