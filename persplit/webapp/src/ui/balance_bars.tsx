/** Everybody's net position: a bar from the middle, owed to the right, owing to the left. */

import { Amount, Avatar } from "./content.tsx";

export interface BalanceBar {
  readonly id: string;
  readonly name: string;
  /** For the initials, where the name is "you". */
  readonly fullName?: string | undefined;
  /** Below the name, small: who is in the unit. */
  readonly note?: string | undefined;
  /** Minor units; positive is owed to them. */
  readonly amount: number;
}

/** `scale`: the amount of a whole half, where bars of several moments are to be compared; the largest unless told. */
export function BalanceBars({ bars, currency, scale, label }: {
  bars: readonly BalanceBar[];
  currency: string;
  scale?: number;
  label: string;
}) {
  const whole = scale ?? Math.max(...bars.map(({ amount }) => Math.abs(amount)), 1);
  return (
    <ul class="card bars" aria-label={label}>
      {bars.map(({ id, name, fullName, note, amount }) => (
        <li class="bar-row" key={id}>
          <Avatar id={id} name={fullName ?? name} />
          <div class="grow">
            <div class="bar-words">
              <span class="bar-name">
                <span class="strong">{name}</span>
                {note && <span class="muted small bar-note">{note}</span>}
              </span>
              <Amount minor={amount} currency={currency} isSigned />
            </div>
            <div class="bar" aria-hidden="true">
              <span
                class="bar-fill"
                data-sign={amount < 0 ? "owes" : "owed"}
                style={{ inlineSize: `${shareOf(amount, whole)}%` }}
              />
            </div>
          </div>
        </li>
      ))}
    </ul>
  );
}

/** Of the whole track, whose halves are 50 %. For drawing alone: amounts are never worked out from it. */
function shareOf(amount: number, whole: number): number {
  return Math.min(50, (Math.abs(amount) / whole) * 50);
}
