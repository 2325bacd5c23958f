"""Catching up: what a client lacks, and its outbox."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from persplit.ledger.errors import FieldError, Invalid, NotFound
from persplit.service.errors import StoreUnavailable
from persplit.service.history import GroupSnapshot
from persplit.service.sync import Known, Missing
from persplit.transport import requests as r
from persplit.transport import views
from persplit.transport.answers import ack_of, is_temporary
from persplit.transport.limits import Budget
from persplit.transport.operations import Answers, Call, Operation, Services
from persplit.transport.problems import refusal
from persplit.transport.reach import Reach
from persplit.transport.views import Json

results: Final = Answers("results")

PULL: Final = "sync:pull"
PUSH_SECONDS_MAX: Final = 7.0
"""For the commands of one push to begin: less than an answer may take, so that what was done is also said."""


async def missing_view(services: Services, missing: Missing) -> Json:
    """What a client lacks, as it is sent."""
    if isinstance(missing.lacks, GroupSnapshot):
        people = await services.people.get(set(missing.lacks.standing.state.members))
        lacks = views.snapshot(missing.lacks, people)
    else:
        people = await services.people.get(views.people_in(missing.lacks.events))
        lacks = views.tail(missing.lacks, people)
    return {**lacks, "epoch": missing.epoch, "reset": missing.is_reset}


async def _pull(services: Services, call: Call, request: r.Pull) -> Json:
    known = Known(request.after, request.epoch)
    missing = await services.sync.missing(request.group_id, call.user_id, known, request.limit)
    return await missing_view(services, missing)


class Outbox:
    """Carries out a client's outbox: each command as if it were sent alone, oldest first."""

    def __init__(self, commands: Mapping[str, Operation]) -> None:
        """`commands`: what an outbox may hold, by event name."""
        self._commands = commands

    async def push(self, services: Services, call: Call, request: r.Push) -> Json:
        """One ack a command.

        A refusal does not stop the rest. After one that can't be answered now the rest isn't tried: it may build
        on that one, and would be refused for good. The same where the time is over.
        """
        acks: list[Json] = []
        now = asyncio.get_running_loop().time
        until = now() + PUSH_SECONDS_MAX
        for command in request.commands:
            if acks and is_temporary(acks[-1]):
                acks.append(acks[-1])
            elif acks and now() >= until:
                acks.append(refusal(StoreUnavailable("the store is slow: this was not tried yet")))
            else:
                name = str(command.get("type"))
                acks.append(await ack_of(self._carry_out(services, call, name, command), name))
        return {"results": acks}

    async def _carry_out(self, services: Services, call: Call, name: str, command: dict[str, Any]) -> Json:
        if not isinstance(command.get("type"), str):
            raise Invalid(FieldError("type", "required: the name of a command"))
        operation = self._commands.get(name)
        if operation is None:
            raise NotFound("there is no such command")
        # The push as a whole counted as one request; each of its commands counts as what it is.
        services.limits.check(operation.budget, call.user_id)
        fields = {field: value for field, value in command.items() if field != "type"}
        return await operation.answer(services, call, operation.request.model_validate(fields))


OPERATIONS: Final = (
    Operation(
        "pull",
        "What the client lacks of a group: events, or a snapshot where that is shorter",
        r.Pull,
        results.Pulled,
        _pull,
        "GET /groups/{groupId}/sync",
        PULL,
        budget=Budget.SYNC_PAGES,
    ),
)


def push_operation(commands: Mapping[str, Operation]) -> Operation:
    """The operation that carries out outboxes of these commands."""
    return Operation(
        "push",
        "Carry out an outbox, oldest first, each command as if sent alone",
        r.Push,
        results.Pushed,
        Outbox(commands).push,
        "POST /sync/push",
        "sync:push",
        # Each command is looked at as if it were sent alone.
        about=Reach.CALLER,
    )
