"""Deliveries a second: one group of eight, many devices, every member sending as fast as they are answered.

Each server gets the number of commands under way with which it is fastest, found by trying on it before. Counted are
broadcasts that devices have really received; all of them, and in order while warming up, or the run fails.
"""

from collections.abc import Sequence
from typing import Final

from scripts.benchmarks.bench import Bench, say
from scripts.benchmarks.crowd import Crowd, compared
from scripts.benchmarks.rows import FLOOR, NODE, OURS, STOCK, Goal, Row
from scripts.benchmarks.world import Size

MEMBERS: Final = 8
DEVICES: Final = (100, 500)
GOALS: Final = (Goal(NODE, 1.5), Goal(STOCK, 3), Goal(FLOOR, 0.6))


def measure(bench: Bench) -> Sequence[Row]:
    """The part: see above."""
    return [row for devices in DEVICES for row in rows_of(bench, devices)]


def rows_of(bench: Bench, devices: int) -> list[Row]:
    """The rows for so many devices."""
    say(f"group: {devices} devices")
    crowd = Crowd(Size(1, MEMBERS), devices, MEMBERS)
    found, note = compared(bench, bench.contestants(OURS, NODE, STOCK), crowd, floor_after=OURS)
    what = f"one group of {MEMBERS}, {devices} devices"
    return [
        Row("group", f"{what}: deliveries", "a second", found["deliveries"], GOALS, note),
        Row(
            "group",
            f"{what}: deliveries",
            "a second of its processor time",
            found["per CPU second"],
            is_detail=True,
        ),
        Row("group", f"{what}: commands", "a second", found["commands"], is_detail=True),
        Row("group", f"{what}: of its core the load took", "share", found["load"], is_detail=True),
        Row("group", f"{what}: of its core the server took", "share", found["server"], is_detail=True),
    ]
