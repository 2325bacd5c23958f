/** The form of an expense: it starts with an amount, a description and one line, and grows on demand. */

import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { navigate } from "wouter-preact/use-hash-location";
import { Failure, type GroupView } from "../../data/model.ts";
import { formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import type { ExpenseKind } from "../../wire/types.ts";
import { Button, Chip, IconButton, Segments, TextArea, TextField } from "../../ui/controls.tsx";
import { failureText } from "../../ui/failures.ts";
import { Banner, Page } from "../../ui/layout.tsx";
import { CategoryField } from "./category_picker.tsx";
import { CurrencyFields } from "./currency_fields.tsx";
import { Fold } from "./fold.tsx";
import type { ChosenFile } from "./files.ts";
import {
  DESCRIPTION_LENGTH_MAX,
  type FormProblems,
  NOTES_LENGTH_MAX,
  partOf,
  problemsOf,
  type WorkedOut,
  workOut,
} from "./form_fields.ts";
import { type ExpenseForm, ONCE_A_MONTH } from "./form_state.ts";
import { guessCategory } from "./guess.ts";
import { PayerEditor } from "./payer_editor.tsx";
import type { People } from "./people.ts";
import { KeepAsPreset, PresetChips } from "./preset_chooser.tsx";
import { canAttach, ReceiptFields, ScanResult } from "./receipt_fields.tsx";
import { RepeatFields } from "./repeat_fields.tsx";
import { type Doubts, doubtsOf, withReceipt } from "./scan.ts";
import { shareSummary, SplitEditor } from "./split_editor.tsx";
import { amountProblemText, fieldProblemText, namesOf, splitProblemText } from "./split_words.ts";

/** What is saved: the form, what it comes to, and the files that go with it. */
export interface Filled {
  readonly form: ExpenseForm;
  readonly worked: WorkedOut;
  /** As it counts, guess included. */
  readonly category: string | null;
  readonly files: readonly ChosenFile[];
}

export interface EditorProps {
  view: GroupView;
  people: People;
  title: string;
  backTo: string;
  initial: ExpenseForm;
  /** `expense`: one day; `template`: only what repeats; `either`: a new one, which may repeat. */
  purpose: "expense" | "template" | "either";
  saveLabel?: string;
  /** Above the form, such as another version of the expense. */
  above?: (filled: Filled, replace: (form: ExpenseForm) => void) => ComponentChildren;
  /** Below it. */
  below?: ComponentChildren;
  /** Durably saved; resolves to the address to go to. Rejects with `Failure`, told at the fields that it names. */
  onSave: (filled: Filled) => Promise<string>;
}

type Part = "receipt" | "notes" | "currency" | "kind" | "repeat";
type Told = Partial<Record<ReturnType<typeof partOf>, string>>;

export function ExpenseEditor(props: EditorProps) {
  const { view, people, title, backTo, initial, above, below } = props;
  const [form, setForm] = useState(initial);
  const [files, setFiles] = useState<readonly ChosenFile[]>([]);
  const [parts, setParts] = useState<ReadonlySet<Part>>(() => partsOf(initial, view.group.currency, props.purpose));
  const [isSplitOpen, setSplitOpen] = useState(false);
  const [isChecked, setChecked] = useState(false);
  const [isSaving, setSaving] = useState(false);
  const [told, setTold] = useState<Told>({});
  const [doubts, setDoubts] = useState<Doubts | null>(null);
  const element = useRef<HTMLFormElement>(null);

  const worked = workOut(form, people, view.group.currency);
  const guessed = form.category === undefined ? guessCategory(form.description, view.expenses) : null;
  const category = form.category === undefined ? guessed : form.category;
  const problems = problemsOf(form, worked, view.group.currency);
  const filled: Filled = { form, worked, category, files };
  const change = (changed: Partial<ExpenseForm>) => {
    setForm((before) => ({ ...before, ...changed }));
    setTold({});
  };

  const save = async () => {
    setChecked(true);
    if (problems.payers || problems.split) setSplitOpen(true);
    if (Object.keys(problems).length > 0) {
      requestAnimationFrame(() => element.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    setSaving(true);
    try {
      navigate(await props.onSave(filled), { replace: true });
    } catch (error) {
      setTold(toldBy(error));
      setSaving(false);
    }
  };

  return (
    <Page title={title} backTo={backTo}>
      {view.group.archivedAt !== null && <Banner tone="warning" icon="archive">{t().expense.archived}</Banner>}
      {above?.(filled, setForm)}
      <form
        class="stack expense-form"
        ref={element}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!isSaving) void save();
        }}
      >
        <Essentials form={form} problems={isChecked ? problems : {}} worked={worked} told={told} doubts={doubts} onChange={change} />
        {doubts && <ScanResult doubts={doubts} currency={form.currency} />}
        <Fold
          icon="groups"
          title={<Summary view={view} form={form} worked={worked} />}
          isOpen={isSplitOpen}
          onToggle={setSplitOpen}
        >
          <PayerEditor
            view={view}
            people={people}
            form={form}
            amount={worked.amount}
            paid={worked.paid}
            isChecked={isChecked}
            onChange={(payers) => change({ payers })}
          />
          {told.payers && <p class="error-text">{told.payers}</p>}
          <SplitEditor
            view={view}
            people={people}
            form={form}
            amount={worked.amount}
            divided={worked.divided}
            above={<PresetChips view={view} people={people} split={form.split} divided={worked.divided} onChange={(split) => change({ split })} />}
            onChange={(split) => change({ split })}
          />
          <KeepAsPreset view={view} people={people} split={form.split} divided={worked.divided} />
        </Fold>
        {told.split && <p class="error-text" role="alert">{told.split}</p>}
        <div class="form-pair">
          <CategoryField
            category={category}
            isGuessed={form.category === undefined}
            onChoose={(chosen) => change({ category: chosen })}
          />
          <TextField
            label={form.repeat ? t().expense.firstDate : t().expense.date}
            type="date"
            value={form.date}
            hint={doubts?.date ? t().expense.scanUnsure(doubts.date.sure) : undefined}
            error={told.date ?? (isChecked ? fieldProblemText(problems.date, t().expense.needDate) : undefined)}
            onInput={(date) => change({ date })}
          />
        </div>
        <PartChips purpose={props.purpose} parts={parts} isRepeating={form.repeat !== null} onChange={(part, isOn) => {
          setParts(toggled(parts, part, isOn));
          if (part === "repeat") change({ repeat: isOn ? (form.repeat ?? ONCE_A_MONTH) : null });
          if (part === "currency" && !isOn) change({ currency: view.group.currency, rate: "" });
          if (part === "kind" && !isOn) change({ kind: "EXPENSE" });
          if (part === "notes" && !isOn) change({ notes: "" });
        }} />
        {parts.has("receipt") && !form.repeat && (
          <ReceiptFields
            groupId={view.id}
            files={files}
            onFiles={setFiles}
            onScanned={(scanned) => {
              setForm((before) => withReceipt(before, scanned, people));
              setDoubts(doubtsOf(scanned));
              setSplitOpen(true);
              window.scrollTo({ top: 0 });
            }}
          />
        )}
        {parts.has("kind") && <KindFields kind={form.kind} onChange={(kind) => change({ kind })} />}
        {parts.has("currency") && (
          <CurrencyFields form={form} groupCurrency={view.group.currency} worked={worked} problem={isChecked ? problems.rate : undefined} onChange={change} />
        )}
        {told.rate && <p class="error-text">{told.rate}</p>}
        {form.repeat && (
          <RepeatFields repeat={form.repeat} start={form.date} problems={isChecked ? problems : {}} onChange={(repeat) => change({ repeat })} />
        )}
        {told.repeat && <p class="error-text">{told.repeat}</p>}
        {parts.has("notes") && (
          <TextArea
            label={t().expense.notes}
            placeholder={t().expense.notesExample}
            maxLength={NOTES_LENGTH_MAX}
            value={form.notes}
            onInput={(notes) => change({ notes })}
          />
        )}
        {told.other && <Banner tone="danger" icon="warning">{told.other}</Banner>}
        <div class="form-save">
          <Button type="submit" isWide isBusy={isSaving}>
            {props.saveLabel ?? (form.repeat && props.purpose === "either" ? t().expense.saveRepeat : t().expense.save)}
          </Button>
        </div>
      </form>
      {below}
    </Page>
  );
}

