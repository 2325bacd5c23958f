import { NotFound } from "../../ui/layout.tsx";

export function Presets() {
  return <NotFound />;
}
