/** A command of this area that the server refused: mended and sent again, or dropped. */

import { useState } from "preact/hooks";
import { navigate } from "wouter-preact/use-hash-location";
import type { ScreenProps } from "../../app.tsx";
import type { ExpenseView, GroupView, RefusedCommand } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import { Button } from "../../ui/controls.tsx";
import { today } from "../../ui/content.tsx";
import { problemText } from "../../ui/failures.ts";
import { newId } from "../../ui/ids.ts";
import { Banner, NotFound, Page } from "../../ui/layout.tsx";
import { toast, toastFailure } from "../../ui/toasts.tsx";
import { WithGroup } from "../group_frame.tsx";
import { Conflict } from "./conflict.tsx";
import { ExpenseEditor, type Filled } from "./editor.tsx";
import { repeatOf, seenSeq, sentOf } from "./form.tsx";
import { peopleOf } from "./people.ts";
import { namesOf } from "./split_words.ts";
import { refusedForm, strangersIn } from "./stored.ts";
import { versionOf } from "./version.ts";

/** A refused command of this area: `/g/:groupId/mend/:commandId`. */
export function MendCommand({ params }: ScreenProps) {
  const groupId = params["groupId"] ?? "";
  const command = store.refused.value.find((one) => one.commandId === params["commandId"]);
  if (command === undefined) return <NotFound backTo="/outbox" />;
  return <WithGroup groupId={groupId}>{(view) => <Mend key={command.commandId} view={view} command={command} />}</WithGroup>;
}

const MENDED_IN_THE_FORM: readonly RefusedCommand["type"][] = [
  "expense:create",
  "expense:update",
  "recurrence:create",
  "recurrence:save",
];

function Mend({ view, command }: { view: GroupView; command: RefusedCommand }) {
  if (MENDED_IN_THE_FORM.includes(command.type)) return <MendInForm view={view} command={command} />;
  return (
    <Page title={t().expense.refusedTitle} backTo="/outbox">
      <Refusal view={view} command={command} />
      {command.type === "expense:delete" && <p>{t().expense.refusedDelete}</p>}
      {command.type === "expense:restore" && <p>{t().expense.refusedRestore}</p>}
      <Button isWide onClick={() => void again(command, withoutSeq(command.fields))}>
        {t().expense.doAnyway}
      </Button>
      <DropButton command={command} />
    </Page>
  );
}

/** The same whatever version there is now. */
function withoutSeq(fields: RefusedCommand["fields"]): RefusedCommand["fields"] {
  const { expectedSeq: _, ...rest } = fields;
  return rest;
}

async function again(command: RefusedCommand, fields: RefusedCommand["fields"]): Promise<void> {
  try {
    await store.resend(command.commandId, fields);
    navigate(`/g/${command.groupId}`, { replace: true });
  } catch (error) {
    toastFailure(error);
  }
}

async function drop(command: RefusedCommand, path: string): Promise<void> {
  try {
    await store.drop(command.commandId);
    toast(t().expense.dropped);
    navigate(path, { replace: true });
  } catch (error) {
    toastFailure(error);
  }
}

function Refusal({ view, command }: { view: GroupView; command: RefusedCommand }) {
  const gone = strangersIn(command).filter(
    (userId) => view.people.has(userId) && !view.members.some((member) => member.userId === userId),
  );
  return (
    <Banner tone="danger" icon="warning">
      <p class="strong">{t().expense.refusedTitle}</p>
      <p>{gone.length > 0 ? t().expense.whoLeft(namesOf(view, gone)) : problemText(command.problem)}</p>
    </Banner>
  );
}

function DropButton({ command }: { command: RefusedCommand }) {
  return (
    <Button kind="danger" icon="trash" isWide onClick={() => void drop(command, `/g/${command.groupId}`)}>
      {t().expense.refusedDrop}
    </Button>
  );
}

function MendInForm({ view, command }: { view: GroupView; command: RefusedCommand }) {
  const expenseId = textField(command, "expenseId");
  const known = [...view.expenses, ...view.deletedExpenses].find((one) => one.id === expenseId);
  const people = peopleOf(view, known);
  const id = expenseId ?? textField(command, "recurrenceId") ?? textField(command, "id") ?? newId();
  const [initial] = useState(() => refusedForm(command, view, people, today(), id));
  const isConflict = command.problem.code === "conflict" && known !== undefined;
  const send = async (filled: Filled): Promise<string> => {
    await store.resend(command.commandId, mended(command, filled, view, known));
    toast(t().expense.saved(filled.form.description.trim()));
    return `/g/${view.id}`;
  };
  return (
    <ExpenseEditor
      view={view}
      people={people}
      title={t().expense.mendTitle}
      backTo="/outbox"
      initial={initial}
      purpose={command.type.startsWith("recurrence:") ? "template" : "expense"}
      saveLabel={t().expense.sendAgain}
      onSave={send}
      above={(filled) =>
        isConflict ? (
          <Conflict
            view={view}
            theirs={known}
            mine={versionOf(filled.form, filled.worked, filled.category)}
            onTheirs={() => void drop(command, `/g/${view.id}/e/${known.id}`)}
            onMine={() => void again(command, mended(command, filled, view, known))}
          />
        ) : (
          <Refusal view={view} command={command} />
        )
      }
      below={<DropButton command={command} />}
    />
  );
}

function textField(command: RefusedCommand, name: string): string | undefined {
  const value = command.fields[name];
  return typeof value === "string" ? value : undefined;
}

/** The fields to send instead, against the version that is known now. */
function mended(command: RefusedCommand, filled: Filled, view: GroupView, known: ExpenseView | undefined): RefusedCommand["fields"] {
  switch (command.type) {
    case "expense:create":
      return { id: filled.form.id, ...sentOf(filled, view) };
    case "expense:update":
      return { expenseId: filled.form.id, ...sentOf(filled, view), ...(known ? seenSeq(known) : {}) };
    case "recurrence:create":
      return { id: filled.form.id, ...repeatOf(filled, view) };
    default:
      return { recurrenceId: filled.form.id, ...repeatOf(filled, view) };
  }
}
