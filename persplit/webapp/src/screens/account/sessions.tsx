/** Where I am signed in. One device can be signed out, or all. */

import { useState } from "preact/hooks";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import type { RestSchemas } from "../../wire/types.ts";
import { useAction } from "../../ui/action.ts";
import { formatMoment } from "../../ui/content.tsx";
import { Button } from "../../ui/controls.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Page, Sheet } from "../../ui/layout.tsx";
import { Fetched, useFetched } from "../../ui/fetched.tsx";
import { toast, toastFailure } from "../../ui/toasts.tsx";
import { deviceName } from "./device_name.ts";
import { signOut } from "./sign_out.ts";
import { FormFailure } from "../../ui/form.tsx";

type Session = RestSchemas["Session"];

/** All of an account's devices fit into one page of the server's. */
const SESSIONS = "/auth/sessions?limit=200";

export function Sessions() {
  const found = useFetched<RestSchemas["Sessions"]>(SESSIONS);
  const [isEndingAll, setEndingAll] = useState(false);
  return (
    <Page title={t().account.sessionsTitle} backTo="/me">
      <Fetched found={found}>
        {({ sessions }) => (
          <>
            <ul class="card card-flush">
              {byLastUse(sessions).map((session) => (
                <SessionRow key={session.id} session={session} onEnded={found.again} />
              ))}
            </ul>
            <Button kind="danger" onClick={() => setEndingAll(true)} isWide>
              {t().account.signOutEverywhere}
            </Button>
          </>
        )}
      </Fetched>
      {isEndingAll && <EndAllSheet onClose={() => setEndingAll(false)} />}
    </Page>
  );
}

/** This one first, then the one used last. */
function byLastUse(sessions: readonly Session[]): readonly Session[] {
  return [...sessions].sort(
    (a, b) => Number(b.current) - Number(a.current) || b.lastUsedAt.localeCompare(a.lastUsedAt),
  );
}

function SessionRow({ session, onEnded }: { session: Session; onEnded: () => void }) {
  const action = useAction();

  async function end(): Promise<void> {
    try {
      await store.delete(`/auth/sessions/${encodeURIComponent(session.id)}`);
      toast(t().account.sessionEnded);
    } catch (error) {
      toastFailure(error);
    }
    onEnded();
  }

  const device = deviceName(session.device) ?? t().account.unknownDevice;
  return (
    <li class="list-row">
      <Icon name={session.current ? "check" : "person"} />
      <div class="grow">
        <p class="strong">{device}</p>
        <p class="muted small">{session.current ? t().account.thisDevice : t().account.lastUsed(formatMoment(session.lastUsedAt))}</p>
      </div>
      {!session.current && (
        <Button kind="plain" isBusy={action.isBusy} onClick={() => action.run(end)}>
          {t().account.endSession}
          <span class="visually-hidden">: {device}</span>
        </Button>
      )}
    </li>
  );
}

function EndAllSheet({ onClose }: { onClose: () => void }) {
  const action = useAction();
  const unsent = store.pending.value.length + store.refused.value.length;
  return (
    <Sheet title={t().account.signOutEverywhere} onClose={onClose}>
      <p>{t().account.everywhereHint}</p>
      {unsent > 0 && <p>{t().account.unsentLost(unsent)}</p>}
      <FormFailure failure={action.failure} />
      <Button kind="danger" isBusy={action.isBusy} onClick={() => action.run(() => signOut({ force: true, everywhere: true }))} isWide>
        {t().account.signOutEverywhere}
      </Button>
    </Sheet>
  );
}
