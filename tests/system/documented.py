"""Whether what the server says is what its documents say: every answer and message of the system tests goes through here."""

import re
from typing import Any

from pydantic import BaseModel

from persplit.transport import results
from persplit.transport.broadcasts import SERVER_EVENTS
from persplit.transport.operations import Operation
from persplit.transport.table import COMMANDS, OPERATIONS

_ROUTES = [
    (method, re.compile(re.sub(r"{\w+}", "[^/]+", path) + r"\Z"), operation)
    for operation in sorted(OPERATIONS, key=lambda it: "{" in (it.rest or ""))
    if operation.rest
    for method, path in [operation.rest.split(" ")]
]
_EVENTS = {event.name: event.payload for event in SERVER_EVENTS}


def check_answer(method: str, path: str, status: int, body: dict[str, Any]) -> None:
    """A REST answer is as the operation's model says, or a problem."""
    if status >= 400:
        check(results.Problem, body)
        assert body["status"] == status
        return
    operation = _operation(method, path.partition("?")[0])
    if operation is None:
        return
    assert status == operation.status, (operation.id, status)
    if operation.result is not None:
        check(operation.result, body)


def check_ack(event: str, ack: dict[str, Any]) -> None:
    """An ack is {ok: true, …} as the command's model says, or {ok: false, error}."""
    if ack["ok"] is False:
        assert ack.keys() == {"ok", "error"}
        check(results.Problem, ack["error"])
        return
    result = COMMANDS[event].result
    assert result is not None
    check(result, {name: value for name, value in ack.items() if name != "ok"})


def check_message(event: str, payload: dict[str, Any]) -> None:
    """A message of the server is documented, and as its model says."""
    check(_EVENTS[event], payload)


def check(model: type[BaseModel], body: dict[str, Any]) -> None:
    """The body has nothing that the model doesn't have, and lacks nothing."""
    parsed = model.model_validate(body)
    assert parsed.model_dump(mode="json", by_alias=True, exclude_unset=True) == body


def _operation(method: str, path: str) -> Operation | None:
    return next((op for verb, pattern, op in _ROUTES if verb == method and pattern.match(path)), None)
