/** How an expense is split: one of six ways, with everybody's share as it is typed. */

import type { ComponentChildren } from "preact";
import type { GroupView } from "../../data/model.ts";
import { locale, t } from "../../text/index.ts";
import { formatMoney } from "../../ledger/money.ts";
import type { SplitType } from "../../wire/types.ts";
import { Button, Checkbox, Segments, TextField } from "../../ui/controls.tsx";
import { Amount } from "../../ui/content.tsx";
import { nameOf } from "../group_frame.tsx";
import { withRestDivided, withType } from "./carry.ts";
import type { Divided } from "./division.ts";
import type { ExpenseForm, SplitForm, Typed } from "./form_state.ts";
import { ItemEditor } from "./item_editor.tsx";
import type { People } from "./people.ts";
import { Face, PersonRow, Status } from "./person_row.tsx";
import { splitProblemText } from "./split_words.ts";

export const SPLIT_TYPES: readonly SplitType[] = ["EQUAL", "EXACT", "PERCENTAGE", "SHARES", "ADJUSTMENT", "ITEMIZED"];

export interface SplitEditorProps {
  view: GroupView;
  people: People;
  /** Of the form: what is divided, and how. */
  form: Pick<ExpenseForm, "split" | "currency" | "amount" | "description">;
  divided: Divided;
  types?: readonly SplitType[];
  /** A preset has no payer. */
  canLeavePayerOut?: boolean;
  /** Above the rows, such as presets. */
  above?: ComponentChildren;
  onChange: (split: SplitForm) => void;
}

export function SplitEditor(props: SplitEditorProps) {
  const { people, form, divided, types = SPLIT_TYPES, above, onChange } = props;
  const { split, currency } = form;
  const choose = (type: SplitType) =>
    onChange(withType(split, type, { divided, people, currency, amount: form.amount, description: form.description }));
  return (
    <section class="stack-small" aria-label={t().expense.howSplit}>
      <h2>{t().expense.howSplit}</h2>
      {above}
      <div class="split-types">
        <Segments
          label={t().expense.howSplit}
          value={split.type}
          choices={types.map((type) => ({ value: type, label: t().expense.splitTypes[type] }))}
          onChoose={choose}
        />
      </div>
      <p class="small muted">{t().expense.splitHints[split.type]}</p>
      <SplitRows {...props} />
      <SplitStatus form={form} divided={divided} />
      <RestButton {...props} />
    </section>
  );
}

function SplitRows(props: SplitEditorProps) {
  const { form, onChange } = props;
  const { split } = form;
  switch (split.type) {
    case "EQUAL":
      return <EqualRows {...props} />;
    case "ADJUSTMENT":
      return <AdjustmentRows {...props} />;
    case "ITEMIZED":
      return <ItemEditor {...props} />;
    case "EXACT":
      return <ValueRows {...props} typed={split.exact} label={t().expense.amountOf} onType={(exact) => onChange({ ...split, exact })} />;
    case "PERCENTAGE":
      return <ValueRows {...props} typed={split.percent} label={t().expense.percentOf} unit="%" onType={(percent) => onChange({ ...split, percent })} />;
    case "SHARES":
      return <ValueRows {...props} typed={split.weights} label={t().expense.sharesOf} onType={(weights) => onChange({ ...split, weights })} />;
  }
}

/** What one person bears, as far as it is known. */
function Share({ userId, form, divided }: { userId: string } & Pick<SplitEditorProps, "form" | "divided">) {
  const share = divided.shares.find((one) => one.userId === userId);
  return share ? <Amount minor={share.amount} currency={form.currency} /> : <span class="muted">–</span>;
}

function EqualRows(props: SplitEditorProps) {
  const { view, people, form, divided, canLeavePayerOut = true, onChange } = props;
  const { split } = form;
  const isAll = people.ids.every((userId) => split.taking.includes(userId));
  const toggle = (userId: string, isOn: boolean) =>
    onChange({ ...split, taking: isOn ? [...split.taking, userId] : split.taking.filter((one) => one !== userId) });
  return (
    <>
      <ul>
        {people.ids.map((userId) => {
          const name = nameOf(view, userId);
          return (
            <li key={userId}>
              <label class="person-row person-tick">
                <input
                  type="checkbox"
                  checked={split.taking.includes(userId)}
                  onChange={(event) => toggle(userId, event.currentTarget.checked)}
                />
                <Face view={view} id={userId} />
                <span class="grow person-name">{name}</span>
                <Share userId={userId} form={form} divided={divided} />
              </label>
            </li>
          );
        })}
      </ul>
      <div class="row-wrap">
        <Button kind="quiet" onClick={() => onChange({ ...split, taking: isAll ? [] : people.ids })}>
          {isAll ? t().expense.nobody : t().expense.everybody}
        </Button>
        {canLeavePayerOut && <LeavePayerOut split={split} onChange={onChange} />}
      </div>
    </>
  );
}

