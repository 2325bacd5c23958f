/** Who lends whom: mostly one is it oneself. */

import { useState } from "preact/hooks";
import { t } from "../../text/index.ts";
import { Segments, Select } from "../../ui/controls.tsx";

export interface Person {
  readonly userId: string;
  readonly name: string;
}

type Side = "lend" | "borrow" | "others";

interface PartiesProps {
  people: readonly Person[];
  me: string;
  isAdmin: boolean;
  lenderId: string;
  borrowerId: string;
  error: string | undefined;
  onChange: (parties: { lenderId: string; borrowerId: string }) => void;
}

/** An admin notes loans between others, too, once there are two of them. */
const OTHERS_FROM = 3;

export function Parties(props: PartiesProps) {
  const { people, me, isAdmin, lenderId, borrowerId, onChange } = props;
  const [side, setSide] = useState<Side>(lenderId === me ? "lend" : borrowerId === me ? "borrow" : "others");
  const others = people.filter(({ userId }) => userId !== me);
  const other = (lenderId === me ? borrowerId : lenderId) || (others[0]?.userId ?? me);

  function choose(wanted: Side): void {
    setSide(wanted);
    if (wanted === "lend") return onChange({ lenderId: me, borrowerId: other });
    if (wanted === "borrow") return onChange({ lenderId: other, borrowerId: me });
    const second = others.find(({ userId }) => userId !== other)?.userId ?? other;
    onChange({ lenderId: other, borrowerId: second });
  }

  const sides: { value: Side; label: string }[] = [
    { value: "lend", label: t().loans.iLend },
    { value: "borrow", label: t().loans.iBorrow },
  ];
  if (isAdmin && people.length >= OTHERS_FROM) sides.push({ value: "others", label: t().loans.others });
  return (
    <div class="card stack">
      <Segments label={t().loans.whoLends} value={side} choices={sides} onChoose={choose} />
      <Others {...props} side={side} others={others} />
    </div>
  );
}

/** The other one, or both. */
function Others({ side, others, me, lenderId, borrowerId, error, onChange }: PartiesProps & { side: Side; others: readonly Person[] }) {
  if (side !== "others" && others.length === 1) return null; // it can be nobody else
  const choices = others.map(({ userId, name }) => ({ value: userId, label: name }));
  if (side === "lend") {
    const choose = (userId: string) => onChange({ lenderId: me, borrowerId: userId });
    return <Select label={t().loans.toWhom} value={borrowerId} choices={choices} onChoose={choose} error={error} />;
  }
  const lender = (label: string, toId: string) => (
    <Select label={label} value={lenderId} choices={choices} onChoose={(userId) => onChange({ lenderId: userId, borrowerId: toId })} error={side === "borrow" ? error : undefined} />
  );
  if (side === "borrow") return lender(t().loans.fromWhom, me);
  return (
    <>
      {lender(t().loans.lender, borrowerId)}
      <Select label={t().loans.borrower} value={borrowerId} choices={choices} onChoose={(userId) => onChange({ lenderId, borrowerId: userId })} error={error} />
    </>
  );
}
