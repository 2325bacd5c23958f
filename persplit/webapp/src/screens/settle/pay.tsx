import { NotFound } from "../../ui/layout.tsx";

export function Pay() {
  return <NotFound />;
}
