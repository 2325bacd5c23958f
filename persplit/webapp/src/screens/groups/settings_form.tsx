/** A group's name and rules: to change for admins, to read for others. */

import { store } from "../../data/store.ts";
import type { GroupView } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import { Button, TextArea, TextField } from "../../ui/controls.tsx";
import { FormFailure, useForm } from "../../ui/form.tsx";
import { toast } from "../../ui/toasts.tsx";
import { inWords } from "../account/faults.ts";
import { CurrencyField, GroupPasswordField, SimplifyField, ZoneField } from "./group_fields.tsx";
import { DESCRIPTION_LENGTH_MAX, draftOf, GROUP_NAME_LENGTH_MAX, groupChanges, groupFaults } from "./group_form.ts";

export function SettingsForm({ view }: { view: GroupView }) {
  const { group } = view;
  const form = useForm(
    draftOf(group),
    (draft) => inWords(groupFaults(draft)),
    async (draft) => {
      const changes = groupChanges(group, draft);
      if (changes) await store.send("group:update", view.id, changes);
      toast(t().account.saved);
    },
  );
  const { draft, change } = form;
  // The ledger of two people has the other one's name, and no password.
  const isGroup = group.kind === "GROUP";
  return (
    <form class="card stack" noValidate onSubmit={form.submit}>
      {isGroup && (
        <TextField
          label={t().groups.groupName}
          value={draft.name}
          onInput={(name) => change({ name })}
          error={form.errorOf("name")}
          maxLength={GROUP_NAME_LENGTH_MAX}
          isRequired
        />
      )}
      <TextArea
        label={`${t().groups.description} (${t().common.optional})`}
        value={draft.description}
        onInput={(description) => change({ description })}
        maxLength={DESCRIPTION_LENGTH_MAX}
      />
      {hasAmounts(view) || !isGroup ? (
        <Fact label={t().groups.currency} value={group.currency} hint={isGroup ? t().groups.currencyFixed : t().groups.currencyDirect} />
      ) : (
        <CurrencyField value={draft.currency} onChoose={(currency) => change({ currency })} />
      )}
      <SimplifyField value={draft.simplify} onToggle={(simplify) => change({ simplify })} />
      <ZoneField value={draft.timeZone} onChoose={(timeZone) => change({ timeZone })} />
      {isGroup && (
        <GroupPasswordField
          value={draft.password}
          onInput={(password) => change({ password })}
          error={form.errorOf("password")}
          hasOne={group.hasPassword}
        />
      )}
      <FormFailure failure={form.failure} />
      {groupChanges(group, draft) !== undefined && (
        <Button type="submit" isBusy={form.isBusy} isWide>
          {t().common.save}
        </Button>
      )}
    </form>
  );
}

/** What would mean another amount in another currency. */
function hasAmounts(view: GroupView): boolean {
  const { expenses, deletedExpenses, settlements, recurrences, loans } = view;
  return expenses.length + deletedExpenses.length + settlements.length + recurrences.length + loans.length > 0;
}

export function GroupFacts({ view }: { view: GroupView }) {
  const { name, description, currency, timeZone, simplify, hasPassword, kind } = view.group;
  if (kind === "DIRECT") {
    return (
      <div class="card stack">
        <Fact label={t().loans.between} value={name} />
        <Fact label={t().groups.currency} value={currency} />
        <Fact label={t().groups.timeZone} value={timeZone.replaceAll("_", " ")} />
      </div>
    );
  }
  return (
    <div class="card stack">
      <Fact label={t().groups.groupName} value={name} />
      {description && <Fact label={t().groups.description} value={description} />}
      <Fact label={t().groups.currency} value={currency} />
      <Fact label={t().groups.timeZone} value={timeZone.replaceAll("_", " ")} />
      <Fact label={t().groups.simplify} value={simplify ? t().groups.yes : t().groups.no} hint={t().groups.simplifyHint} />
      <Fact label={t().groups.groupPassword} value={hasPassword ? t().groups.yes : t().groups.no} />
    </div>
  );
}

function Fact({ label, value, hint }: { label: string; value: string; hint?: string }) {
  return (
    <div class="field">
      <span class="label">{label}</span>
      <span>{value}</span>
      {hint && <span class="hint">{hint}</span>}
    </div>
  );
}
