import { NotFound } from "../../ui/layout.tsx";

export function NewGroup() {
  return <NotFound />;
}
