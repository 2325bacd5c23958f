/** People, forms and numbers for the tests of expenses. */

import type { ExpenseForm } from "../../src/screens/expense/form_state.ts";
import { emptyForm } from "../../src/screens/expense/form_state.ts";
import type { People } from "../../src/screens/expense/people.ts";

export const PEOPLE: People = {
  me: "me",
  ids: ["me", "asha", "ravi", "meera"],
  weights: new Map([
    ["me", 1],
    ["asha", 1],
    ["ravi", 2],
    ["meera", 0.5],
  ]),
};

export const same = (userId: string): string => userId;

export function form(told: Partial<ExpenseForm> = {}): ExpenseForm {
  return { ...emptyForm("e-1", PEOPLE, "INR", "2026-11-20"), amount: "1000", description: "Dinner", ...told };
}

/** So many whole numbers from 0 to `below` - 1, always the same ones. */
export function numbers(count: number, below: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  });
}
