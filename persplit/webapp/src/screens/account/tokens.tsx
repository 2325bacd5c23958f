/** Personal tokens: for scripts of one's own. Each is told once. */

import { useState } from "preact/hooks";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import type { RestSchemas } from "../../wire/types.ts";
import { useAction } from "../../ui/action.ts";
import { formatMoment } from "../../ui/content.tsx";
import { Button, CopyButton, Segments, TextField } from "../../ui/controls.tsx";
import { Fetched, useFetched } from "../../ui/fetched.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Banner, Page } from "../../ui/layout.tsx";
import { toast, toastFailure } from "../../ui/toasts.tsx";
import { FormFailure, SubmitButton, useForm } from "../../ui/form.tsx";
import { OwnWebhooks } from "../groups/webhooks.tsx";
import { inWords } from "./faults.ts";
import { NAME_LENGTH_MAX } from "./signing.ts";

type TokenInfo = RestSchemas["TokenInfo"];
type NewToken = RestSchemas["NewToken"];
type Scope = RestSchemas["TokenScope"];

const TOKENS = "/auth/tokens?limit=200";

export function Tokens() {
  const found = useFetched<RestSchemas["Tokens"]>(TOKENS);
  return (
    <Page title={t().account.tokensTitle} backTo="/me">
      <p class="muted">{t().account.tokensHint}</p>
      <NewTokenForm onMade={found.again} />
      <Fetched found={found} lines={2}>
        {({ tokens }) =>
          tokens.length > 0 && (
            <ul class="card card-flush">
              {tokens.map((token) => (
                <TokenRow key={token.id} token={token} onRevoked={found.again} />
              ))}
            </ul>
          )
        }
      </Fetched>
      {store.offers("addWebhook") && <OwnWebhooks />}
    </Page>
  );
}

function NewTokenForm({ onMade }: { onMade: () => void }) {
  const [made, setMade] = useState<NewToken | undefined>(undefined);
  const form = useForm(
    { name: "", scope: "read" as Scope },
    ({ name }) => (name.trim() ? {} : inWords({ name: "required" })),
    async ({ name, scope }) => {
      setMade(await store.post<NewToken>("/auth/tokens", { name: name.trim(), scope }));
      form.change({ name: "" });
      onMade();
    },
  );
  const scopes: readonly Scope[] = ["read", "write"];
  return (
    <form class="card stack" noValidate onSubmit={form.submit}>
      <TextField
        label={t().account.tokenName}
        value={form.draft.name}
        onInput={(name) => form.change({ name })}
        error={form.errorOf("name")}
        maxLength={NAME_LENGTH_MAX}
      />
      <Segments
        label={t().account.tokenScope}
        value={form.draft.scope}
        choices={scopes.map((value) => ({ value, label: t().account.tokenScopes[value] }))}
        onChoose={(scope) => form.change({ scope })}
      />
      <FormFailure failure={form.failure} fields={["name"]} />
      <SubmitButton isBusy={form.isBusy}>{t().account.makeToken}</SubmitButton>
      {made && (
        <Banner>
          <p>{t().account.tokenOnce}</p>
          <p class="secret">{made.token}</p>
          <CopyButton text={made.token} label={t().common.copy} />
        </Banner>
      )}
    </form>
  );
}

function TokenRow({ token, onRevoked }: { token: TokenInfo; onRevoked: () => void }) {
  const action = useAction();

  async function revoke(): Promise<void> {
    try {
      await store.delete(`/auth/tokens/${encodeURIComponent(token.id)}`);
      toast(t().account.tokenRevoked);
    } catch (error) {
      toastFailure(error);
    }
    onRevoked();
  }

  return (
    <li class="list-row">
      <Icon name="link" />
      <div class="grow">
        <p class="strong">{token.name}</p>
        <p class="muted small">
          {t().account.tokenScopes[token.scope]} · {t().account.goodUntil(formatMoment(token.expiresAt))}
        </p>
      </div>
      <Button kind="plain" isBusy={action.isBusy} onClick={() => action.run(revoke)}>
        {t().account.revoke}
        <span class="visually-hidden">: {token.name}</span>
      </Button>
    </li>
  );
}
