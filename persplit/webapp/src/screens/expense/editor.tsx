/** The form of an expense: it starts with an amount, a description and one line, and grows on demand. */

import type { ComponentChildren } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { navigate } from "wouter-preact/use-hash-location";
import type { GroupView } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import { Button, TextField } from "../../ui/controls.tsx";
import { isFailure } from "../../ui/failures.ts";
import { Banner, Page } from "../../ui/layout.tsx";
import { CategoryField } from "./category_picker.tsx";
import { showConflict } from "./conflict.tsx";
import { Essentials } from "./essentials.tsx";
import type { ChosenFile } from "./files.ts";
import { Fold } from "./fold.tsx";
import { problemsOf, type WorkedOut, workOut } from "./form_fields.ts";
import { PartChips, PartFields, partsOf, type Purpose, toggled, withPart } from "./form_parts.tsx";
import type { ExpenseForm } from "./form_state.ts";
import { guessCategory } from "./guess.ts";
import { PayerEditor } from "./payer_editor.tsx";
import type { People } from "./people.ts";
import { KeepAsPreset, PresetChips } from "./preset_chooser.tsx";
import { ReceiptFields, ScanResult } from "./receipt_fields.tsx";
import { type Doubts, doubtsOf, type ScannedReceipt, withReceipt } from "./scan.ts";
import { SplitEditor } from "./split_editor.tsx";
import { fieldProblemText } from "./split_words.ts";
import { Summary } from "./summary.tsx";
import { type Told, toldBy } from "./told.ts";

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
  purpose: Purpose;
  saveLabel?: string;
  /** Above the form, such as another version of the expense. */
  above?: (filled: Filled, replace: (form: ExpenseForm) => void) => ComponentChildren;
  /** Below it. */
  below?: ComponentChildren;
  /** Durably saved; resolves to the address to go to. Rejects with `Failure`, told at the fields that it names. */
  onSave: (filled: Filled) => Promise<string>;
}

