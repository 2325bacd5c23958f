"""What hints, sweeps and stored events cost: `python -m scripts.benchmarks.costs [names]`, into `costs.json` beside it.

Each cost is measured on the real thing: a node with a real Redis, stores in SQLite and in SecantusDB, which keeps its
data as MongoDB does, in WiredTiger. Processor time, not time that passes: the machine may be busy with something else.
The costs of sockets, commands and deliveries come from `scripts/bench`, and are entered there by hand.
"""

import asyncio
import gc
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import bson
import redis
import uvloop
from pymongo import monitoring

from persplit.adapters import mongo_store
from persplit.adapters.memory_store import MemoryDocuments, MemoryEvents
from persplit.adapters.mongo_store import MongoEvents
from persplit.adapters.redis_hints import RedisHints
from persplit.adapters.sqlite_database import SqliteDatabase
from persplit.adapters.sqlite_events import SqliteEvents
from persplit.ledger.events import RecordedEvent
from persplit.service.follower import Follower
from persplit.service.groups import Groups
from persplit.service.people import People
from persplit.service.ports import READ_LIMIT_MAX, EventStore, Hint
from persplit.service.qr_tokens import QrTokens
from persplit.service.standing import Standings
from persplit.service.users import UNIQUE_KEYS, Users
from persplit.transport.fanout import SocketFanOut
from scripts.benchmarks.made_up_groups import group_id, history, person, put
from tests.servers import free_port, mongodb_command, redis_command, running

COSTS_FILE: Final = Path(__file__).with_name("costs.json")
HINTS: Final = 5_000
AT_ONCE: Final = 500
"""Hints that wait to be published."""
SUBSCRIBERS: Final = 20
GROUPS: Final = 5_000
EVENTS: Final = 20
MEMBERS: Final = 5
SWEEPS: Final = 3
"""The cheapest of so many counts."""
MONGODB_GROUPS: Final = 1_000
WAIT_SECONDS: Final = 120.0

Costs: TypeAlias = dict[str, float]


async def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit("it takes too long")
        await asyncio.sleep(0.01)


# --- hints


@contextmanager
def _redis() -> Iterator[int]:
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        with running(redis_command(port, Path(directory)), port, Path(directory) / "log"):
            yield port


class _Subscribers:
    """Connections that hear the channel, read by a thread that makes nothing of what it reads."""

    def __init__(self, port: int, count: int) -> None:
        self.heard_bytes = 0
        self._sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        for each in self._sockets:
            each.sendall(b"SUBSCRIBE persplit:hints\r\n")
        self._threads = [
            threading.Thread(target=self._read, args=(each,), daemon=True) for each in self._sockets
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, its: socket.socket) -> None:
        while its.recv(65_536):
            pass

    def close(self) -> None:
        """Stop."""
        for each in self._sockets:
            each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in self._sockets:
            each.close()


def _hint(number: int) -> Hint:
    return Hint(group_id(number), number + 1, "")


_PUBLISHER: Final = """
import sys, redis
from scripts.benchmarks.costs import HINTS, _hint
client = redis.Redis(port=int(sys.argv[1]))
for number in range(HINTS):
    hint = _hint(number)
    client.publish("persplit:hints", f"{hint.group_id} {hint.seq} {hint.user_id}")
"""


def _publish_from_elsewhere(port: int) -> None:
    """Publish from another process, so that ours has only what it hears to do; one by one, as nodes do."""
    subprocess.run([sys.executable, "-c", _PUBLISHER, str(port)], check=True)  # noqa: S603 - our own words


class _Load:
    """What Redis has done so far: its processor time in seconds, and bytes in and out."""

    def __init__(self, port: int) -> None:
        with redis.Redis(port=port) as asked:
            said: Any = asked.info()
        self.cpu = said["used_cpu_user"] + said["used_cpu_sys"]
        self.sent = said["total_net_output_bytes"]
        self.taken = said["total_net_input_bytes"]


