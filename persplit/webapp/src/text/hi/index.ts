import type { Messages } from "../index.ts";
import { account } from "./account.ts";
import { admin } from "./admin.ts";
import { common } from "./common.ts";
import { expense } from "./expense.ts";
import { groups } from "./groups.ts";
import { insight } from "./insight.ts";
import { loans } from "./loans.ts";
import { settle } from "./settle.ts";

export const hi: Messages = { account, admin, common, expense, groups, insight, loans, settle };
