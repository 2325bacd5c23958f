"""Command to last device: 50 commands a second whatever happens, a group of eight with 100 devices."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from scripts.benchmarks.bench import Bench, home, say
from scripts.benchmarks.crowd import leave
from scripts.benchmarks.group import MEMBERS
from scripts.benchmarks.joining import joined
from scripts.benchmarks.rows import NODE, NODE_QR, OURS, STOCK, Goal, Row
from scripts.benchmarks.servers import Contestant, Running
from scripts.benchmarks.stats import percentile
from scripts.benchmarks.steady import OpenLoop
from scripts.benchmarks.world import Size

DEVICES: Final = 100
COMMANDS_PER_SECOND: Final = 50
GOALS: Final = (Goal(NODE, 1, at_least=False), Goal(NODE_QR, 0.2, at_least=False))


def measure(bench: Bench) -> Sequence[Row]:
    """The part: see above."""
    say(f"latency: {DEVICES} devices, {COMMANDS_PER_SECOND} commands a second")
    contestants = bench.contestants(OURS, NODE, NODE_QR, STOCK)
    found = bench.interleaved({each.name: partial(run, bench, each) for each in contestants})
    what = f"command to the last of {DEVICES} devices, {MEMBERS} members, {COMMANDS_PER_SECOND} commands a second"
    return [
        Row("latency", f"{what}: median", "ms", found["median ms"], GOALS),
        Row("latency", f"{what}: 99th percentile", "ms", found["p99 ms"], GOALS),
    ]


def run(bench: Bench, contestant: Contestant) -> dict[str, float]:
    """One repetition."""
    with home() as here, contestant.running(here, Size(1, MEMBERS)) as running:
        return latencies(bench, running)


def latencies(bench: Bench, running: Running) -> dict[str, float]:
    """Median and 99th percentile in milliseconds, of a server that runs."""
    everybody = joined(running, DEVICES)
    loop = OpenLoop(running, everybody, everybody[:MEMBERS], COMMANDS_PER_SECOND)
    seconds = loop.run(bench.warm_seconds, 2 * bench.seconds)
    leave(everybody)
    return {"median ms": 1_000 * percentile(seconds, 0.5), "p99 ms": 1_000 * percentile(seconds, 0.99)}
