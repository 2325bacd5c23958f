"""A settlement: a payment that somebody says was made, and what its receiver says of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from persplit.ledger.loan import Repayment

PENDING_MAX: Final = 500
"""Settlements of one group that await an answer: far more than people would leave open, and it bounds the state."""
NOTE_LENGTH_MAX: Final = 200


class SettlementStatus(StrEnum):
    """PENDING until the receiver confirms (COMPLETED) or declines, or the payer cancels. Then final."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    DECLINED = "DECLINED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Settlement:
    """`amount` minor units from `from_id` to `to_id`; balances move only when it is COMPLETED.

    `utr` is the bank's twelve-digit reference of a UPI payment, where the payer gave it. `seq` is that of the
    event that made this version. Times are RFC 3339 UTC.

    `loan_id` names the loan that it repays, as of the day `paid_on`, which other settlements don't have. Once it is
    COMPLETED, `repayment` is what of it did so; None where the loan was no longer open by then.
    """

    id: str
    seq: int
    from_id: str
    to_id: str
    amount: int
    note: str | None
    utr: str | None
    status: SettlementStatus
    created_by: str
    created_at: str
    updated_at: str
    loan_id: str | None = None
    paid_on: str | None = None
    repayment: Repayment | None = None

    @property
    def moved(self) -> int:
        """By how much it moves balances once it is COMPLETED, minor units: all of it but what repaid a loan."""
        return self.amount if self.repayment is None else self.amount - self.repayment.amount
