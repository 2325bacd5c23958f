/** What opens in place: a line that says what is inside, and the inside on demand. */

import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Icon, type IconName } from "../../ui/icons.tsx";

export function Fold({ title, icon, isOpen, onToggle, children }: {
  title: ComponentChildren;
  icon: IconName;
  isOpen: boolean;
  onToggle: (isOpen: boolean) => void;
  children: ComponentChildren;
}) {
  const id = useId();
  return (
    <div class="card card-flush fold">
      <button class="list-row" type="button" aria-expanded={isOpen} aria-controls={id} onClick={() => onToggle(!isOpen)}>
        <span class="icon-tile">
          <Icon name={icon} />
        </span>
        <span class="grow strong">{title}</span>
        <span class="fold-mark">
          <Icon name="forward" size={20} />
        </span>
      </button>
      <div class="fold-inside stack" id={id} hidden={!isOpen}>
        {isOpen && children}
      </div>
    </div>
  );
}
