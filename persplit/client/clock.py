"""Time as the ledger writes it. Nothing here is ever used for order: that is the server's `seq`."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Gives the present time, with its zone."""


def local_clock() -> datetime:
    """This device's time, in its own zone."""
    return datetime.now(UTC).astimezone()


def rfc3339(moment: datetime) -> str:
    """The moment in UTC with milliseconds, as the wire has it: `2026-11-21T09:30:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
