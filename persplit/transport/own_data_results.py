"""All that is kept of a person, as a model."""

from typing import Annotated, Literal

from pydantic import Field

from persplit.transport.loan_results import Loan
from persplit.transport.result import Minor, Result
from persplit.transport.results import Expense, Member, Session, Settlement, User
from persplit.transport.token_results import TokenInfo


class OwnGroup(Result):
    """One's part of a group: expenses and payments that one made, paid or has a part in, and one's loans."""

    id: str
    name: str
    currency: str
    member: Member
    balance: Minor
    expenses: list[Expense]
    settlements: list[Settlement]
    loans: list[Loan]


class OwnData(Result):
    """All that is kept of a person, as a file."""

    format: Literal["persplit-account"]
    version: Annotated[int, Field(description="of the file's shape")]
    user: User
    sessions: list[Session]
    tokens: list[TokenInfo]
    groups: list[OwnGroup]
