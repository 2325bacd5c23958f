"""Deliveries a second to 1,000 devices in 200 groups of five, of which one member each sends."""

from collections.abc import Sequence
from typing import Final

from scripts.benchmarks.bench import Bench, say
from scripts.benchmarks.crowd import Crowd, compared
from scripts.benchmarks.rows import NODE, OURS, STOCK, Goal, Row
from scripts.benchmarks.world import Size

CROWD: Final = Crowd(Size(groups=200, members=5), devices=1_000, senders=200)
GOALS: Final = (Goal(NODE, 1), Goal(STOCK, 1))


def measure(bench: Bench) -> Sequence[Row]:
    """The part: see above."""
    say(f"fan-out-small: {CROWD.devices} devices in {CROWD.size.groups} groups")
    found, note = compared(bench, bench.contestants(OURS, NODE, STOCK), CROWD)
    what = f"{CROWD.devices:,} devices in {CROWD.size.groups} groups of {CROWD.size.members}"
    return [
        Row("fan-out-small", f"{what}: deliveries", "a second", found["deliveries"], GOALS, note),
        Row(
            "fan-out-small", f"{what}: deliveries", "a second of its processor time", found["per CPU second"]
        ),
        Row("fan-out-small", f"{what}: of its core the load took", "share", found["load"], is_detail=True),
    ]
