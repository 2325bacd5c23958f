"""`scripts/deploy-check`: workers exchanged and nodes replaced while people write; nobody is to notice."""

import argparse
import asyncio
import itertools
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.deploy.balancer import Balancer, balancing
from tests.deploy.travellers import Tally, Traveller, check, travelling, until
from tests.processes import PATIENCE_SECONDS, ServerProcess
from tests.servers import free_port, free_port_for_restarts, mongodb_command, redis_command, running
from tests.torture.forked import ForkedServer

SECRET: Final = "a secret of more than thirty-two bytes, for tests"
DELAY_SECONDS: Final = 1
"""For our balancer, which looks five times a second, to stop sending to a node that leaves."""
ROLL_SECONDS_MAX: Final = 3 * PATIENCE_SECONDS
SETTLE_SECONDS: Final = 1.0
"""Of ordinary work before and after each exchange."""

WRONG_SHOWN_MAX: Final = 20
_COLUMNS: Final = (
    *("written", "replayed", "restarting", "unanswered", "sockets", "closings", "longest gap", "wrong"),
)


@dataclass(frozen=True)
class Options:
    """How long and how hard. `pause_s` is between two commands of one person.

    `are_forked`: whether nodes without workers are forks (`tests.torture.forked`) instead of started from nothing.
    """

    rolls: int = 5
    exchanges: int = 2
    people: int = 12
    groups: int = 4
    pause_s: float = 0.05
    are_forked: bool = False


@dataclass(frozen=True)
class Backing:
    """MongoDB and Redis, and where the nodes keep what is theirs."""

    home: Path
    mongodb_uri: str
    redis_url: str

    def node(self, name: str, *arguments: str, kind: type[ServerProcess] = ServerProcess) -> ServerProcess:
        """A node over them, not started yet."""
        return kind(
            self.home / name,
            *("--mongodb-uri", self.mongodb_uri, "--redis-url", self.redis_url, *arguments),
            port=free_port_for_restarts(),
            PERSPLIT_JWT_SECRET=SECRET,
            PERSPLIT_LOG_LEVEL="warning",
            PERSPLIT_SHUTDOWN_DELAY_SECONDS=str(DELAY_SECONDS),
        )


def port_of(node: ServerProcess) -> int:
    """Where it listens."""
    return int(node.url.rpartition(":")[2])


async def roll(node: ServerProcess, times: int, *, twice: bool) -> None:
    """Exchange all workers so many times. `twice`: ask again while an exchange goes on."""
    for _ in range(times):
        await asyncio.sleep(SETTLE_SECONDS)
        before = set(node.workers())
        node.send(signal.SIGHUP)
        if twice:
            await until(lambda b=before: set(node.workers()) - b != set(), "a new worker", ROLL_SECONDS_MAX)  # type: ignore[misc]
            node.send(signal.SIGHUP)
        await until(lambda b=before: _is_exchanged(node, b), "the exchange", ROLL_SECONDS_MAX)  # type: ignore[misc]


def _is_exchanged(node: ServerProcess, before: set[int]) -> bool:
    now = set(node.workers())
    return len(now) == len(before) and not now & before


async def replace(nodes: list[ServerProcess], balancer: Balancer, times: int) -> None:
    """Stop and start each node in turn, as a platform's rolling deploy does."""
    for _ in range(times):
        for node in nodes:
            await asyncio.sleep(SETTLE_SECONDS)
            code = await asyncio.to_thread(node.stop)
            assert code == 0, node.printed
            await asyncio.to_thread(node.start)
            await balancer.until_ready(port_of(node))


async def under_load(
    url: str, options: Options, disturb: Callable[[], Awaitable[None]], *, force_close: bool
) -> tuple[Tally, list[str]]:
    """People write and listen at the URL while it is disturbed. Returns what they saw, and what was wrong."""
    names = [f"Person{number}" for number in range(options.people)]
    async with travelling(url, names, options.groups, force_close=force_close) as (people, group_ids):
        stop = asyncio.Event()
        writing = [
            asyncio.create_task(_write(person, number, group_ids, stop, options.pause_s))
            for number, person in enumerate(people)
        ]
        await disturb()
        await asyncio.sleep(SETTLE_SECONDS)
        stop.set()
        # Each finishes what it has begun: an outbox is never given up.
        await asyncio.gather(*writing)
        total, wrong = Tally(), await check(people, group_ids)
        for person in people:
            total += person.tally
        return total, [*wrong, *total.faults]


