"""All groups together, for the platform's admins: sizes and sums from the projection, by ids.

No answer has a group's name, a description or a note. Of people only those with accounts are named, as top spenders.
"""

from typing import Final

from persplit.service.analytics import AsOf, CurrencySummary, GroupActivity, Spender
from persplit.service.tallies import GroupTally
from persplit.transport import analytics_requests as r
from persplit.transport import analytics_results as results
from persplit.transport.operations import Call, Operation, Services
from persplit.transport.views import Json


async def _summary(services: Services, _: Call, request: r.OfPeriod) -> Json:
    generation, as_of = await services.analytics.as_of()
    found = await services.analytics.summary(generation, request.period)
    return {
        **_projected(as_of, request),
        "users": found.users,
        "groups": found.groups,
        "activeGroups": found.active_groups,
        "events": found.events,
        "currencies": [_currency(one) for one in found.currencies],
    }


async def _top_spenders(services: Services, _: Call, request: r.RowsOfPeriod) -> Json:
    generation, as_of = await services.analytics.as_of()
    found = await services.analytics.top_spenders(generation, request.period, request.limit)
    return {**_projected(as_of, request), "spenders": [_spender(one) for one in found]}


async def _group_activity(services: Services, _: Call, request: r.RowsOfPeriod) -> Json:
    generation, as_of = await services.analytics.as_of()
    found = await services.analytics.group_activity(generation, request.period, request.limit)
    return {**_projected(as_of, request), "groups": [_active(one) for one in found]}


async def _unsettled_debts(services: Services, _: Call, request: r.RowsOfPeriod) -> Json:
    generation, as_of = await services.analytics.as_of()
    found = await services.analytics.unsettled_debts(generation, request.period, request.limit)
    return {**_projected(as_of, request), "groups": [_unsettled(one) for one in found]}


def _projected(as_of: AsOf, request: r.OfPeriod) -> Json:
    return {"asOf": as_of.at, "lagSeconds": as_of.lag_seconds, "from": request.from_, "to": request.to}


def _currency(it: CurrencySummary) -> Json:
    return {
        "currency": it.currency,
        "expenses": it.expenses.count,
        "spent": it.expenses.amount,
        "settlements": it.settled.count,
        "settled": it.settled.amount,
        "unsettledGroups": it.outstanding.count,
        "outstanding": it.outstanding.amount,
    }


def _spender(it: Spender) -> Json:
    return {
        "currency": it.currency,
        "userId": it.user_id,
        "name": it.name,
        "expenses": it.paid.count,
        "amount": it.paid.amount,
    }


def _active(it: GroupActivity) -> Json:
    return {
        "groupId": it.tally.group_id,
        "currency": it.tally.currency,
        "members": it.tally.members,
        "events": it.events,
        "expenses": it.expenses.count,
        "spent": it.expenses.amount,
        "lastEventAt": it.tally.at,
        "archived": it.tally.is_archived,
    }


def _unsettled(it: GroupTally) -> Json:
    return {
        "groupId": it.group_id,
        "currency": it.currency,
        "members": it.members,
        "debtors": it.debtors,
        "outstanding": it.outstanding,
        "pendingSettlements": it.pending,
        "lastEventAt": it.at,
        "archived": it.is_archived,
    }


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
