import { NotFound } from "../../ui/layout.tsx";

export function Admin() {
  return <NotFound />;
}
