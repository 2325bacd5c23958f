"""Durable commands a second over 200 small groups, against what the store alone takes with the same group commit.

The store alone: events of the same kind appended by as many tasks as there are groups, each waiting for its own to be
durable before the next, in a process that does nothing else. The handler alone: commands decided and stored likewise,
with nobody connected, so that nothing is read, checked, planned, broadcast or answered: what no server that does all
that as well can come near.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import uuid_utils

from persplit.adapters.sqlite_database import SqliteDatabase
from persplit.adapters.sqlite_events import SqliteEvents
from persplit.bootstrap import open_node
from persplit.config import Settings
from persplit.ledger.commands import CreateExpense
from persplit.ledger.events import Event, ExpenseCreated
from persplit.ledger.expense import ExpenseDraft, SplitType
from persplit.server import loop_factory, tune_interpreter
from persplit.service.command_request import CommandRequest
from persplit.service.ports import NewEvent
from scripts.benchmarks import crowd
from scripts.benchmarks.bench import Bench, home, say
from scripts.benchmarks.crowd import Crowd
from scripts.benchmarks.histories import created, expense
from scripts.benchmarks.rows import OURS, Goal, Row
from scripts.benchmarks.servers import SERVER_CORE, pin
from scripts.benchmarks.world import Group, Size, seeded

CROWD: Final = Crowd(Size(groups=200, members=3), devices=200, senders=200)
STORE: Final = "the store alone"
HANDLER: Final = "the handler alone"
GOALS: Final = (Goal(None, 3_000), Goal(STORE, 0.5))


def measure(bench: Bench) -> Sequence[Row]:
    """The part: see above."""
    say(f"small-groups: {CROWD.size.groups} groups of {CROWD.size.members}")
    (ours,) = bench.contestants(OURS) or (None,)
    if ours is None:
        return []
    outstanding, _ = crowd.fastest(bench, ours, CROWD)
    found = bench.interleaved(
        {
            OURS: partial(crowd.run, bench, ours, CROWD, outstanding),
            HANDLER: partial(_alone, bench, HANDLER),
            STORE: partial(_alone, bench, STORE),
        }
    )
    what = f"durable commands over {CROWD.size.groups} groups of {CROWD.size.members}, one process, SQLite"
    note = f"commands under way by each group: {outstanding}"
    return [
        Row("small-groups", what, "a second", found["commands"], GOALS, note),
        Row("small-groups", f"{what}: of its core the server took", "share", found["server"]),
    ]


def _alone(bench: Bench, what: str) -> dict[str, float]:
    with home() as here:
        command = [sys.executable, "-m", "scripts.benchmarks.small_groups", what, str(here)]
        command += [str(bench.warm_seconds), str(bench.seconds)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    return {"commands": float(json.loads(done.stdout))}


async def appended(here: Path, warm_seconds: float, seconds: float) -> float:
    """Events a second that the store takes from one appender for each group."""
    database = SqliteDatabase(here / "store.sqlite3")
    await database.open()
    store = SqliteEvents(database)

    async def appending() -> AsyncIterator[None]:
        group_id, seq = str(uuid_utils.uuid7()), 0
        while True:
            seq += 1
            event: Event = created(group_id) if seq == 1 else ExpenseCreated(expense(seq, CROWD.size.members))
            await store.append(_new(group_id, seq, event))
            yield

    rate = await _rate([appending() for _ in range(CROWD.size.groups)], warm_seconds, seconds)
    await database.close()
    return rate


async def handled(here: Path, warm_seconds: float, seconds: float) -> float:
    """Commands a second that the handler takes from one sender in each group."""
    settings = Settings(data_dir=here)
    world = await seeded(settings, CROWD.size)
    async with open_node(settings) as node:

        async def sending(group: Group) -> AsyncIterator[None]:
            people = tuple(person.id for person in group.members)
            while True:
                draft = ExpenseDraft("Dinner by the sea", 123_457, SplitType.EQUAL, participants=people)
                key, command = str(uuid_utils.uuid7()), CreateExpense(str(uuid_utils.uuid7()), draft)
                asked = CommandRequest(people[0], group.id, key, "", command, is_new_id=True)
                await node.services.handler.handle(asked)
                yield

        return await _rate([sending(group) for group in world.groups], warm_seconds, seconds)


async def _rate(writers: Sequence[AsyncIterator[None]], warm_seconds: float, seconds: float) -> float:
    """How often a second any of them has written."""
    ended = asyncio.Event()
    count = 0

    async def run(writer: AsyncIterator[None]) -> None:
        nonlocal count
        async for _ in writer:
            count += 1
            if ended.is_set():
                break

    running = [asyncio.ensure_future(run(writer)) for writer in writers]
    await asyncio.sleep(warm_seconds)
    before, began = count, time.perf_counter()
    await asyncio.sleep(seconds)
    rate = (count - before) / (time.perf_counter() - began)
    ended.set()
    await asyncio.gather(*running)
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
    measured = {STORE: appended, HANDLER: handled}[sys.argv[1]]
    tune_interpreter()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        rate = runner.run(measured(Path(sys.argv[2]), *map(float, sys.argv[3:5])))
    print(json.dumps(rate))  # noqa: T201 - read by who started it
