/** Lending somebody money, or borrowing from them, outside of any group: in the ledger of the two. */

import { useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import type { ScreenProps } from "../../app.tsx";
import { store } from "../../data/store.ts";
import { dayIn } from "../../ledger/days.ts";
import { directLedgerId } from "../../ledger/direct.ts";
import { formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import type { User } from "../../wire/types.ts";
import { Avatar } from "../../ui/content.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Banner, Empty, NotFound, Page, Skeleton } from "../../ui/layout.tsx";
import { toast } from "../../ui/toasts.tsx";
import { CurrencyField } from "../groups/group_fields.tsx";
import { ownZone } from "../groups/group_form.ts";
import { LoanForm, newDraft } from "./loan_editor.tsx";
import type { Person } from "./parties.tsx";
import { acquaintances, usualCurrency } from "./people.ts";
import { type LoanDraft, termsOf } from "./terms.ts";

export function Lend({ params }: ScreenProps) {
  const summaries = store.groups.value;
  const me = store.me.value;
  const views = (summaries ?? []).map(({ id }) => store.group(id).value);
  if (summaries == null || me == null || views.some((view) => view === undefined)) {
    return (
      <Page title={t().loans.lendTitle} backTo="/friends">
        <Skeleton lines={5} />
      </Page>
    );
  }
  const people = acquaintances(views.flatMap((view) => view ?? []));
  const { userId } = params;
  if (userId === undefined) return <Choice people={people} />;
  const other = people.find((one) => one.userId === userId);
  return other ? <LendTo key={userId} me={me} other={other} usual={usualCurrency(summaries)} /> : <NotFound backTo="/friends" />;
}

function Choice({ people }: { people: readonly Person[] }) {
  return (
    <Page title={t().loans.lendTo} backTo="/friends">
      {people.length === 0 ? (
        <Empty icon="person" title={t().loans.noPeople} hint={t().loans.noPeopleHint} />
      ) : (
        <>
          <p class="muted small">{t().loans.lendHint}</p>
          <ul class="card card-flush">
            {people.map(({ userId, name }) => (
              <li key={userId}>
                <a class="list-row" href={`#/lend/${userId}`}>
                  <Avatar id={userId} name={name} />
                  <span class="grow strong two-lines">{name}</span>
                  <Icon name="forward" size={20} />
                </a>
              </li>
            ))}
          </ul>
        </>
      )}
    </Page>
  );
}

function LendTo({ me, other, usual }: { me: User; other: Person; usual: string }) {
  const [, navigate] = useLocation();
  const [currency, setCurrency] = useState(usual);
  const isHeld = (store.groups.value ?? []).some(({ id }) => id === directLedgerId(me.id, other.userId, currency));
  const today = dayIn(ownZone(), new Date().toISOString());

  async function send(draft: LoanDraft): Promise<void> {
    const { lenderId, borrowerId } = draft;
    const terms = termsOf(draft, currency);
    const groupId = await store.openDirectLedger({ userId: other.userId, currency, timeZone: ownZone() });
    const { id } = await store.send("loan:create", groupId, { lenderId, borrowerId, ...terms });
    toast(t().loans.noted(formatMoney(terms.principal, currency, locale.value)));
    navigate(`/g/${groupId}/loans/${id}`, { replace: true });
  }

  return (
    <Page title={t().loans.withName(other.name)} backTo="/friends">
      <p class="muted small">{t().loans.lendHint}</p>
      {!isHeld && store.connection.value !== "connected" && <Banner icon="offline">{t().loans.firstTime}</Banner>}
      <div class="card">
        <CurrencyField value={currency} onChoose={setCurrency} />
      </div>
      <LoanForm
        start={newDraft(me.id, other.userId, today)}
        place={{ currency, today, me: me.id, people: [{ userId: me.id, name: me.name }, other], isAdmin: false }}
        send={send}
      />
    </Page>
  );
}
