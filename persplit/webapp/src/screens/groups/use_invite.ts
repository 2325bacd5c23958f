/** The invite that the screen shows: the one that was made before in this window, else a new one. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { store } from "../../data/store.ts";
import type { GroupView } from "../../data/model.ts";
import { forgetInvite, keepInvite, keptInvite, type Invite } from "./own_invite.ts";

export interface InviteState {
  readonly invite: Invite | undefined;
  readonly failure: unknown;
  /** Try again to make one. */
  again(): void;
  show(invite: Invite): void;
  /** One was taken back: if it was the one shown, there is a new one. */
  revoked(inviteId: string): void;
}

export function useInvite(view: GroupView): InviteState {
  const [userId, groupId] = [view.me.userId, view.id];
  const [invite, setInvite] = useState(() => keptInvite(userId, groupId, new Date()));
  const [failure, setFailure] = useState<unknown>(undefined);
  const isAsking = useRef(false);

  const show = useCallback(
    (made: Invite) => {
      keepInvite(userId, groupId, made);
      setInvite(made);
      setFailure(undefined);
    },
    [userId, groupId],
  );

  const again = useCallback(() => {
    if (isAsking.current) return;
    isAsking.current = true;
    store
      .post<Invite>(`/groups/${groupId}/invites`, {})
      .then(show, setFailure)
      .finally(() => {
        isAsking.current = false;
      });
  }, [groupId, show]);

  // The server has to know the group first, which may wait for the network itself.
  const isReady = invite === undefined && view.seq > 0;
  const isConnected = store.connection.value === "connected";
  useEffect(() => {
    if (isReady) again();
  }, [isReady, isConnected, again]);

  const revoked = useCallback(
    (inviteId: string) => {
      if (inviteId !== invite?.id) return;
      forgetInvite(userId, groupId);
      setInvite(undefined);
    },
    [invite, userId, groupId],
  );
  return { invite, failure, again, show, revoked };
}
