"""A loan between two people: what was lent, when it is due, and the simple interest on it.

A loan has terms: with whom, until when, at what rate. So it stands beside the balances and the settle-up plan, which
know no terms and would have the borrower pay at once, and perhaps somebody else. Only payments that name the loan
repay it.

The rule of the interest, which is simple: what is outstanding of the principal × percent a year × days / 365, whatever
the year. It is counted in days of the group's calendar: from the loan's date, each day begins to bear interest at its
end. A payment is reckoned with as of the day on which it was paid, however late its receiver confirms it. It pays the
interest owed until then first, and the principal with the rest; interest bears no interest. Whole minor units are
owed, half a unit rounded up. What rounding leaves is carried on, so that however many parts a loan is repaid in, its
interest is the exact sum, rounded once.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final

LOANS_OPEN_MAX: Final = 100
"""Of one group: they are part of its state, and far more than its members have between them."""
LOANS_CLOSED_MAX: Final = 50
"""Repaid and deleted loans that the state keeps, the newest: of others the ledger's events tell."""
LOAN_DESCRIPTION_LENGTH_MAX: Final = 200
RATE_DECIMALS_MAX: Final = 4
RATE_MAX: Final = 100
"""Percent a year."""
PAST_DAYS_MAX: Final = 18_262
"""How long ago a loan may have been made: fifty years. With the rate's bound it keeps interest readable everywhere."""
AHEAD_DAYS_MAX: Final = 36_525
"""How far ahead a loan may be due, and its interest be asked for: a hundred years."""

_RATE_SCALE: Final = 10**RATE_DECIMALS_MAX
PARTS: Final = 365 * 100 * _RATE_SCALE
"""Interest is counted in so many parts of a minor unit: one unit at a rate's last decimal bears one a day."""
_RATE: Final = re.compile(rf"[0-9]{{1,3}}(\.[0-9]{{1,{RATE_DECIMALS_MAX}}})?")


class LoanStatus(StrEnum):
    """OPEN until it is REPAID or DELETED."""

    OPEN = "OPEN"
    REPAID = "REPAID"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class LoanDraft:
    """The terms of a loan: `principal` in minor units of the group's currency, days as YYYY-MM-DD.

    `date`: None is today. `rate` is percent a year, as `canonical_rate` gives it; None: no interest.
    """

    principal: int
    date: str | None = None
    due_date: str | None = None
    rate: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Loan:
    """A loan as it stands. Amounts are minor units, days YYYY-MM-DD, times RFC 3339 UTC.

    `outstanding` is what is left of the principal. `interest_owed` is the interest that was owed at the end of
    `accrued_through` and not paid, to which belong `interest_parts` in `PARTS` of a unit: from minus a half to less
    than a half. `seq` is that of the event that made this version.
    """

    id: str
    seq: int
    lender_id: str
    borrower_id: str
    principal: int
    date: str
    due_date: str | None
    rate: str | None
    description: str | None
    outstanding: int
    interest_owed: int
    interest_parts: int
    interest_paid: int
    accrued_through: str
    created_by: str
    created_at: str
    updated_at: str
    deleted_at: str | None = None

    @property
    def status(self) -> LoanStatus:
        """Where it stands."""
        if self.deleted_at is not None:
            return LoanStatus.DELETED
        return LoanStatus.OPEN if self.outstanding else LoanStatus.REPAID

    @property
    def is_open(self) -> bool:
        """Whether anything of it is owed."""
        return self.status is LoanStatus.OPEN

    @property
    def is_untouched(self) -> bool:
        """Whether nothing of it was ever repaid."""
        return self.outstanding == self.principal and self.interest_paid == 0

    def is_between(self, user_id: str) -> bool:
        """Whether the person is one of the two."""
        return user_id in (self.lender_id, self.borrower_id)

    def is_overdue(self, day: str) -> bool:
        """Whether it should have been repaid before that day."""
        return self.is_open and self.due_date is not None and self.due_date < day


@dataclass(frozen=True, slots=True)
class Repayment:
    """What of a payment repaid a loan, minor units. What is left of the payment moves balances, as any does."""

    interest: int
    principal: int

    @property
    def amount(self) -> int:
        """Both together."""
        return self.interest + self.principal


def canonical_rate(text: str) -> str:
    """The rate, percent a year, with no needless zeros: `06.50` is `6.5`.

    Raises:
        ValueError: it isn't a positive decimal number of a few digits.

    """
    if not _RATE.fullmatch(text):
        raise ValueError(f"percent a year such as 6.5, with at most {RATE_DECIMALS_MAX} decimals")
    if not 0 < Fraction(text) <= RATE_MAX:
        raise ValueError(f"more than 0 and at most {RATE_MAX} percent a year")
    whole, _, decimals = text.partition(".")
    shown = whole.lstrip("0") or "0"
    return f"{shown}.{decimals}".rstrip("0").rstrip(".") if decimals else shown


def accrued(loan: Loan, day: str) -> Loan:
    """The loan with the interest that is owed at the end of that day; no earlier than it has come already."""
    days = (date.fromisoformat(day) - date.fromisoformat(loan.accrued_through)).days
    if days <= 0:
        return loan
    parts = loan.interest_parts + loan.outstanding * _scaled(loan.rate) * days
    # Half a part of the whole is rounded up: what is left is from minus a half to less than a half.
    units = (2 * parts + PARTS) // (2 * PARTS)
    return replace(
        loan,
        interest_owed=loan.interest_owed + units,
        interest_parts=parts - units * PARTS,
        accrued_through=day,
    )


def interest_due(loan: Loan, day: str) -> int:
    """The interest that is owed at the end of that day and not paid, minor units; none once it isn't open."""
    return accrued(loan, day).interest_owed if loan.is_open else 0


def newest_first(loans: Iterable[Loan]) -> list[Loan]:
    """As they are shown: those that are open, then the others; each newest first."""
    return sorted(loans, key=lambda loan: (loan.is_open, loan.created_at, loan.id), reverse=True)


def repaid(loan: Loan, amount: int, day: str) -> tuple[Loan, Repayment]:
    """The loan after a payment of `amount` minor units on that day, and what of it repaid the loan.

    First the interest owed until then, then the principal. What is more than both is left of the payment.
    """
    owing = accrued(loan, day)
    interest = min(amount, owing.interest_owed)
    principal = min(amount - interest, owing.outstanding)
    after = replace(
        owing,
        outstanding=owing.outstanding - principal,
        interest_owed=owing.interest_owed - interest,
        interest_paid=owing.interest_paid + interest,
    )
    return after, Repayment(interest, principal)


def _scaled(rate: str | None) -> int:
    return 0 if rate is None else int(Fraction(rate) * _RATE_SCALE)