async def _write(
    person: Traveller, number: int, group_ids: list[str], stop: asyncio.Event, pause_s: float
) -> None:
    for turn in itertools.count(number):
        if stop.is_set():
            return
        # Every other person by socket, every other by REST.
        await person.spends(group_ids[turn % len(group_ids)], over_socket=number % 2 == 0)
        await asyncio.sleep(pause_s)


@contextmanager
def backing() -> Iterator[Backing]:
    """MongoDB and Redis of our own, while the block runs."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        mongodb, redis = free_port(), free_port()
        stack.enter_context(
            running(mongodb_command(mongodb, home / "mongodb"), mongodb, home / "mongodb.log")
        )
        stack.enter_context(running(redis_command(redis, home), redis, home / "redis.log"))
        yield Backing(home, f"mongodb://127.0.0.1:{mongodb}/deploy", f"redis://127.0.0.1:{redis}/0")


async def workers_exchanged(backing: Backing, options: Options) -> tuple[Tally, list[str]]:
    """One node with two workers, SIGHUP over and over."""
    node = backing.node("workers", "--workers", "2")
    await asyncio.to_thread(node.start)
    try:
        return await under_load(
            node.url, options, lambda: roll(node, options.rolls, twice=options.rolls > 1), force_close=False
        )
    finally:
        await asyncio.to_thread(node.stop)


async def nodes_replaced(backing: Backing, options: Options) -> tuple[Tally, list[str]]:
    """Two nodes behind a balancer, stopped and started in turn; every request may land on either."""
    kind = ForkedServer if options.are_forked else ServerProcess
    nodes = [backing.node(name, kind=kind) for name in ("one", "two")]
    try:
        for node in nodes:
            await asyncio.to_thread(node.start)
        async with balancing(*map(port_of, nodes)) as balancer:
            await balancer.until_ready(*map(port_of, nodes))
            return await under_load(
                f"http://127.0.0.1:{balancer.port}",
                options,
                lambda: replace(nodes, balancer, options.exchanges),
                force_close=True,
            )
    finally:
        for node in nodes:
            if node.is_running:
                node.kill()


async def run(options: Options, there: Backing) -> int:
    """Both parts, with a table of what happened. Returns an exit code."""
    faulty = 0
    _say(_row("", "seconds", *_COLUMNS))
    for name, part in (("workers exchanged", workers_exchanged), ("nodes replaced", nodes_replaced)):
        began = time.monotonic()
        tally, wrong = await part(there, options)
        counts = (
            tally.written,
            tally.replayed,
            tally.restarting,
            tally.unanswered,
            tally.connections,
            tally.closings,
        )
        seconds, gap = f"{time.monotonic() - began:.1f}", f"{tally.gap_s_max:.2f} s"
        _say(_row(name, seconds, *counts, gap, len(wrong)))
        for line in wrong[:WRONG_SHOWN_MAX]:
            _say(f"  {line}")
        faulty += len(wrong)
    _say(f"{faulty} things went wrong" if faulty else "nothing lost, nothing doubled, nobody noticed")
    return 1 if faulty else 0


def _row(name: str, *cells: object) -> str:
    return f"{name:20}" + "".join(f"{cell!s:>12}" for cell in cells)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command line


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/deploy-check", description=__doc__)
    default = Options()
    parser.add_argument(
        "--rolls", type=int, default=default.rolls, help="times that all workers are exchanged"
    )
    parser.add_argument(
        "--exchanges", type=int, default=default.exchanges, help="times that each node is replaced"
    )
    parser.add_argument("--people", type=int, default=default.people)
    parser.add_argument("--groups", type=int, default=default.groups)
    parser.add_argument(
        "--pause", type=float, default=default.pause_s, help="seconds between two commands of a person"
    )
    given = parser.parse_args(arguments)
    options = Options(given.rolls, given.exchanges, given.people, given.groups, given.pause)
    with backing() as there:
        return asyncio.run(run(options, there))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