def _nobody_there(store: EventStore) -> tuple[Groups, SocketFanOut]:
    """A node with nobody connected."""
    people = People(Users(MemoryDocuments(UNIQUE_KEYS)))
    nobody: Any = None  # to emit to
    fan_out = SocketFanOut(nobody, people, nobody)
    return Groups(store, Standings(people, QrTokens(b"no secret")), fan_out, is_shared=True), fan_out


async def _hearing(port: int) -> Costs:
    """A node that hears hints of groups that it doesn't have; then one that publishes, and so hears its own."""
    store = MemoryEvents()
    groups, fan_out = _nobody_there(store)
    hints = RedisHints(f"redis://127.0.0.1:{port}/0")
    following = asyncio.create_task(Follower(store, groups, fan_out, hints).run())
    heard = 0

    def count(hint: Hint | None) -> None:
        nonlocal heard
        heard += hint is not None

    hints.subscribe(count)
    await hints.open()
    try:
        await _until(lambda: hints.are_connected() is True)
        since = time.process_time()
        await asyncio.to_thread(_publish_from_elsewhere, port)
        await _until(lambda: heard == HINTS)
        hearing = (time.process_time() - since) / HINTS
        since = time.process_time()
        for number in range(HINTS):
            await hints.publish(_hint(number))
            if number % AT_ONCE == AT_ONCE - 1:  # what waits too long is dropped
                await _until(lambda end=HINTS + number + 1: heard == end)  # type: ignore[misc]
        both = (time.process_time() - since) / HINTS
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await hints.close()
    return {"hintHeardSeconds": hearing, "hintPublishedSeconds": max(0.0, both - hearing)}


def hints() -> Costs:
    """Of one hint: on the node that publishes it, on each that hears it, and in Redis."""
    with _redis() as port:
        costs: Costs = _run(_hearing(port))
        seen: list[tuple[float, float, float]] = []
        for count in (1, 1 + SUBSCRIBERS):
            subscribers = _Subscribers(port, count)
            before = _Load(port)
            _publish_from_elsewhere(port)
            after = _Load(port)
            subscribers.close()
            seen.append((after.cpu - before.cpu, after.sent - before.sent, after.taken - before.taken))
        (one_cpu, one_sent, taken), (many_cpu, many_sent, _) = seen
        per_delivery = (many_cpu - one_cpu) / (HINTS * SUBSCRIBERS)
        return {
            **costs,
            "redisPublishSeconds": max(0.0, one_cpu / HINTS - per_delivery),
            "redisDeliverySeconds": per_delivery,
            "hintInBytes": taken / HINTS,
            "hintOutBytes": (many_sent - one_sent) / (HINTS * SUBSCRIBERS),
        }


def _run(work: Any) -> Any:
    """The result of the work, on the loop that a server runs on."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


# --- stores


def _people(number: int) -> list[str]:
    return [person(number * 2 + place) for place in range(MEMBERS)]


def _histories(groups: int) -> Iterator[Iterator[RecordedEvent]]:
    return (history(number, _people(number), EVENTS) for number in range(groups))


async def _sweep_seconds(store: EventStore, groups: int) -> float:
    """Processor time of this process to ask for the heads of so many groups as a sweep does, for each of them."""
    ids = [group_id(number) for number in range(groups)]
    best = float("inf")
    for _ in range(SWEEPS):
        since = time.process_time()
        for start in range(0, groups, READ_LIMIT_MAX):
            await store.heads(ids[start : start + READ_LIMIT_MAX])
        best = min(best, time.process_time() - since)
    return best / groups


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def _held_bytes(store: EventStore, groups: int) -> float:
    """Memory that a node takes for one more group that it holds, its plan and its people's names included."""
    held, _ = _nobody_there(store)
    gc.collect()
    before = _resident_bytes()
    for number in range(groups):
        await held.standing_for(group_id(number), _people(number)[0])
    gc.collect()
    return (_resident_bytes() - before) / groups


