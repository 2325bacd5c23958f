/** Who is in the group, with their roles; a tap shows what can be done about each. */

import { useState } from "preact/hooks";
import { store } from "../../data/store.ts";
import type { GroupView } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import type { Member } from "../../wire/types.ts";
import { useAction } from "../../ui/action.ts";
import { Avatar } from "../../ui/content.tsx";
import { Button } from "../../ui/controls.tsx";
import { toast, toastFailure } from "../../ui/toasts.tsx";
import { blockedPeople } from "./members.ts";
import { MemberSheet } from "./member_sheet.tsx";

export function Members({ view }: { view: GroupView }) {
  const [openedId, setOpenedId] = useState<string | undefined>(undefined);
  const opened = view.members.find(({ userId }) => userId === openedId);
  const blocked = blockedPeople(view.people);
  return (
    <>
      <ul class="card card-flush">
        {view.members.map((member) => (
          <li key={member.userId}>
            <button class="list-row" type="button" onClick={() => setOpenedId(member.userId)}>
              <Avatar id={member.userId} name={member.name} />
              <span class="grow">
                <span class="strong two-lines">{member.userId === view.me.userId ? t().groups.nameAndYou(member.name) : member.name}</span>
                <span class="muted small">{notesOn(member)}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {blocked.length > 0 && (
        <ul class="card card-flush" aria-label={t().groups.blocked}>
          {blocked.map((member) => (
            <BlockedRow key={member.userId} view={view} member={member} />
          ))}
        </ul>
      )}
      {opened && <MemberSheet view={view} member={opened} onClose={() => setOpenedId(undefined)} />}
    </>
  );
}

function notesOn({ role, placeholder, unit, weight = 1 }: Member): string {
  const notes = [
    role === "ADMIN" ? t().groups.roles.ADMIN : placeholder ? t().groups.placeholder : t().groups.roles.MEMBER,
    unit === null ? "" : t().groups.inUnit(unit),
    weight === 1 ? "" : t().groups.countsAs(String(weight)),
  ];
  return notes.filter(Boolean).join(" · ");
}

function BlockedRow({ view, member }: { view: GroupView; member: Member }) {
  const action = useAction();

  async function unblock(): Promise<void> {
    try {
      await store.sendNow("member:unblock", view.id, { userId: member.userId });
      toast(t().groups.unblocked(member.name));
    } catch (error) {
      toastFailure(error);
    }
  }

  return (
    <li class="list-row">
      <Avatar id={member.userId} name={member.name} />
      <span class="grow">
        <span class="strong two-lines">{member.name}</span>
        <span class="muted small">{t().groups.blocked}</span>
      </span>
      {view.me.role === "ADMIN" && (
        <Button kind="plain" isBusy={action.isBusy} onClick={() => action.run(unblock)}>
          {t().groups.unblock}
          <span class="visually-hidden">: {member.name}</span>
        </Button>
      )}
    </li>
  );
}
