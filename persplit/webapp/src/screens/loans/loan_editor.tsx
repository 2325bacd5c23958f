/** Noting a loan, and changing its terms: who lends, how much, until when, and at what interest. */

import { useLocation } from "wouter-preact";
import type { ScreenProps } from "../../app.tsx";
import type { GroupView, LoanView } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { isUntouched } from "../../ledger/loan.ts";
import { formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import { formatDay } from "../../ui/content.tsx";
import { TextField } from "../../ui/controls.tsx";
import { type Errors, type Form, FormFailure, SubmitButton, useForm } from "../../ui/form.tsx";
import { Banner, NotFound, Page } from "../../ui/layout.tsx";
import { toast } from "../../ui/toasts.tsx";
import { WithGroup } from "../group_frame.tsx";
import { Parties, type Person } from "./parties.tsx";
import { canChange, todayIn } from "./standing.ts";
import { draftOf, type LoanDraft, loanFaults, type LoanFaults, outlook, termsOf } from "./terms.ts";

export function NewLoan({ params }: ScreenProps) {
  return (
    <WithGroup groupId={params["groupId"] ?? ""}>
      {(view) =>
        view.members.length > 1 && view.group.archivedAt === null ? <NewLoanScreen view={view} /> : <NotFound backTo={`/g/${view.id}/loans`} />
      }
    </WithGroup>
  );
}

export function EditLoan({ params }: ScreenProps) {
  const { groupId = "", loanId = "" } = params;
  return (
    <WithGroup groupId={groupId}>
      {(view) => {
        const loan = view.loans.find(({ id }) => id === loanId);
        const isPossible = loan?.status === "OPEN" && canChange(view, loan);
        return isPossible ? <EditLoanScreen view={view} loan={loan} /> : <NotFound backTo={`/g/${groupId}/loans`} />;
      }}
    </WithGroup>
  );
}

function NewLoanScreen({ view }: { view: GroupView }) {
  const [, navigate] = useLocation();
  const me = view.me.userId;
  const people = view.members.map(({ userId, name }) => ({ userId, name }));
  const other = people.find(({ userId }) => userId !== me)?.userId ?? me;

  async function send(draft: LoanDraft): Promise<void> {
    const { lenderId, borrowerId } = draft;
    const terms = termsOf(draft, view.group.currency);
    const { id } = await store.send("loan:create", view.id, { lenderId, borrowerId, ...terms });
    toast(t().loans.noted(formatMoney(terms.principal, view.group.currency, locale.value)));
    navigate(`/g/${view.id}/loans/${id}`, { replace: true });
  }

  return (
    <Page title={t().loans.newTitle} backTo={`/g/${view.id}/loans`}>
      <LoanForm
        start={newDraft(me, other, todayIn(view))}
        place={{ currency: view.group.currency, today: todayIn(view), me, people, isAdmin: view.me.role === "ADMIN" }}
        send={send}
      />
    </Page>
  );
}

export function newDraft(lenderId: string, borrowerId: string, date: string): LoanDraft {
  return { lenderId, borrowerId, principal: "", date, dueDate: "", interestRate: "", description: "" };
}

function EditLoanScreen({ view, loan }: { view: GroupView; loan: LoanView }) {
  const [, navigate] = useLocation();
  const { currency } = view.group;
  const isFixed = !isUntouched(loan);
  const form = useForm(
    draftOf(loan, currency),
    (draft) => inWords(loanFaults(draft, currency, todayIn(view))),
    async (draft) => {
      const terms = termsOf(draft, currency);
      const expectation = loan.waiting ? {} : { expectedSeq: loan.seq }; // our own change before has no seq yet
      await store.send("loan:update", view.id, { ...terms, loanId: loan.id, ...expectation });
      toast(t().loans.changed);
      navigate(`/g/${view.id}/loans/${loan.id}`, { replace: true });
    },
  );
  return (
    <Page title={t().loans.changeTitle} backTo={`/g/${view.id}/loans/${loan.id}`}>
      <form class="stack" noValidate onSubmit={form.submit}>
        {isFixed && <Banner>{t().loans.termsStay}</Banner>}
        <TermFields form={form} place={{ currency, today: todayIn(view) }} isFixed={isFixed} />
        <FormFailure failure={form.failure} fields={FIELDS} />
        <SubmitButton isBusy={form.isBusy}>{t().common.save}</SubmitButton>
      </form>
    </Page>
  );
}

const FIELDS = ["principal", "date", "dueDate", "interestRate", "description", "borrowerId"] as const;

export interface Place {
  readonly currency: string;
  /** In the group's calendar, YYYY-MM-DD. */
  readonly today: string;
  readonly me: string;
  readonly people: readonly Person[];
  /** May note loans between others. */
  readonly isAdmin: boolean;
}

/** The form of a new loan, in a group or between two people. */
export function LoanForm({ start, place, send }: { start: LoanDraft; place: Place; send: (draft: LoanDraft) => Promise<void> }) {
  const form = useForm(start, (draft) => inWords(loanFaults(draft, place.currency, place.today)), send);
  const { draft, change } = form;
  return (
    <form class="stack" noValidate onSubmit={form.submit}>
      <Parties
        people={place.people}
        me={place.me}
        isAdmin={place.isAdmin}
        lenderId={draft.lenderId}
        borrowerId={draft.borrowerId}
        error={form.errorOf("borrowerId")}
        onChange={change}
      />
      <TermFields form={form} place={place} isFixed={false} />
      <FormFailure failure={form.failure} fields={FIELDS} />
      <SubmitButton isBusy={form.isBusy}>{t().loans.save}</SubmitButton>
      <p class="muted small center">{t().loans.notMoved}</p>
    </form>
  );
}

type FieldsProps = { form: Form<LoanDraft>; place: Pick<Place, "currency" | "today">; isFixed: boolean };

function TermFields({ form, place, isFixed }: FieldsProps) {
  const { draft, change } = form;
  return (
    <div class="card stack">
      {!isFixed && <FirstTerms form={form} place={place} isFixed={isFixed} />}
      <TextField
        label={`${t().loans.dueField} (${t().common.optional})`}
        type="date"
        value={draft.dueDate}
        min={draft.date}
        onInput={(dueDate) => change({ dueDate })}
        error={form.errorOf("dueDate")}
      />
      {!isFixed && <RateField form={form} />}
      <TextField
        label={`${t().loans.note} (${t().common.optional})`}
        value={draft.description}
        placeholder={t().loans.noteExample}
        onInput={(description) => change({ description })}
        error={form.errorOf("description")}
      />
      {!isFixed && <Outlook draft={draft} place={place} />}
    </div>
  );
}

function FirstTerms({ form, place }: FieldsProps) {
  const { draft, change } = form;
  return (
    <>
      <TextField
        label={`${t().loans.amount} (${place.currency})`}
        value={draft.principal}
        inputMode="decimal"
        onInput={(principal) => change({ principal })}
        error={form.errorOf("principal")}
        isLarge
        isRequired
      />
      <TextField
        label={t().loans.lentDay}
        type="date"
        value={draft.date}
        max={place.today}
        onInput={(date) => change({ date })}
        error={form.errorOf("date")}
      />
    </>
  );
}

function RateField({ form }: { form: Form<LoanDraft> }) {
  return (
    <TextField
      label={`${t().loans.rate} (${t().common.optional})`}
      hint={t().loans.rateHint}
      value={form.draft.interestRate}
      inputMode="decimal"
      onInput={(interestRate) => form.change({ interestRate })}
      error={form.errorOf("interestRate")}
    />
  );
}

/** What the terms come to, as soon as they are some. */
function Outlook({ draft, place }: { draft: LoanDraft; place: Pick<Place, "currency" | "today"> }) {
  if (Object.keys(loanFaults(draft, place.currency, place.today)).length > 0) return null;
  const terms = termsOf(draft, place.currency);
  const { aYear, onDueDay } = outlook(terms);
  const words = (minor: number) => formatMoney(minor, place.currency, locale.value);
  return (
    <p class="muted small" role="status">
      {terms.interestRate === undefined ? t().loans.withoutInterest(words(terms.principal)) : t().loans.aYear(words(aYear))}{" "}
      {terms.interestRate !== undefined && onDueDay !== undefined && t().loans.byDueDay(words(onDueDay), formatDay(terms.dueDate ?? ""))}
    </p>
  );
}

function inWords(faults: LoanFaults): Errors {
  const { amountProblem } = t().settle;
  const said: Readonly<Record<string, string>> = { ...amountProblem, ...t().loans.faults };
  return Object.fromEntries(Object.entries(faults).map(([field, fault]) => [field, said[fault]]));
}
