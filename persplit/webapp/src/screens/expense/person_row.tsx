/** A person with something to type or to tick, and how it stands altogether. */

import type { ComponentChildren } from "preact";
import type { GroupView } from "../../data/model.ts";
import { Avatar } from "../../ui/content.tsx";
import { Icon } from "../../ui/icons.tsx";
import { nameOf } from "../group_frame.tsx";

/** The initials of somebody's name, also where the row says "You". */
export function Face({ view, id }: { view: GroupView; id: string }) {
  return <Avatar id={id} name={view.people.get(id)?.name ?? "?"} />;
}

export function PersonRow({ view, id, below, children }: {
  view: GroupView;
  id: string;
  below?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <li class="person-row">
      <Face view={view} id={id} />
      <span class="grow">
        <span class="person-name">{nameOf(view, id)}</span>
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
