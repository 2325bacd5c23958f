"""`scripts/torture crash`: the server is killed over and over while clients write, and everything is checked.

A chapter begins with a store that isn't there: the first starts are killed as well, while the tables are being made.
Then come cycles: clients write, everything is killed at a random moment, started again and checked. Now and then the
server is stopped dead first and its files copied: the image of a crash, which must open and hold what was acknowledged.
"""

import argparse
import asyncio
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from persplit.bootstrap import DATABASE_FILE, open_stores
from persplit.config import Settings
from persplit.ledger.events import RecordedEvent
from persplit.ledger.snapshot import STATE_VERSION
from persplit.service import snapshots
from persplit.service.ports import EventStore
from tests.servers import Server, free_port_for_restarts, mongodb_command
from tests.torture import options
from tests.torture.checker import Finding, check
from tests.torture.concurrency import SECRET
from tests.torture.fold import moments
from tests.torture.forked import ForkedServer
from tests.torture.history import History, Json, Outcome, now
from tests.torture.runs import Party, ledgers_of, party, summary

KILL_MS_MAX: Final = 500
"""From the first moment at which clients can write to the kill."""
START_MS_MAX: Final = 300
"""A fork's start takes about that long: a kill comes anywhere within."""
CHANGES: Final = "saves_snapshots_often"
STARTS_KILLED: Final = 3
"""At the beginning of a chapter."""
STARTS_KILLED_SHARE: Final = 0.2
"""Of the starts after a kill."""
IMAGE_EVERY: Final = 5
"""Cycles between two crash images."""
CYCLES_PER_CHAPTER: Final = 20
"""So that a history stays small enough to be checked after every cycle, and a group gets its snapshots."""


class Alone:
    """One server over SQLite, and all that can be done to it."""

    def __init__(self, home: Path, changes: str = CHANGES) -> None:
        self.home = home
        self.settings = Settings(data_dir=home / "data")
        self._server = ForkedServer(home / "data", port=free_port_for_restarts(), changes=changes)
        self.url = self._server.url

    def spawn(self) -> None:
        """Begin to start."""
        self._server.spawn()

    def wait_until_ready(self) -> None:
        """Wait for the end of the start."""
        self._server.wait_until_ready()

    def kill(self, chance: random.Random) -> bool:
        """Kill what is to be killed; whether the server is among it."""
        self._server.kill()
        return True

    def image(self, place: Path) -> Settings | None:
        """The files as they are at this instant, in another place; None where a copy is no crash's image."""
        self._server.send(signal.SIGSTOP)
        place.mkdir()
        for file in (self.home / "data").glob(f"{DATABASE_FILE}*"):
            if not file.name.endswith("-shm"):  # it isn't on disk after a power cut
                shutil.copy(file, place)
        return Settings(data_dir=place)

    def stop(self) -> None:
        """The end."""
        if self._server.is_running:
            self._server.kill()


class WithMongoDB(Alone):
    """One server over a MongoDB that is killed, too."""

    def __init__(self, home: Path, changes: str = CHANGES) -> None:
        self.home = home
        port = free_port_for_restarts()
        # Each commit waits for the disk, as `journal` asks for.
        command = mongodb_command(port, home / "mongodb", "--sync-on-commit")
        self._mongodb = Server(command, port, home / "mongodb.log")
        self._is_up = True
        uri = f"mongodb://127.0.0.1:{port}/torture"
        self.settings = Settings(mongodb_uri=SecretStr(uri), jwt_secret=SecretStr(SECRET))
        variables = {"PERSPLIT_MONGODB_URI": uri, "PERSPLIT_JWT_SECRET": SECRET}
        self._server = ForkedServer(
            home / "data", port=free_port_for_restarts(), changes=changes, **variables
        )
        self.url = self._server.url

    def spawn(self) -> None:
        """Begin to start."""
        if not self._is_up:
            self._mongodb.start()
            self._is_up = True
        if not self._server.is_running:
            super().spawn()

    def kill(self, chance: random.Random) -> bool:
        """Kill the one, the other, or both."""
        victims = chance.choice(["the server", "MongoDB", "both"])
        if victims != "the server":
            self._mongodb.kill()
            self._is_up = False
        if victims != "MongoDB":
            super().kill(chance)
        return victims != "MongoDB"

    def image(self, place: Path) -> Settings | None:
        """See above. MongoDB's files are its own business."""
        return None

    def stop(self) -> None:
        """The end."""
        super().stop()
        self._mongodb.kill()


STORES: Final[dict[str, Callable[[Path], Alone]]] = {"sqlite": Alone, "mongodb": WithMongoDB}


@dataclass(slots=True)
class Result:
    """What came of a run. `faults` are those that aren't about the history: snapshots, accounts."""

    cycles: int = 0
    starts_killed: int = 0
    images: int = 0
    snapshots: set[tuple[str, int]] = field(default_factory=set)
    commands: int = 0
    acknowledged: int = 0
    findings: list[Finding] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    last: History = field(default_factory=History)

    @property
    def is_right(self) -> bool:
        """Whether everything was kept that was promised."""
        return not self.findings and not self.faults


@contextmanager
def victim(home: Path, store: str) -> Iterator[Alone]:
    """The server that will be killed, with its store."""
    home.mkdir()
    made = STORES[store](home)
    try:
        yield made
    finally:
        made.stop()


