/** Programs that are told of what happens: in a group, for its admins, or in all groups of one's own. */

import { useState } from "preact/hooks";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import type { RestSchemas } from "../../wire/types.ts";
import { useAction } from "../../ui/action.ts";
import { Button, CopyButton, TextField } from "../../ui/controls.tsx";
import { Fetched, useFetched } from "../../ui/fetched.tsx";
import { FormFailure, useForm } from "../../ui/form.tsx";
import { Banner } from "../../ui/layout.tsx";
import { toast, toastFailure } from "../../ui/toasts.tsx";

type Webhook = RestSchemas["Webhook"];
type WebhookMade = RestSchemas["WebhookMade"];

const URL_LENGTH_MAX = 2000;

interface Place {
  /** Under which they are made and removed. */
  path: string;
  /** What lists them. */
  listPath: string;
  hint: string;
}

export function GroupWebhooks({ groupId }: { groupId: string }) {
  const path = `/groups/${groupId}/webhooks`;
  return <Webhooks path={path} listPath={path} hint={t().groups.webhooksHint} />;
}

export function OwnWebhooks() {
  return <Webhooks path="/notifications/webhooks" listPath="/notifications" hint={t().account.webhooksHint} />;
}

function Webhooks(place: Place) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="disclosure" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t().groups.webhooks}</summary>
      {isOpen && <WebhookCard {...place} />}
    </details>
  );
}

function WebhookCard({ path, listPath, hint }: Place) {
  const found = useFetched<RestSchemas["Webhooks"]>(listPath);
  return (
    <div class="card stack">
      <p class="muted small">{hint}</p>
      <Fetched found={found} lines={1}>
        {({ webhooks }) =>
          webhooks.length > 0 && (
            <ul>
              {webhooks.map((webhook) => (
                <WebhookRow key={webhook.id} path={path} webhook={webhook} onRemoved={found.again} />
              ))}
            </ul>
          )
        }
      </Fetched>
      <NewWebhook path={path} onMade={found.again} />
    </div>
  );
}

function WebhookRow({ path, webhook, onRemoved }: { path: string; webhook: Webhook; onRemoved: () => void }) {
  const action = useAction();

  async function remove(): Promise<void> {
    try {
      await store.delete(`${path}/${encodeURIComponent(webhook.id)}`);
      toast(t().groups.webhookRemoved);
    } catch (error) {
      toastFailure(error);
    }
    onRemoved();
  }

  return (
    <li class="invite-row">
      <span class="grow">{webhook.url}</span>
      <Button kind="plain" isBusy={action.isBusy} onClick={() => action.run(remove)}>
        {t().groups.remove}
        <span class="visually-hidden">: {webhook.url}</span>
      </Button>
    </li>
  );
}

function NewWebhook({ path, onMade }: { path: string; onMade: () => void }) {
  const [made, setMade] = useState<WebhookMade | undefined>(undefined);
  const form = useForm(
    { url: "" },
    ({ url }) => (/^https:\/\/./i.test(url.trim()) ? {} : { url: t().groups.webhookFault }),
    async ({ url }) => {
      setMade(await store.post<WebhookMade>(path, { url: url.trim() }));
      form.change({ url: "" });
      onMade();
    },
  );
  return (
    <form class="stack-small" noValidate onSubmit={form.submit}>
      <TextField
        label={t().groups.webhookUrl}
        type="url"
        placeholder="https://"
        value={form.draft.url}
        onInput={(url) => form.change({ url })}
        error={form.errorOf("url")}
        maxLength={URL_LENGTH_MAX}
      />
      <FormFailure failure={form.failure} fields={["url"]} />
      <Button type="submit" kind="quiet" isBusy={form.isBusy}>
        {t().common.add}
      </Button>
      {made && (
        <Banner>
          <p>{t().groups.webhookSecret}</p>
          <p class="secret">{made.secret}</p>
          <CopyButton text={made.secret} label={t().common.copy} />
        </Banner>
      )}
    </form>
  );
}
