/** A balance in words and figures, at the end of a row: "you are owed" above the amount. */

import { t } from "../../text/index.ts";
import { Amount } from "../../ui/content.tsx";

export function BalanceWords({ minor, currency }: { minor: number; currency: string }) {
  if (minor === 0) return <span class="muted small balance-words">{t().common.settledUp}</span>;
  const sign = minor > 0 ? "owed" : "owes";
  return (
    <span class="balance-words" data-sign={sign}>
      <span class="small">{minor > 0 ? t().common.youAreOwed : t().common.youOwe}</span>
      <Amount minor={Math.abs(minor)} currency={currency} />
    </span>
  );
}
