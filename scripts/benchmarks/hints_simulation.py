"""Hints and sweeps among many nodes in virtual time: `python -m scripts.benchmarks.hints_simulation [options]`.

The figures go into `hints_simulation.json` beside it. The follower is the server's own, one for each node. What is around it counts instead of doing: a store that knows how
far each group has come, a Redis that tells every node or those that hear a group, and goes away for a minute. It says
how many messages and reads there are and how late events arrive; whether they all arrive is what `scripts/torture
simulation` is for.
"""

import argparse
import asyncio
import json
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest import mock

import structlog

from persplit.service import follower
from persplit.service.ports import Hint
from scripts.benchmarks.capacity_model import AS_BUILT, CHANGED, Design
from tests.torture.simulation_loop import VirtualLoop

SIMULATION_FILE: Final = Path(__file__).with_name("hints_simulation.json")
HINT_SECONDS: Final = (0.0005, 0.005)
"""From one node through Redis to another."""
STORE_SECONDS: Final = (0.001, 0.01)
"""One request to the store."""
NOTICED_SECONDS: Final = (0.05, 1.0)
"""Until a node knows that Redis has gone."""
BACK_SECONDS: Final = (0.05, 5.0)
"""Until a node has subscribed again when Redis is back: its longest wait between two attempts."""
DEVICES_MAX: Final = 12
"""Of one group."""


@dataclass(frozen=True, slots=True)
class World:
    """What is simulated. Rates are a second's; `outage` is when Redis goes and comes back, in seconds.

    `devices` are connected to each group on average, at nodes that a balancer chose.
    """

    nodes: int = 100
    groups: int = 10_000
    devices: float = 2.0
    people_per_node: int = 10
    events: float = 50.0
    seconds: float = 120.0
    outage: tuple[float, float] = (30.0, 90.0)
    seed: int = 1


WORLD: Final = World()


@dataclass(slots=True)
class Seen:
    """What was counted, and how late events arrived at other nodes, by whether Redis was there when they happened."""

    counts: Counter[str] = field(default_factory=Counter)
    late: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})


class _Store:
    """How far each group has come: `committed` has when each of its events was, the first at the beginning."""

    def __init__(
        self, loop: VirtualLoop, chance: random.Random, seen: Seen, is_up: Callable[[], bool]
    ) -> None:
        self._loop = loop
        self._chance = chance
        self._seen = seen
        self._is_up = is_up
        self.committed: dict[str, list[tuple[float, bool]]] = {}

    def commit(self, group_id: str) -> int:
        """Add an event, now; returns its seq."""
        events = self.committed.setdefault(group_id, [])
        events.append((self._loop.time(), self._is_up()))
        return len(events)

    def announce(self, group_id: str, known: int) -> int:
        """Note how late the events after `known` are where they are announced only now; returns the newest seq."""
        events = self.committed.get(group_id, [])
        for at, was_up in events[known:]:
            self._seen.late[was_up].append(self._loop.time() - at)
        return len(events)

    async def asked(self, what: str, requests: int = 1) -> None:
        """Let requests to the store take their time."""
        self._seen.counts[what] += requests
        await asyncio.sleep(self._chance.uniform(*STORE_SECONDS))

    async def heads(self, group_ids: Sequence[str]) -> Mapping[str, int]:
        """See `EventStore`; a request for each group, as MongoDB gets them."""
        await self.asked("sweepReads", len(group_ids))
        return {it: len(self.committed[it]) for it in group_ids if it in self.committed}

    async def groups_of(self, _: str) -> Sequence[str]:
        """See `EventStore`."""
        await self.asked("newcomerReads")
        return ()


class _Node:
    """What a follower needs of a node: its groups, fan-out, people and hints. `known`: how far each was announced."""

    def __init__(self, store: _Store, people: Sequence[str]) -> None:
        self._store = store
        self._people = people
        self.known: dict[str, int] = {}
        self.listener: Callable[[Hint | None], None] = lambda _: None

    def write(self, group_id: str) -> int:
        """A command that this node carries out; it takes in first what it hasn't heard of."""
        known = self._store.announce(group_id, self.known.get(group_id, 0)) if group_id in self.known else 0
        seq = self._store.commit(group_id)
        if group_id in self.known:
            self.known[group_id] = max(known, seq)
        return seq

    def subscribe(self, listener: Callable[[Hint | None], None]) -> None:
        """See `Hints`."""
        self.listener = listener

    def has_listeners(self, group_id: str) -> bool:
        """See `FanOut`."""
        return group_id in self.known

    def heard_groups(self) -> Sequence[str]:
        """See `FanOut`."""
        return tuple(self.known)

    def is_connected(self, _: str) -> bool:
        """See `FanOut`. Nobody joins a group here."""
        return False

    def connected_users(self) -> Sequence[str]:
        """See `People`."""
        return self._people

    def lacks(self, *_: str) -> bool:
        """See `People`."""
        return False

    def seq_of(self, group_id: str) -> int:
        """See `Groups`."""
        return self.known.get(group_id, 0)

    def confirm(self, _: Mapping[str, int]) -> None:
        """See `Groups`."""

    @asynccontextmanager
    async def locked(self, group_id: str, _: int | None = None) -> AsyncIterator[str]:
        """See `Groups`."""
        yield group_id

    async def catch_up(self, group_id: str, _: str) -> None:
        """See `Groups`: announce what is new."""
        await self._store.asked("readsOn")
        self.known[group_id] = self._store.announce(group_id, self.known[group_id])


