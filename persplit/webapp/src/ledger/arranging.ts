/** The rules for presets and recurring expenses, as far as a device can tell them. */

import type { Commands } from "../wire/types.ts";
import type { Asking, Command } from "./decide.ts";
import { type Asked, resolved, textErrors } from "./draft.ts";
import { check, invalid, Refusal } from "./errors.ts";
import type { Happening, Preset, Recurrence } from "./shapes.ts";
import { activeMembers, type GroupState } from "./state.ts";

export const PRESETS_MAX = 50;
export const RECURRENCES_MAX = 50;
const PRESET_NAME_LENGTH_MAX = 100;
/** Minor units of the expense on which a preset is tried before it is kept. */
const TRIED_AMOUNT = 1_000_000;

export type ArrangementCommand = Extract<Command, { type: `${"preset" | "recurrence"}:${string}` }>;

/** What the command makes of the group's presets and recurring expenses. Throws `Refusal`. */
export function arrangementOf(
  state: GroupState,
  command: ArrangementCommand,
  asking: Asking,
): Happening {
  switch (command.type) {
    case "preset:create":
      checkNew(state.presets, command.fields.id);
      return presetSaved(state, required(command.fields.id), command.fields, asking);
    case "preset:save":
      checkSeen(command.fields.expectedSeq, state.presets.get(command.fields.presetId));
      return presetSaved(state, command.fields.presetId, command.fields, asking);
    case "preset:delete": {
      const preset = found(state.presets.get(command.fields.presetId));
      checkSeen(command.fields.expectedSeq, preset);
      return { type: "preset:deleted", preset: { ...preset, seq: state.seq + 1, updatedAt: asking.now } };
    }
    case "recurrence:create":
      checkNew(state.recurrences, command.fields.id);
      return recurrenceSaved(state, required(command.fields.id), command.fields, asking);
    case "recurrence:save":
      checkSeen(command.fields.expectedSeq, state.recurrences.get(command.fields.recurrenceId));
      return recurrenceSaved(state, command.fields.recurrenceId, command.fields, asking);
    case "recurrence:pause":
      return recurrencePaused(state, command.fields, asking);
    case "recurrence:stop": {
      const recurrence = found(state.recurrences.get(command.fields.recurrenceId));
      checkSeen(command.fields.expectedSeq, recurrence);
      return { type: "recurrence:stopped", recurrence: { ...recurrence, seq: state.seq + 1, updatedAt: asking.now } };
    }
  }
}

function presetSaved(
  state: GroupState,
  id: string,
  fields: Commands["preset:create"],
  asking: Asking,
): Happening<"preset:saved"> {
  const before = state.presets.get(id);
  if (before === undefined && state.presets.size >= PRESETS_MAX) {
    throw new Refusal("limit_reached", `a group has at most ${PRESETS_MAX} presets`);
  }
  check(textErrors("name", fields.name, PRESET_NAME_LENGTH_MAX));
  const { name, splitType, participants, splits } = fields;
  tryOut(state, { description: name, amount: TRIED_AMOUNT, splitType, ...given({ participants, splits }) }, asking);
  const preset: Preset = {
    id,
    groupId: state.groupId,
    seq: state.seq + 1,
    name: name.trim(),
    splitType,
    ...given({ participants }),
    splits: splits ?? [],
    isDefault: fields.isDefault ?? false,
    createdBy: before?.createdBy ?? asking.actorId,
    createdAt: before?.createdAt ?? asking.now,
    updatedAt: asking.now,
  };
  return { type: "preset:saved", preset };
}

function recurrenceSaved(
  state: GroupState,
  id: string,
  fields: Commands["recurrence:create"],
  asking: Asking,
): Happening<"recurrence:saved"> {
  const before = state.recurrences.get(id);
  if (before === undefined && state.recurrences.size >= RECURRENCES_MAX) {
    throw new Refusal("limit_reached", `a group has at most ${RECURRENCES_MAX} recurring expenses`);
  }
  const { frequency, interval, start, end, count } = fields.schedule;
  if (end !== undefined && count !== undefined) {
    throw invalid({ path: "schedule.count", message: "give either an end or a count" });
  }
  if (end !== undefined && end < start) {
    throw invalid({ path: "schedule.end", message: "before the start" });
  }
  tryOut(state, fields.expense, asking);
  const recurrence: Recurrence = {
    id,
    groupId: state.groupId,
    seq: state.seq + 1,
    since: before?.since ?? state.seq + 1,
    schedule: { frequency, interval: interval ?? 1, start, end: end ?? null, count: count ?? null },
    expense: { ...fields.expense, includePayer: fields.expense.includePayer ?? true },
    madeThrough: before?.madeThrough ?? null,
    paused: before?.paused ?? false,
    problem: before?.paused ? before.problem : null,
    createdBy: before?.createdBy ?? asking.actorId,
    createdAt: before?.createdAt ?? asking.now,
    updatedAt: asking.now,
  };
  return { type: "recurrence:saved", recurrence };
}

function recurrencePaused(
  state: GroupState,
  fields: Commands["recurrence:pause"],
  asking: Asking,
): Happening<"recurrence:saved"> {
  const before = found(state.recurrences.get(fields.recurrenceId));
  checkSeen(fields.expectedSeq, before);
  const paused = fields.paused ?? true;
  if (before.paused === paused) {
    throw new Refusal("conflict", paused ? "it is paused already" : "it is not paused");
  }
  const recurrence = { ...before, seq: state.seq + 1, paused, problem: null, updatedAt: asking.now };
  return { type: "recurrence:saved", recurrence };
}

/** Return if an expense could be made of it now; a rate that only the server knows is no obstacle. */
function tryOut(state: GroupState, asked: Asked, { actorId, now }: Asking): void {
  const people = new Set(activeMembers(state).map((member) => member.userId));
  try {
    resolved(asked, { state, people, expenseId: "", actorId, now });
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "rate_unknown") {
      throw error;
    }
  }
}

/** The fields that are told: an optional field is left out rather than undefined. */
function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function checkNew(things: ReadonlyMap<string, unknown>, id: string | undefined): void {
  if (id !== undefined && things.has(id)) {
    throw new Refusal("conflict", "something with this id exists");
  }
}

function required(id: string | undefined): string {
  if (id === undefined) {
    throw invalid({ path: "id", message: "required" });
  }
  return id;
}

function found<T>(thing: T | undefined): T {
  if (thing === undefined) {
    throw new Refusal("not_found", "there is no such thing in this group");
  }
  return thing;
}

function checkSeen(expectedSeq: number | undefined, present: { readonly seq: number } | undefined): void {
  if (expectedSeq === undefined) {
    return;
  }
  if (present === undefined) {
    throw new Refusal("not_found", "it has been taken away since it was seen");
  }
  if (present.seq > expectedSeq) {
    throw new Refusal("conflict", `it has changed since seq ${expectedSeq}; it is at seq ${present.seq} now`);
  }
}
