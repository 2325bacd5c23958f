/** The shapes of the wire by their plain names. They are generated: see `scripts/webapp types`. */

import type { components as Rest } from "./openapi.ts";
import type { components as Live } from "./asyncapi.ts";

type R = Rest["schemas"];
type L = Live["schemas"];

export type Attachment = L["Attachment"];
export type Comment = L["Comment"];
export type Debt = L["Debt"];
export type Expense = L["Expense"];
export type ExpenseKind = L["ExpenseKind"];
export type Group = L["Group"];
export type GroupSnapshot = L["GroupSnapshot"];
export type Item = L["Item"];
export type LedgerEvent = L["Event"];
export type Loan = L["Loan"];
export type Member = L["Member"];
export type PlanRow = L["PlanRow"];
export type Posting = L["Posting"];
export type Preset = L["Preset"];
export type Problem = L["Problem"];
export type Pulled = L["Pulled"];
export type Recurrence = L["Recurrence"];
export type Repayment = L["Repayment"];
export type SessionReady = L["SessionReady"];
export type Settlement = L["Settlement"];
export type SplitType = L["SplitType"];
export type SplitValue = L["SplitValue"];
export type User = L["User"];
/** Schemas that only REST has: `RestSchemas["ActivityPage"]`, … */
export type RestSchemas = R;

type Body<Name extends keyof L> = Omit<L[Name], "commandId" | "groupId">;

/** What can be written, as it goes over the wire, without `commandId` and `groupId`. */
export interface Commands {
  "group:create": Body<"CreateGroup">;
  "group:update": Body<"UpdateGroup">;
  "group:leave": Record<never, never>;
  "member:add": Body<"AddMember">;
  "member:remove": Body<"RemoveMember">;
  "member:unblock": Body<"UnblockMember">;
  "member:unit": Body<"ChangeUnit">;
  "expense:create": Body<"CreateExpense">;
  "expense:update": Body<"UpdateExpense">;
  "expense:delete": Body<"DeleteExpense">;
  "expense:restore": Body<"RestoreExpense">;
  "attachment:add": Body<"AddAttachment">;
  "attachment:remove": Body<"RemoveAttachment">;
  "settlement:create": Body<"CreateSettlement">;
  "settlement:confirm": Body<"ConfirmSettlement">;
  "settlement:decline": Body<"DeclineSettlement">;
  "settlement:cancel": Body<"CancelSettlement">;
  "loan:create": Omit<Body<"CreateLoan">, "currency" | "timeZone">;
  "loan:update": Body<"UpdateLoan">;
  "loan:delete": Body<"DeleteLoan">;
  "loan:restore": Body<"RestoreLoan">;
  "comment:add": Body<"CommentIn">;
  "comment:delete": Body<"CommentMeant">;
  "reminder:send": Body<"ReminderIn">;
  "preset:create": Body<"CreatePreset">;
  "preset:save": Body<"SavePreset">;
  "preset:delete": Body<"DeletePreset">;
  "recurrence:create": Body<"CreateRecurrence">;
  "recurrence:save": Body<"SaveRecurrence">;
  "recurrence:pause": Body<"PauseRecurrence">;
  "recurrence:stop": Body<"StopRecurrence">;
}

export type CommandType = keyof Commands;
