"""Answers about all groups together, as JSON: sizes and sums by ids, for REST and the command line alike."""

from collections.abc import Sequence

from persplit.service.analytics import AsOf, CurrencySummary, GroupActivity, Period, Spender, Summary
from persplit.service.tallies import GroupTally
from persplit.transport.views import Json


def projected(as_of: AsOf, period: Period) -> Json:
    """Up to when the answer is, and of which days."""
    return {"asOf": as_of.at, "lagSeconds": as_of.lag_seconds, "from": period.since, "to": period.until}


def summary(found: Summary) -> Json:
    """All groups in a few figures."""
    return {
        "users": found.users,
        "groups": found.groups,
        "activeGroups": found.active_groups,
        "events": found.events,
        "currencies": [_currency(one) for one in found.currencies],
    }


def spenders(found: Sequence[Spender]) -> Json:
    """Who paid most."""
    return {"spenders": [_spender(one) for one in found]}


def activity(found: Sequence[GroupActivity]) -> Json:
    """The most active groups."""
    return {"groups": [_active(one) for one in found]}


def unsettled(found: Sequence[GroupTally]) -> Json:
    """The groups with the most outstanding."""
    return {"groups": [_unsettled(one) for one in found]}


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
