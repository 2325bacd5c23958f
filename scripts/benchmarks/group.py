"""Deliveries a second: one group of eight, many devices, every member sending as fast as they are answered.

Each server gets the number of commands under way with which it is fastest, found by trying on it before. Counted are
broadcasts that devices have really received; all of them, and in order while warming up, or the run fails.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from scripts.benchmarks.bench import Bench, home, say
from scripts.benchmarks.load import ClosedLoop, Rates, joined
from scripts.benchmarks.rows import FLOOR, NODE, OURS, STOCK, Goal, Row
from scripts.benchmarks.servers import Contestant, Floor
from scripts.benchmarks.sockets import Device, plain
from scripts.benchmarks.stats import Figure
from scripts.benchmarks.world import Size

MEMBERS: Final = 8
DEVICES: Final = (100, 500)
OUTSTANDING: Final = (1, 2, 4, 8)
TRIAL_SECONDS: Final = 1.5
FRAME_BYTES_DEFAULT: Final = 4_000
"""Of the floor where ours isn't measured to compare with."""
GOALS: Final = (Goal(NODE, 1.5), Goal(STOCK, 3), Goal(FLOOR, 0.6))


def measure(bench: Bench) -> Sequence[Row]:
    """The part: see above."""
    rows: list[Row] = []
    for devices in DEVICES:
        say(f"group: {devices} devices")
        rows += rows_of(bench, devices)
    return rows


def rows_of(bench: Bench, devices: int) -> list[Row]:
    """The rows for so many devices."""
    contestants = bench.contestants(OURS, NODE, STOCK)
    best = {each.name: fastest(bench, each, devices) for each in contestants}
    say("  commands under way by each member: " + ", ".join(f"{name} {n}" for name, (n, _) in best.items()))
    cases = {each.name: partial(run, bench, each, devices, best[each.name][0]) for each in contestants}
    size = best[OURS][1] if OURS in best else FRAME_BYTES_DEFAULT
    if bench.wants(FLOOR):
        cases |= {
            f"{FLOOR}, {how}": partial(run_floor, bench, Floor(how, size), devices)
            for how in ("send", "uvloop")
        }
    found = bench.interleaved(cases)
    note = f"broadcasts of {size:,} bytes; under way by each member: " + ", ".join(
        f"{name} {n}" for name, (n, _) in best.items()
    )
    what = f"one group of {MEMBERS}, {devices} devices"
    return [
        Row("group", f"{what}: deliveries", "a second", with_floor(found["deliveries"]), GOALS, note),
        Row(
            "group",
            f"{what}: deliveries",
            "a second of its processor time",
            with_floor(found["per CPU second"]),
        ),
        Row("group", f"{what}: commands", "a second", found["commands"]),
        Row("group", f"{what}: of its core the load took", "share", with_floor(found["load"])),
        Row("group", f"{what}: of its core the server took", "share", with_floor(found["server"])),
    ]


def with_floor(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """The figures with the better of the two floors as the floor."""
    floors = [figure for name, figure in figures.items() if name.startswith(FLOOR)]
    others = {name: figure for name, figure in figures.items() if not name.startswith(FLOOR)}
    return {**others, FLOOR: max(floors, key=lambda each: each.middle)} if floors else others


def fastest(bench: Bench, contestant: Contestant, devices: int) -> tuple[int, int]:
    """How many commands under way are best for the server, and how long its broadcasts are on the wire."""
    tries = OUTSTANDING[1:3] if bench.is_quick else OUTSTANDING
    seconds = TRIAL_SECONDS / 2 if bench.is_quick else TRIAL_SECONDS
    with home() as here, contestant.running(here, Size(1, MEMBERS)) as running:
        everybody = joined(running, devices)
        loop = ClosedLoop(running, everybody, everybody[:MEMBERS])
        loop.run(1, bench.warm_seconds, 0.1)
        rates = {each: loop.run(each, seconds / 4, seconds).deliveries for each in tries}
        size = loop.frame_bytes
        leave(everybody)
    return max(rates, key=lambda each: rates[each]), size


def run(bench: Bench, contestant: Contestant, devices: int, outstanding: int) -> dict[str, float]:
    """One repetition."""
    with home() as here, contestant.running(here, Size(1, MEMBERS)) as running:
        everybody = joined(running, devices)
        loop = ClosedLoop(running, everybody, everybody[:MEMBERS])
        rates = loop.run(outstanding, bench.warm_seconds, bench.seconds)
        leave(everybody)
    return {"commands": rates.commands, **shares(rates)}


def shares(rates: Rates) -> dict[str, float]:
    """Deliveries, and what they cost: by processor time they can be compared even where others use the machine."""
    return {
        "deliveries": rates.deliveries,
        "per CPU second": rates.deliveries / max(rates.server_share, 0.001),
        "load": rates.client_share,
        "server": rates.server_share,
    }


def run_floor(bench: Bench, floor: Floor, devices: int) -> dict[str, float]:
    """One repetition of the floor."""
    with home() as here, floor.running(here, devices) as running:
        everybody = []
        for _ in range(devices):
            sock = plain(running.port)
            sock.settimeout(0)
            everybody.append(Device(sock))
        rates = ClosedLoop(running, everybody, ()).listen(bench.warm_seconds, bench.seconds)
        leave(everybody)
    return shares(rates)


def leave(devices: Sequence[Device]) -> None:
    """Let all go."""
    for device in devices:
        device.close()
