"""Bytes of a broadcast: the same 400 commands, by eight members in turn, to each server."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from scripts.benchmarks.bench import Bench, home, say
from scripts.benchmarks.group import MEMBERS
from scripts.benchmarks.joining import joined
from scripts.benchmarks.rows import NODE, NODE_QR, OURS, Goal, Row
from scripts.benchmarks.servers import Contestant
from scripts.benchmarks.steady import Turns
from scripts.benchmarks.world import Size

COMMANDS: Final = 400
COMMANDS_QUICK: Final = 40
GOALS: Final = (Goal(NODE, 1, at_least=False),)


def measure(bench: Bench) -> Sequence[Row]:
    """The part: see above. Every repetition would say the same, so there is one."""
    count = COMMANDS_QUICK if bench.is_quick else COMMANDS
    say(f"bytes: {count} commands")
    contestants = bench.contestants(OURS, NODE, NODE_QR)
    found = bench.once({each.name: partial(_run, each, count) for each in contestants})
    what = f"a broadcast to {MEMBERS} members, its frame included"
    return [
        Row("bytes", f"{what}: mean", "bytes", found["mean"], GOALS),
        Row("bytes", f"{what}: largest", "bytes", found["largest"]),
    ]


def _run(contestant: Contestant, count: int) -> dict[str, float]:
    with home() as here, contestant.running(here, Size(1, MEMBERS)) as running:
        devices = joined(running, MEMBERS)
        sizes = Turns(running, devices).run(count)
        for device in devices:
            device.close()
    return {"mean": sum(sizes) / len(sizes), "largest": max(sizes)}
