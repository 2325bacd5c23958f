/** What a command of the outbox is about, for people. */

import type { CommandType } from "../../wire/types.ts";
import type { GroupView } from "../../data/model.ts";

type Fields = Readonly<Record<string, unknown>>;

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** What it names itself (`Dinner`), or what the thing that it is about is called in the group; undefined when neither. */
export function subjectOf(fields: Fields, view: GroupView | null | undefined): string | undefined {
  const own = text(fields["description"]) ?? text(fields["name"]) ?? text(fields["email"]) ?? text(fields["text"]);
  return own ?? (view ? nameInGroup(fields, view) : undefined);
}

function nameInGroup(fields: Fields, view: GroupView): string | undefined {
  const expense = [...view.expenses, ...view.deletedExpenses].find(({ id }) => id === fields["expenseId"]);
  const loan = view.loans.find(({ id }) => id === fields["loanId"]);
  const preset = view.presets.find(({ id }) => id === fields["presetId"]);
  const person = view.people.get(personIn(fields, view.me.userId) ?? "");
  return expense?.description ?? preset?.name ?? person?.name ?? (loan && nameInGroup(loan, view));
}

/** Whom it is about: of two who lend each other something, the other one. */
function personIn(fields: Fields, me: string): string | undefined {
  const other = [fields["lenderId"], fields["borrowerId"]].find((userId) => userId !== undefined && userId !== me);
  return text(fields["userId"]) ?? text(fields["toUserId"]) ?? text(other);
}

/** The amount that it writes, in minor units of the group's currency. */
export function amountOf(fields: Fields): number | undefined {
  const amount = fields["amount"] ?? fields["principal"];
  return typeof amount === "number" && Number.isSafeInteger(amount) ? amount : undefined;
}

/** Those that have a form to be mended in. */
const MENDED: readonly CommandType[] = [
  "expense:create",
  "expense:update",
  "expense:delete",
  "expense:restore",
  "recurrence:create",
  "recurrence:save",
];

/** Where one mends it; undefined where it can only be sent again or dropped. */
export function mendAddress(type: CommandType, groupId: string, commandId: string): string | undefined {
  return MENDED.includes(type) ? `/g/${groupId}/mend/${commandId}` : undefined;
}

/** To be sent again as it is meant now, whatever others did meanwhile: without the version that it was based on. */
export function withoutExpectation(fields: Fields): Fields {
  const { expectedSeq: _, ...rest } = fields;
  return rest;
}