class _Simulation:
    """One world under one design."""

    def __init__(self, world: World, design: Design) -> None:
        self._world = world
        self._design = design
        self.chance = random.Random(world.seed)  # noqa: S311 - no secret
        self.loop = VirtualLoop(self.chance)  # type: ignore[abstract]
        self.seen = Seen()
        self._is_up = True
        store = _Store(self.loop, self.chance, self.seen, lambda: self._is_up)
        people = [f"person {number}" for number in range(world.people_per_node)]
        self._nodes = [_Node(store, people) for _ in range(world.nodes)]
        self._hearing: dict[str, list[_Node]] = {}
        for number in range(world.groups):
            self._spread(f"group {number}")
        self._followers = [follower.Follower(*map(_as_any, (store, it, it, it, it))) for it in self._nodes]

    def _spread(self, group_id: str) -> None:
        """Connect the group's devices to nodes: some groups have more of them, some none."""
        devices = sum(self.chance.random() < self._world.devices / DEVICES_MAX for _ in range(DEVICES_MAX))
        hearing = {self.chance.randrange(self._world.nodes) for _ in range(devices)}
        self._hearing[group_id] = [self._nodes[place] for place in sorted(hearing)]
        for node in self._hearing[group_id]:
            node.known[group_id] = 0

    async def run(self) -> None:
        """Let it all happen."""
        following = [asyncio.create_task(each.run()) for each in self._followers]
        writing, failing = asyncio.create_task(self._write()), asyncio.create_task(self._fail())
        await asyncio.sleep(self._world.seconds)
        for task in (*following, writing, failing):
            task.cancel()
        await asyncio.gather(*following, writing, failing, return_exceptions=True)

    async def _write(self) -> None:
        groups = list(self._hearing)
        while True:
            await asyncio.sleep(self.chance.expovariate(self._world.events))
            group_id = self.chance.choice(groups)
            node = self.chance.choice(self._hearing[group_id] or self._nodes)
            self.seen.counts["events"] += 1
            self._publish(Hint(group_id, node.write(group_id), ""))

    def _publish(self, hint: Hint) -> None:
        if self._is_up:
            self.seen.counts["published"] += 1
            self.loop.call_later(self.chance.uniform(*HINT_SECONDS), self._tell, hint)

    def _tell(self, hint: Hint) -> None:
        told = self._nodes if self._design.to_all else self._hearing[hint.group_id]
        self.seen.counts["delivered"] += len(told)
        for node in told:
            node.listener(hint)

    async def _fail(self) -> None:
        """Take Redis away for a while. Nodes that sweep seldom do it often meanwhile."""
        gone, back = self._world.outage
        await asyncio.sleep(gone)
        self._is_up = False
        often = min(self._design.sweep_seconds, AS_BUILT.sweep_seconds)
        with _sweeping_every(often):
            if often < self._design.sweep_seconds:
                self._tell_each(None, NOTICED_SECONDS)
            await asyncio.sleep(back - gone)
            self._is_up = True
            self._tell_each(None, BACK_SECONDS)
            await asyncio.sleep(BACK_SECONDS[1])

    def _tell_each(self, hint: Hint | None, within: tuple[float, float]) -> None:
        for node in self._nodes:
            self.loop.call_later(self.chance.uniform(*within), node.listener, hint)


def simulated(world: World, design: Design) -> dict[str, Any]:
    """The figures of one world under one design: for each node and second, and seconds late. A seed makes one world."""
    simulation = _Simulation(world, design)
    random.seed(world.seed)  # the followers' own jitter
    with _sweeping_every(design.sweep_seconds):
        try:
            simulation.loop.run_until_complete(simulation.run())
        finally:
            simulation.loop.close()
    counts, late = simulation.seen.counts, simulation.seen.late
    reads = counts["sweepReads"] + counts["newcomerReads"] + counts["readsOn"]
    each = world.nodes * world.seconds
    return {
        "design": design.name,
        **asdict(world),
        "hintsHeard": round(counts["delivered"] / each, 2),
        "redisMessages": round(counts["delivered"] / world.seconds, 1),
        "sweepReads": round(counts["sweepReads"] / each, 2),
        "storeReads": round(reads / world.seconds, 1),
        "lateUp": _spread_of(late[True]),
        "lateDown": _spread_of(late[False]),
    }


def _sweeping_every(seconds: float) -> AbstractContextManager[object]:
    """Followers sweep so often, on average: they take the longest time, and shorten it by up to a fifth."""
    return mock.patch.object(follower, "SWEEP_SECONDS", seconds / 0.9)


def _spread_of(values: Sequence[float]) -> dict[str, float]:
    """Median, 99th percentile and maximum."""
    ordered = sorted(values) or [0.0]
    at = {"median": 0.5, "p99": 0.99, "max": 1.0}
    return {
        name: round(ordered[min(len(ordered) - 1, int(part * len(ordered)))], 3) for name, part in at.items()
    }


def _as_any(it: object) -> Any:
    return it


def main() -> None:
    """Simulate both designs, and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--nodes", type=int, default=WORLD.nodes)
    parser.add_argument("--events", type=float, default=WORLD.events, help="a second")
    parser.add_argument("--groups", type=int, default=WORLD.groups)
    parser.add_argument("--seed", type=int, default=WORLD.seed)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    world = World(nodes=options.nodes, events=options.events, groups=options.groups, seed=options.seed)
    figures = [simulated(world, design) for design in (AS_BUILT, CHANGED)]
    SIMULATION_FILE.write_text(json.dumps(figures, indent=2) + "\n")
    print(SIMULATION_FILE.read_text())  # noqa: T201 - a command line


if __name__ == "__main__":
    main()
