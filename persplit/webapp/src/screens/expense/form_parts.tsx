/** What an expense may have besides: a receipt, notes, another currency, another kind, a repetition. Opened on demand. */

import { t } from "../../text/index.ts";
import type { ExpenseKind } from "../../wire/types.ts";
import { Chip, Segments, TextArea } from "../../ui/controls.tsx";
import { CurrencyFields } from "./currency_fields.tsx";
import { type FormProblems, NOTES_LENGTH_MAX, type WorkedOut } from "./form_fields.ts";
import { type ExpenseForm, ONCE_A_MONTH } from "./form_state.ts";
import { canAttach } from "./receipt_fields.tsx";
import { RepeatFields } from "./repeat_fields.tsx";
import type { Told } from "./told.ts";

export type Part = "receipt" | "notes" | "currency" | "kind" | "repeat";
/** `expense`: one day; `template`: only what repeats; `either`: a new one, which may repeat. */
export type Purpose = "expense" | "template" | "either";

/** What is shown open from the start: what has something in it. */
export function partsOf(form: ExpenseForm, groupCurrency: string, purpose: Purpose): ReadonlySet<Part> {
  const parts: (Part | false)[] = [
    form.notes !== "" && "notes",
    form.currency !== groupCurrency && "currency",
    form.kind !== "EXPENSE" && "kind",
    (form.repeat !== null || purpose === "template") && "repeat",
  ];
  return new Set(parts.filter((part) => part !== false));
}

export function toggled(parts: ReadonlySet<Part>, part: Part, isOn: boolean): ReadonlySet<Part> {
  const after = new Set(parts);
  if (isOn) after.add(part);
  else after.delete(part);
  return after;
}

/** What a part means for the form where it is opened or closed. */
export function withPart(form: ExpenseForm, part: Part, isOn: boolean, groupCurrency: string): Partial<ExpenseForm> {
  switch (part) {
    case "repeat":
      return { repeat: isOn ? (form.repeat ?? ONCE_A_MONTH) : null };
    case "currency":
      return isOn ? {} : { currency: groupCurrency, rate: "" };
    case "kind":
      return isOn ? {} : { kind: "EXPENSE" };
    case "notes":
      return isOn ? {} : { notes: "" };
    case "receipt":
      return {};
  }
}

export function PartChips({ purpose, parts, isRepeating, onChange }: {
  purpose: Purpose;
  parts: ReadonlySet<Part>;
  /** What repeats has no photo of its own. */
  isRepeating: boolean;
  onChange: (part: Part, isOn: boolean) => void;
}) {
  const words = t().expense;
  const offered: readonly (readonly [part: Part, label: string, isOffered: boolean])[] = [
    ["receipt", words.partReceipt, !isRepeating && canAttach()],
    ["notes", words.partNotes, true],
    ["repeat", words.partRepeat, purpose === "either"],
    ["currency", words.partCurrency, true],
    ["kind", words.partKind, true],
  ];
  return (
    <div class="row-wrap" role="group" aria-label={words.addToIt}>
      {offered
        .filter(([, , isOffered]) => isOffered)
        .map(([part, label]) => (
          <Chip key={part} label={label} isOn={parts.has(part)} onToggle={(isOn) => onChange(part, isOn)} />
        ))}
    </div>
  );
}

const KINDS: readonly ExpenseKind[] = ["EXPENSE", "REFUND", "INCOME"];

function KindFields({ kind, onChange }: { kind: ExpenseKind; onChange: (kind: ExpenseKind) => void }) {
  return (
    <div class="stack-small">
      <Segments
        label={t().expense.kind}
        value={kind}
        choices={KINDS.map((value) => ({ value, label: t().expense.kinds[value] }))}
        onChoose={onChange}
      />
      <p class="small muted">{t().expense.kindHints[kind]}</p>
    </div>
  );
}

/** The parts that are open, but for the receipt. */
export function PartFields({ parts, form, groupCurrency, worked, problems, told, onChange }: {
  parts: ReadonlySet<Part>;
  form: ExpenseForm;
  groupCurrency: string;
  worked: WorkedOut;
  problems: FormProblems;
  told: Told;
  onChange: (change: Partial<ExpenseForm>) => void;
}) {
  return (
    <>
      {parts.has("kind") && <KindFields kind={form.kind} onChange={(kind) => onChange({ kind })} />}
      {parts.has("currency") && (
        <CurrencyFields form={form} groupCurrency={groupCurrency} worked={worked} problem={problems.rate} onChange={onChange} />
      )}
      {told.rate && <p class="error-text">{told.rate}</p>}
      {form.repeat && (
        <RepeatFields repeat={form.repeat} start={form.date} problems={problems} onChange={(repeat) => onChange({ repeat })} />
      )}
      {told.repeat && <p class="error-text">{told.repeat}</p>}
      {parts.has("notes") && (
        <TextArea
          label={t().expense.notes}
          placeholder={t().expense.notesExample}
          maxLength={NOTES_LENGTH_MAX}
          value={form.notes}
          onInput={(notes) => onChange({ notes })}
        />
      )}
    </>
  );
}
