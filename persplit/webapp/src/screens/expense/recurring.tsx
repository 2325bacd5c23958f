import { NotFound } from "../../ui/layout.tsx";

export function Recurring() {
  return <NotFound />;
}