async def chapter(alone: Alone, seed: int, cycles: int, result: Result, *, devices: int = 6) -> None:
    """One store from its first start on, through so many cycles, to its end."""
    chance = random.Random(seed)  # noqa: S311 - of a test
    for _ in range(STARTS_KILLED):
        await _killed_while_starting(alone, chance, result)
    await _starts(alone)
    async with party(alone.home / "history", [alone.url], seed, is_durable=True) as made:
        await made.gather(people=3, wanderers=1, groups=2)
        made.add_devices(devices)
        for cycle in range(cycles):
            await _cycle(alone, made, chance, result, is_image=cycle % IMAGE_EVERY == IMAGE_EVERY - 1)
            if not result.is_right:
                break
        await made.settle(alone.settings)
        result.faults += await made.newcomers_without_account()
        await _check(alone.settings, made.history(), result)
        result.last = made.history()
        result.commands += len(result.last.attempts)
        result.acknowledged += sum(attempt.outcome is Outcome.OK for attempt in result.last.attempts)


async def _starts(alone: Alone) -> None:
    await asyncio.to_thread(alone.spawn)
    await asyncio.to_thread(alone.wait_until_ready)


async def _killed_while_starting(alone: Alone, chance: random.Random, result: Result) -> None:
    """Also while the tables are being made, or the log of the last crash is read."""
    await asyncio.to_thread(alone.spawn)
    await asyncio.sleep(chance.uniform(0.001, START_MS_MAX / 1000))
    alone.kill(chance)
    result.starts_killed += 1


async def _cycle(alone: Alone, made: Party, chance: random.Random, result: Result, *, is_image: bool) -> None:
    """Clients write, the server or its store is killed, started again, and everything is checked."""
    await asyncio.gather(*(device.try_to_connect() for device in made.devices[::2]))
    place = alone.home / f"image-{made.seed}-{result.cycles}"
    async with made.at_work():
        await asyncio.sleep(chance.uniform(0.001, KILL_MS_MAX / 1000))
        image = alone.image(place) if is_image else None
        instant = now()
        is_server_gone = alone.kill(chance)
        if not is_server_gone:
            # It waits for its store, and so do the clients.
            await asyncio.to_thread(alone.spawn)
    result.cycles += 1
    if image is not None:
        result.images += 1
        await _open_image(place)
        await _check(image, made.history().until(instant), result)
        shutil.rmtree(place)
    if chance.random() < STARTS_KILLED_SHARE:
        await _killed_while_starting(alone, chance, result)
    await _starts(alone)
    if is_server_gone:
        made.killed()
    await _check(alone.settings, made.history(), result)
    result.faults += await made.newcomers_without_account()


async def _open_image(place: Path) -> None:
    """The server starts on it, and ends."""
    server = ForkedServer(place, port=free_port_for_restarts())
    try:
        await asyncio.to_thread(server.start)
    finally:
        await asyncio.to_thread(server.stop)


async def _check(settings: Settings, history: History, result: Result) -> None:
    """The history, and the snapshots that were saved: what is in the store is looked at, not what the server says."""
    ledgers = await ledgers_of(settings, sorted({attempt.group_id for attempt in history.attempts}))
    result.findings += check(history, ledgers)
    async with open_stores(settings) as stores:
        for group_id, events in ledgers.items():
            result.faults += await _snapshot_faults(stores.events, group_id, events, result)


async def _snapshot_faults(
    store: EventStore, group_id: str, events: Sequence[Json], result: Result
) -> list[str]:
    """Every snapshot that is there is whole, and is the fold of the ledger up to it."""
    faults = []
    right = moments(events).balances
    up_to = len(events) + snapshots.SNAPSHOT_EVERY
    while (snapshot := await store.load_snapshot(group_id, STATE_VERSION, up_to)) is not None:
        up_to = snapshot.seq - 1
        result.snapshots.add((group_id, snapshot.seq))
        state = snapshots.decode(snapshot)
        folded = snapshots.fold(None, await _events(store, group_id, snapshot.seq))
        if state is None or state != folded:
            faults.append(f"group {group_id}: the snapshot at {snapshot.seq} is damaged, or not the fold")
        elif {user: amount for user, amount in state.balances.items() if amount} != right[snapshot.seq]:
            faults.append(
                f"group {group_id}: the balances at {snapshot.seq} aren't what the ledger adds up to"
            )
    return faults


async def _events(store: EventStore, group_id: str, up_to: int) -> list[RecordedEvent]:
    events: list[RecordedEvent] = []
    while len(events) < up_to:
        events += await store.read(group_id, len(events), up_to - len(events))
    return events


async def run(home: Path, store: str, seed: int, cycles: int, per_chapter: int) -> Result:
    """So many cycles, in chapters."""
    result = Result()
    number = 0
    while result.cycles < cycles and result.is_right:
        with victim(home / f"chapter-{number}", store) as alone:
            await chapter(alone, seed + number, min(per_chapter, cycles - result.cycles), result)
        number += 1
        print(f"{result.cycles} cycles, {result.commands} commands", flush=True)  # noqa: T201 - a command line
    return result


def main(arguments: list[str]) -> int:
    """The long run."""
    parser = options.parser("crash", __doc__ or "")
    parser.add_argument("--store", choices=sorted(STORES), default="sqlite", help="what is killed")
    parser.add_argument("--cycles", type=int, default=200, help="kills while clients write")
    parser.add_argument("--chapter", type=int, default=CYCLES_PER_CHAPTER, help="cycles of one store")
    given: argparse.Namespace = parser.parse_args(arguments)
    seed, started = options.seed_of(given.seed), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="persplit-torture-") as place:
        result = asyncio.run(run(Path(place), given.store, seed, given.cycles, given.chapter))
    lines = [
        f"{result.cycles} cycles, {result.starts_killed} starts killed, {result.images} crash images opened",
        f"{result.commands} commands sent, {result.acknowledged} acknowledged",
        f"{len(result.snapshots)} snapshots compared with the fold",
        "the last chapter:",
        summary(result.last, result.findings, started),
        *result.faults,
    ]
    print("\n".join(lines))  # noqa: T201
    return 0 if result.is_right else 1
