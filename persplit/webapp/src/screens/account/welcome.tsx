import { NotFound } from "../../ui/layout.tsx";

export function Welcome() {
  return <NotFound />;
}
