import { NotFound } from "../../ui/layout.tsx";

export function Me() {
  return <NotFound />;
}
