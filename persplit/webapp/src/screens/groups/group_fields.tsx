/** The fields of a group's settings, in a new group and in an old one. */

import { useMemo } from "preact/hooks";
import { locale, t } from "../../text/index.ts";
import { Checkbox, Select, TextField } from "../../ui/controls.tsx";
import { currencyChoices, PASSWORD_LENGTH_MAX, zoneChoices } from "./group_form.ts";

export function CurrencyField({ value, onChoose, hint }: { value: string; onChoose: (value: string) => void; hint?: string }) {
  const choices = useMemo(() => currencyChoices(locale.value), [locale.value]);
  return <Select label={t().groups.currency} hint={hint} value={value} choices={choices} onChoose={onChoose} />;
}

export function ZoneField({ value, onChoose }: { value: string; onChoose: (value: string) => void }) {
  const choices = useMemo(() => zoneChoices(value), [value]);
  return <Select label={t().groups.timeZone} hint={t().groups.timeZoneHint} value={value} choices={choices} onChoose={onChoose} />;
}

export function SimplifyField({ value, onToggle }: { value: boolean; onToggle: (value: boolean) => void }) {
  return <Checkbox label={t().groups.simplify} hint={t().groups.simplifyHint} isChecked={value} onToggle={onToggle} />;
}

export function GroupPasswordField({ value, onInput, error, hasOne }: {
  value: string;
  onInput: (value: string) => void;
  error: string | undefined;
  hasOne: boolean;
}) {
  return (
    <TextField
      label={hasOne ? t().groups.newPassword : `${t().groups.groupPassword} (${t().common.optional})`}
      hint={hasOne ? t().groups.newPasswordHint : t().groups.groupPasswordHint}
      type="password"
      autocomplete="new-password"
      value={value}
      onInput={onInput}
      error={error}
      maxLength={PASSWORD_LENGTH_MAX}
    />
  );
}
