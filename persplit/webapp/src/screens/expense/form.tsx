import { NotFound } from "../../ui/layout.tsx";

export function AddExpense() {
  return <NotFound />;
}

export function EditExpense() {
  return <NotFound />;
}
