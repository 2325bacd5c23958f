"""What the server answers about what a group spent."""

from pydantic import Field

from persplit.transport.result import Minor, Result


class CategoryTotal(Result):
    """What was spent on one category: a key of the list, or a free text; null: expenses with none."""

    category: str | None
    icon: str | None
    count: int
    amount: Minor


class MemberTotal(Result):
    """What somebody paid, and what fell to them."""

    user_id: str
    count: int = Field(description="expenses in which they have a part")
    paid: Minor
    share: Minor


class MonthTotal(Result):
    """What was spent in a month; `paid` and `share` are the caller's."""

    month: str = Field(description="YYYY-MM, by the day of the expense")
    count: int
    amount: Minor
    paid: Minor
    share: Minor


class Statistics(Result):
    """Expenses that count, payments between members aside; `paid` and `share` are the caller's.

    What all members paid sums to `amount`, and so do their shares.
    """

    group_id: str
    seq: int
    currency: str
    count: int
    amount: Minor
    paid: Minor
    share: Minor
    categories: list[CategoryTotal] = Field(description="the largest first")
    members: list[MemberTotal] = Field(description="who paid most first")
    months: list[MonthTotal] = Field(description="in order")
