/** Of a payment: the loan that it repays, and what of it did. */

import type { GroupView, SettlementView } from "../../data/model.ts";
import { t } from "../../text/index.ts";
import { formatDay } from "../../ui/content.tsx";
import { Icon } from "../../ui/icons.tsx";
import { restOf } from "./standing.ts";
import { lentWords, money } from "./words.ts";

export function RepaidLoan({ view, payment, loanId }: { view: GroupView; payment: SettlementView; loanId: string }) {
  const loan = view.loans.find(({ id }) => id === loanId);
  const { repayment } = payment;
  const words = (
    <span class="grow">
      <span class="strong block">{t().loans.repaysLoan}</span>
      <span class="muted small block">
        {[loan && `${lentWords(view, loan)} ${money(view, loan.principal)}`, payment.paidOn && formatDay(payment.paidOn)].filter(Boolean).join(" · ")}
      </span>
    </span>
  );
  const rest = restOf(payment);
  return (
    <section class="card stack" aria-label={t().loans.repaysLoan}>
      {loan ? (
        <a class="row plain-link" href={`#/g/${view.id}/loans/${loanId}`}>
          {words}
          <Icon name="forward" size={20} />
        </a>
      ) : (
        words
      )}
      {payment.status === "COMPLETED" && (
        <dl class="loan-sums">
          {repayment && repayment.interest > 0 && <Sum name={t().loans.interestPart} value={money(view, repayment.interest)} />}
          {repayment && repayment.principal > 0 && <Sum name={t().loans.principalPart} value={money(view, repayment.principal)} />}
          {rest > 0 && <Sum name={t().loans.restPart} value={money(view, rest)} />}
        </dl>
      )}
    </section>
  );
}

function Sum({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt class="muted">{name}</dt>
      <dd class="amount">{value}</dd>
    </>
  );
}
