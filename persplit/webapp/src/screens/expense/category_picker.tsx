/** What an expense was for: guessed, or chosen from the list, or in one's own words. */

import { useState } from "preact/hooks";
import { t } from "../../text/index.ts";
import { TextField } from "../../ui/controls.tsx";
import { Sheet } from "../../ui/layout.tsx";
import { categories, categoryIcon, categoryName } from "./categories.ts";
import { CATEGORY_LENGTH_MAX } from "./form_fields.ts";
import { folded } from "./guess.ts";

/** A field that opens the list. `category` as it counts, guess included. */
export function CategoryField({ category, isGuessed, onChoose }: {
  category: string | null;
  isGuessed: boolean;
  onChoose: (category: string | null) => void;
}) {
  const [isOpen, setOpen] = useState(false);
  return (
    <div class="field">
      <span class="label" id="category-label">
        {t().expense.category}
      </span>
      <button class="input choice" type="button" aria-describedby="category-label" onClick={() => setOpen(true)}>
        <span aria-hidden="true">{categoryIcon(category)}</span>
        <span class="grow one-line">{category === null ? t().expense.noCategory : categoryName(category)}</span>
      </button>
      {isGuessed && category !== null && <span class="hint">{t().expense.guessed}</span>}
      {isOpen && (
        <CategorySheet
          category={category}
          onClose={() => setOpen(false)}
          onChoose={(chosen) => {
            setOpen(false);
            onChoose(chosen);
          }}
        />
      )}
    </div>
  );
}

function CategorySheet({ category, onChoose, onClose }: {
  category: string | null;
  onChoose: (category: string | null) => void;
  onClose: () => void;
}) {
  const [text, setText] = useState("");
  const wanted = folded(text);
  const found = categories().filter(
    ({ key }) => wanted === "" || [key, categoryName(key)].some((one) => folded(one).includes(wanted)),
  );
  const isOwn = wanted !== "" && !found.some(({ key }) => folded(categoryName(key)) === wanted);
  return (
    <Sheet title={t().expense.chooseCategory} onClose={onClose}>
      <TextField
        label={t().expense.findCategory}
        isLabelHidden
        type="search"
        placeholder={t().expense.findCategory}
        maxLength={CATEGORY_LENGTH_MAX}
        value={text}
        onInput={setText}
      />
      <ul class="category-grid">
        {isOwn && <CategoryButton icon="🏷️" name={t().expense.useOwnCategory(text.trim())} isOn={false} onClick={() => onChoose(text.trim())} />}
        {found.map(({ key, icon }) => (
          <CategoryButton key={key} icon={icon} name={categoryName(key)} isOn={key === category} onClick={() => onChoose(key)} />
        ))}
        {wanted === "" && <CategoryButton icon="–" name={t().expense.noCategory} isOn={category === null} onClick={() => onChoose(null)} />}
      </ul>
    </Sheet>
  );
}

function CategoryButton({ icon, name, isOn, onClick }: { icon: string; name: string; isOn: boolean; onClick: () => void }) {
  return (
    <li>
      <button class="category-button" type="button" aria-pressed={isOn} onClick={onClick}>
        <span class="category-icon" aria-hidden="true">
          {icon}
        </span>
        {name}
      </button>
    </li>
  );
}
