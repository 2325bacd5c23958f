/** One member: their role, with whom they settle, how much they count, and the way out. */

import { useState } from "preact/hooks";
import { store } from "../../data/store.ts";
import type { GroupView } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import type { Member } from "../../wire/types.ts";
import { useAction } from "../../ui/action.ts";
import { Amount } from "../../ui/content.tsx";
import { Button, Segments, TextField } from "../../ui/controls.tsx";
import { FormFailure } from "../../ui/form.tsx";
import { Sheet } from "../../ui/layout.tsx";
import { toast } from "../../ui/toasts.tsx";
import { balanceOf, unitsOf, weightIn, whyStays } from "./members.ts";
import { SmallForm } from "./small_form.tsx";
import { StayingWords } from "./staying_words.tsx";

const UNIT_LENGTH_MAX = 100;
const WEIGHT_LENGTH_MAX = 9;

interface Props {
  view: GroupView;
  member: Member;
}

export function MemberSheet({ view, member, onClose }: Props & { onClose: () => void }) {
  const isMe = member.userId === view.me.userId;
  // Two people who have a ledger of their own are both admins, and stay in it.
  const isAdmin = view.me.role === "ADMIN" && view.group.archivedAt === null && view.group.kind === "GROUP";
  return (
    <Sheet title={member.name} onClose={onClose}>
      <BalanceLine minor={balanceOf(view, member.userId)} isMine={isMe} view={view} />
      {isAdmin && !member.placeholder && <RoleChoice view={view} member={member} />}
      {(isAdmin || (isMe && member.unit !== null)) && <UnitForm key={member.unit} view={view} member={member} mayJoin={isAdmin} />}
      {view.group.archivedAt === null && <WeightForm key={member.weight} view={view} member={member} />}
      {isAdmin && !isMe && <Removal view={view} member={member} onDone={onClose} />}
    </Sheet>
  );
}

function BalanceLine({ minor, isMine, view }: { minor: number; isMine: boolean; view: GroupView }) {
  const [owed, owes] = isMine ? [t().common.youAreOwed, t().common.youOwe] : [t().groups.theyAreOwed, t().groups.theyOwe];
  const words = minor === 0 ? t().common.settledUp : minor > 0 ? owed : owes;
  return (
    <p class="balance-line" data-sign={minor === 0 ? undefined : minor > 0 ? "owed" : "owes"}>
      {words} {minor !== 0 && <Amount minor={Math.abs(minor)} currency={view.group.currency} />}
    </p>
  );
}

function RoleChoice({ view, member }: Props) {
  const action = useAction();
  const roles = ["MEMBER", "ADMIN"] as const;
  const choose = (role: (typeof roles)[number]) => {
    if (role !== member.role) action.run(() => patchMember(view, member, { role }));
  };
  return (
    <div class="field">
      <span class="label">{t().groups.role}</span>
      <Segments
        label={t().groups.role}
        value={member.role}
        choices={roles.map((value) => ({ value, label: t().groups.roles[value] }))}
        onChoose={choose}
      />
      <span class="hint">{t().groups.roleHint}</span>
      <FormFailure failure={action.failure} />
    </div>
  );
}

async function patchMember(view: GroupView, member: Member, change: { role?: Member["role"]; weight?: number }): Promise<void> {
  await store.patch(`/groups/${view.id}/members/${encodeURIComponent(member.userId)}`, change);
  toast(t().account.saved);
}

function UnitForm({ view, member, mayJoin }: Props & { mayJoin: boolean }) {
  const [unit, setUnit] = useState(member.unit ?? "");
  const action = useAction();
  const wanted = unit.trim() || null;

  async function save(to: string | null): Promise<void> {
    const before = member.unit;
    await store.send("member:unit", view.id, { userId: member.userId, unit: to });
    toast(t().account.saved, mayJoin ? () => void store.send("member:unit", view.id, { userId: member.userId, unit: before }) : undefined);
  }

  if (!mayJoin) {
    return (
      <Button kind="quiet" isBusy={action.isBusy} onClick={() => action.run(() => save(null))} isWide>
        {t().groups.leaveUnit(member.unit ?? "")}
      </Button>
    );
  }
  return (
    <SmallForm isChanged={wanted !== member.unit} isBusy={action.isBusy} failure={action.failure} onSave={() => action.run(() => save(wanted))}>
      <TextField
        label={t().groups.unit}
        hint={t().groups.unitHint}
        placeholder={t().groups.unitExample}
        value={unit}
        onInput={setUnit}
        suggestions={unitsOf(view.members)}
        maxLength={UNIT_LENGTH_MAX}
      />
    </SmallForm>
  );
}

function WeightForm({ view, member }: Props) {
  const before = String(member.weight ?? 1);
  const [typed, setTyped] = useState(before);
  const action = useAction();
  const weight = weightIn(typed);
  const save = () => {
    if (weight !== undefined) action.run(() => patchMember(view, member, { weight }));
  };
  return (
    <SmallForm isChanged={typed.trim() !== before} isBusy={action.isBusy || weight === undefined} failure={action.failure} onSave={save}>
      <TextField
        label={t().groups.weight}
        hint={t().groups.weightHint}
        inputMode="decimal"
        value={typed}
        onInput={setTyped}
        error={weight === undefined ? t().groups.weightFault : undefined}
        maxLength={WEIGHT_LENGTH_MAX}
      />
    </SmallForm>
  );
}

function Removal({ view, member, onDone }: Props & { onDone: () => void }) {
  const action = useAction();
  const staying = whyStays(view, member);

  async function remove(block: boolean): Promise<void> {
    await store.sendNow("member:remove", view.id, { userId: member.userId, block });
    toast(t().groups.removed(member.name));
    onDone();
  }

  if (staying) return <StayingWords staying={staying} view={view} isMe={false} />;
  return (
    <div class="stack-small">
      <FormFailure failure={action.failure} />
      <Button kind="danger" isBusy={action.isBusy} onClick={() => action.run(() => remove(false))} isWide>
        {t().groups.remove}
      </Button>
      {!member.placeholder && (
        <Button kind="plain" isBusy={action.isBusy} onClick={() => action.run(() => remove(true))} isWide>
          {t().groups.removeAndBlock}
        </Button>
      )}
      <p class="muted small">{member.placeholder ? t().groups.removeHint : t().groups.removeBlockHint}</p>
    </div>
  );
}
