/** Says what others just did, to those who don't see it appear. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { GroupView } from "../../data/model.ts";
import { formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import { nameOf } from "../group_frame.tsx";

export function NewsForScreenReaders({ view }: { view: GroupView }) {
  const seen = useRef(view.seq);
  const [news, setNews] = useState("");
  useEffect(() => {
    const added = view.expenses.find((expense) => expense.seq > seen.current && expense.createdBy !== view.me.userId);
    seen.current = Math.max(seen.current, view.seq);
    if (!added) return;
    const amount = formatMoney(added.amount, view.group.currency, locale.value);
    setNews(t().groups.newsAdded(nameOf(view, added.createdBy), added.description, amount));
  }, [view.seq]);
  return (
    <p class="visually-hidden" role="status">
      {news}
    </p>
  );
}
