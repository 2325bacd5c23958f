/** What this device has not got through to the server: what waits, and what was refused. */

import { store } from "../../data/store.ts";
import type { PendingCommand, RefusedCommand } from "../../data/model.ts";
import { locale, t } from "../../text/index.ts";
import { formatMoney } from "../../ledger/money.ts";
import { useAction } from "../../ui/action.ts";
import { formatMoment } from "../../ui/content.tsx";
import { Button, ButtonLink } from "../../ui/controls.tsx";
import { problemText } from "../../ui/failures.ts";
import { Icon } from "../../ui/icons.tsx";
import { Empty, Page, SectionTitle } from "../../ui/layout.tsx";
import { toast, toastFailure } from "../../ui/toasts.tsx";
import { amountOf, mendAddress, subjectOf, withoutExpectation } from "./outbox_words.ts";

export function Outbox() {
  const refused = store.refused.value;
  const pending = store.pending.value;
  return (
    <Page title={t().account.outboxTitle} backTo="/me">
      {refused.length + pending.length === 0 && (
        <Empty icon="check" title={t().account.outboxEmpty} hint={t().account.outboxEmptyHint} />
      )}
      {refused.length > 0 && (
        <>
          <SectionTitle>{t().account.refusedTitle}</SectionTitle>
          <ul class="stack">
            {refused.map((command) => (
              <Refused key={command.commandId} command={command} />
            ))}
          </ul>
        </>
      )}
      {pending.length > 0 && (
        <>
          <SectionTitle>{t().account.pendingTitle}</SectionTitle>
          <ul class="card card-flush">
            {pending.map((command) => (
              <Pending key={command.commandId} command={command} />
            ))}
          </ul>
        </>
      )}
    </Page>
  );
}

/** What it does, to what, and in which group. */
function Words({ command, note }: { command: PendingCommand | RefusedCommand; note?: string }) {
  const { type, fields, groupId } = command;
  const group = store.groups.value?.find(({ id }) => id === groupId);
  const subject = subjectOf(fields, store.group(groupId).value);
  const amount = amountOf(fields);
  const money = amount !== undefined && group ? formatMoney(amount, group.currency, locale.value) : undefined;
  return (
    <div class="grow">
      <p class="strong">{t().account.commands[type]}</p>
      <p>{[subject, money].filter(Boolean).join(" · ")}</p>
      <p class="muted small">{[group?.name, note].filter(Boolean).join(" · ")}</p>
    </div>
  );
}

function Refused({ command }: { command: RefusedCommand }) {
  const action = useAction();
  const { type, groupId, fields, commandId, problem } = command;
  const mend = mendAddress(type, groupId, commandId);
  const attempt = (work: () => Promise<void>) => action.run(() => work().catch(toastFailure));
  return (
    <li class="card stack-small">
      <Words command={command} />
      <p class="refusal">
        <Icon name="warning" size={20} />
        <span>{problemText(problem)}</span>
      </p>
      <div class="row-wrap">
        {mend ? (
          <ButtonLink href={`#${mend}`} icon="edit">
            {t().account.mend}
          </ButtonLink>
        ) : (
          <Button isBusy={action.isBusy} onClick={() => attempt(() => store.resend(commandId, withoutExpectation(fields)))}>
            {t().account.sendAgain}
          </Button>
        )}
        <Button kind="plain" icon="trash" isBusy={action.isBusy} onClick={() => attempt(() => dropped(command))}>
          {t().account.drop}
        </Button>
      </div>
    </li>
  );
}

function Pending({ command }: { command: PendingCommand }) {
  const action = useAction();
  const note = command.wasSent ? t().account.beingSent : formatMoment(command.at);
  return (
    <li class="list-row">
      <Icon name="waiting" />
      <Words command={command} note={note} />
      {!command.wasSent && (
        <Button kind="plain" isBusy={action.isBusy} onClick={() => action.run(() => dropped(command).catch(toastFailure))}>
          {t().account.takeBack}
        </Button>
      )}
    </li>
  );
}

/** Dropped at once; undone, it is sent as it was. */
async function dropped({ commandId, type, groupId, fields }: PendingCommand | RefusedCommand): Promise<void> {
  await store.drop(commandId);
  toast(t().account.droppedNow, () => {
    store.send(type, groupId, fields as never).catch(toastFailure);
  });
}
