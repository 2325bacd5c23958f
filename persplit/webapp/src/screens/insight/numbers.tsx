/** A small table of amounts: the same that a chart draws. */

import { formatMoney } from "../../ledger/money.ts";
import { locale } from "../../text/index.ts";

export interface NumbersRow {
  readonly key: string;
  readonly name: string;
  /** Minor units. */
  readonly amounts: readonly number[];
}

export function Numbers({ caption, heads, rows, currency }: {
  caption: string;
  /** Of the names, then of each amount. */
  heads: readonly string[];
  rows: readonly NumbersRow[];
  currency: string;
}) {
  return (
    <div class="numbers-frame" role="group" aria-label={caption} tabIndex={0}>
      <table class="numbers">
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {heads.map((head) => (
              <th scope="col" key={head}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, name, amounts }) => (
            <tr key={key}>
              <th scope="row">{name}</th>
              {amounts.map((minor, index) => (
                <td key={heads[index + 1]}>{formatMoney(minor, currency, locale.value)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
