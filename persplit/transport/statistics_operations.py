"""What a group spent."""

from typing import Final

from pydantic import Field

from persplit.ledger.categories import category_of
from persplit.ledger.statistics import Statistics as Found
from persplit.transport import fields as f
from persplit.transport.operations import Call, Operation, Services
from persplit.transport.requests import OneGroup
from persplit.transport.result import Minor, Result
from persplit.transport.views import Json


class GetStatistics(OneGroup):
    """Over which days: both are included; all unless told."""

    from_: f.Day | None = Field(None, alias="from")
    to: f.Day | None = None


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


async def _statistics(services: Services, call: Call, request: GetStatistics) -> Json:
    state, found = await services.expense_books.statistics(
        request.group_id, call.user_id, request.from_, request.to
    )
    return {
        "groupId": state.group_id,
        "seq": state.seq,
        "currency": state.settings.currency,
        **statistics_view(found),
    }


def statistics_view(found: Found) -> Json:
    """The sums, in the names of the wire."""
    return {
        "count": found.count,
        "amount": found.amount,
        "paid": found.paid,
        "share": found.share,
        "categories": [
            {
                "category": it.category,
                "icon": known.icon if (known := category_of(it.category)) else None,
                "count": it.count,
                "amount": it.amount,
            }
            for it in found.categories
        ],
        "members": [
            {"userId": it.user_id, "count": it.count, "paid": it.paid, "share": it.share}
            for it in found.members
        ],
        "months": [
            {
                "month": it.month,
                "count": it.count,
                "amount": it.amount,
                "paid": it.paid,
                "share": it.share,
            }
            for it in found.months
        ],
    }


OPERATIONS: Final = (
    Operation(
        "getStatistics",
        "What a group spent: by category, member and month",
        GetStatistics,
        Statistics,
        _statistics,
        "GET /groups/{groupId}/statistics",
    ),
)
