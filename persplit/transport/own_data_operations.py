"""Taking along all that is kept of oneself, and giving the account up."""

from typing import Final

import orjson

from persplit.ledger.expense import Expense
from persplit.ledger.loan_codec import loan_to_json
from persplit.service.own_data import GroupPart, OwnFile
from persplit.transport import fields as f
from persplit.transport import requests as r
from persplit.transport import token_operations, views
from persplit.transport.limits import Budget
from persplit.transport.operations import Answers, Call, Operation, Services
from persplit.transport.reach import Reach
from persplit.transport.views import Json

results: Final = Answers("own_data_results")

EXPORT_SECONDS_MAX: Final = 60.0
"""For reading the ledgers of all groups of one person."""


class GiveUp(r.Request):
    """The account is to end; its password is asked for again, which a guest doesn't have."""

    password: f.Password | None = None


def _view(it: OwnFile, session_id: str) -> Json:
    return {
        "format": "persplit-account",
        "version": 1,
        "user": views.user(it.user),
        "sessions": [views.session(session, session_id) for session in it.sessions],
        "tokens": [token_operations.view(token) for token in it.tokens],
        "groups": [_group(part) for part in it.groups],
    }


def _group(part: GroupPart) -> Json:
    state = part.state
    things = [(isinstance(thing, Expense), views.thing(thing, state.group_id)) for thing in part.things]
    return {
        "id": state.group_id,
        "name": state.settings.name,
        "currency": state.settings.currency,
        "member": views.member(part.me),
        "balance": state.balances.get(part.me.user_id, 0),
        "expenses": [shown for is_expense, shown in things if is_expense],
        "settlements": [shown for is_expense, shown in things if not is_expense],
        "loans": [loan_to_json(loan, state.group_id) for loan in part.loans],
    }


async def _export(services: Services, call: Call, _: r.Nothing) -> Json:
    found = await services.own_data.file_of(call.user_id)
    file = orjson.dumps(_view(found, call.signed_in.session_id), option=orjson.OPT_INDENT_2)
    return {"file": file, "name": "persplit-account.json"}


async def _give_up(services: Services, call: Call, request: GiveUp) -> Json:
    await services.own_data.give_up(call.user_id, request.password)
    return {}


OPERATIONS: Final = (
    Operation(
        "exportAccount",
        "All that is kept of the caller, as a file: profile, devices, groups, own expenses, payments and loans",
        r.Nothing,
        results.OwnData,
        _export,
        "GET /auth/me/export.json",
        budget=Budget.EXPORTS,
        media_type="application/json",
        seconds_max=EXPORT_SECONDS_MAX,
        about=Reach.ACCOUNT,
        guests=True,
    ),
    Operation(
        "deleteAccount",
        "Give the account up for good: its owner stays in each group as a placeholder, and no balance changes",
        GiveUp,
        None,
        _give_up,
        "DELETE /auth/me",
        status=204,
        writes=True,
        seconds_max=EXPORT_SECONDS_MAX,
        about=Reach.ACCOUNT,
        guests=True,
    ),
)
