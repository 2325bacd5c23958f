/** Events of a group as I am told them. */

import type { GroupView } from "../../data/model.ts";
import { formatMoney } from "../../ledger/money.ts";
import { locale } from "../../text/index.ts";
import { nameOf } from "../group_frame.tsx";
import type { Telling } from "./telling.ts";

export function tellingOf(view: GroupView): Telling {
  return {
    me: view.me.userId,
    nameOf: (userId) => nameOf(view, userId),
    money: (minor) => formatMoney(minor, view.group.currency, locale.value),
  };
}