/** What is typed and how the form stands. */
function useEditor({ view, people, initial, purpose, onSave }: EditorProps) {
  const { currency } = view.group;
  const [form, setForm] = useState(initial);
  const [files, setFiles] = useState<readonly ChosenFile[]>([]);
  const [parts, setParts] = useState(() => partsOf(initial, currency, purpose));
  const [isSplitOpen, setSplitOpen] = useState(false);
  const [isChecked, setChecked] = useState(false);
  const [isSaving, setSaving] = useState(false);
  const [told, setTold] = useState<Told>({});
  const [doubts, setDoubts] = useState<Doubts | null>(null);
  const element = useRef<HTMLFormElement>(null);
  const guessed = useMemo(() => guessCategory(form.description, view.expenses), [form.description, view.expenses]);
  const worked = workOut(form, people, currency);
  const found = problemsOf(form, worked, currency);
  const filled: Filled = { form, worked, files, category: form.category === undefined ? guessed : form.category };
  const change = (changed: Partial<ExpenseForm>) => {
    setForm((before) => ({ ...before, ...changed }));
    setTold({});
  };
  const save = async () => {
    setChecked(true);
    if (found.payers || found.split) setSplitOpen(true);
    if (Object.keys(found).length > 0) {
      requestAnimationFrame(() => element.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    setSaving(true);
    try {
      navigate(await onSave(filled), { replace: true });
    } catch (error) {
      setTold(toldBy(error));
      setSaving(false);
      if (isFailure(error, "conflict")) showConflict();
    }
  };
  const takeReceipt = (scanned: ScannedReceipt) => {
    setForm((before) => withReceipt(before, scanned, people));
    setDoubts(doubtsOf(scanned));
    setSplitOpen(true);
    window.scrollTo({ top: 0 });
  };
  return {
    element,
    filled,
    parts,
    isSplitOpen,
    isChecked,
    isSaving,
    told,
    doubts,
    /** Only once somebody tried to save. */
    problems: isChecked ? found : {},
    change,
    replace: setForm,
    setFiles,
    setSplitOpen,
    setPart: (part: Parameters<typeof toggled>[1], isOn: boolean) => {
      setParts(toggled(parts, part, isOn));
      change(withPart(form, part, isOn, currency));
    },
    takeReceipt,
    save,
  };
}

type Editor = ReturnType<typeof useEditor>;

export function ExpenseEditor(props: EditorProps) {
  const { view, title, backTo, purpose, above, below } = props;
  const editor = useEditor(props);
  const { filled, parts, told, doubts, change } = editor;
  const { form } = filled;
  return (
    <Page title={title} backTo={backTo}>
      {view.group.archivedAt !== null && <Banner tone="warning" icon="archive">{t().expense.archived}</Banner>}
      {above?.(filled, editor.replace)}
      <form
        class="stack expense-form"
        ref={editor.element}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!editor.isSaving) void editor.save();
        }}
      >
        <Essentials {...editor} form={form} worked={filled.worked} onChange={change} />
        {doubts && <ScanResult doubts={doubts} currency={form.currency} />}
        <WhoAndHow {...props} editor={editor} />
        <CategoryAndDate editor={editor} />
        <PartChips purpose={purpose} parts={parts} isRepeating={form.repeat !== null} onChange={editor.setPart} />
        {parts.has("receipt") && !form.repeat && (
          <ReceiptFields groupId={view.id} files={filled.files} onFiles={editor.setFiles} onScanned={editor.takeReceipt} />
        )}
        <PartFields {...editor} form={form} worked={filled.worked} groupCurrency={view.group.currency} onChange={change} />
        {told.other && <Banner tone="danger" icon="warning">{told.other}</Banner>}
        <div class="form-save">
          <Button type="submit" isWide isBusy={editor.isSaving}>
            {props.saveLabel ?? (form.repeat && purpose === "either" ? t().expense.saveRepeat : t().expense.save)}
          </Button>
        </div>
      </form>
      {below}
    </Page>
  );
}

function WhoAndHow({ view, people, editor }: Pick<EditorProps, "view" | "people"> & { editor: Editor }) {
  const { filled, told, change } = editor;
  const { form, worked } = filled;
  const shared = { view, people, split: form.split, divided: worked.divided };
  return (
    <>
      <Fold
        icon="groups"
        title={<Summary view={view} form={form} worked={worked} />}
        isOpen={editor.isSplitOpen}
        onToggle={editor.setSplitOpen}
      >
        <PayerEditor
          view={view}
          people={people}
          form={form}
          amount={worked.amount}
          paid={worked.paid}
          isChecked={editor.isChecked}
          onChange={(payers) => change({ payers })}
        />
        {told.payers && <p class="error-text">{told.payers}</p>}
        <SplitEditor
          view={view}
          people={people}
          form={form}
          divided={worked.divided}
          above={<PresetChips {...shared} onChange={(split) => change({ split })} />}
          onChange={(split) => change({ split })}
        />
        <KeepAsPreset {...shared} />
      </Fold>
      {told.split && <p class="error-text" role="alert">{told.split}</p>}
    </>
  );
}

function CategoryAndDate({ editor }: { editor: Editor }) {
  const { filled, told, problems, doubts, change } = editor;
  const { form, category } = filled;
  return (
    <div class="form-pair">
      <CategoryField category={category} isGuessed={form.category === undefined} onChoose={(chosen) => change({ category: chosen })} />
      <TextField
        label={form.repeat ? t().expense.firstDate : t().expense.date}
        type="date"
        value={form.date}
        hint={doubts?.date ? t().expense.scanUnsure(doubts.date.sure) : undefined}
        error={told.date ?? fieldProblemText(problems.date, t().expense.needDate)}
        onInput={(date) => change({ date })}
      />
    </div>
  );
}
