/** What an expense went through: who did what, and what it was before. */

import { useEffect, useState } from "preact/hooks";
import type { ExpenseView, GroupView } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import { Button } from "../../ui/controls.tsx";
import { formatMoment } from "../../ui/content.tsx";
import { Skeleton } from "../../ui/layout.tsx";
import { nameOf } from "../group_frame.tsx";
import { ChangeList } from "./change_list.tsx";
import { type Happening, historyOf } from "./changes.ts";

export function History({ view, expense }: { view: GroupView; expense: ExpenseView }) {
  const [happenings, setHappenings] = useState<readonly Happening[] | null>(null);
  const [hasFailed, setFailed] = useState(false);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    store.history(view.id).then(
      (steps) => {
        if (!isCurrent) return;
        setFailed(false);
        setHappenings(historyOf(steps.map((step) => step.event), expense.id, view.group.currency));
      },
      () => {
        if (isCurrent) setFailed(true);
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [view.id, expense.id, expense.seq, attempt, store.connection.value]);
  if (happenings === null && hasFailed) {
    return (
      <div class="stack-small">
        <p>{t().expense.historyOffline}</p>
        <Button kind="quiet" onClick={() => setAttempt(attempt + 1)}>
          {t().common.tryAgain}
        </Button>
      </div>
    );
  }
  if (happenings === null) return <Skeleton lines={3} />;
  return (
    <ol class="stack-small happenings">
      {happenings.map((happening) => (
        <li key={happening.seq}>
          <p>
            <span class="strong">{headline(view, happening)}</span>{" "}
            <span class="small muted">{formatMoment(happening.at)}</span>
          </p>
          {happening.changes.length > 0 && <ChangeList view={view} changes={happening.changes} />}
        </li>
      ))}
    </ol>
  );
}

function headline(view: GroupView, { what, by, attachment }: Happening): string {
  const words = t().expense;
  const name = nameOf(view, by);
  const file = attachment?.name ?? words.unnamedFile;
  switch (what) {
    case "created":
      return words.whoCreated(name);
    case "changed":
      return words.whoChanged(name);
    case "deleted":
      return words.whoDeleted(name);
    case "restored":
      return words.whoRestored(name);
    case "attached":
      return words.whoAttached(name, file);
    case "detached":
      return words.whoDetached(name, file);
  }
}
