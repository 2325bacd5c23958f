"""What a group spent."""

from typing import Final

from pydantic import Field

from persplit.ledger.categories import category_of
from persplit.ledger.statistics import Statistics as Found
from persplit.transport import fields as f
from persplit.transport.operations import Answers, Call, Operation, Services
from persplit.transport.requests import OneGroup
from persplit.transport.views import Json

results: Final = Answers("statistics_results")


class GetStatistics(OneGroup):
    """Over which days: both are included; all unless told."""

    from_: f.Day | None = Field(None, alias="from")
    to: f.Day | None = None


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
        results.Statistics,
        _statistics,
        "GET /groups/{groupId}/statistics",
    ),
)
