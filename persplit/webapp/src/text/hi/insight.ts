import type { insight as en } from "../en/insight.ts";

export const insight: typeof en = {};
