"""Whether a long history costs: command to last device, and memory, for a group of 100,000 expenses and one of 100."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from persplit.bootstrap import open_stores
from persplit.config import Settings
from scripts.benchmarks import latency
from scripts.benchmarks.bench import Bench, Found, home, say
from scripts.benchmarks.group import MEMBERS
from scripts.benchmarks.histories import copied, lengthen
from scripts.benchmarks.rows import OURS, Goal, Row
from scripts.benchmarks.servers import Ours
from scripts.benchmarks.world import Size, World, seeded_now

SHORT: Final = 100
LONG: Final = 100_000
LONG_QUICK: Final = 10_000


def measure(bench: Bench) -> Sequence[Row]:
    """The part: see above."""
    if not bench.wants(OURS):
        return []
    lengths = (SHORT, LONG_QUICK if bench.is_quick else LONG)
    say(f"history: groups of {lengths[0]:,} and {lengths[1]:,} expenses")
    with home() as here:
        cases = {}
        for count in lengths:
            place = here / str(count)
            cases[_name(count)] = partial(_run, bench, place, _filled(place, count))
        found = bench.interleaved(cases)
    return _rows(found, lengths)


def _rows(found: Found, lengths: tuple[int, int]) -> list[Row]:
    short, long = map(_name, lengths)
    what = (
        f"command to the last of {latency.DEVICES} devices, {latency.COMMANDS_PER_SECOND} commands a second"
    )
    goals = (Goal(short, 1.1, at_least=False, subject=long),)
    more = (found["MB"][long].middle - found["MB"][short].middle) * 1_000
    note = f"the long history takes {more:,.0f} kB more of the server's memory, by the medians"
    return [
        Row("history", f"{what}: median", "ms", found["median ms"], goals),
        Row("history", f"{what}: 99th percentile", "ms", found["p99 ms"], goals),
        Row("history", "memory of the server afterwards", "MB", found["MB"], note=note),
    ]


def _name(count: int) -> str:
    return f"{count:,} expenses"


def _filled(place: Path, count: int) -> World:
    """A data directory with one group that has so many expenses."""
    settings = Settings(data_dir=place)
    world = seeded_now(settings, Size(1, MEMBERS))

    async def fill() -> None:
        async with open_stores(settings) as stores:
            await lengthen(stores.events, world.groups[0].id, count)

    asyncio.run(fill())
    return world


def _run(bench: Bench, place: Path, world: World) -> dict[str, float]:
    with home() as here:
        copied(place, here / "data")
        with Ours().over(here / "data", here, world) as running:
            found = latency.latencies(bench, running)
            return {**found, "MB": running.memory_bytes() / 1e6}
