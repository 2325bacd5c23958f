/** The browser can't keep what is written here: said once it is so, before something is lost. */

import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import { Icon } from "../../ui/icons.tsx";

export function StorageNotice() {
  const fault = store.storageFault.value;
  if (fault === null) return null;
  return (
    <div class="connection" role="alert">
      <Icon name="warning" size={18} />
      <span>{inWords(fault.code)}</span>
      {fault.code === "page_outdated" && (
        <button type="button" class="button" data-kind="plain" onClick={() => location.reload()}>
          {t().common.reload}
        </button>
      )}
    </div>
  );
}

function inWords(code: string): string {
  if (code === "page_outdated") return t().common.updateReady;
  return code === "page_blocked" ? t().account.olderTab : t().account.storageFault;
}
