/** Presets inside the form: one tap to use one, and the split as it stands kept as one. */

import { useState } from "preact/hooks";
import type { GroupView } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import type { Preset } from "../../wire/types.ts";
import { Button, Checkbox, Chip, TextField } from "../../ui/controls.tsx";
import { Sheet } from "../../ui/layout.tsx";
import { toast, toastFailure } from "../../ui/toasts.tsx";
import { presetFields, withPreset } from "./carry.ts";
import type { Divided } from "./division.ts";
import { folded } from "./guess.ts";
import type { SplitForm } from "./form_state.ts";
import type { People } from "./people.ts";

export const PRESET_NAME_LENGTH_MAX = 100;

interface PresetProps {
  view: GroupView;
  people: People;
  split: SplitForm;
  divided: Divided;
}

/** The group's presets: the one that the split is now is on. */
export function PresetChips({ view, people, split, divided, onChange }: PresetProps & { onChange: (split: SplitForm) => void }) {
  if (view.presets.length === 0) return null;
  const now = JSON.stringify(presetFields(split, divided, people));
  return (
    <div class="row-wrap" role="group" aria-label={t().expense.presets}>
      {view.presets.map((preset) => (
        <Chip
          key={preset.id}
          label={preset.name}
          isOn={JSON.stringify(fieldsOf(preset)) === now}
          onToggle={() => onChange(withPreset(split, preset, people))}
        />
      ))}
    </div>
  );
}

/** In the shape of `presetFields`. */
function fieldsOf({ splitType, participants, splits }: Preset) {
  return splitType === "EQUAL" ? { splitType, ...(participants ? { participants } : {}) } : { splitType, splits };
}

/** Gives the split as it stands a name, where a preset can say it and none does. */
export function KeepAsPreset({ view, people, split, divided }: PresetProps) {
  const [isNaming, setNaming] = useState(false);
  const fields = presetFields(split, divided, people);
  const isKept = view.presets.some((preset) => JSON.stringify(fieldsOf(preset)) === JSON.stringify(fields));
  if (fields === null || isKept) return null;
  const keep = (name: string, isDefault: boolean) => {
    setNaming(false);
    store.send("preset:create", view.id, { name, isDefault, ...fields }).then(
      () => toast(t().expense.presetSaved(name)),
      toastFailure,
    );
  };
  return (
    <>
      <Button kind="plain" onClick={() => setNaming(true)}>
        {t().expense.savePreset}
      </Button>
      {isNaming && <PresetNameSheet view={view} onClose={() => setNaming(false)} onName={keep} />}
    </>
  );
}

function PresetNameSheet({ view, onName, onClose }: {
  view: GroupView;
  onName: (name: string, isDefault: boolean) => void;
  onClose: () => void;
}) {
  const [name, setName] = useState("");
  const [isDefault, setDefault] = useState(false);
  const [isChecked, setChecked] = useState(false);
  const error = presetNameError(view, name);
  return (
    <Sheet title={t().expense.savePreset} onClose={onClose}>
      <div class="stack">
        <TextField
          label={t().expense.presetName}
          placeholder={t().expense.presetExample}
          maxLength={PRESET_NAME_LENGTH_MAX}
          value={name}
          isFirst
          error={isChecked ? error : undefined}
          onInput={setName}
        />
        <Checkbox label={t().expense.presetDefault} isChecked={isDefault} onToggle={setDefault} />
        <Button
          isWide
          onClick={() => {
            setChecked(true);
            if (error === undefined) onName(name.trim(), isDefault);
          }}
        >
          {t().common.save}
        </Button>
      </div>
    </Sheet>
  );
}

/** Why the preset can't be called so. `exceptId`: the preset that is edited. */
export function presetNameError(view: GroupView, name: string, exceptId?: string): string | undefined {
  if (name.trim() === "") return t().expense.needName;
  const isTaken = view.presets.some((preset) => preset.id !== exceptId && folded(preset.name) === folded(name));
  return isTaken ? t().expense.presetExists : undefined;
}
