"""Rates of exchange."""

from dataclasses import asdict
from typing import Final

from persplit.transport import requests as r
from persplit.transport.operations import Answers, Call, Operation, Services, today
from persplit.transport.reach import Reach
from persplit.transport.views import Json

results: Final = Answers("results")


async def _rates(services: Services, call: Call, request: r.ListRates) -> Json:
    _ = call.user_id  # for whoever is signed in
    found = await services.rates.into(request.into, request.date or today())
    return {"rates": [asdict(rate) for rate in found]}


OPERATIONS: Final = (
    Operation(
        "listRates",
        "The newest rates of exchange on or before a day",
        r.ListRates,
        results.Rates,
        _rates,
        "GET /rates",
        about=Reach.CALLER,
    ),
)
