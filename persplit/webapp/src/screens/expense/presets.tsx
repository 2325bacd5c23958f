/** Ways to split that a group has given a name: made, changed, made the first choice, deleted. */

import { useState } from "preact/hooks";
import type { ScreenProps } from "../../app.tsx";
import type { GroupView } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { digitsOf, formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import type { Preset, SplitType } from "../../wire/types.ts";
import { Button, Checkbox, TextField } from "../../ui/controls.tsx";
import { Empty, Page, Sheet } from "../../ui/layout.tsx";
import { toast, toastFailure } from "../../ui/toasts.tsx";
import { nameOf, WithGroup } from "../group_frame.tsx";
import { presetFields, withPreset } from "./carry.ts";
import { divide } from "./division.ts";
import { emptySplit } from "./form_state.ts";
import { newId } from "../../ui/ids.ts";
import { peopleOf } from "./people.ts";
import { PRESET_NAME_LENGTH_MAX, presetNameError } from "./preset_chooser.tsx";
import { SplitEditor } from "./split_editor.tsx";

/** The ways to divide that fit any amount. */
const PRESET_TYPES: readonly SplitType[] = ["EQUAL", "SHARES", "PERCENTAGE"];
/** An amount to show what the preset does: a thousand of whatever the group reckons in. */
const EXAMPLE_MAJOR = 1_000;

export function Presets({ params }: ScreenProps) {
  return <WithGroup groupId={params["groupId"] ?? ""}>{(view) => <PresetsOf view={view} />}</WithGroup>;
}

function PresetsOf({ view }: { view: GroupView }) {
  const [edited, setEdited] = useState<Preset | "new" | null>(null);
  const add = (
    <Button icon="add" kind={view.presets.length > 0 ? "quiet" : "main"} onClick={() => setEdited("new")}>
      {t().expense.newPreset}
    </Button>
  );
  return (
    <Page title={t().expense.presets} backTo={`/g/${view.id}/settings`}>
      {view.presets.length === 0 ? (
        <Empty icon="groups" title={t().expense.noPresets} hint={t().expense.presetsHint}>
          {add}
        </Empty>
      ) : (
        <>
          <p class="muted">{t().expense.presetsHint}</p>
          <ul class="stack">
            {view.presets.map((preset) => (
              <li key={preset.id}>
                <PresetCard view={view} preset={preset} onEdit={() => setEdited(preset)} />
              </li>
            ))}
          </ul>
          {add}
        </>
      )}
      {edited !== null && <PresetSheet view={view} preset={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
    </Page>
  );
}

function PresetCard({ view, preset, onEdit }: { view: GroupView; preset: Preset; onEdit: () => void }) {
  const words = t().expense;
  return (
    <section class="card stack-small" aria-label={preset.name}>
      <h2 class="row-title">{preset.name}</h2>
      <p class="small muted">{presetText(view, preset)}</p>
      {preset.isDefault && <p class="tag">{words.isDefault}</p>}
      <div class="row-wrap">
        {!preset.isDefault && (
          <Button kind="quiet" onClick={() => void save(view, { ...preset, isDefault: true })}>
            {words.makeDefault}
          </Button>
        )}
        <Button kind="plain" onClick={onEdit}>
          {t().common.edit}
        </Button>
        <Button kind="plain" onClick={() => void remove(view, preset)}>
          {t().common.delete}
        </Button>
      </div>
    </section>
  );
}

/** `Shares · You 2, Asha 1`. */
function presetText(view: GroupView, preset: Preset): string {
  const words = t().expense;
  const number = new Intl.NumberFormat(locale.value, { maximumFractionDigits: 4 });
  const unit = preset.splitType === "PERCENTAGE" ? " %" : "";
  const who =
    preset.splits.length > 0
      ? preset.splits.map(({ userId, value }) => `${nameOf(view, userId)} ${number.format(value)}${unit}`).join(", ")
      : (preset.participants?.map((userId) => nameOf(view, userId)).join(", ") ?? words.allMembers);
  return words.presetDescribed(words.splitTypes[preset.splitType], who);
}

type PresetFields = Pick<Preset, "id" | "name" | "splitType" | "splits" | "isDefault"> & { participants?: string[] };

async function save(view: GroupView, preset: PresetFields): Promise<boolean> {
  const { id, name, splitType, participants, splits, isDefault } = preset;
  try {
    await store.send("preset:save", view.id, {
      presetId: id,
      name,
      splitType,
      isDefault,
      ...(participants ? { participants } : {}),
      ...(splits.length > 0 ? { splits } : {}),
    });
    return true;
  } catch (error) {
    toastFailure(error);
    return false;
  }
}

async function remove(view: GroupView, preset: Preset): Promise<void> {
  try {
    await store.send("preset:delete", view.id, { presetId: preset.id });
    toast(t().expense.presetDeleted(preset.name), () => void save(view, preset));
  } catch (error) {
    toastFailure(error);
  }
}

function PresetSheet({ view, preset, onClose }: { view: GroupView; preset: Preset | null; onClose: () => void }) {
  const people = peopleOf(view);
  const [id] = useState(() => preset?.id ?? newId());
  const [name, setName] = useState(preset?.name ?? "");
  const [isDefault, setDefault] = useState(preset?.isDefault ?? false);
  const [split, setSplit] = useState(() => (preset ? withPreset(emptySplit(people), preset, people) : emptySplit(people)));
  const [isChecked, setChecked] = useState(false);
  const { currency } = view.group;
  const amount = EXAMPLE_MAJOR * 10 ** digitsOf(currency);
  const divided = divide(split, { expenseId: id, amount, currency, ids: people.ids, payerIds: [] });
  const nameError = presetNameError(view, name, id);
  const submit = async () => {
    setChecked(true);
    const fields = presetFields(split, divided, people);
    if (nameError !== undefined || fields === null) return;
    if (await save(view, { id, name: name.trim(), isDefault, splits: [], ...fields })) {
      toast(t().expense.presetSaved(name.trim()));
      onClose();
    }
  };
  return (
    <Sheet title={preset ? t().expense.editPreset : t().expense.newPreset} onClose={onClose}>
      <TextField
        label={t().expense.presetName}
        placeholder={t().expense.presetExample}
        maxLength={PRESET_NAME_LENGTH_MAX}
        value={name}
        isFirst
        error={isChecked ? nameError : undefined}
        onInput={setName}
      />
      <SplitEditor
        view={view}
        people={people}
        form={{ split, currency, amount: String(EXAMPLE_MAJOR), description: name }}
        divided={divided}
        types={PRESET_TYPES}
        canLeavePayerOut={false}
        above={<p class="small muted">{t().expense.presetFor(formatMoney(amount, currency, locale.value))}</p>}
        onChange={setSplit}
      />
      <Checkbox label={t().expense.presetDefault} isChecked={isDefault} onToggle={setDefault} />
      <Button isWide onClick={() => void submit()}>
        {t().common.save}
      </Button>
    </Sheet>
  );
}
