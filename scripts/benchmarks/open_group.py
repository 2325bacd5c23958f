"""How long a group with a long history takes to open: `python -m scripts.benchmarks.open_group [events]`.

On SQLite, in a temporary directory: folding every event, against the newest snapshot and the events since.
"""

import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import orjson

from persplit.adapters.sqlite_database import SqliteDatabase
from persplit.adapters.sqlite_events import SqliteEvents
from persplit.ledger.codec import TYPES, event_to_document
from persplit.ledger.events import (
    Event,
    ExpenseCreated,
    GroupCreated,
    MemberJoined,
    RecordedEvent,
    is_creation,
    subject_of,
)
from persplit.ledger.expense import Expense, Posting, SplitType
from persplit.ledger.group import GroupSettings, Member, Role
from persplit.ledger.state import GroupState, apply
from persplit.service import snapshots

EVENTS_DEFAULT: Final = 100_000
MEMBERS: Final = 6
TAIL: Final = snapshots.SNAPSHOT_EVERY - 1
"""Events since the newest snapshot, at worst."""
_TRIES: Final = 3
_GROUP: Final = "group"
_NOW: Final = "2026-11-21T08:00:00.000Z"
_INSERT: Final = "INSERT INTO events VALUES (:group_id, :seq, :command_id, :type, :noun, :subject_id, :creation, :at, :body)"


def history(count: int) -> Iterator[RecordedEvent]:
    """A group of `MEMBERS`, then equal expenses of theirs in turn."""
    people = [
        Member(f"user {number}", f"User {number}", Role.ADMIN, placeholder=False, joined_at=_NOW)
        for number in range(MEMBERS)
    ]
    settings = GroupSettings("Long", None, "INR", simplify=True, has_password=False, archived_at=None, seq=1)
    joined: list[Event] = [GroupCreated(settings, people[0]), *map(MemberJoined, people[1:])]
    for seq in range(1, count + 1):
        event = joined[seq - 1] if seq <= MEMBERS else ExpenseCreated(_expense(seq))
        yield RecordedEvent(_GROUP, seq, _NOW, people[0].user_id, f"command {seq}", "5eed", event)


def _expense(seq: int) -> Expense:
    shares = tuple(Posting(f"user {number}", 100 + seq % 50) for number in range(MEMBERS))
    amount = sum(share.amount for share in shares)
    return Expense(
        id=f"expense {seq}",
        seq=seq,
        description="Dinner by the sea",
        amount=amount,
        payers=(Posting(f"user {seq % MEMBERS}", amount),),
        split_type=SplitType.EQUAL,
        participants=tuple(share.user_id for share in shares),
        splits=(),
        items=(),
        include_payer=True,
        date=_NOW[:10],
        category=None,
        notes=None,
        shares=shares,
        created_by="user 0",
        created_at=_NOW,
        updated_at=_NOW,
    )


def _row(recorded: RecordedEvent) -> dict[str, Any]:
    noun, subject_id = subject_of(recorded.event)
    return {
        "group_id": recorded.group_id,
        "seq": recorded.seq,
        "command_id": recorded.command_id,
        "type": TYPES[type(recorded.event)],
        "noun": noun.value,
        "subject_id": subject_id,
        "creation": is_creation(recorded.event),
        "at": recorded.at,
        "body": orjson.dumps(event_to_document(recorded)),
    }


async def _fill(database: SqliteDatabase, count: int) -> GroupState:
    """Write the history as rows, in one transaction; returns the state at the last snapshot that may be there."""

    def insert(connection: sqlite3.Connection) -> None:
        connection.executemany(_INSERT, map(_row, history(count)))

    await database.write(insert)
    state: GroupState | None = None
    for recorded in history(count - TAIL):
        state = apply(state, recorded)
    if state is None:
        raise SystemExit(f"at least {TAIL + 1} events")
    return state


async def _seconds(opening: Callable[[], Awaitable[object]]) -> float:
    """The quickest of some tries: the machine is shared."""
    times = []
    for _ in range(_TRIES):
        started = perf_counter()
        await opening()
        times.append(perf_counter() - started)
    return min(times)


async def _main(count: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        database = SqliteDatabase(Path(directory) / "open_group.sqlite3")
        await database.open()
        try:
            store = SqliteEvents(database)
            state = await _fill(database, count)
            # Asked for at its head, a group is folded as ever but its snapshot isn't kept.
            full = await _seconds(lambda: snapshots.load(store, _GROUP, count))
            snapshot = snapshots.encode(state)
            await store.save_snapshot(snapshot)
            quick = await _seconds(lambda: snapshots.load(store, _GROUP))
        finally:
            await database.close()
    lines = (
        f"{count} events, snapshot of {len(snapshot.body) / 1_000:.1f} kB, {TAIL} events since",
        f"every event      {full * 1_000:8.1f} ms",
        f"from a snapshot  {quick * 1_000:8.1f} ms, {full / quick:.0f} times as fast",
    )
    print("\n".join(lines))  # noqa: T201 - it is what the script is for


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS_DEFAULT))
