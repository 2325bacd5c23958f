/** Coming into a group: by a link that was opened, or by a link or code that is typed in. */

import { useLocation } from "wouter-preact";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import { TextField } from "../../ui/controls.tsx";
import { Banner, Page } from "../../ui/layout.tsx";
import { SubmitButton, useForm } from "../../ui/form.tsx";
import { inviteIn, inviteOfAddress, type InviteMeant } from "./invite_links.ts";
import { JoinFailure, PasswordWhereWanted } from "./join_parts.tsx";

export function Join() {
  const [path] = useLocation();
  const invite = inviteOfAddress(path);
  return (
    <Page title={t().groups.joinTitle} backTo="/">
      <JoinForm key={path} invite={invite} />
    </Page>
  );
}

interface Draft {
  readonly link: string;
  readonly password: string;
}

function JoinForm({ invite }: { invite: InviteMeant | undefined }) {
  const [, navigate] = useLocation();
  const meantBy = ({ link }: Draft) => invite ?? inviteIn(link);
  const form = useForm<Draft>(
    { link: "", password: "" },
    (draft) => (meantBy(draft) ? {} : { link: t().groups.notAnInvite }),
    async (draft) => {
      const meant = meantBy(draft);
      if (!meant) return;
      const { code, claim } = meant;
      const groupId = await store.join({
        code,
        ...(claim === undefined ? {} : { claim }),
        ...(draft.password ? { password: draft.password } : {}),
      });
      navigate(`/g/${groupId}`, { replace: true });
    },
  );
  const claimed = invite ?? inviteIn(form.draft.link);
  return (
    <form class="card stack" noValidate onSubmit={form.submit}>
      {invite ? (
        <p>{t().groups.joinReady}</p>
      ) : (
        <TextField
          label={t().groups.linkOrCode}
          hint={t().groups.linkOrCodeHint}
          value={form.draft.link}
          onInput={(link) => form.change({ link })}
          error={form.errorOf("link")}
          isRequired
          isFirst
        />
      )}
      {claimed?.claim && <Banner icon="person">{t().groups.claimNotice(claimed.name ?? "")}</Banner>}
      <PasswordWhereWanted
        failure={form.failure}
        value={form.draft.password}
        onInput={(password) => form.change({ password })}
      />
      <JoinFailure failure={form.failure} />
      <SubmitButton isBusy={form.isBusy}>{t().groups.joinGo}</SubmitButton>
    </form>
  );
}
