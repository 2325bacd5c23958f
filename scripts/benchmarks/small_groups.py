"""Durable commands a second over 200 small groups, against what the store alone takes with the same group commit.

The store alone: events of the same kind appended by as many tasks as there are groups, each waiting for its own to be
durable before the next, in a process that does nothing else.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import uuid_utils

from persplit.adapters.sqlite_database import SqliteDatabase
from persplit.adapters.sqlite_events import SqliteEvents
from persplit.ledger.events import Event, ExpenseCreated
from persplit.service.ports import NewEvent
from scripts.benchmarks import crowd
from scripts.benchmarks.bench import Bench, home, say
from scripts.benchmarks.crowd import Crowd
from scripts.benchmarks.histories import created, expense
from scripts.benchmarks.rows import OURS, Goal, Row
from scripts.benchmarks.servers import SERVER_CORE, pin
from scripts.benchmarks.world import Size

CROWD: Final = Crowd(Size(groups=200, members=3), devices=200, senders=200)
STORE: Final = "the store alone"
GOALS: Final = (Goal(None, 3_000), Goal(STORE, 0.5))


def measure(bench: Bench) -> Sequence[Row]:
    """The part: see above."""
    say(f"small-groups: {CROWD.size.groups} groups of {CROWD.size.members}")
    (ours,) = bench.contestants(OURS) or (None,)
    if ours is None:
        return []
    outstanding, _ = crowd.fastest(bench, ours, CROWD)
    found = bench.interleaved(
        {OURS: partial(crowd.run, bench, ours, CROWD, outstanding), STORE: partial(_store_alone, bench)}
    )
    what = f"durable commands over {CROWD.size.groups} groups of {CROWD.size.members}, one process, SQLite"
    note = f"commands under way by each group: {outstanding}"
    return [
        Row("small-groups", what, "a second", found["commands"], GOALS, note),
        Row("small-groups", f"{what}: of its core the server took", "share", found["server"]),
    ]


def _store_alone(bench: Bench) -> dict[str, float]:
    with home() as here:
        command = [sys.executable, "-m", "scripts.benchmarks.small_groups", str(here / "store.sqlite3")]
        command += [str(bench.warm_seconds), str(bench.seconds)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    return {"commands": float(json.loads(done.stdout))}


async def appended(path: Path, groups: int, warm_seconds: float, seconds: float) -> float:
    """Events a second that the store takes from one appender for each group."""
    database = SqliteDatabase(path)
    await database.open()
    store = SqliteEvents(database)
    ended = asyncio.Event()
    counts = [0] * groups

    async def append(number: int) -> None:
        group_id, seq = str(uuid_utils.uuid7()), 0
        while not ended.is_set():
            seq += 1
            event: Event = created(group_id) if seq == 1 else ExpenseCreated(expense(seq, CROWD.size.members))
            await store.append(_new(group_id, seq, event))
            counts[number] += 1

    appenders = [asyncio.ensure_future(append(number)) for number in range(groups)]
    await asyncio.sleep(warm_seconds)
    before, began = sum(counts), time.perf_counter()
    await asyncio.sleep(seconds)
    rate = (sum(counts) - before) / (time.perf_counter() - began)
    ended.set()
    await asyncio.gather(*appenders)
    await database.close()
    return rate


def _new(group_id: str, seq: int, event: Event) -> NewEvent:
    return NewEvent(
        group_id=group_id,
        seq=seq,
        at="2026-11-21T08:00:00.000Z",
        by="user 0",
        command_id=str(uuid_utils.uuid7()),
        content_hash="5eed",
        event=event,
    )


if __name__ == "__main__":
    pin(0, SERVER_CORE)
    rate = asyncio.run(appended(Path(sys.argv[1]), CROWD.size.groups, *map(float, sys.argv[2:4])))
    print(json.dumps(rate))  # noqa: T201 - read by who started it