/** What is shown open from the start: what has something in it. */
function partsOf(form: ExpenseForm, groupCurrency: string, purpose: EditorProps["purpose"]): ReadonlySet<Part> {
  const parts: (Part | false)[] = [
    form.notes !== "" && "notes",
    form.currency !== groupCurrency && "currency",
    form.kind !== "EXPENSE" && "kind",
    (form.repeat !== null || purpose === "template") && "repeat",
  ];
  return new Set(parts.filter((part) => part !== false));
}

function toggled(parts: ReadonlySet<Part>, part: Part, isOn: boolean): ReadonlySet<Part> {
  const after = new Set(parts);
  if (isOn) after.add(part);
  else after.delete(part);
  return after;
}

/** What the server said against it, by the part of the form that it is about. */
function toldBy(error: unknown): Told {
  if (!(error instanceof Failure) || error.errors.length === 0) return { other: failureText(error) };
  const told: Told = {};
  for (const { path, message } of error.errors) told[partOf(path)] ??= message;
  return told;
}

/** What a number pad lacks: one more amount to add. */
function PlusButton({ form, onChange }: { form: ExpenseForm; onChange: (change: Partial<ExpenseForm>) => void }) {
  const element = useRef<HTMLDivElement>(null);
  return (
    <div class="amount-plus" ref={element}>
      <IconButton
        icon="add"
        label={t().expense.addAmount}
        onClick={() => {
          onChange({ amount: `${form.amount.replace(/\+\s*$/u, "")}+` });
          element.current?.parentElement?.querySelector("input")?.focus();
        }}
      />
    </div>
  );
}

