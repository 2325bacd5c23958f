/** Taking my data along, signing out, and giving the account up. */

import { useState } from "preact/hooks";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import type { User } from "../../wire/types.ts";
import { useAction } from "../../ui/action.ts";
import { Button, ButtonLink } from "../../ui/controls.tsx";
import { saveFile } from "../../ui/files.ts";
import { SectionTitle, Sheet } from "../../ui/layout.tsx";
import { toastFailure } from "../../ui/toasts.tsx";
import { PasswordField } from "./fields.tsx";
import { FormFailure } from "../../ui/form.tsx";
import { isFailure } from "../../ui/failures.ts";
import { signOut } from "./sign_out.ts";

const EXPORT_NAME = "persplit-account.json";

export function Leaving({ me }: { me: User }) {
  const [opened, setOpened] = useState<"signOut" | "delete" | undefined>(undefined);
  const action = useAction();
  const close = () => setOpened(undefined);

  function leave(): void {
    if (store.pending.value.length + store.refused.value.length > 0 || me.guestOf !== null) setOpened("signOut");
    else action.run(() => signOut().catch(toastFailure));
  }

  return (
    <>
      <SectionTitle>{t().account.leaving}</SectionTitle>
      <div class="card stack-small">
        {store.offers("exportAccount") && <ExportButton />}
        <Button kind="quiet" isBusy={action.isBusy} onClick={leave} isWide>
          {t().account.signOut}
        </Button>
        {store.offers("deleteAccount") && (
          <Button kind="danger" icon="trash" onClick={() => setOpened("delete")} isWide>
            {t().account.deleteAccount}
          </Button>
        )}
      </div>
      {opened === "signOut" && <SignOutSheet me={me} onClose={close} />}
      {opened === "delete" && <DeleteSheet me={me} onClose={close} />}
    </>
  );
}

function ExportButton() {
  const action = useAction();
  const fetchFile = async () => saveFile(await store.download("/auth/me/export.json"), EXPORT_NAME);
  return (
    <Button kind="quiet" icon="download" isBusy={action.isBusy} onClick={() => action.run(() => fetchFile().catch(toastFailure))} isWide>
      {t().account.exportData}
    </Button>
  );
}

/** Only where something would be lost by it: what was never sent, or a guest's only way back. */
function SignOutSheet({ me, onClose }: { me: User; onClose: () => void }) {
  const action = useAction();
  const unsent = store.pending.value.length + store.refused.value.length;
  return (
    <Sheet title={t().account.signOut} onClose={onClose}>
      {unsent > 0 && <p>{t().account.unsentLost(unsent)}</p>}
      {me.guestOf !== null && <p>{t().account.guestLost}</p>}
      <FormFailure failure={action.failure} />
      {unsent > 0 && (
        <ButtonLink kind="quiet" href="#/outbox" isWide>
          {t().account.lookAtOutbox}
        </ButtonLink>
      )}
      <Button kind="danger" isBusy={action.isBusy} onClick={() => action.run(() => signOut({ force: true }))} isWide>
        {t().account.signOutAnyway}
      </Button>
    </Sheet>
  );
}

function DeleteSheet({ me, onClose }: { me: User; onClose: () => void }) {
  const action = useAction();
  const [password, setPassword] = useState("");
  const needsPassword = me.guestOf === null;
  const isWrong = isFailure(action.failure, "credentials_invalid");

  async function giveUp(): Promise<void> {
    await store.delete("/auth/me", needsPassword ? { password } : {});
    await signOut({ force: true });
  }

  return (
    <Sheet title={t().account.deleteAccount} onClose={onClose}>
      <form
        class="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          action.run(giveUp);
        }}
      >
        <ul class="points">
          {t().account.deleteConsequences.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
        {needsPassword && (
          <PasswordField
            isNew={false}
            label={t().account.passwordToDelete}
            value={password}
            onInput={setPassword}
            error={isWrong ? t().account.wrongPassword : undefined}
          />
        )}
        {!isWrong && <FormFailure failure={action.failure} />}
        <Button type="submit" kind="danger" icon="trash" isBusy={action.isBusy || (needsPassword && password === "")} isWide>
          {t().account.deleteForGood}
        </Button>
      </form>
    </Sheet>
  );
}
