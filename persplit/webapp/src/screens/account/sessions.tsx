import { NotFound } from "../../ui/layout.tsx";

export function Sessions() {
  return <NotFound />;
}
