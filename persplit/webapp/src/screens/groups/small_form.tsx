/** A field with its own "save", which appears once there is something to save. */

import type { ComponentChildren } from "preact";
import { t } from "../../text/index.ts";
import { Button } from "../../ui/controls.tsx";
import { FormFailure } from "../../ui/form.tsx";

export function SmallForm({ isChanged, isBusy, failure, onSave, children }: {
  isChanged: boolean;
  isBusy: boolean;
  failure: unknown;
  onSave: () => void;
  children: ComponentChildren;
}) {
  return (
    <form
      class="stack-small"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (isChanged && !isBusy) onSave();
      }}
    >
      {children}
      <FormFailure failure={failure} />
      {isChanged && (
        <Button type="submit" kind="quiet" isBusy={isBusy}>
          {t().common.save}
        </Button>
      )}
    </form>
  );
}
