import { NotFound } from "../../ui/layout.tsx";

export function Friends() {
  return <NotFound />;
}
