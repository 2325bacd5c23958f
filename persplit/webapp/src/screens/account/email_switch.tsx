/** Whether I am told by e-mail of what happens in my groups. Asked of the server: shown once it is known. */

import { useEffect, useState } from "preact/hooks";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import type { RestSchemas } from "../../wire/types.ts";
import { Checkbox } from "../../ui/controls.tsx";
import { toastFailure } from "../../ui/toasts.tsx";

type Notifications = RestSchemas["Notifications"];

export function EmailSwitch() {
  const [found, setFound] = useState<Notifications | undefined>(undefined);
  useEffect(() => {
    store.get<Notifications>("/notifications").then(setFound, () => undefined);
  }, []);
  if (!found?.emailAvailable) return null;

  async function choose(email: boolean): Promise<void> {
    setFound((now) => now && { ...now, email });
    try {
      setFound(await store.patch<Notifications>("/notifications", { email }));
    } catch (error) {
      setFound((now) => now && { ...now, email: !email });
      toastFailure(error);
    }
  }

  return (
    <div class="card">
      <Checkbox label={t().account.byEmail} hint={t().account.byEmailHint} isChecked={found.email} onToggle={(email) => void choose(email)} />
    </div>
  );
}
