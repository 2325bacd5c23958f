/** For admins of the platform: all groups in a few figures, accounts, and what admins did. */

import { useState } from "preact/hooks";
import { Failure } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import { TextField } from "../../ui/controls.tsx";
import { NotFound, Page, SectionTitle } from "../../ui/layout.tsx";
import { Fetched, useFetched } from "../../ui/fetched.tsx";
import type { RestSchemas } from "../../wire/types.ts";
import { Accounts } from "./accounts.tsx";
import { ActiveGroups, Spenders, Unsettled } from "./analytics.tsx";
import { Audit } from "./audit.tsx";
import { Summary } from "./summary.tsx";

/** Days of a query, empty where open. */
export interface Range {
  readonly from: string;
  readonly to: string;
}

/** `?from=…&to=…` with what is set. */
export function queryOf({ from, to }: Range, limit?: number): string {
  const query = new URLSearchParams();
  if (from !== "") query.set("from", from);
  if (to !== "") query.set("to", to);
  if (limit !== undefined) query.set("limit", String(limit));
  return `?${query.toString()}`;
}

export function Admin() {
  const [range, setRange] = useState<Range>({ from: "", to: "" });
  const isInOrder = range.from === "" || range.to === "" || range.from <= range.to;
  const asked = isInOrder ? range : { from: "", to: "" };
  const summary = useFetched<RestSchemas["AnalyticsSummary"]>(`/analytics/summary${queryOf(asked)}`);
  if (summary.failure instanceof Failure && summary.failure.status === 403) return <NotFound backTo="/me" />;
  return (
    <Page title={t().admin.title} backTo="/me">
      <div class="two">
        <TextField label={t().insight.from} type="date" value={range.from} onInput={(from) => setRange({ ...range, from })} />
        <TextField
          label={t().insight.to}
          type="date"
          value={range.to}
          error={isInOrder ? undefined : t().insight.endsBefore}
          onInput={(to) => setRange({ ...range, to })}
        />
      </div>
      <Fetched found={summary} lines={5}>
        {(value) => (
          <>
            <Summary summary={value} />
            <SectionTitle>{t().admin.topSpenders}</SectionTitle>
            <Spenders range={asked} />
            <SectionTitle>{t().admin.groupActivity}</SectionTitle>
            <ActiveGroups range={asked} />
            <SectionTitle>{t().admin.unsettled}</SectionTitle>
            <Unsettled range={asked} />
            <SectionTitle>{t().admin.accounts}</SectionTitle>
            <Accounts />
            <SectionTitle>{t().admin.audit}</SectionTitle>
            <Audit />
          </>
        )}
      </Fetched>
    </Page>
  );
}
