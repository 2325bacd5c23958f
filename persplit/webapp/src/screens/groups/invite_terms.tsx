/** A new invite with a time and a number of one's own. */

import { useState } from "preact/hooks";
import { store } from "../../data/store.ts";
import type { GroupView } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import { useAction } from "../../ui/action.ts";
import { Button, Select } from "../../ui/controls.tsx";
import { FormFailure } from "../../ui/form.tsx";
import { Sheet } from "../../ui/layout.tsx";
import type { Invite } from "./own_invite.ts";

const DAY_HOURS = 24;
/** In days. */
const TIMES = ["1", "7", "30", "365"] as const;
/** How many may come in by it; empty: any number. */
const NUMBERS = ["", "1", "2", "5", "10", "50"] as const;

export function InviteTerms({ view, onMade, onClose }: {
  view: GroupView;
  onMade: (invite: Invite) => void;
  onClose: () => void;
}) {
  const [days, setDays] = useState<(typeof TIMES)[number]>("7");
  const [uses, setUses] = useState<(typeof NUMBERS)[number]>("");
  const action = useAction();

  async function make(): Promise<void> {
    const terms = { hours: Number(days) * DAY_HOURS, ...(uses ? { maxUses: Number(uses) } : {}) };
    onMade(await store.post<Invite>(`/groups/${view.id}/invites`, terms));
    onClose();
  }

  return (
    <Sheet title={t().groups.otherTerms} onClose={onClose}>
      <Select
        label={t().groups.inviteTime}
        value={days}
        choices={TIMES.map((value) => ({ value, label: t().groups.days(Number(value)) }))}
        onChoose={setDays}
      />
      <Select
        label={t().groups.inviteUses}
        value={uses}
        choices={NUMBERS.map((value) => ({ value, label: value ? t().groups.atMost(Number(value)) : t().groups.anyNumber }))}
        onChoose={setUses}
      />
      <FormFailure failure={action.failure} />
      <Button isBusy={action.isBusy} onClick={() => action.run(make)} isWide>
        {t().groups.makeInvite}
      </Button>
    </Sheet>
  );
}