function LeavePayerOut({ split, onChange }: Pick<SplitEditorProps, "onChange"> & { split: SplitForm }) {
  return (
    <Checkbox
      label={t().expense.leavePayerOut}
      isChecked={split.leavesPayerOut}
      onToggle={(leavesPayerOut) => onChange({ ...split, leavesPayerOut })}
    />
  );
}

function ValueRows({ view, people, form, divided, typed, label, unit, onType }: SplitEditorProps & {
  typed: Typed;
  label: (name: string) => string;
  unit?: string;
  onType: (typed: Typed) => void;
}) {
  const { split } = form;
  return (
    <ul>
      {people.ids.map((userId) => {
        const name = nameOf(view, userId);
        const below = split.type === "EXACT" ? undefined : <Share userId={userId} form={form} divided={divided} />;
        return (
          <PersonRow key={userId} view={view} id={userId} below={below}>
            <TextField
              label={label(name)}
              isLabelHidden
              inputMode="decimal"
              value={typed[userId] ?? ""}
              placeholder="0"
              error={badAt(divided, userId)}
              onInput={(text) => onType({ ...typed, [userId]: text })}
            />
            {unit && <span class="muted">{unit}</span>}
          </PersonRow>
        );
      })}
    </ul>
  );
}

function AdjustmentRows({ view, people, form, divided, onChange }: SplitEditorProps) {
  const { split } = form;
  return (
    <ul>
      {people.ids.map((userId) => {
        const name = nameOf(view, userId);
        const isTaking = split.taking.includes(userId);
        return (
          <PersonRow key={userId} view={view} id={userId} below={<Share userId={userId} form={form} divided={divided} />}>
            <TextField
              label={t().expense.adjustmentOf(name)}
              isLabelHidden
              value={split.adjustments[userId] ?? ""}
              placeholder="±0"
              error={badAt(divided, userId)}
              onInput={(text) =>
                onChange({
                  ...split,
                  taking: isTaking ? split.taking : [...split.taking, userId],
                  adjustments: { ...split.adjustments, [userId]: text },
                })
              }
            />
            <input
              class="tick"
              type="checkbox"
              aria-label={t().expense.takesPart(name)}
              checked={isTaking}
              onChange={(event) =>
                onChange({
                  ...split,
                  taking: event.currentTarget.checked ? [...split.taking, userId] : split.taking.filter((one) => one !== userId),
                })
              }
            />
          </PersonRow>
        );
      })}
    </ul>
  );
}

function badAt(divided: Divided, userId: string): string | undefined {
  const { problem } = divided;
  return problem?.kind === "bad_value" && problem.at === userId ? t().expense.notAValue : undefined;
}

/** One sentence on how the split stands: always there, so that a screen reader hears it change. */
function SplitStatus({ form, divided }: Pick<SplitEditorProps, "form" | "divided">) {
  const { problem } = divided;
  const text = problem === null ? t().expense.addsUp : splitProblemText(problem, form.split.type, form.currency);
  return <Status tone={problem === null ? "good" : "open"}>{text}</Status>;
}

/** What is left, at one tap among those who have typed nothing; among all where everybody has. */
function RestButton({ people, form, divided, onChange }: SplitEditorProps) {
  const { problem } = divided;
  const isLeft = (problem?.kind === "amounts_differ" || problem?.kind === "percent_differs") && problem.left > 0;
  if (!isLeft || !("left" in problem) || (form.split.type !== "EXACT" && form.split.type !== "PERCENTAGE")) return null;
  return (
    <Button kind="quiet" onClick={() => onChange(withRestDivided(form.split, problem.left, people, form.currency))}>
      {t().expense.divideRest}
    </Button>
  );
}

/** Everybody's share in one line each, where the rows themselves don't show it. */
export function ShareList({ view, divided, currency }: { view: GroupView; divided: Divided; currency: string }) {
  if (divided.shares.length === 0) return null;
  return (
    <ul aria-label={t().expense.shares}>
      {divided.shares.map(({ userId, amount }) => (
        <li class="share-row" key={userId}>
          <span class="grow">{nameOf(view, userId)}</span>
          <Amount minor={amount} currency={currency} />
        </li>
      ))}
    </ul>
  );
}

/** `₹250.00 each`, or my share: what one wants to know before saving. */
export function shareSummary(divided: Divided, currency: string, me: string): string {
  const amounts = divided.shares.map((share) => share.amount);
  if (amounts.length === 0) return "";
  const show = (minor: number) => formatMoney(minor, currency, locale.value);
  const [first = 0] = amounts;
  if (amounts.length > 1 && amounts.every((amount) => amount === first)) return t().expense.eachBears(show(first));
  return t().expense.youBear(show(divided.shares.find((share) => share.userId === me)?.amount ?? 0));
}
