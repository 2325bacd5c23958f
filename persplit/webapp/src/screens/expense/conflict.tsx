/** Two versions of an expense, where somebody changed it meanwhile: both are shown, and one is chosen. */

import type { GroupView } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import { Button } from "../../ui/controls.tsx";
import { changesBetween, type Version } from "./changes.ts";
import { ChangeList } from "./change_list.tsx";

/** Brings the choice into sight, for whoever pressed “Save” below it. */
export function showConflict(): void {
  document.querySelector<HTMLElement>(".conflict h2")?.focus();
}

export function Conflict({ view, theirs, mine, onTheirs, onMine }: {
  view: GroupView;
  theirs: Version;
  /** Null while what was typed is no whole expense. */
  mine: Version | null;
  onTheirs: () => void;
  onMine: () => void;
}) {
  const changes = mine === null ? [] : changesBetween(theirs, mine, view.group.currency);
  return (
    <section class="card stack-small conflict" aria-label={t().expense.conflictTitle}>
      <div role="alert">
        <h2 tabIndex={-1}>{t().expense.conflictTitle}</h2>
      </div>
      <p class="small muted">{t().expense.conflictHint}</p>
      {changes.length > 0 ? (
        <>
          <p class="small strong">
            {t().expense.theirs} <span aria-hidden="true">→</span> {t().expense.mine}
          </p>
          <ChangeList view={view} changes={changes} />
        </>
      ) : (
        mine !== null && <p>{t().expense.conflictSame}</p>
      )}
      <div class="row-wrap">
        <Button kind="quiet" onClick={onTheirs}>
          {t().expense.keepTheirs}
        </Button>
        <Button onClick={onMine}>{t().expense.keepMine}</Button>
      </div>
    </section>
  );
}
