import { NotFound } from "../../ui/layout.tsx";

export function ExpenseDetail() {
  return <NotFound />;
}
