"""From work to an ack: whatever goes wrong, the answer is one coded object."""

from collections.abc import Awaitable
from typing import Final

import structlog
from pydantic import ValidationError

from persplit.ledger.errors import Invalid, PerSplitError
from persplit.service.errors import InternalError, RateLimited, ServerRestarting, StoreUnavailable
from persplit.transport.problems import refusal
from persplit.transport.requests import field_errors
from persplit.transport.views import Json

TEMPORARY: Final = frozenset(
    error.code for error in (InternalError, RateLimited, ServerRestarting, StoreUnavailable)
)
"""Codes after which the same command, under the same key, may yet succeed."""

_log = structlog.get_logger(__name__)


async def ack_of(work: Awaitable[Json], event: str) -> Json:
    """`{"ok": true, …}` with what the work returns, or `{"ok": false, "error": {…}}`."""
    try:
        return {"ok": True, **await work}
    except PerSplitError as error:
        return refusal(error)
    except ValidationError as error:
        return refusal(Invalid(*field_errors(error)))
    except Exception:  # noqa: BLE001 - the boundary: nothing gets past it uncoded
        _log.exception("command_failed", event_name=event)
        return refusal(InternalError("something went wrong on our side"))


def is_temporary(ack: Json) -> bool:
    """Whether the same command may succeed later."""
    return ack["ok"] is False and ack["error"]["code"] in TEMPORARY
