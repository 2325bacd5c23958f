/** What happened in a group, newest first, and what each of it did to one person. Pure. */

import type { ExpenseView, GroupView, LoanView, SettlementView } from "../../data/model.ts";
import type { Expense, Member, Posting } from "../../wire/types.ts";
import { payersOf } from "../expense/people.ts";

export type Row =
  | { readonly kind: "expense"; readonly day: string; readonly expense: ExpenseView }
  | { readonly kind: "settlement"; readonly day: string; readonly settlement: SettlementView }
  | { readonly kind: "loan"; readonly day: string; readonly loan: LoanView };

type Besides = Exclude<Row, { kind: "expense" }>;

export interface Day {
  /** YYYY-MM-DD. */
  readonly day: string;
  readonly rows: readonly Row[];
}

/**
 * Expenses and loans by their date, payments by the day on which they were made; newest first. Expenses come in that
 * order, and the few others are merged into them in a single pass. `dayOf` says on which day of the person's calendar an
 * instant is. Payments that came to nothing, and deleted loans, are left out.
 */
export function feedRows(view: Pick<GroupView, "expenses" | "settlements" | "loans">, dayOf: (at: string) => string): readonly Row[] {
  const besides = besidesExpenses(view, dayOf);
  const rows: Row[] = [];
  let next = 0;
  for (const expense of view.expenses) {
    for (let newer = besides[next]; newer && isNewer(newer, expense); newer = besides[next]) {
      rows.push(newer);
      next += 1;
    }
    rows.push({ kind: "expense", day: expense.date, expense });
  }
  return rows.concat(besides.slice(next));
}

function besidesExpenses({ settlements, loans }: Pick<GroupView, "settlements" | "loans">, dayOf: (at: string) => string): readonly Besides[] {
  const paid = settlements
    .filter(({ status }) => status === "PENDING" || status === "COMPLETED")
    .map((settlement): Besides => ({ kind: "settlement", day: dayOf(settlement.createdAt), settlement }));
  const lent = loans.filter(({ status }) => status !== "DELETED").map((loan): Besides => ({ kind: "loan", day: loan.date, loan }));
  if (lent.length === 0) return paid;
  return [...paid, ...lent].sort((a, b) => b.day.localeCompare(a.day) || addedAt(b).localeCompare(addedAt(a)));
}

const addedAt = (row: Besides): string => (row.kind === "loan" ? row.loan : row.settlement).createdAt;

function isNewer(row: Besides, expense: Expense): boolean {
  return row.day === expense.date ? addedAt(row) > expense.createdAt : row.day > expense.date;
}

/** The first `count` rows by their days. */
export function byDay(rows: readonly Row[], count: number): readonly Day[] {
  const days: { day: string; rows: Row[] }[] = [];
  for (const row of rows.slice(0, count)) {
    const last = days.at(-1);
    if (last?.day === row.day) last.rows.push(row);
    else days.push({ day: row.day, rows: [row] });
  }
  return days;
}

/** All the ids that stand for a person: their own, and that of the placeholder that they took over. */
export function idsOf(member: Member): ReadonlySet<string> {
  return new Set(member.claimed === null ? [member.userId] : [member.userId, member.claimed]);
}

/**
 * What an expense did to a person's balance, in minor units: more than 0 is owed to them. Undefined where they have no
 * part in it. Who received a refund or an income holds what is the others'.
 */
export function effectOn(ids: ReadonlySet<string>, expense: Expense): number | undefined {
  const own = ({ userId }: Posting) => ids.has(userId);
  const paid = payersOf(expense).filter(own);
  const borne = expense.shares.filter(own);
  if (paid.length + borne.length === 0) return undefined;
  const difference = sum(paid) - sum(borne);
  return difference === 0 || (expense.kind ?? "EXPENSE") === "EXPENSE" ? difference : -difference;
}

function sum(postings: readonly Posting[]): number {
  return postings.reduce((total, { amount }) => total + amount, 0);
}

/** YYYY-MM-DD of an instant (RFC 3339) by the device's clock and calendar. */
export function localDay(at: string): string {
  const date = new Date(at);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}

/** As much of a name as a row has room for beside an amount. */
const SHORT_NAME_LENGTH = 18;

/** A long name cut at the word's end before the room ends, else in the middle of the word. */
export function shortName(name: string): string {
  const characters = [...name];
  if (characters.length <= SHORT_NAME_LENGTH) return name;
  const cut = characters.slice(0, SHORT_NAME_LENGTH).join("");
  const space = cut.lastIndexOf(" ");
  return `${space > 0 ? cut.slice(0, space) : cut}…`;
}
