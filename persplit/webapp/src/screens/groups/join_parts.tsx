/** What everybody who comes in by an invite is asked and told, whether they have an account or not. */

import { useState } from "preact/hooks";
import { t } from "../../text/index.ts";
import { TextField } from "../../ui/controls.tsx";
import { Banner } from "../../ui/layout.tsx";
import { FormFailure } from "../../ui/form.tsx";
import { joinTrouble, passwordWanted } from "./joining.ts";

/** A group's password is asked for once the server wants it, and stays then. */
export function PasswordWhereWanted({ failure, value, onInput }: {
  failure: unknown;
  value: string;
  onInput: (value: string) => void;
}) {
  const wanted = passwordWanted(failure);
  const [isShown, setShown] = useState(false);
  if (wanted !== "no" && !isShown) setShown(true);
  if (!isShown) return null;
  return (
    <TextField
      label={t().groups.groupPassword}
      hint={t().groups.groupPasswordAsk}
      type="password"
      value={value}
      onInput={onInput}
      error={wanted === "no" ? undefined : t().groups.passwordWanted[wanted]}
      isFirst
    />
  );
}

/** Why the invite let nobody in, and what to do about it. */
export function JoinFailure({ failure }: { failure: unknown }) {
  if (passwordWanted(failure) !== "no") return null;
  const trouble = joinTrouble(failure);
  if (trouble === undefined) return <FormFailure failure={failure} fields={["name"]} />;
  return (
    <Banner tone="danger" icon="warning">
      {t().groups.joinTrouble[trouble]} {trouble === "member" && <a href="#/">{t().groups.title}</a>}
    </Banner>
  );
}
