/** The page's ledger for the tests that compare it with the server's: a JSON object a line in, one a line out. */

import { createInterface } from "node:readline";
import { canonicalRate, converted, inProportion } from "../../src/ledger/conversion.ts";
import { type Asking, type Command, decide } from "../../src/ledger/decide.ts";
import { Refusal } from "../../src/ledger/errors.ts";
import { apply } from "../../src/ledger/fold.ts";
import { canonicalInterest, repaid } from "../../src/ledger/loan.ts";
import { directLedgerId } from "../../src/ledger/direct.ts";
import { digitsOf, plainMoney } from "../../src/ledger/money.ts";
import type { Comment, Expense, LedgerEvent, Loan, Settlement } from "../../src/ledger/shapes.ts";
import { type Division, sharesOf } from "../../src/ledger/split.ts";
import type { GroupState } from "../../src/ledger/state.ts";

/** Somebody asked for something when the ledger stood at `seq`. */
interface Intent {
  readonly seq: number;
  readonly actor: string;
  readonly now: string;
  readonly command: Command;
}

interface Conversion {
  readonly amount: number;
  readonly currency: string;
  readonly rate: string;
  readonly into: string;
  readonly parts: readonly number[];
}

function refusable(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) {
      return { refused: error.code, paths: error.errors.map(({ path }) => path) };
    }
    throw error;
  }
}

/** What each intent comes to, and where the ledger stands after each event. */
function lived(question: { events: LedgerEvent[]; intents: Intent[] }): unknown {
  let state: GroupState | null = null;
  const things = { expenses: new Map<string, Expense>(), settlements: new Map<string, Settlement>(), comments: new Map<string, Comment>() };
  const states: unknown[] = [];
  const answers: unknown[] = [];
  const intents = [...question.intents];
  const judge = (seq: number): void => {
    while (intents[0]?.seq === seq) {
      const { actor, now, command } = intents.shift() as Intent;
      const asking: Asking = {
        actorId: actor,
        actorName: actor,
        now,
        expense: (id) => things.expenses.get(id),
        settlement: (id) => things.settlements.get(id),
        comments: (expenseId) => Array.from(things.comments.values()).filter((it) => it.expenseId === expenseId),
      };
      answers.push(refusable(() => decide(state, command, asking)));
    }
  };
  for (const event of question.events) {
    state = apply(state, event);
    if ("expense" in event) {
      things.expenses.set(event.expense.id, event.expense);
    } else if ("settlement" in event) {
      things.settlements.set(event.settlement.id, event.settlement);
    } else if ("comment" in event) {
      things.comments.set(`${event.comment.expenseId} ${event.comment.id}`, event.comment);
    }
    states.push({
      balances: Object.fromEntries(state.balances),
      claims: Object.fromEntries(state.claims),
      members: [...state.members.values()],
      pending: [...state.pending.values()],
      loans: [...state.loans.values()],
      counts: [state.expenseCount, state.settlementCount],
    });
    judge(state.seq);
  }
  return { states, answers };
}

const WAYS: Readonly<Record<string, (question: never) => unknown>> = {
  lived,
  divided: ({ divisions }: { divisions: Division[] }) => divisions.map((it) => refusable(() => sharesOf(it))),
  converted: ({ conversions }: { conversions: Conversion[] }) =>
    conversions.map(({ amount, currency, rate, into, parts }) => {
      const exact = canonicalRate(rate);
      const whole = exact === undefined ? 0 : converted(amount, currency, exact, into);
      return { rate: exact ?? null, amount: whole, parts: inProportion(whole, parts) };
    }),
  repaid: ({ loans }: { loans: { loan: Loan; rate: string | null; payments: { amount: number; day: string }[] }[] }) =>
    loans.map(({ loan, rate, payments }) => ({
      loan: payments.reduce((owed, { amount, day }) => repaid(owed, amount, day).after, loan),
      rate: rate === null ? null : (canonicalInterest(rate) ?? null),
    })),
  met: ({ pairs }: { pairs: [string, string, string][] }) => pairs.map((pair) => directLedgerId(...pair)),
  written: ({ amounts }: { amounts: [number, string][] }) =>
    amounts.map(([amount, currency]) => [digitsOf(currency), plainMoney(amount, currency)]),
};

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line) as { way: string };
  console.log(JSON.stringify(WAYS[question.way]?.(question as never)));
}
