/** The invites that are out, to be taken back. */

import { store } from "../../data/store.ts";
import type { GroupView } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import type { RestSchemas } from "../../wire/types.ts";
import { useAction } from "../../ui/action.ts";
import { formatMoment } from "../../ui/content.tsx";
import { Button } from "../../ui/controls.tsx";
import { Fetched, useFetched } from "../../ui/fetched.tsx";
import { Sheet } from "../../ui/layout.tsx";
import { toast, toastFailure } from "../../ui/toasts.tsx";
import { nameOf } from "../group_frame.tsx";
import { termsOf } from "./invite_words.ts";

type InviteInfo = RestSchemas["InviteInfo"];

export function InviteList({ view, shownId, onRevoked, onClose }: {
  view: GroupView;
  /** Of the invite whose code is on the screen. */
  shownId: string | undefined;
  onRevoked: (inviteId: string) => void;
  onClose: () => void;
}) {
  // A group has at most 200 invites: one page of the server's.
  const found = useFetched<RestSchemas["Invites"]>(`/groups/${view.id}/invites?limit=200`);
  return (
    <Sheet title={t().groups.allInvites} onClose={onClose}>
      <Fetched found={found}>
        {({ invites }) =>
          invites.length === 0 ? (
            <p class="muted">{t().groups.noInvites}</p>
          ) : (
            <ul>
              {newestFirst(invites).map((invite) => (
                <InviteRow
                  key={invite.id}
                  view={view}
                  invite={invite}
                  isShown={invite.id === shownId}
                  onRevoked={() => {
                    onRevoked(invite.id);
                    found.again();
                  }}
                />
              ))}
            </ul>
          )
        }
      </Fetched>
    </Sheet>
  );
}

function newestFirst(invites: readonly InviteInfo[]): readonly InviteInfo[] {
  return [...invites].sort((a, b) => b.createdAt.localeCompare(a.createdAt) || a.id.localeCompare(b.id));
}

function InviteRow({ view, invite, isShown, onRevoked }: {
  view: GroupView;
  invite: InviteInfo;
  isShown: boolean;
  onRevoked: () => void;
}) {
  const action = useAction();

  async function revoke(): Promise<void> {
    try {
      await store.delete(`/groups/${view.id}/invites/${encodeURIComponent(invite.id)}`);
      toast(t().groups.inviteRevoked);
    } catch (error) {
      toastFailure(error);
    }
    onRevoked();
  }

  const madeBy = t().groups.madeBy(nameOf(view, invite.createdBy), formatMoment(invite.createdAt));
  return (
    <li class="invite-row">
      <div class="grow">
        <p>{isShown ? t().groups.shownInvite(madeBy) : madeBy}</p>
        <p class="muted small">{termsOf(invite)}</p>
      </div>
      <Button kind="plain" isBusy={action.isBusy} onClick={() => action.run(revoke)}>
        {t().account.revoke}
        <span class="visually-hidden">: {madeBy}</span>
      </Button>
    </li>
  );
}
