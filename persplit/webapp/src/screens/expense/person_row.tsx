/** A person with something to type or to tick, and how it stands altogether. */

import type { ComponentChildren } from "preact";
import { Avatar } from "../../ui/content.tsx";
import { Icon } from "../../ui/icons.tsx";

export function PersonRow({ id, name, below, children }: {
  id: string;
  name: string;
  below?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <li class="person-row">
      <Avatar id={id} name={name} />
      <span class="grow">
        <span class="person-name">{name}</span>
        {below !== undefined && <span class="small muted person-below">{below}</span>}
      </span>
      {children}
    </li>
  );
}

/** What is missing, or that nothing is: said again whenever it changes. */
export function Status({ tone, children }: { tone: "good" | "open"; children: ComponentChildren }) {
  return (
    <p class="split-status" data-tone={tone} role="status">
      <Icon name={tone === "good" ? "check" : "info"} size={20} />
      <span class="grow">{children}</span>
    </p>
  );
}
