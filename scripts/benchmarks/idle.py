"""Idle connections: what 5,000 that are signed in take of memory, and what it took to let each in.

1,000 people in 200 groups of five, with five devices each. Memory is what the process has more than before they came,
by proportional set size, once all have been greeted; Node is asked to collect its garbage before each look.
"""

import signal
import time
from collections.abc import Sequence
from functools import partial
from typing import Final

from scripts.benchmarks.bench import Bench, home, say
from scripts.benchmarks.crowd import leave
from scripts.benchmarks.joining import joined
from scripts.benchmarks.rows import NODE, OURS, STOCK, Goal, Row
from scripts.benchmarks.servers import Contestant, Node, Running
from scripts.benchmarks.sockets import Device, Reader
from scripts.benchmarks.world import Size

CONNECTIONS: Final = 5_000
CONNECTIONS_QUICK: Final = 500
SIZE: Final = Size(groups=200, members=5)
SETTLE_SECONDS: Final = 3.0
"""For what connecting leaves behind to be tidied up."""


def measure(bench: Bench) -> Sequence[Row]:
    """The part: see above."""
    count = CONNECTIONS_QUICK if bench.is_quick else CONNECTIONS
    say(f"idle: {count:,} connections")
    contestants = bench.contestants(OURS, NODE, STOCK)
    found = bench.interleaved({each.name: partial(_run, each, count) for each in contestants})
    what = f"{count:,} idle signed-in connections"
    return [
        Row("idle", f"{what}: memory of each", "kB", found["kB"], (Goal(NODE, 1, at_least=False),)),
        Row(
            "idle",
            f"{what}: processor time to let one in",
            "ms",
            found["ms"],
            (Goal(NODE, 1.5, at_least=False),),
        ),
    ]


def _run(contestant: Contestant, count: int) -> dict[str, float]:
    with home() as here, contestant.running(here, SIZE) as running:
        # The first ones make the server load what it needs only then.
        early = joined(running, SIZE.groups)
        _settle(early)
        memory, cpu = _memory(contestant, running), running.cpu_seconds()
        devices = joined(running, count, besides=early)
        cpu = running.cpu_seconds() - cpu
        _settle([*early, *devices])
        memory = _memory(contestant, running) - memory
        leave([*early, *devices])
    return {"kB": memory / count / 1_000, "ms": 1_000 * cpu / count}


def _settle(devices: Sequence[Device]) -> None:
    reader, deadline = Reader(), time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        for device in devices:
            reader.read(device)
        time.sleep(0.1)


def _memory(contestant: Contestant, running: Running) -> int:
    if isinstance(contestant, Node):
        running.signal(signal.SIGUSR2)
        time.sleep(1)
    return running.memory_bytes()
