"""Appending events: many in one statement, which is a transaction by itself.

With a busy event loop beside it, the writer's thread waits for the interpreter's lock after each call of SQLite's,
up to the switch interval each time. So a batch is one call, however many events it has.
"""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple


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


def append_all(connection: sqlite3.Connection, rows: Sequence[EventRow]) -> bool:
    """Append the events, at least one, durably unless a transaction is open; whether all of them were new.

    Those that weren't, or would have made a hole, are left out: whoever wants to know which, appends them one by one.
    An event can't follow another one of the same call.
    """
    # Statements of few different lengths, so that SQLite needn't read them anew: the last row is said again and again,
    # and the keys refuse it from the second time on.
    said = 1 << (len(rows) - 1).bit_length()
    values = [value for row in rows for value in row]
    values += rows[-1] * (said - len(rows))
    return connection.execute(_append(said), values).rowcount == len(rows)


@lru_cache
def _append(rows: int) -> str:
    """The statement for so many rows: in one, no other process comes between the look and the write.

    The keys refuse a second event with the seq or the command; the condition refuses a hole, and an erased group.
    """
    return f"""
        INSERT INTO events ({COLUMNS})
        SELECT * FROM (VALUES {", ".join([ROW] * rows)}) AS new
        WHERE (column2 = 1 OR EXISTS (SELECT 1 FROM events WHERE group_id = column1 AND seq = column2 - 1))
        AND NOT EXISTS (SELECT 1 FROM erased_groups WHERE group_id = column1)
        ON CONFLICT DO NOTHING
    """  # noqa: S608 - of our own words
