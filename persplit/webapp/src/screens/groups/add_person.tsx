/** Adding somebody at once: a name holds a place for who has no account yet, an e-mail address brings who has one. */

import { store } from "../../data/store.ts";
import type { GroupView } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import { Button, TextField } from "../../ui/controls.tsx";
import { fieldFailure } from "../../ui/failures.ts";
import { FormFailure, useForm } from "../../ui/form.tsx";
import { toast } from "../../ui/toasts.tsx";
import { EMAIL_LENGTH_MAX } from "../account/signing.ts";

export function AddPerson({ view }: { view: GroupView }) {
  const form = useForm(
    { who: "" },
    ({ who }) => (who.trim() ? {} : { who: t().common.required }),
    async ({ who }) => {
      const wanted = who.trim();
      // Whether an address has an account only the server knows; a name can wait for the network.
      if (wanted.includes("@")) await store.sendNow("member:add", view.id, { email: wanted });
      else await store.send("member:add", view.id, { name: wanted });
      toast(t().groups.personAdded(wanted));
      form.change({ who: "" });
    },
  );
  const isUnknown = fieldFailure(form.failure, "email") !== undefined;
  return (
    <form class="card stack" noValidate onSubmit={form.submit}>
      <TextField
        label={t().groups.nameOrEmail}
        hint={t().groups.nameOrEmailHint}
        value={form.draft.who}
        onInput={(who) => form.change({ who })}
        error={isUnknown ? t().groups.nobodyHasIt : form.errorOf("who")}
        maxLength={EMAIL_LENGTH_MAX}
      />
      <FormFailure failure={form.failure} fields={["email"]} />
      <Button type="submit" kind="quiet" icon="add" isBusy={form.isBusy} isWide>
        {t().common.add}
      </Button>
    </form>
  );
}
