import { NotFound } from "../../ui/layout.tsx";

export function Files() {
  return <NotFound />;
}
