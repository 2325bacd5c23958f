/** What forms share: a draft, what is wrong with it at each field, and how sending it went. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../text/index.ts";
import { useAction } from "./action.ts";
import { Button } from "./controls.tsx";
import { failedFields, failureText, fieldFailure } from "./failures.ts";
import { Banner } from "./layout.tsx";

export interface Form<Draft> {
  readonly draft: Draft;
  readonly isBusy: boolean;
  readonly failure: unknown;
  change(part: Partial<Draft>): void;
  /** What is wrong with a field, in words, once it was tried to send it: what we found, else what the server said. */
  errorOf(field: keyof Draft & string): string | undefined;
  submit(event: Event): void;
}

/** By field, in words; a field that is right is left out. */
export type Errors = Readonly<Partial<Record<string, string>>>;

/** The state of a form: checked when it is sent, and from then on while one mends it. */
export function useForm<Draft extends object>(
  start: Draft,
  check: (draft: Draft) => Errors,
  send: (draft: Draft) => Promise<void>,
): Form<Draft> {
  const [draft, setDraft] = useState(start);
  const [wasTried, setTried] = useState(false);
  const action = useAction();
  const errors = wasTried ? check(draft) : {};
  const element = useRef<EventTarget | null>(null);
  useEffect(() => {
    if (action.failure !== undefined) focusFirstError(element.current);
  }, [action.failure]);

  /** What went through is a new form: it isn't marked for being empty. */
  async function sendOnce(): Promise<void> {
    await send(draft);
    setTried(false);
  }

  return {
    draft,
    isBusy: action.isBusy,
    failure: action.failure,
    change(part) {
      setDraft((now) => ({ ...now, ...part }));
    },
    errorOf: (field) => errors[field] ?? fieldFailure(action.failure, field),
    submit(event) {
      event.preventDefault();
      element.current = event.currentTarget;
      setTried(true);
      if (Object.keys(check(draft)).length === 0) action.run(sendOnce);
      else focusFirstError(event.currentTarget);
    },
  };
}

/** After it is drawn: the fields are marked then. */
export function focusFirstError(form: EventTarget | null): void {
  if (!(form instanceof HTMLElement)) return;
  setTimeout(() => form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
}

/** What went wrong with the whole of it; what is about one of `fields` stands there. */
export function FormFailure({ failure, fields = [] }: { failure: unknown; fields?: readonly string[] }) {
  if (failure === undefined) return null;
  const paths = failedFields(failure);
  if (paths.length > 0 && paths.every((path) => fields.includes(path))) return null;
  return (
    <Banner tone="danger" icon="warning">
      {failureText(failure)}
    </Banner>
  );
}

/** Sends the form it stands in. */
export function SubmitButton({ isBusy, children }: { isBusy: boolean; children: ComponentChildren }) {
  return (
    <Button type="submit" isBusy={isBusy} isWide>
      {isBusy ? t().account.oneMoment : children}
    </Button>
  );
}
