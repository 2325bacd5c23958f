import { NotFound } from "../../ui/layout.tsx";

export function Search() {
  return <NotFound />;
}
