/** Putting the group away, bringing it back, and leaving it. */

import { useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { store } from "../../data/store.ts";
import type { GroupView } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import { useAction } from "../../ui/action.ts";
import { Button } from "../../ui/controls.tsx";
import { FormFailure } from "../../ui/form.tsx";
import { Sheet } from "../../ui/layout.tsx";
import { toast, toastFailure } from "../../ui/toasts.tsx";
import { whyStays } from "./members.ts";
import { StayingWords } from "./staying_words.tsx";

export function GroupWays({ view }: { view: GroupView }) {
  const [isLeaving, setLeaving] = useState(false);
  return (
    <div class="card stack-small">
      {view.me.role === "ADMIN" && <ArchiveButton view={view} />}
      {view.group.kind === "GROUP" && (
        <Button kind="danger" onClick={() => setLeaving(true)} isWide>
          {t().groups.leave}
        </Button>
      )}
      {isLeaving && <LeaveSheet view={view} onClose={() => setLeaving(false)} />}
    </div>
  );
}

function ArchiveButton({ view }: { view: GroupView }) {
  const action = useAction();
  const isArchived = view.group.archivedAt !== null;

  async function archive(archived: boolean): Promise<void> {
    await store.send("group:update", view.id, { archived });
    toast(archived ? t().groups.archivedNow : t().groups.unarchivedNow, () => {
      store.send("group:update", view.id, { archived: !archived }).catch(toastFailure);
    });
  }

  return (
    <Button
      kind="quiet"
      icon={isArchived ? "undo" : "archive"}
      isBusy={action.isBusy}
      onClick={() => action.run(() => archive(!isArchived).catch(toastFailure))}
      isWide
    >
      {isArchived ? t().groups.unarchive : t().groups.archive}
    </Button>
  );
}

/** No undo: one comes back by an invite only. So it is said before. */
function LeaveSheet({ view, onClose }: { view: GroupView; onClose: () => void }) {
  const [, navigate] = useLocation();
  const action = useAction();
  const staying = whyStays(view, view.me);

  async function leave(): Promise<void> {
    await store.sendNow("group:leave", view.id, {});
    toast(t().groups.left(view.group.name));
    navigate("/", { replace: true });
  }

  return (
    <Sheet title={t().groups.leaveTitle(view.group.name)} onClose={onClose}>
      {staying ? (
        <StayingWords staying={staying} view={view} isMe />
      ) : (
        <>
          <p>{t().groups.leaveHint}</p>
          <FormFailure failure={action.failure} />
          <Button kind="danger" isBusy={action.isBusy} onClick={() => action.run(leave)} isWide>
            {t().groups.leave}
          </Button>
        </>
      )}
    </Sheet>
  );
}
