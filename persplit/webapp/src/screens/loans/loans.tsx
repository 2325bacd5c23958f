/** A group's loans: those that are open, and those that were closed last. */

import type { ScreenProps } from "../../app.tsx";
import type { GroupView } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import { ButtonLink } from "../../ui/controls.tsx";
import { Empty, Page } from "../../ui/layout.tsx";
import { WithGroup } from "../group_frame.tsx";
import { LoanRows } from "./loan_rows.tsx";
import { mineFirst } from "./standing.ts";

export function Loans({ params }: ScreenProps) {
  return <WithGroup groupId={params["groupId"] ?? ""}>{(view) => <LoansScreen view={view} />}</WithGroup>;
}

function LoansScreen({ view }: { view: GroupView }) {
  const open = view.loans.filter(({ status }) => status === "OPEN");
  const closed = view.loans.filter(({ status }) => status !== "OPEN");
  const canAdd = view.group.archivedAt === null && view.members.length > 1;
  return (
    <Page title={t().loans.title} backTo={`/g/${view.id}/balances`}>
      {open.length === 0 ? (
        <Empty icon="settle" title={t().loans.none} hint={t().loans.noneHint} />
      ) : (
        <>
          <p class="muted small">{t().loans.hint}</p>
          <LoanRows view={view} loans={mineFirst(open, view.me.userId)} label={t().loans.allLoans(open.length)} />
        </>
      )}
      {closed.length > 0 && (
        <details class="disclosure">
          <summary>
            {t().loans.closed} ({closed.length})
          </summary>
          <LoanRows view={view} loans={closed} label={t().loans.closed} />
        </details>
      )}
      {canAdd && (
        <div class="float">
          <ButtonLink href={`#/g/${view.id}/loans/new`} icon="add">
            {t().loans.add}
          </ButtonLink>
        </div>
      )}
    </Page>
  );
}
