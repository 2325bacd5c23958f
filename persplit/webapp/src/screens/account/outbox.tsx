import { NotFound } from "../../ui/layout.tsx";

export function Outbox() {
  return <NotFound />;
}
