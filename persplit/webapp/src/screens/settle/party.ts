/** What those who settle together are called. */

import type { GroupView } from "../../data/model.ts";
import { nameOf } from "../group_frame.tsx";
import { unitOf } from "./plan.ts";

/** A person, or the unit that they speak for; "you" where that is me. */
export function partyName(view: GroupView, userId: string): string {
  const unit = unitOf(view, userId);
  if (userId === view.me.userId || unit.length < 2) return nameOf(view, userId);
  return unit[0]?.unit ?? nameOf(view, userId);
}

/** What initials are made of, where the name shown is "you". */
export function fullName(view: GroupView, userId: string): string {
  return view.people.get(userId)?.name ?? "?";
}
