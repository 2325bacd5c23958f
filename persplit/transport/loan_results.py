"""What the server answers about loans, as models."""

from pydantic import Field

from persplit.ledger.loan import PARTS, LoanStatus
from persplit.transport.arrangement_results import Day
from persplit.transport.result import Minor, Result, Time


class Repayment(Result):
    """What of a payment repaid a loan: interest first. What is left of its amount moved balances."""

    interest: Minor
    principal: Minor


class Loan(Result):
    """A loan. It stands beside balances and plan; only settlements that name it repay it."""

    id: str
    group_id: str
    seq: int
    lender_id: str
    borrower_id: str
    principal: Minor
    date: Day
    due_date: Day | None
    interest_rate: str | None = Field(description="percent a year, simple; null: none")
    description: str | None
    status: LoanStatus
    outstanding: Minor = Field(description="what is left of the principal")
    interest_owed: Minor = Field(description="interest owed through `accruedThrough` and not paid")
    interest_parts: int = Field(
        description=f"what rounding left of it, in {PARTS:,}ths of a minor unit; it counts towards the next"
    )
    interest_paid: Minor
    accrued_through: Day
    created_by: str
    created_at: Time
    updated_at: Time
    deleted_at: Time | None


class LoanOn(Loan):
    """A loan, and what repays it on a day."""

    on: Day
    interest_due: Minor = Field(description="interest owed at the end of the day `on`")
    to_repay: Minor = Field(description="what repays it all on that day: principal and interest")
    overdue: bool = Field(description="whether it was due before that day")


class Loans(Result):
    """The open loans, then those closed last; newest first."""

    loans: list[LoanOn]
