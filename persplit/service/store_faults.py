"""Says that a store failed: counted by kind, and logged now and then instead of once for each who waits."""

import time
from typing import Final

import structlog

from persplit.service.metrics import STORE_ERRORS

LOG_SECONDS: Final = 10.0
"""Between two lines about the same kind of fault: a full disk fails hundreds of writes a second."""

_log = structlog.get_logger(__name__)
_logged_at: Final[dict[str, float]] = {}


def note_fault(kind: str, cause: BaseException | str) -> None:
    """Count a fault. `kind` is one of those that `STORE_ERRORS` names; `cause` says what the driver said."""
    STORE_ERRORS.labels(kind).inc()
    now = time.monotonic()
    if now - _logged_at.get(kind, -LOG_SECONDS) >= LOG_SECONDS:
        _logged_at[kind] = now
        _log.error("store_failed", kind=kind, error=cause if isinstance(cause, str) else _named(cause))


def _named(cause: BaseException) -> str:
    """Which error it is, in fixed words. A driver's text may quote what was being written: names, addresses."""
    name = type(cause).__name__
    number = getattr(cause, "sqlite_errorname", None) or getattr(cause, "code", None)
    return name if number is None else f"{name} ({number})"
