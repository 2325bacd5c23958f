import { NotFound } from "../../ui/layout.tsx";

export function GroupSettings() {
  return <NotFound />;
}
