/** Fields that more than one form of an account has. */

import type { ComponentChildren } from "preact";
import { t } from "../../text/index.ts";
import { TextField } from "../../ui/controls.tsx";
import { EMAIL_LENGTH_MAX, PASSWORD_LENGTH_MAX, VPA_LENGTH_MAX } from "./signing.ts";

interface FieldProps {
  value: string;
  onInput: (value: string) => void;
  error: string | undefined;
}

export function EmailField({ value, onInput, error, hint }: FieldProps & { hint?: ComponentChildren }) {
  return (
    <TextField
      label={t().account.email}
      hint={hint}
      type="email"
      inputMode="email"
      value={value}
      onInput={onInput}
      error={error}
      autocomplete="email"
      maxLength={EMAIL_LENGTH_MAX}
      isRequired
    />
  );
}

export function VpaField({ value, onInput, error }: FieldProps) {
  return (
    <TextField
      label={`${t().account.vpa} (${t().common.optional})`}
      hint={t().account.vpaHint}
      inputMode="email"
      value={value}
      onInput={onInput}
      error={error}
      maxLength={VPA_LENGTH_MAX}
    />
  );
}

export function PasswordField({ isNew, label, value, onInput, error }: FieldProps & { isNew: boolean; label?: string }) {
  return (
    <TextField
      label={label ?? t().account.password}
      hint={isNew ? t().account.passwordHint : undefined}
      type="password"
      value={value}
      onInput={onInput}
      error={error}
      autocomplete={isNew ? "new-password" : "current-password"}
      maxLength={PASSWORD_LENGTH_MAX}
      isRequired
    />
  );
}
