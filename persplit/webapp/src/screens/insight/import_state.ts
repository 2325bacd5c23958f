/** What is decided about a file before it is imported: who is who, and which rows stay out. */

import type { RestSchemas } from "../../wire/types.ts";

export type ImportReport = RestSchemas["ImportReport"];
export type Format = RestSchemas["Format"];
type Row = ImportReport["rows"][number];

/** The server takes 12 MB of JSON; the rest is room for what escaping adds. */
export const FILE_BYTES_MAX = 10 * 1024 * 1024;

export const FORMATS: readonly Format[] = ["persplit", "persplit-csv", "splitwise", "spliit-json", "spliit-csv", "tricount", "ihatemoney", "cospend"];

/** Somebody new, in place of a member's id. */
export const NEW = "";

export interface Decisions {
  readonly format: Format | "auto";
  /** By the person's key in the file: a member's id, or `NEW`. Who isn't here is found by name. */
  readonly people: Readonly<Record<string, string>>;
  readonly skip: readonly number[];
}

export const UNDECIDED: Decisions = { format: "auto", people: {}, skip: [] };

/** The request's body. */
export function requestOf(file: string, { format, people, skip }: Decisions, dryRun: boolean) {
  const members = Object.entries(people).map(([key, userId]) => (userId === NEW ? { key } : { key, userId }));
  return { file, format, members, skip: [...skip], dryRun };
}

/** What the chooser of a person shows: as decided, or as the server found; undefined: still to be told. */
export function chosenFor(person: ImportReport["people"][number], { people }: Decisions): string | undefined {
  const decided = people[person.key];
  if (decided !== undefined) return decided;
  if (person.match === "ambiguous") return undefined;
  return person.userId !== null && person.match === "matched" ? person.userId : NEW;
}

/** The rows that people want to see first: what can't be imported, then what is left out, then what is new. */
export function rowsToShow({ rows }: ImportReport): readonly Row[] {
  const rank: Readonly<Record<Row["status"], number>> = { refused: 0, skipped: 1, ignored: 2, new: 3, present: 4 };
  return [...rows].sort((one, other) => rank[one.status] - rank[other.status] || one.row - other.row);
}

/** Leaves out all rows that can't be imported. */
export function withoutRefused(report: ImportReport, decisions: Decisions): Decisions {
  const refused = report.rows.filter(({ status }) => status === "refused").map(({ row }) => row);
  return { ...decisions, skip: [...new Set([...decisions.skip, ...refused])] };
}

/** What stands in the way apart from rows, which say it themselves. */
export function otherErrors({ errors }: ImportReport): ImportReport["errors"] {
  return errors.filter(({ path }) => !path.startsWith("rows."));
}
