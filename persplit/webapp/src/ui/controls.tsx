/** Buttons, fields and choices. Each has a name for a screen reader, and 48 pixels for a thumb. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../text/index.ts";
import { Icon, type IconName } from "./icons.tsx";
import { toast } from "./toasts.tsx";

export interface ButtonProps {
  children: ComponentChildren;
  onClick?: (() => void) | undefined;
  kind?: "main" | "quiet" | "plain" | "danger";
  icon?: IconName;
  type?: "button" | "submit";
  /** Says why nothing happens, instead of a dead button: it can be reached and read, and does nothing. */
  isBusy?: boolean | undefined;
  isWide?: boolean;
}

export function Button({ children, onClick, kind = "main", icon, type = "button", isBusy = false, isWide = false }: ButtonProps) {
  return (
    <button
      class={isWide ? "button button-wide" : "button"}
      data-kind={kind}
      type={type}
      aria-disabled={isBusy}
      onClick={(event) => {
        if (isBusy) {
          event.preventDefault();
        } else {
          onClick?.();
        }
      }}
    >
      {icon && <Icon name={icon} size={20} />}
      {children}
    </button>
  );
}

/** A link that looks like a button. */
export function ButtonLink({ children, href, kind = "main", icon, isWide = false }: {
  children: ComponentChildren;
  href: string;
  kind?: "main" | "quiet" | "plain";
  icon?: IconName;
  isWide?: boolean;
}) {
  return (
    <a class={isWide ? "button button-wide" : "button"} data-kind={kind} href={href}>
      {icon && <Icon name={icon} size={20} />}
      {children}
    </a>
  );
}

export function IconButton({ icon, label, onClick }: { icon: IconName; label: string; onClick: () => void }) {
  return (
    <button class="icon-button" type="button" aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

interface FieldFrame {
  label: string;
  /** Below the input, always. */
  hint?: ComponentChildren;
  /** What is wrong and what to do, once there is something. */
  error?: string | undefined;
  isLabelHidden?: boolean;
}

function useFrame({ label, hint, error, isLabelHidden }: FieldFrame, control: (ids: { id: string; describedBy: string | undefined }) => JSX.Element) {
  const id = useId();
  const describedBy = [error ? `${id}-error` : "", hint ? `${id}-hint` : ""].filter(Boolean).join(" ") || undefined;
  return (
    <div class="field">
      <label for={id} class={isLabelHidden ? "visually-hidden" : ""}>
        {label}
      </label>
      {control({ id, describedBy })}
      {hint && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {error && (
        <span class="error" id={`${id}-error`} role="alert">
          {error}
        </span>
      )}
    </div>
  );
}

export interface TextFieldProps extends FieldFrame {
  value: string;
  onInput: (value: string) => void;
  onBlur?: () => void;
  type?: "text" | "email" | "password" | "search" | "date" | "tel" | "url" | "datetime-local";
  autocomplete?: string;
  inputMode?: "text" | "decimal" | "numeric" | "email" | "tel" | "search";
  placeholder?: string;
  maxLength?: number;
  min?: string;
  max?: string;
  isRequired?: boolean;
  isLarge?: boolean;
  /** Focused when it appears: for the one thing that a screen is for. */
  isFirst?: boolean;
  /** Names for it to offer. */
  suggestions?: readonly string[];
}

export function TextField(props: TextFieldProps) {
  const listId = useId();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (props.isFirst) input.current?.focus();
  }, []);
  return useFrame(props, ({ id, describedBy }) => (
    <>
      <input
        id={id}
        ref={input}
        class={props.isLarge ? "input input-large" : "input"}
        type={props.type ?? "text"}
        value={props.value}
        autocomplete={props.autocomplete ?? "off"}
        inputMode={props.inputMode}
        placeholder={props.placeholder}
        maxLength={props.maxLength}
        min={props.min}
        max={props.max}
        required={props.isRequired}
        aria-invalid={props.error ? true : undefined}
        aria-describedby={describedBy}
        list={props.suggestions ? listId : undefined}
        onInput={(event) => props.onInput(event.currentTarget.value)}
        onBlur={props.onBlur}
      />
      {props.suggestions && (
        <datalist id={listId}>
          {props.suggestions.map((value) => (
            <option key={value} value={value} />
          ))}
        </datalist>
      )}
    </>
  ));
}

export function TextArea(props: FieldFrame & { value: string; onInput: (value: string) => void; maxLength?: number; placeholder?: string }) {
  return useFrame(props, ({ id, describedBy }) => (
    <textarea
      id={id}
      class="input"
      value={props.value}
      maxLength={props.maxLength}
      placeholder={props.placeholder}
      aria-invalid={props.error ? true : undefined}
      aria-describedby={describedBy}
      onInput={(event) => props.onInput(event.currentTarget.value)}
    />
  ));
}

export interface Choice<Value extends string> {
  value: Value;
  label: string;
}

export function Select<Value extends string>(
  props: FieldFrame & { value: Value; choices: readonly Choice<Value>[]; onChoose: (value: Value) => void },
) {
  return useFrame(props, ({ id, describedBy }) => (
    <select
      id={id}
      class="input"
      value={props.value}
      aria-invalid={props.error ? true : undefined}
      aria-describedby={describedBy}
      onChange={(event) => {
        const chosen = props.choices[event.currentTarget.selectedIndex];
        if (chosen) props.onChoose(chosen.value);
      }}
    >
      {props.choices.map(({ value, label }) => (
        <option key={value} value={value} selected={value === props.value}>
          {label}
        </option>
      ))}
    </select>
  ));
}

export function Checkbox({ label, isChecked, onToggle, hint }: {
  label: ComponentChildren;
  isChecked: boolean;
  onToggle: (isChecked: boolean) => void;
  hint?: string;
}) {
  return (
    <label class="check">
      <input type="checkbox" checked={isChecked} onChange={(event) => onToggle(event.currentTarget.checked)} />
      <span class="grow">
        {label}
        {hint && <span class="muted small"> {hint}</span>}
      </span>
    </label>
  );
}

/** One of a few, side by side. */
export function Segments<Value extends string>({ label, value, choices, onChoose }: {
  label: string;
  value: Value;
  choices: readonly Choice<Value>[];
  onChoose: (value: Value) => void;
}) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {choices.map((choice) => (
        <button key={choice.value} type="button" aria-pressed={choice.value === value} onClick={() => onChoose(choice.value)}>
          {choice.label}
        </button>
      ))}
    </div>
  );
}

/** Several of many: each is on or off. */
export function Chip({ label, isOn, onToggle }: { label: string; isOn: boolean; onToggle: (isOn: boolean) => void }) {
  return (
    <button class="chip" type="button" aria-pressed={isOn} onClick={() => onToggle(!isOn)}>
      {isOn && <Icon name="check" size={16} />}
      {label}
    </button>
  );
}

/** Copies a text, and says so. */
export function CopyButton({ text, label, kind = "quiet" }: { text: string; label: string; kind?: "quiet" | "plain" }) {
  return (
    <Button kind={kind} icon="copy" onClick={() => void copyText(text)}>
      {label}
    </Button>
  );
}

/** Copies a text also where the browser has no clipboard for us (plain http). */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  toast(t().common.copied);
}
