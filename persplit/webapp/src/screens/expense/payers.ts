/** Who paid: one for all of it, or several whose amounts make up the amount. */

import { parseMoney } from "../../ledger/money.ts";
import type { PayerForm } from "./form_state.ts";

export type PayerProblem =
  | { readonly kind: "nobody" }
  | { readonly kind: "not_a_value"; readonly at: string }
  /** Minor units: more than 0 are missing, less are too much. */
  | { readonly kind: "left"; readonly minor: number };

export interface Paid {
  readonly payerIds: readonly string[];
  readonly problem: PayerProblem | null;
  /** As the wire has it; only without a problem. */
  readonly asked: string | { userId: string; amount: number }[] | null;
}

/** `amount` in minor units, null while there is none; `ids` in the order in which they are shown. */
export function paidBy(payers: PayerForm, amount: number | null, currency: string, ids: readonly string[]): Paid {
  if (!payers.isSeveral) {
    const isKnown = payers.single !== "";
    return {
      payerIds: isKnown ? [payers.single] : [],
      problem: isKnown ? null : { kind: "nobody" },
      asked: isKnown ? payers.single : null,
    };
  }
  const paid: { userId: string; amount: number }[] = [];
  let bad: string | undefined;
  for (const userId of ids) {
    const parsed = parseMoney(payers.amounts[userId] ?? "", currency);
    if (parsed.ok && parsed.minor > 0) paid.push({ userId, amount: parsed.minor });
    if (!parsed.ok && parsed.problem !== "empty") bad ??= userId;
  }
  const payerIds = paid.map(({ userId }) => userId);
  const problem = problemOf(paid, bad, amount);
  return { payerIds, problem, asked: problem === null ? paid : null };
}

function problemOf(paid: readonly { amount: number }[], bad: string | undefined, amount: number | null): PayerProblem | null {
  if (bad !== undefined) return { kind: "not_a_value", at: bad };
  if (paid.length === 0) return { kind: "nobody" };
  const left = (amount ?? 0) - paid.reduce((sum, one) => sum + one.amount, 0);
  return left === 0 ? null : { kind: "left", minor: left };
}
