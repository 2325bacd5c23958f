import type { settle as en } from "../en/settle.ts";

export const settle: typeof en = {};
