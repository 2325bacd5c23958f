"""Balances, explanations, the ledger itself, and one person's overview."""

from typing import Final

from persplit.service.people import shown_name
from persplit.transport import requests as r
from persplit.transport import views
from persplit.transport.fields import cursor_of
from persplit.transport.limits import Budget
from persplit.transport.operations import Answers, Call, Operation, Services, page_by_id
from persplit.transport.views import Json

results: Final = Answers("results")


async def _balances(services: Services, call: Call, request: r.GetBalances) -> Json:
    return views.standing(
        await services.history.standing(request.group_id, call.user_id, at=request.at, seq=request.seq)
    )


async def _explain(services: Services, call: Call, request: r.Explain) -> Json:
    found = await services.history.explain(request.group_id, call.user_id, request.from_, request.to)
    return views.explanation(found, request.from_, request.to)


async def _events(services: Services, call: Call, request: r.ListEvents) -> Json:
    after = int(request.cursor) if request.cursor else request.after
    tail = await services.history.events(request.group_id, call.user_id, after, request.limit)
    return {
        "events": views.events(tail.events, await services.people.get(views.people_in(tail.events))),
        "nextCursor": cursor_of(tail.events[-1].seq) if tail.more else None,
    }


async def _my_balances(services: Services, call: Call, _: r.Nothing) -> Json:
    me = call.user_id
    states = await services.overview.states(me, await services.overview.group_ids(me))
    overall: dict[str, int] = {}
    for state in states:
        currency = state.settings.currency
        overall[currency] = overall.get(currency, 0) + state.balances[me]
    return {
        "overall": [{"currency": currency, "amount": amount} for currency, amount in sorted(overall.items())],
        "groups": [
            {
                "groupId": state.group_id,
                "name": state.settings.name,
                "currency": state.settings.currency,
                "amount": state.balances[me],
            }
            for state in states
        ],
    }


async def _friends(services: Services, call: Call, request: r.ListById) -> Json:
    found = await services.overview.friends(call.user_id)
    people = await services.people.get({friend.user_id for friend in found})
    friends: dict[str, Json] = {}
    for friend in found:
        entry = friends.setdefault(
            friend.user_id,
            {
                "userId": friend.user_id,
                "name": shown_name(people, friend.user_id, friend.name, placeholder=friend.placeholder),
                "balances": [],
                "loans": [],
            },
        )
        for name, amount in (("balances", friend.amount), ("loans", friend.lent)):
            if amount:
                entry[name].append({"currency": friend.currency, "amount": amount})
    page, cursor = page_by_id(list(friends.values()), lambda friend: str(friend["userId"]), request)
    return {"friends": page, "nextCursor": cursor}


OPERATIONS: Final = (
    Operation(
        "getBalances",
        "Balances, debts and the settle-up plan: now, at an instant, or after an event",
        r.GetBalances,
        results.Balances,
        _balances,
        "GET /groups/{groupId}/balances",
        "balances:get",
    ),
    Operation(
        "explain",
        "Why one pays the other",
        r.Explain,
        results.Explanation,
        _explain,
        "GET /groups/{groupId}/explain",
    ),
    Operation(
        "listEvents",
        "The ledger: who did what, when",
        r.ListEvents,
        results.Events,
        _events,
        "GET /groups/{groupId}/events",
        budget=Budget.SYNC_PAGES,
    ),
    Operation(
        "myBalances",
        "My net position, overall and by group",
        r.Nothing,
        results.MyBalances,
        _my_balances,
        "GET /balances/me",
        guests=True,
    ),
    Operation(
        "friends",
        "My net position with each person over all groups",
        r.ListById,
        results.Friends,
        _friends,
        "GET /balances/friends",
        guests=True,
    ),
)
