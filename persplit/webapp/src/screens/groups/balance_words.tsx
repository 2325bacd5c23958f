/** Balances as they look in lists and on top of screens. */

import { t } from "../../text/index.ts";
import { Amount } from "../../ui/content.tsx";

/** At the end of a row: "you are owed" above the amount. */
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

/** One and the same element whatever the amount: it glows when it changes. */
export function HeroAmount({ minor, currency }: { minor: number; currency: string }) {
  return (
    <span class="hero-amount" data-sign={minor === 0 ? undefined : minor > 0 ? "owed" : "owes"}>
      <Amount minor={Math.abs(minor)} currency={currency} isLarge />
    </span>
  );
}
