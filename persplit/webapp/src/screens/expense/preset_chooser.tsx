/** Presets inside the form: one tap to use one, and the split as it stands kept as one. */

import { useState } from "preact/hooks";
import type { GroupView } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import { Button, Checkbox, Chip, TextField } from "../../ui/controls.tsx";
import { Sheet } from "../../ui/layout.tsx";
import { toast, toastFailure } from "../../ui/toasts.tsx";
import { presetFields, withPreset } from "./carry.ts";
import type { Divided } from "./division.ts";
import { folded } from "./guess.ts";
import type { SplitForm } from "./form_state.ts";
import type { People } from "./people.ts";

export const PRESET_NAME_LENGTH_MAX = 100;

interface ChooserProps {
  view: GroupView;
  people: People;
  split: SplitForm;
  divided: Divided;
  onChange: (split: SplitForm) => void;
}

export function PresetChooser({ view, people, split, divided, onChange }: ChooserProps) {
  const [isNaming, setNaming] = useState(false);
  const fields = presetFields(split, divided, people);
  const asText = JSON.stringify(fields);
  return (
    <div class="row-wrap" role="group" aria-label={t().expense.presets}>
      {view.presets.map((preset) => {
        const chosen = withPreset(split, preset, people);
        const { splitType, participants, splits } = preset;
        const same = JSON.stringify(
          splitType === "EQUAL" ? { splitType, ...(participants ? { participants } : {}) } : { splitType, splits },
        );
        return <Chip key={preset.id} label={preset.name} isOn={same === asText} onToggle={() => onChange(chosen)} />;
      })}
      {fields && (
        <Button kind="plain" onClick={() => setNaming(true)}>
          {t().expense.savePreset}
        </Button>
      )}
      {isNaming && fields && (
        <PresetNameSheet
          view={view}
          onClose={() => setNaming(false)}
          onName={(name, isDefault) => {
            setNaming(false);
            store.send("preset:create", view.id, { name, isDefault, ...fields }).then(
              () => toast(t().expense.presetSaved(name)),
              toastFailure,
            );
          }}
        />
      )}
    </div>
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
