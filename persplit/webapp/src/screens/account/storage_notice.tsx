/** The browser can't keep what is written here: said once it is so, before something is lost. */

import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import { Icon } from "../../ui/icons.tsx";

export function StorageNotice() {
  if (store.storageFault.value === null) return null;
  return (
    <div class="connection" role="alert">
      <Icon name="warning" size={18} />
      {t().account.storageFault}
    </div>
  );
}
