import { NotFound } from "../../ui/layout.tsx";

export function Groups() {
  return <NotFound />;
}
