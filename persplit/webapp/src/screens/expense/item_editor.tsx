/** The lines of a bill: what, how much, and who had it. */

import { useRef } from "preact/hooks";
import { formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import { Button, Chip, IconButton, TextField } from "../../ui/controls.tsx";
import { toast } from "../../ui/toasts.tsx";
import { nameOf } from "../group_frame.tsx";
import { sumOfItems } from "./division.ts";
import { ITEM_NAME_LENGTH_MAX, ITEMS_MAX } from "./form_fields.ts";
import { itemRow, type ItemRow, type SplitForm } from "./form_state.ts";
import { ShareList, type SplitEditorProps } from "./split_editor.tsx";

export function ItemEditor(props: SplitEditorProps) {
  const { view, people, form, divided, onChange } = props;
  const { split, currency } = form;
  const change = (items: readonly ItemRow[]) => onChange({ ...split, items });
  // What was typed since the removal stays when it is undone.
  const latest = useRef(split);
  latest.current = split;
  const remove = (row: ItemRow, place: number) => {
    change(split.items.filter((one) => one.key !== row.key));
    toast(t().expense.itemRemoved(row.name), () => {
      const items = [...latest.current.items];
      items.splice(place, 0, row);
      onChange({ ...latest.current, items });
    });
  };
  return (
    <>
      <ul class="stack-small">
        {split.items.map((row, place) => (
          <ItemFields
            key={row.key}
            {...props}
            row={row}
            number={place + 1}
            onRow={(changed) => change(split.items.map((one) => (one.key === row.key ? changed : one)))}
            onRemove={() => remove(row, place)}
          />
        ))}
      </ul>
      {split.items.length < ITEMS_MAX && (
        <Button kind="quiet" icon="add" onClick={() => change([...split.items, itemRow("", "", people.ids)])}>
          {t().expense.addItem}
        </Button>
      )}
      <SpreadLine items={split.items} currency={currency} spread={divided.spread} />
      <ShareList view={view} divided={divided} currency={currency} />
    </>
  );
}

function ItemFields({ view, people, divided, row, number, onRow, onRemove }: SplitEditorProps & {
  row: ItemRow;
  number: number;
  onRow: (row: ItemRow) => void;
  onRemove: () => void;
}) {
  const { problem } = divided;
  const isAt = (kind: string) => problem !== null && "at" in problem && problem.at === row.key && problem.kind === kind;
  const toggle = (userId: string, isOn: boolean) =>
    onRow({ ...row, participants: isOn ? [...row.participants, userId] : row.participants.filter((one) => one !== userId) });
  return (
    <li class="item-fields stack-small" aria-label={t().expense.item(number)}>
      <div class="item-line">
        <TextField
          label={t().expense.itemName}
          isLabelHidden
          placeholder={t().expense.item(number)}
          value={row.name}
          maxLength={ITEM_NAME_LENGTH_MAX}
          error={isAt("item_without_name") && row.amount !== "" ? t().expense.itemNoName : undefined}
          onInput={(name) => onRow({ ...row, name })}
        />
        <TextField
          label={t().expense.itemAmount}
          isLabelHidden
          placeholder="0"
          inputMode="decimal"
          value={row.amount}
          error={isAt("bad_value") && row.amount.trim() !== "" ? t().expense.notAValue : undefined}
          onInput={(amount) => onRow({ ...row, amount })}
        />
        <IconButton icon="trash" label={t().expense.removeItem(row.name)} onClick={onRemove} />
      </div>
      <div class="row-wrap" role="group" aria-label={t().expense.itemPeople}>
        {people.ids.map((userId) => (
          <Chip
            key={userId}
            label={nameOf(view, userId)}
            isOn={row.participants.includes(userId)}
            onToggle={(isOn) => toggle(userId, isOn)}
          />
        ))}
      </div>
      {isAt("item_without_people") && <p class="error-text">{t().expense.itemNoPeople}</p>}
    </li>
  );
}

function SpreadLine({ items, currency, spread }: { items: SplitForm["items"]; currency: string; spread: number }) {
  const sum = sumOfItems(items, currency);
  if (sum === null) return null;
  const show = (minor: number) => formatMoney(Math.abs(minor), currency, locale.value);
  const text =
    spread === 0
      ? t().expense.itemsSum(show(sum))
      : spread > 0
        ? t().expense.itemsRest(show(spread))
        : t().expense.itemsDiscount(show(spread));
  return <p class="small muted">{text}</p>;
}
