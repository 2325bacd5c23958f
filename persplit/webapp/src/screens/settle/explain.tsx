import { NotFound } from "../../ui/layout.tsx";

export function Explain() {
  return <NotFound />;
}