function Essentials({ form, problems, worked, told, doubts, onChange }: {
  form: ExpenseForm;
  problems: FormProblems;
  worked: WorkedOut;
  told: Told;
  doubts: Doubts | null;
  onChange: (change: Partial<ExpenseForm>) => void;
}) {
  const [isLeft, setLeft] = useState(false);
  const problem = worked.amountProblem;
  const isWrong = problem !== null && problem !== "empty" && isLeft;
  const amountError = problems.amount || isWrong ? amountProblemText(problem ?? "empty") : undefined;
  return (
    <div class="card stack">
      <div class="amount-field">
        <span class="amount-symbol" aria-hidden="true">
          {symbolOf(form.currency)}
        </span>
        <TextField
          label={`${t().expense.amount} (${form.currency})`}
          isLarge
          isFirst={form.amount === ""}
          inputMode="decimal"
          value={form.amount}
          placeholder="0"
          hint={amountHint(form, worked, doubts)}
          error={told.amount ?? amountError}
          onInput={(amount) => {
            setLeft(false);
            onChange({ amount });
          }}
          onBlur={() => setLeft(true)}
        />
        {worked.amount !== null && <PlusButton form={form} onChange={onChange} />}
      </div>
      <TextField
        label={t().expense.description}
        placeholder={t().expense.descriptionExample}
        maxLength={DESCRIPTION_LENGTH_MAX}
        value={form.description}
        hint={doubts?.description ? t().expense.scanUnsure(doubts.description.sure) : undefined}
        error={told.description ?? fieldProblemText(problems.description, t().expense.needDescription)}
        onInput={(description) => onChange({ description })}
      />
    </div>
  );
}

/** What was typed as an amount, where that isn't plain from it. */
function amountHint(form: ExpenseForm, worked: WorkedOut, doubts: Doubts | null): string | undefined {
  if (doubts?.amount) return t().expense.scanUnsure(doubts.amount.sure);
  if (worked.amount === null) return t().expense.amountHint;
  const shown = formatMoney(worked.amount, form.currency, locale.value);
  return /^[0-9]*\.?[0-9]*$/u.test(form.amount) && form.amount.length <= 3 ? undefined : `= ${shown}`;
}

function symbolOf(currency: string): string {
  const parts = new Intl.NumberFormat(locale.value, { style: "currency", currency, currencyDisplay: "narrowSymbol" }).formatToParts(0);
  return parts.find((part) => part.type === "currency")?.value ?? currency;
}

/** Paid by you, split equally among 4; and what that comes to, or what is missing. */
function Summary({ view, form, worked }: { view: GroupView; form: ExpenseForm; worked: WorkedOut }) {
  const { paid, divided, amount } = worked;
  const words = t().expense;
  const who = namesOf(view, paid.payerIds.length > 0 ? paid.payerIds : [form.payers.single]);
  const people = divided.shares.length > 0 ? divided.shares.filter((share) => share.amount > 0).length : form.split.taking.length;
  const type = divided.asked?.splitType ?? form.split.type;
  const isOpen = amount !== null && (divided.problem !== null || paid.problem !== null);
  return (
    <>
      <span class="summary-line">{words.summary(form.kind, who, words.splitHow[type](people))}</span>
      <span class={isOpen ? "summary-below error-text" : "summary-below small muted"}>
        {isOpen ? openText(form, worked) : shareSummary(divided, form.currency, view.me.userId)}
      </span>
    </>
  );
}

function openText(form: ExpenseForm, { paid, divided }: WorkedOut): string {
  if (divided.problem !== null) return splitProblemText(divided.problem, form.split.type, form.currency);
  const { problem } = paid;
  if (problem === null) return "";
  if (problem.kind === "nobody") return t().expense.payersNobody;
  if (problem.kind === "not_a_value") return t().expense.notAnAmount;
  const amount = formatMoney(Math.abs(problem.minor), form.currency, locale.value);
  return problem.minor > 0 ? t().expense.payersLeft(amount) : t().expense.payersTooMuch(amount);
}

function PartChips({ purpose, parts, isRepeating, onChange }: {
  purpose: EditorProps["purpose"];
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
