/** Accounts: found by name or e-mail address, disabled and enabled. */

import { useEffect, useState } from "preact/hooks";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import { Avatar, formatDay } from "../../ui/content.tsx";
import { Button, TextField } from "../../ui/controls.tsx";
import { Skeleton } from "../../ui/layout.tsx";
import { failureText } from "../../ui/failures.ts";
import { NeedsNetwork } from "../../ui/fetched.tsx";
import { toast } from "../../ui/toasts.tsx";
import type { RestSchemas } from "../../wire/types.ts";
import { usePaged } from "./paged.ts";

type Account = RestSchemas["AdminUser"];

const PAGE = 20;
/** Every search is in the audit log: not one for each letter. */
const TYPED_MS = 600;

export function Accounts() {
  const [typed, setTyped] = useState("");
  const words = useSettled(typed.trim());
  const accounts = usePaged(async (cursor) => {
    const query = new URLSearchParams({ limit: String(PAGE), q: words, ...(cursor === null ? {} : { cursor }) });
    const page = await store.get<RestSchemas["AdminUsers"]>(`/admin/users?${query.toString()}`);
    return { items: page.users, nextCursor: page.nextCursor };
  }, words);

  async function put(account: Account, isDisabled: boolean): Promise<void> {
    try {
      const changed = await store.post<Account>(`/admin/users/${account.id}/${isDisabled ? "disable" : "enable"}`);
      accounts.change((before) => (before.id === changed.id ? changed : before));
      toast(isDisabled ? t().admin.wasDisabled(account.name) : t().admin.wasEnabled(account.name), () => void put(account, !isDisabled));
    } catch (error) {
      toast(failureText(error));
    }
  }

  return (
    <div class="stack">
      <TextField label={t().admin.search} type="search" value={typed} onInput={setTyped} hint={t().admin.searchHint} />
      {accounts.error !== undefined && <NeedsNetwork failure={accounts.error} onAgain={accounts.more} />}
      {accounts.items === undefined && accounts.isBusy && <Skeleton lines={3} />}
      {accounts.items?.length === 0 && !accounts.hasMore && <p class="muted">{t().admin.nobodyFound}</p>}
      {accounts.items !== undefined && accounts.items.length > 0 && (
        <ul class="card card-flush">
          {accounts.items.map((account) => (
            <li key={account.id}>
              <AccountRow account={account} onPut={(isDisabled) => void put(account, isDisabled)} />
            </li>
          ))}
        </ul>
      )}
      {accounts.hasMore && (
        <Button kind="quiet" isWide isBusy={accounts.isBusy} onClick={accounts.more}>
          {t().insight.loadMore}
        </Button>
      )}
    </div>
  );
}

function AccountRow({ account, onPut }: { account: Account; onPut: (isDisabled: boolean) => void }) {
  const { id, name, email, isAdmin, disabledAt, createdAt } = account;
  return (
    <div class="list-row wrap-row">
      <Avatar id={id} name={name} />
      <span class="grow">
        <span class="strong">{name}</span>
        <span class="muted small block">{email}</span>
        <span class="muted small block">
          {[
            isAdmin && t().admin.isAdmin,
            disabledAt !== null ? t().admin.disabledSince(formatDay(disabledAt.slice(0, 10))) : t().admin.since(formatDay(createdAt.slice(0, 10))),
          ]
            .filter(Boolean)
            .join(" · ")}
        </span>
      </span>
      {!isAdmin && (
        <Button kind={disabledAt === null ? "danger" : "quiet"} onClick={() => onPut(disabledAt === null)}>
          {disabledAt === null ? t().admin.disable : t().admin.enable}
          <span class="visually-hidden"> {name}</span>
        </Button>
      )}
    </div>
  );
}

/** The text once nobody has typed for a moment. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), TYPED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
