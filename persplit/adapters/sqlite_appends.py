"""Appending events: many in one statement, which is a transaction by itself.

With a busy event loop beside it, the writer's thread waits for the interpreter's lock after each call of SQLite's,
up to the switch interval each time. So a batch is one call, however many events it has.
"""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple


class EventRow(NamedTuple):
    """A row of the table `events`, in the order of its columns; `body` is JSON."""

    group_id: str
    seq: int
    command_id: str
    type: str
    noun: str
    subject_id: str
    creation: bool
    at: str
    body: bytes


COLUMNS: Final = ", ".join(EventRow._fields)
ROW: Final = f"({', '.join('?' * len(EventRow._fields))})"
ROWS_MAX: Final = 2_048
"""In one statement: with ten values each they stay below the 32,766 that SQLite takes by default."""
_WIDTH: Final = len(EventRow._fields) + 1
_ROW: Final = f"({', '.join('?' * _WIDTH)})"
"""A row, and whether it follows another one of the same statement."""
_SAID: Final = ", ".join(f"column{number}" for number in range(1, _WIDTH))


def append_all(connection: sqlite3.Connection, rows: Sequence[EventRow]) -> bool:
    """Append the events, at least one, durably unless a transaction is open; whether all of them were new.

    Those that weren't, or would have made a hole, are left out: whoever wants to know which, appends them one by one.
    Where one follows another of the same call, call it in a transaction, and take that back unless all were new.
    """
    places = {(row.group_id, row.seq) for row in rows}
    # Statements of few different lengths, so that SQLite needn't read them anew: the last row is said again and again,
    # and the keys refuse it from the second time on.
    said = 1 << (len(rows) - 1).bit_length()
    values: list[Any] = []
    for row in rows:
        values += row
        values.append((row.group_id, row.seq - 1) in places)
    values += values[-_WIDTH:] * (said - len(rows))
    return connection.execute(_append(said), values).rowcount == len(rows)


def is_chained(rows: Sequence[EventRow]) -> bool:
    """Whether any of the events follows another one of them."""
    places = {(row.group_id, row.seq) for row in rows}
    return any((row.group_id, row.seq - 1) in places for row in rows)


@lru_cache
def _append(rows: int) -> str:
    """The statement for so many rows: in one, no other process comes between the look and the write.

    The keys refuse a second event with the seq or the command; the condition refuses a hole, and an erased group.
    """
    return f"""
        INSERT INTO events ({COLUMNS})
        SELECT {_SAID} FROM (VALUES {", ".join([_ROW] * rows)}) AS new
        WHERE (column2 = 1 OR column{_WIDTH}
            OR EXISTS (SELECT 1 FROM events WHERE group_id = column1 AND seq = column2 - 1))
        AND NOT EXISTS (SELECT 1 FROM erased_groups WHERE group_id = column1)
        ON CONFLICT DO NOTHING
    """  # noqa: S608 - of our own words