async def _sqlite(path: Path) -> Costs:
    database = SqliteDatabase(path)
    await database.open()
    try:
        store = SqliteEvents(database)
        await put(store, _histories(GROUPS))
        held = await _held_bytes(store, GROUPS)
        sweep = await _sweep_seconds(store, GROUPS)
    finally:
        await database.close()  # the log goes into the file
    return {"heldGroupBytes": held, "sweepSqliteSeconds": sweep}


def sqlite() -> Costs:
    """Of a group that is held, of one that is swept, and of an event in the file."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "costs.sqlite3"
        costs: Costs = _run(_sqlite(path))
        return {**costs, "eventSqliteBytes": path.stat().st_size / (GROUPS * EVENTS)}


class _Counted(monitoring.CommandListener):
    """How many requests the driver has sent."""

    def __init__(self) -> None:
        self.requests = 0

    def started(self, event: monitoring.CommandStartedEvent) -> None:  # noqa: ARG002 - the interface's
        self.requests += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


async def _mongodb(port: int) -> Costs:
    counted = _Counted()
    monitoring.register(counted)
    client = mongo_store.connect(f"mongodb://127.0.0.1:{port}/costs")
    try:
        store = MongoEvents(mongo_store.database_of(client))
        await store.open()
        await put(store, _histories(MONGODB_GROUPS))
        documents = mongo_store.database_of(client).get_collection("events")
        sample = await documents.find(
            {"groupId": {"$in": [group_id(number) for number in range(10)]}}
        ).to_list(1_000)
        sweep = await _sweep_seconds(store, MONGODB_GROUPS)
        since = counted.requests
        await store.heads([group_id(number) for number in range(100)])
        per_group = (counted.requests - since) / 100
        since, cpu = counted.requests, time.process_time()
        for number in range(200):
            await store.groups_of(person(number))
        looked_up = (time.process_time() - cpu) / 200
        per_person = (counted.requests - since) / 200
        since, cpu = counted.requests, time.process_time()
        for number in range(200):
            await store.read(group_id(number), EVENTS - 1, 1)
        read = (time.process_time() - cpu) / 200
    finally:
        await mongo_store.close(client)
    return {
        "sweepMongodbSeconds": sweep,
        "sweepMongodbRequests": per_group,
        "newcomerSeconds": looked_up,
        "newcomerRequests": per_person,
        "readMongodbSeconds": read,
        "eventBsonBytes": sum(len(bson.encode(one)) for one in sample) / len(sample),
    }


def mongodb() -> Costs:
    """Of a group that is swept, of a look for somebody's new groups, of reading on, and of an event."""
    with tempfile.TemporaryDirectory() as directory:
        home, port = Path(directory), free_port()
        with running(mongodb_command(port, home / "data"), port, home / "log"):
            costs: Costs = _run(_mongodb(port))
        stored = sum(
            it.stat().st_size for it in (home / "data").rglob("*") if it.is_file() and "Log" not in it.name
        )
        return {**costs, "eventMongodbBytes": stored / (MONGODB_GROUPS * EVENTS)}


PARTS: Final[dict[str, Callable[[], Costs]]] = {"sqlite": sqlite, "mongodb": mongodb, "hints": hints}


def machine() -> str:
    """What the figures are from, and how busy it was."""
    processor = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    load = os.getloadavg()[0]
    return f"one of {os.cpu_count()} cores of {processor}, at a load of {load:.1f}; Python {platform.python_version()}"


def main() -> None:
    """Measure, and put the figures in their places; those of other parts stay."""
    names = sys.argv[1:] or list(PARTS)
    costs = json.loads(COSTS_FILE.read_text()) if COSTS_FILE.exists() else {}
    for name in names:
        costs.update({key: float(f"{value:.3g}") for key, value in PARTS[name]().items()})
    costs["machine"] = machine()
    COSTS_FILE.write_text(json.dumps(costs, indent=2, sort_keys=True) + "\n")
    print(COSTS_FILE.read_text())  # noqa: T201 - a command line


if __name__ == "__main__":
    main()
