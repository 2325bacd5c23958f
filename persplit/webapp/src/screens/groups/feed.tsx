import { NotFound } from "../../ui/layout.tsx";

export function Feed() {
  return <NotFound />;
}
