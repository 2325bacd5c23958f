import { NotFound } from "../../ui/layout.tsx";

export function Balances() {
  return <NotFound />;
}
