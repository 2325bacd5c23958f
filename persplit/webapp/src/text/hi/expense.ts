import type { expense as en } from "../en/expense.ts";

export const expense: typeof en = {};
