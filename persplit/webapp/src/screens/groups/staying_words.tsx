/** Why somebody can't go, and where to change that. */

import type { GroupView } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import { Banner } from "../../ui/layout.tsx";
import type { Staying } from "./members.ts";

export function StayingWords({ staying, view, isMe }: { staying: Staying; view: GroupView; isMe: boolean }) {
  const words = isMe ? t().groups.staying[staying] : t().groups.theyStay[staying];
  return (
    <Banner>
      {words} {staying === "loan" && <a href={`#/g/${view.id}/loans`}>{t().loans.all}</a>}
      {(staying === "balance" || staying === "pending") && <a href={`#/g/${view.id}/balances`}>{t().groups.toBalances}</a>}
    </Banner>
  );
}
