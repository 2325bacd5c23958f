"""Asking somebody to pay what the plan says. It moves no money."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

INTERVAL: Final = timedelta(hours=24)
"""Between two reminders of one person to another in a group: asking more often is nagging."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """`from_id` asks `to_id` for what the plan said that they owe: minor units. `seq` is that of its event."""

    seq: int
    from_id: str
    to_id: str
    amount: int
    created_at: str


@dataclass(frozen=True, slots=True)
class LastReminder:
    """The last one of the same person to the same person; None: there was none."""

    reminder: Reminder | None


def pair_key(from_id: str, to_id: str) -> str:
    """What the reminders of one person to another are found by."""
    return f"{from_id}>{to_id}"


def next_allowed(last: Reminder) -> str:
    """When the next one may be sent, RFC 3339 UTC."""
    instant = datetime.fromisoformat(last.created_at) + INTERVAL
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
