/** From what the group holds (an expense, what repeats, a refused command) to the form that shows it. */

import type { GroupView, RefusedCommand } from "../../data/model.ts";
import type { Commands, Expense, Recurrence } from "../../wire/types.ts";
import { withPreset } from "./carry.ts";
import { emptyForm, type ExpenseFields, type ExpenseForm, formOf, type RepeatForm } from "./form_state.ts";
import { canonicalOf, type People } from "./people.ts";

type Schedule = Commands["recurrence:create"]["schedule"];

/** A new expense: today, paid by me, split as the group's default preset says. */
export function newForm(id: string, view: GroupView, people: People, date: string): ExpenseForm {
  const form = emptyForm(id, people, view.group.currency, date);
  const preset = view.presets.find((one) => one.isDefault);
  return preset ? { ...form, split: withPreset(form.split, preset, people) } : form;
}

/** The expense as it was typed: in its own currency, where it had one. */
export function expenseForm(expense: Expense, view: GroupView, people: People): ExpenseForm {
  const { original } = expense;
  const typed: ExpenseFields = original
    ? {
        ...expense,
        amount: original.amount,
        currency: original.currency,
        rate: original.rate,
        paidBy: original.paidBy,
        splits: original.splits,
        items: original.items,
      }
    : expense;
  return formOf(expense.id, typed, people, view.group.currency, expense.date, canonicalOf(view.people));
}

/** The fields of a command or a template. `date`: where they have none. */
export function fieldsForm(id: string, fields: ExpenseFields, view: GroupView, people: People, date: string): ExpenseForm {
  const form = formOf(id, fields, people, view.group.currency, date, canonicalOf(view.people));
  const preset = view.presets.find((one) => one.id === fields.presetId);
  return preset ? { ...form, split: withPreset(form.split, preset, people) } : form;
}

export function recurrenceForm(recurrence: Recurrence, view: GroupView, people: People): ExpenseForm {
  const { schedule } = recurrence;
  return { ...fieldsForm(recurrence.id, recurrence.expense, view, people, schedule.start), repeat: repeatForm(schedule) };
}

/** A command that was refused, as it was typed. Its fields are what this device sent, so they have their shapes. */
export function refusedForm(command: RefusedCommand, view: GroupView, people: People, date: string, id: string): ExpenseForm {
  if (command.type === "recurrence:create" || command.type === "recurrence:save") {
    const { schedule, expense } = command.fields as unknown as { schedule: Schedule; expense: ExpenseFields };
    return { ...fieldsForm(id, expense, view, people, schedule.start), repeat: repeatForm(schedule) };
  }
  return fieldsForm(id, command.fields as ExpenseFields, view, people, date);
}

function repeatForm(schedule: Schedule | Recurrence["schedule"]): RepeatForm {
  const { frequency, interval = 1, end, count } = schedule;
  return {
    frequency,
    interval: String(interval),
    ends: end ? "on" : count ? "after" : "never",
    endDay: end ?? "",
    count: count ? String(count) : "",
  };
}

/** The people whom the server's answer is about, where it says that they are no members: their ids, each once. */
export function strangersIn(command: RefusedCommand): string[] {
  const named = command.problem.errors.map(({ path }) => valueAt(command.fields, path.split(".")));
  return [...new Set(named.filter((value) => typeof value === "string"))];
}

function valueAt(fields: unknown, path: readonly string[]): unknown {
  let value = fields;
  for (const name of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
