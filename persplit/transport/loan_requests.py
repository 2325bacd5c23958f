"""What clients may send about loans, and about the ledger of two people."""

from typing import Self

from pydantic import Field, model_validator

from persplit.ledger.loan import LoanDraft
from persplit.ledger.recurrence import UTC_ZONE
from persplit.transport import fields as f
from persplit.transport.requests import GroupWrite, OneGroup, Request, Write

CURRENCY_DEFAULT = "INR"


class OpenDirect(Write):
    """With whom, and in which currency: the two have one ledger for each. They share a group already."""

    user_id: f.Id
    currency: f.Currency = CURRENCY_DEFAULT
    time_zone: f.TimeZone = UTC_ZONE


class LoanIn(Request):
    """The terms of a loan."""

    principal: f.Amount
    date: f.Day | None = Field(None, description="when it was lent; today, or as before, unless told")
    due_date: f.Day | None = Field(None, description="until when it is to be repaid")
    interest_rate: f.InterestRate | None = Field(None, description="percent a year, simple; none unless told")
    description: f.LoanDescription | None = None

    def draft(self) -> LoanDraft:
        """The draft for the ledger."""
        return LoanDraft(
            principal=self.principal,
            date=self.date,
            due_date=self.due_date,
            rate=self.interest_rate,
            description=self.description,
        )


class Lending(LoanIn):
    """A new loan. Of the two people one may be left out: the caller. `id` may be chosen by the client: a new UUID."""

    id: f.NewId | None = None
    lender_id: f.Id | None = None
    borrower_id: f.Id | None = None

    @model_validator(mode="after")
    def _names_another(self) -> Self:
        if self.lender_id is None and self.borrower_id is None:
            raise ValueError("say who lent, or who borrowed")
        return self


class CreateLoan(Write, Lending):
    """A new loan in a group; without `groupId` in the ledger of the two people, which is made if there is none."""

    group_id: f.Id | None = None
    currency: f.Currency | None = Field(None, description="without `groupId`: of the ledger; INR unless told")
    time_zone: f.TimeZone | None = Field(
        None, description="without `groupId`: of the ledger, if it is made now"
    )

    @model_validator(mode="after")
    def _fits_ledger(self) -> Self:
        if self.group_id is not None and (self.currency is not None or self.time_zone is not None):
            raise ValueError("a group has a currency and a time zone of its own")
        return self


class CreateGroupLoan(GroupWrite, Lending):
    """A new loan between two members of the group."""


class UpdateLoan(GroupWrite, LoanIn):
    """Other terms for a loan. Once some of it was repaid only `dueDate` and `description` may differ."""

    loan_id: f.Id
    expected_seq: f.ExpectedSeq | None = None


class OneLoanWrite(GroupWrite):
    """Which loan."""

    loan_id: f.Id
    expected_seq: f.ExpectedSeq | None = None


class DeleteLoan(OneLoanWrite):
    """Which loan to delete."""


class RestoreLoan(OneLoanWrite):
    """Which deleted loan counts again."""


class ListLoans(OneGroup):
    """The group's loans, with the interest owed on a day: `on`, today unless told."""

    on: f.Day | None = None


class OneLoan(ListLoans):
    """Which loan."""

    loan_id: f.Id
