import { NotFound } from "../../ui/layout.tsx";

export function Charts() {
  return <NotFound />;
}
