"""All groups together, for the platform's admins: sizes and sums from the projection, by ids.

No answer has a group's name, a description or a note. Of people only those with accounts are named, as top spenders.
"""

from typing import Final

from persplit.transport import analytics_requests as r
from persplit.transport import analytics_views as views
from persplit.transport.operations import Answers, Call, Operation, Services
from persplit.transport.views import Json

results: Final = Answers("analytics_results")


async def _summary(services: Services, _: Call, request: r.OfPeriod) -> Json:
    generation, as_of = await services.analytics.as_of()
    found = await services.analytics.summary(generation, request.period)
    return {**views.projected(as_of, request.period), **views.summary(found)}


async def _top_spenders(services: Services, _: Call, request: r.RowsOfPeriod) -> Json:
    generation, as_of = await services.analytics.as_of()
    found = await services.analytics.top_spenders(generation, request.period, request.limit)
    return {**views.projected(as_of, request.period), **views.spenders(found)}


async def _group_activity(services: Services, _: Call, request: r.RowsOfPeriod) -> Json:
    generation, as_of = await services.analytics.as_of()
    found = await services.analytics.group_activity(generation, request.period, request.limit)
    return {**views.projected(as_of, request.period), **views.activity(found)}


async def _unsettled_debts(services: Services, _: Call, request: r.RowsOfPeriod) -> Json:
    generation, as_of = await services.analytics.as_of()
    found = await services.analytics.unsettled_debts(generation, request.period, request.limit)
    return {**views.projected(as_of, request.period), **views.unsettled(found)}


OPERATIONS: Final = (
    Operation(
        "analyticsSummary",
        "All groups in a few figures",
        r.OfPeriod,
        results.AnalyticsSummary,
        _summary,
        "GET /analytics/summary",
        is_for_admins=True,
    ),
    Operation(
        "topSpenders",
        "Who paid most, in each currency",
        r.RowsOfPeriod,
        results.TopSpenders,
        _top_spenders,
        "GET /analytics/top-spenders",
        is_for_admins=True,
    ),
    Operation(
        "groupActivity",
        "The most active groups",
        r.RowsOfPeriod,
        results.GroupActivity,
        _group_activity,
        "GET /analytics/group-activity",
        is_for_admins=True,
    ),
    Operation(
        "unsettledDebts",
        "The groups with the most outstanding, in each currency",
        r.RowsOfPeriod,
        results.UnsettledDebts,
        _unsettled_debts,
        "GET /analytics/unsettled-debts",
        is_for_admins=True,
    ),
)
