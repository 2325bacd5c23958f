/** Adding and editing expenses, and editing what repeats: one form for all. */

import { useState } from "preact/hooks";
import type { ScreenProps } from "../../app.tsx";
import type { ExpenseView, GroupView } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import type { Commands, Expense, Recurrence } from "../../wire/types.ts";
import { Button } from "../../ui/controls.tsx";
import { today } from "../../ui/content.tsx";
import { Banner, NotFound } from "../../ui/layout.tsx";
import { toast, toastFailure } from "../../ui/toasts.tsx";
import { WithGroup } from "../group_frame.tsx";
import { changesBetween } from "./changes.ts";
import { Conflict } from "./conflict.tsx";
import { ExpenseEditor, type Filled } from "./editor.tsx";
import { attachWhenThere } from "./files.ts";
import { amongAll, scheduleFields, templateFields } from "./form_fields.ts";
import { ONCE_A_MONTH, type RepeatForm } from "./form_state.ts";
import { newId } from "../../ui/ids.ts";
import { peopleOf } from "./people.ts";
import { expenseForm, newForm, recurrenceForm } from "./stored.ts";
import { versionOf } from "./version.ts";

type ExpenseSent = Commands["recurrence:create"]["expense"] & { date: string };

/** What the form says as the wire has it. The form is only saved without problems: then nothing is missing. */
export function sentOf({ form, worked, category }: Filled, view: GroupView): ExpenseSent {
  const template = templateFields(form, worked, view.group.currency, category);
  if (template === null) throw new Error("the form was saved with something missing");
  return { ...template, date: form.date };
}

export function repeatOf(filled: Filled, view: GroupView): Pick<Commands["recurrence:create"], "schedule" | "expense"> {
  const { date, ...template } = sentOf(filled, view);
  const { repeat } = filled.form;
  if (repeat === null) throw new Error("nothing says how often");
  const memberIds = view.members.map((member) => member.userId);
  return { schedule: scheduleFields(repeat, date), expense: amongAll(template, memberIds) };
}

export function AddExpense({ params }: ScreenProps) {
  const groupId = params["groupId"] ?? "";
  return <WithGroup groupId={groupId}>{(view) => <NewExpense key={view.id} view={view} repeat={null} />}</WithGroup>;
}

/** The same form, with the repeating part open. */
export function AddRecurring({ params }: ScreenProps) {
  const groupId = params["groupId"] ?? "";
  return <WithGroup groupId={groupId}>{(view) => <NewExpense key={view.id} view={view} repeat={ONCE_A_MONTH} />}</WithGroup>;
}

function NewExpense({ view, repeat }: { view: GroupView; repeat: RepeatForm | null }) {
  const people = peopleOf(view);
  const [initial] = useState(() => ({ ...newForm(newId(), view, people, today()), repeat }));
  const save = async (filled: Filled): Promise<string> => {
    const { id, description } = filled.form;
    if (filled.form.repeat) {
      await store.send("recurrence:create", view.id, { id, ...repeatOf(filled, view) });
      toast(t().expense.repeats(description.trim()));
      return `/g/${view.id}/recurring`;
    }
    await store.send("expense:create", view.id, { id, ...sentOf(filled, view) });
    for (const file of filled.files) attachWhenThere(view.id, id, file);
    toast(t().expense.added(description.trim()));
    return `/g/${view.id}`;
  };
  return (
    <ExpenseEditor
      view={view}
      people={people}
      title={t().expense.addTitle}
      backTo={repeat === null ? `/g/${view.id}` : `/g/${view.id}/recurring`}
      initial={initial}
      purpose="either"
      onSave={save}
    />
  );
}

export function EditExpense({ params }: ScreenProps) {
  const groupId = params["groupId"] ?? "";
  const expenseId = params["expenseId"] ?? "";
  return (
    <WithGroup groupId={groupId}>
      {(view) => {
        const expense = [...view.expenses, ...view.deletedExpenses].find((one) => one.id === expenseId);
        return expense ? <ChangedExpense key={expense.id} view={view} expense={expense} /> : <NotFound backTo={`/g/${groupId}`} />;
      }}
    </WithGroup>
  );
}

/** What somebody else's version is known by. Of what waits on this device the server knows no version yet. */
export const seenSeq = (expense: ExpenseView): { expectedSeq?: number } => (expense.waiting ? {} : { expectedSeq: expense.seq });

function ChangedExpense({ view, expense }: { view: GroupView; expense: ExpenseView }) {
  const [base, setBase] = useState(expense);
  const people = peopleOf(view, expense);
  const detail = `/g/${view.id}/e/${expense.id}`;
  const isChangedMeanwhile =
    !expense.waiting && !base.waiting && changesBetween(base, expense, view.group.currency).length > 0;
  const seen = isChangedMeanwhile ? base : expense;
  const save = async (filled: Filled): Promise<string> => {
    await store.send("expense:update", view.id, { expenseId: expense.id, ...sentOf(filled, view), ...seenSeq(seen) });
    for (const file of filled.files) attachWhenThere(view.id, expense.id, file);
    toast(t().expense.saved(filled.form.description.trim()));
    return detail;
  };
  return (
    <ExpenseEditor
      view={view}
      people={people}
      title={t().expense.editTitle}
      backTo={detail}
      initial={expenseForm(base, view, people)}
      purpose="expense"
      onSave={save}
      above={(filled, replace) => {
        if (expense.deletedAt !== null) return <DeletedBanner view={view} expense={expense} />;
        if (!isChangedMeanwhile) return null;
        return (
          <Conflict
            view={view}
            theirs={expense}
            mine={versionOf(filled.form, filled.worked, filled.category)}
            onTheirs={() => {
              replace(expenseForm(expense, view, people));
              setBase(expense);
            }}
            onMine={() => setBase(expense)}
          />
        );
      }}
    />
  );
}

function DeletedBanner({ view, expense }: { view: GroupView; expense: Expense }) {
  return (
    <Banner tone="warning" icon="warning">
      <p>{t().expense.conflictDeleted}</p>
      <Button
        kind="plain"
        icon="undo"
        onClick={() => void store.send("expense:restore", view.id, { expenseId: expense.id }).catch(toastFailure)}
      >
        {t().expense.restore}
      </Button>
    </Banner>
  );
}

export function EditRecurring({ params }: ScreenProps) {
  const groupId = params["groupId"] ?? "";
  return (
    <WithGroup groupId={groupId}>
      {(view) => {
        const recurrence = view.recurrences.find((one) => one.id === params["recurrenceId"]);
        return recurrence ? <ChangedRecurring key={recurrence.id} view={view} recurrence={recurrence} /> : <NotFound backTo={`/g/${groupId}/recurring`} />;
      }}
    </WithGroup>
  );
}

function ChangedRecurring({ view, recurrence }: { view: GroupView; recurrence: Recurrence }) {
  const people = peopleOf(view);
  const [initial] = useState(() => recurrenceForm(recurrence, view, people));
  const back = `/g/${view.id}/recurring`;
  const save = async (filled: Filled): Promise<string> => {
    await store.send("recurrence:save", view.id, { recurrenceId: recurrence.id, ...repeatOf(filled, view) });
    toast(t().expense.saved(filled.form.description.trim()));
    return back;
  };
  return (
    <ExpenseEditor
      view={view}
      people={people}
      title={t().expense.editRecurrenceTitle}
      backTo={back}
      initial={initial}
      purpose="template"
      onSave={save}
    />
  );
}
