import { NotFound } from "../../ui/layout.tsx";

export function Invite() {
  return <NotFound />;
}
