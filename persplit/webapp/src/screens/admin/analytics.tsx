/** Who spends most, which groups do most, and where most is outstanding. Groups have no names here: they are nobody's business. */

import type { ComponentChildren } from "preact";
import { t } from "../../text/index.ts";
import { Amount, formatMoment } from "../../ui/content.tsx";
import { Fetched, useFetched } from "../../ui/fetched.tsx";
import type { RestSchemas } from "../../wire/types.ts";
import { queryOf, type Range } from "./admin.tsx";

const ROWS = 10;
/** Characters of an id that tell two groups apart on a screen. */
const ID_SHOWN = 8;

export function Spenders({ range }: { range: Range }) {
  const query = queryOf(range, ROWS);
  const found = useFetched<RestSchemas["TopSpenders"]>(`/analytics/top-spenders${query}`);
  return (
    <Fetched found={found}>
      {({ spenders }) => (
        <Rows count={spenders.length}>
          {spenders.map(({ userId, currency, name, expenses, amount }) => (
            <li class="list-row" key={userId + currency}>
              <span class="grow">
                {name}
                <span class="muted small block">{t().admin.expenses(expenses)}</span>
              </span>
              <Amount minor={amount} currency={currency} />
            </li>
          ))}
        </Rows>
      )}
    </Fetched>
  );
}

export function ActiveGroups({ range }: { range: Range }) {
  const query = queryOf(range, ROWS);
  const found = useFetched<RestSchemas["GroupActivity"]>(`/analytics/group-activity${query}`);
  return (
    <Fetched found={found}>
      {({ groups }) => (
        <Rows count={groups.length}>
          {groups.map(({ groupId, members, events, expenses, spent, currency, lastEventAt }) => (
            <li class="list-row" key={groupId}>
              <span class="grow">
                <GroupId id={groupId} /> · {t().admin.eventsOf(events)}
                <span class="muted small block">{[t().admin.members(members), t().admin.expenses(expenses), formatMoment(lastEventAt)].join(" · ")}</span>
              </span>
              <Amount minor={spent} currency={currency} />
            </li>
          ))}
        </Rows>
      )}
    </Fetched>
  );
}

export function Unsettled({ range }: { range: Range }) {
  const query = queryOf(range, ROWS);
  const found = useFetched<RestSchemas["UnsettledDebts"]>(`/analytics/unsettled-debts${query}`);
  return (
    <Fetched found={found}>
      {({ groups }) => (
        <Rows count={groups.length}>
          {groups.map(({ groupId, members, debtors, outstanding, currency, pendingSettlements, lastEventAt }) => (
            <li class="list-row" key={groupId}>
              <span class="grow">
                <GroupId id={groupId} /> · {t().admin.debtors(debtors, members)}
                <span class="muted small block">
                  {[pendingSettlements > 0 && t().admin.pending(pendingSettlements), formatMoment(lastEventAt)].filter(Boolean).join(" · ")}
                </span>
              </span>
              <Amount minor={outstanding} currency={currency} />
            </li>
          ))}
        </Rows>
      )}
    </Fetched>
  );
}

/** The random end: ids of the same time begin alike. */
function GroupId({ id }: { id: string }) {
  return <code title={id}>{id.slice(-ID_SHOWN)}</code>;
}

function Rows({ count, children }: { count: number; children: ComponentChildren }) {
  return count === 0 ? <p class="muted">{t().admin.none}</p> : <ul class="card card-flush">{children}</ul>;
}
