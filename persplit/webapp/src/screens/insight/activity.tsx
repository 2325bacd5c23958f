import { NotFound } from "../../ui/layout.tsx";

export function Activity() {
  return <NotFound />;
}
