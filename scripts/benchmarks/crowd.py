"""Crowds: how many groups, members and devices there are, which of them send, and one server put to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from scripts.benchmarks.bench import Bench, Found, home, say
from scripts.benchmarks.closed_loop import ClosedLoop, Rates
from scripts.benchmarks.joining import joined
from scripts.benchmarks.rows import FLOOR
from scripts.benchmarks.servers import Contestant, Failed, Floor, Running
from scripts.benchmarks.sockets import Device, plain
from scripts.benchmarks.stats import Figure
from scripts.benchmarks.world import Size

OUTSTANDING: Final = (2, 4, 8)
"""Commands under way by each sender that are tried, besides one."""
TRIAL_SECONDS: Final = 1.5
TRIALS: Final = 2
"""Of each number."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """`devices` of them come, each person's first before anybody's second; the first `senders` of these send."""

    size: Size
    devices: int
    senders: int


def fastest(bench: Bench, contestant: Contestant, crowd: Crowd) -> tuple[int, int]:
    """How many commands under way are best for the server, and how long its broadcasts are on the wire (bytes)."""
    tries = (1, *(OUTSTANDING[:2] if bench.is_quick else OUTSTANDING))
    seconds = TRIAL_SECONDS / 2 if bench.is_quick else TRIAL_SECONDS
    rates = dict.fromkeys(tries, 0.0)
    with home() as here, contestant.running(here, crowd.size) as running:
        everybody, loop = come(running, crowd)
        loop.run(1, bench.warm_seconds, seconds)
        # In turns, so that what else the machine does for a while isn't held against one of them.
        for each in tries * TRIALS:
            try:
                rates[each] += loop.run(each, seconds / 4, seconds).deliveries
            except Failed as error:
                # More than it can take: what it is good at is less.
                say(f"  {contestant.name} with {each} commands under way by each: {error}")
                break
        leave(everybody)
    return max(rates, key=lambda each: rates[each]), loop.frame_bytes


def compared(
    bench: Bench, contestants: Sequence[Contestant], crowd: Crowd, floor_after: str = ""
) -> tuple[Found, str]:
    """The figures of all in a closed loop, each with what is under way at its best, and a note that says so.

    `floor_after`: the name of the server whose frames the floor writes, where there is to be one.
    """
    best = {each.name: fastest(bench, each, crowd) for each in contestants}
    note = "commands under way by each that sends: " + ", ".join(
        f"{name} {n}" for name, (n, _) in best.items()
    )
    say(f"  {note}")
    cases = {each.name: partial(run, bench, each, crowd, best[each.name][0]) for each in contestants}
    if floor_after in best and bench.wants(FLOOR):
        size = best[floor_after][1]
        note += f"; broadcasts of {size:,} bytes, the floor's too"
        for how in ("send", "uvloop"):
            cases[f"{FLOOR}, {how}"] = partial(run_floor, bench, Floor(how, size), crowd.devices)
    found = bench.interleaved(cases)
    note += f"; the load took {max(each.middle for each in found['load'].values()):.0%} of its core at most"
    return {quantity: with_floor(figures) for quantity, figures in found.items()}, note


def with_floor(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """The figures with the one of the two floors that is higher as the floor."""
    floors = [figure for name, figure in figures.items() if name.startswith(FLOOR)]
    others = {name: figure for name, figure in figures.items() if not name.startswith(FLOOR)}
    return {**others, FLOOR: max(floors, key=lambda each: each.middle)} if floors else others


def run(bench: Bench, contestant: Contestant, crowd: Crowd, outstanding: int) -> dict[str, float]:
    """One repetition."""
    with home() as here, contestant.running(here, crowd.size) as running:
        everybody, loop = come(running, crowd)
        rates = loop.run(outstanding, bench.warm_seconds, bench.seconds)
        leave(everybody)
    return {"commands": rates.commands, **shares(rates)}


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


def shares(rates: Rates) -> dict[str, float]:
    """Deliveries, and what they cost: by processor time they can be compared even where others use the machine."""
    return {
        "deliveries": rates.deliveries,
        "per CPU second": rates.deliveries / max(rates.server_share, 0.001),
        "load": rates.client_share,
        "server": rates.server_share,
    }


def come(running: Running, crowd: Crowd) -> tuple[list[Device], ClosedLoop]:
    """All devices of the crowd, and the loop for them."""
    everybody = joined(running, crowd.devices)
    return everybody, ClosedLoop(running, everybody, everybody[: crowd.senders])


def leave(devices: Sequence[Device]) -> None:
    """Let all go."""
    for device in devices:
        device.close()
