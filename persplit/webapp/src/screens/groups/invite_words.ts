/** How long an invite is good for, and for how many. */

import { t } from "../../text/index.ts";
import type { RestSchemas } from "../../wire/types.ts";
import { formatMoment } from "../../ui/content.tsx";

type InviteInfo = RestSchemas["InviteInfo"];

/** `Good until 3 Dec, 14:05. Used 2 times, any number may join.` */
export function termsOf({ expiresAt, uses, maxUses }: Pick<InviteInfo, "expiresAt" | "uses" | "maxUses">): string {
  const until = t().groups.goodUntil(formatMoment(expiresAt));
  return `${until} ${maxUses === null ? t().groups.usesAny(uses) : t().groups.usesOf(uses, maxUses)}`;
}
