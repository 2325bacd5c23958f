/** What is done about loans: written, said, and taken back. */

import { navigate } from "wouter-preact/use-hash-location";
import type { GroupView } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import { toast, toastFailure } from "../../ui/toasts.tsx";
import type { Loan } from "../../wire/types.ts";

/** It goes at once; undo brings it back. */
export async function deleteLoan(view: GroupView, { id }: Loan): Promise<void> {
  try {
    await store.send("loan:delete", view.id, { loanId: id });
    toast(t().loans.deletedToast, () => void restoreLoan(view, id));
    navigate(`/g/${view.id}/loans`, { replace: true });
  } catch (error) {
    toastFailure(error);
  }
}

export async function restoreLoan(view: GroupView, loanId: string): Promise<void> {
  try {
    await store.send("loan:restore", view.id, { loanId });
    toast(t().loans.restoredToast);
  } catch (error) {
    toastFailure(error);
  }
}
