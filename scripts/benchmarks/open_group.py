"""How long a group with a long history takes to open: `python -m scripts.benchmarks.open_group [events]`.

On SQLite, in a temporary directory: folding every event, against the newest snapshot and the events since.
"""

import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import orjson

from persplit.adapters.sqlite_database import SqliteDatabase
from persplit.adapters.sqlite_events import SqliteEvents
from persplit.ledger.codec import TYPES, event_to_document
from persplit.ledger.events import RecordedEvent, is_creation, subject_of
from persplit.ledger.state import GroupState, apply
from persplit.service import snapshots
from scripts.benchmarks.bench import Bench, say
from scripts.benchmarks.histories import history
from scripts.benchmarks.rows import OURS, Row

EVENTS_DEFAULT: Final = 100_000
MEMBERS: Final = 6
TAIL: Final = snapshots.SNAPSHOT_EVERY - 1
"""Events since the newest snapshot, at worst."""
_TRIES: Final = 3
_GROUP: Final = "group"
_INSERT: Final = "INSERT INTO events VALUES (:group_id, :seq, :command_id, :type, :noun, :subject_id, :creation, :at, :body)"


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
        connection.executemany(_INSERT, map(_row, history(_GROUP, MEMBERS, count)))

    await database.write(insert)
    state: GroupState | None = None
    for recorded in history(_GROUP, MEMBERS, count - TAIL):
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


async def opened(count: int) -> tuple[float, float, int]:
    """Seconds to open a group of `count` events, folding all and from a snapshot, and the snapshot's bytes."""
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
    return full, quick, len(snapshot.body)


def measure(bench: Bench) -> Sequence[Row]:
    """The part: opening a group with a long history."""
    if not bench.wants(OURS):
        return []
    say("open-group")
    count = EVENTS_DEFAULT // (10 if bench.is_quick else 1)

    def once() -> dict[str, float]:
        full, quick, _ = asyncio.run(opened(count))
        return {"folded": 1_000 * full, "snapshot": 1_000 * quick}

    found = bench.interleaved({OURS: once})
    what = f"opening a group of {count:,} events"
    return [
        Row("open-group", f"{what}, folding every event", "ms", found["folded"]),
        Row("open-group", f"{what}, from a snapshot and {TAIL} events since", "ms", found["snapshot"]),
    ]


def _main(count: int) -> None:
    full, quick, size = asyncio.run(opened(count))
    lines = (
        f"{count} events, snapshot of {size / 1_000:.1f} kB, {TAIL} events since",
        f"every event      {full * 1_000:8.1f} ms",
        f"from a snapshot  {quick * 1_000:8.1f} ms, {full / quick:.0f} times as fast",
    )
    print("\n".join(lines))  # noqa: T201 - it is what the script is for


if __name__ == "__main__":
    _main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS_DEFAULT)
