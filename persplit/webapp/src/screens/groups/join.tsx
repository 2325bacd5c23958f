import { NotFound } from "../../ui/layout.tsx";

export function Join() {
  return <NotFound />;
}
