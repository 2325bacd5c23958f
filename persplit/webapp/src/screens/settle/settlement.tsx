import { NotFound } from "../../ui/layout.tsx";

export function SettlementDetail() {
  return <NotFound />;
}
