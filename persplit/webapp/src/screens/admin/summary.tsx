/** All groups in a few figures. */

import { formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import { formatMoment } from "../../ui/content.tsx";
import { Banner } from "../../ui/layout.tsx";
import type { RestSchemas } from "../../wire/types.ts";

type AnalyticsSummary = RestSchemas["AnalyticsSummary"];

export function Summary({ summary }: { summary: AnalyticsSummary }) {
  const figures: readonly (readonly [name: string, count: number])[] = [
    [t().admin.users, summary.users],
    [t().admin.groups, summary.groups],
    [t().admin.activeGroups, summary.activeGroups],
    [t().admin.events, summary.events],
  ];
  return (
    <>
      <AsOf at={summary.asOf} />
      <dl class="card figures">
        {figures.map(([name, count]) => (
          <div key={name}>
            <dt class="muted small">{name}</dt>
            <dd class="figure">{count.toLocaleString(locale.value)}</dd>
          </div>
        ))}
      </dl>
      {summary.currencies.map((one) => (
        <CurrencyCard key={one.currency} of={one} />
      ))}
    </>
  );
}

/** How old the figures are. */
function AsOf({ at }: { at: string | null }) {
  if (at === null) return <Banner icon="waiting">{t().admin.notKnownYet}</Banner>;
  return <p class="muted small">{t().admin.asOf(formatMoment(at))}</p>;
}

function CurrencyCard({ of }: { of: AnalyticsSummary["currencies"][number] }) {
  const money = (minor: number) => formatMoney(minor, of.currency, locale.value);
  const lines: readonly (readonly [name: string, value: string])[] = [
    [t().admin.spent(of.expenses), money(of.spent)],
    [t().admin.settled(of.settlements), money(of.settled)],
    [t().admin.outstanding(of.unsettledGroups), money(of.outstanding)],
  ];
  return (
    <div class="card stack-small">
      <h2>{of.currency}</h2>
      <dl class="stack-small">
        {lines.map(([name, value]) => (
          <div class="row" key={name}>
            <dt class="grow muted">{name}</dt>
            <dd class="amount">{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
