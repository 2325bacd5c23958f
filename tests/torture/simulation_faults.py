"""What can go wrong between the simulated server and its store and bus: how often, and how."""

import asyncio
import contextvars
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from persplit.adapters.memory_store import MemoryDocuments, MemoryEvents
from persplit.ledger.events import Noun, RecordedEvent
from persplit.service.errors import StoreUnavailable
from persplit.service.ports import (
    Document,
    Documents,
    EventStore,
    Hint,
    Hints,
    NewEvent,
    Snapshot,
    StoredEvent,
)
from tests.torture.simulation_loop import Actor, VirtualLoop
from tests.torture.simulation_trace import Trace

T = TypeVar("T")

STORE_SECONDS_MAX: Final = 8.0
"""How long a call to the store lasts at most, as with the MongoDB adapter."""
LATE_SECONDS_MAX: Final = 12.0
"""How long after its caller was told that the outcome is unknown a write may still land."""
SLOW_SECONDS: Final = 0.5
"""A slow call; the usual one takes milliseconds."""


@dataclass
class Weather:
    """How bad things are, in chances per call, message or second. `calm` is the end of all faults."""

    chance: random.Random
    store_fails: float = 0.0
    store_stalls: float = 0.0
    store_slow: float = 0.0
    write_unknown: float = 0.0
    documents_fail: float = 0.0
    hint_lost: float = 0.0
    hint_twice: float = 0.0
    hint_slow: float = 0.0
    message_delay: float = 0.02
    message_slow: float = 0.0
    cuts_per_second: float = 0.0
    half_open: float = 0.0
    kills_per_second: float = 0.0
    stops_per_second: float = 0.0
    phone_kills_per_second: float = 0.0
    outages_per_second: float = 0.0
    bus_outages_per_second: float = 0.0
    rest_lost: float = 0.0

    @classmethod
    def of(cls, chance: random.Random) -> "Weather":
        """One world's weather: each kind of fault is absent, rare or common, so that they meet in all mixtures."""

        def some(common: float) -> float:
            return chance.choice((0.0, common * 0.2, common))

        return cls(
            chance,
            store_fails=some(0.03),
            store_stalls=some(0.01),
            store_slow=some(0.1),
            write_unknown=some(0.25),
            documents_fail=some(0.05),
            hint_lost=chance.choice((0.0, 0.1, 0.5, 1.0)),
            hint_twice=some(0.3),
            hint_slow=some(0.3),
            message_delay=chance.choice((0.005, 0.05, 0.3)),
            message_slow=some(0.05),
            cuts_per_second=some(0.3),
            half_open=some(0.5),
            kills_per_second=some(0.06),
            stops_per_second=some(0.04),
            phone_kills_per_second=some(0.15),
            outages_per_second=some(0.03),
            bus_outages_per_second=some(0.04),
            rest_lost=some(0.2),
        )

    def calm(self) -> None:
        """Everything heals."""
        for name in self.__dataclass_fields__:
            if name not in ("chance", "message_delay"):
                setattr(self, name, 0.0)
        self.message_delay = min(self.message_delay, 0.05)

    def happens(self, likelihood: float) -> bool:
        """Whether it happens this time."""
        return likelihood > 0 and self.chance.random() < likelihood

    def delay(self) -> float:
        """Seconds that a message takes."""
        slow = 4.0 if self.happens(self.message_slow) else 1.0
        return self.chance.expovariate(1 / self.message_delay) * slow


@dataclass
class Wire:
    """A node's way to the stores. `trouble_until`: until then, what goes slowly or not at all is the store's fault."""

    loop: VirtualLoop
    weather: Weather
    trace: Trace
    name: str
    disk: Actor
    down_until: float = 0.0
    trouble_until: float = -1.0
    counts: Counter[str] = field(default_factory=Counter)

    def trouble(self, seconds: float) -> None:
        """From now on for so long the store is to blame."""
        self.trouble_until = max(self.trouble_until, self.loop.time() + seconds)

    async def call(self, what: str, work: Callable[[], Awaitable[T]], fails: float) -> T:
        """Carry one read, or one write whose outcome is known."""
        await self._there(what, fails)
        try:
            return await work()
        finally:
            await asyncio.sleep(self._seconds())

    async def _there(self, what: str, fails: float) -> None:
        weather = self.weather
        if self.loop.time() < self.down_until or weather.happens(weather.store_stalls):
            await self._fail(what, weather.chance.uniform(0.0, STORE_SECONDS_MAX))
        if weather.happens(fails):
            await self._fail(what, self._seconds())
        await asyncio.sleep(self._seconds())

    def _seconds(self) -> float:
        if self.weather.happens(self.weather.store_slow):
            self.counts["store slow"] += 1
            self.trouble(2 * SLOW_SECONDS)
            return self.weather.chance.uniform(0.02, SLOW_SECONDS)
        return self.weather.chance.uniform(0.0002, 0.01)

    async def _fail(self, what: str, seconds: float) -> None:
        self.counts["store failed"] += 1
        self.trouble(seconds + 1.0)
        self.trace.add(self.name, "store fails", what, f"{seconds:.3f}")
        await asyncio.sleep(seconds)
        raise StoreUnavailable("the store did not answer")

    async def write(self, what: str, work: Callable[[], Awaitable[T]]) -> T:
        """Carry one append. Its outcome may stay unknown: done and not said, or done much later, or never."""
        weather = self.weather
        if not weather.happens(weather.write_unknown):
            return await self.call(what, work, weather.store_fails)
        kind = weather.chance.choice(("after", "late", "never"))
        self.counts[f"write unknown: {kind}"] += 1
        self.trace.add(self.name, "write unknown", kind, what)
        seconds = weather.chance.choice((self._seconds(), weather.chance.uniform(0, STORE_SECONDS_MAX)))
        self.trouble(seconds + 1.0)
        if kind == "after":
            await asyncio.sleep(self._seconds())
            await work()
        elif kind == "late":
            self.disk.spawn(self._late(work), like=contextvars.copy_context())
        await asyncio.sleep(seconds)
        raise StoreUnavailable("the store did not answer")

    async def _late(self, work: Callable[[], Awaitable[object]]) -> None:
        await asyncio.sleep(self.weather.chance.uniform(0, LATE_SECONDS_MAX))
        # Somebody else may have been quicker: then it has come to nothing.
        await asyncio.gather(work(), return_exceptions=True)


class WiredEvents(EventStore):
    """The ledgers as a node reaches them."""

    def __init__(self, wire: Wire, store: MemoryEvents) -> None:
        self._wire = wire
        self._store = store

    async def _read(self, what: str, work: Callable[[], Awaitable[T]]) -> T:
        return await self._wire.call(what, work, self._wire.weather.store_fails)

    async def append(self, new: NewEvent) -> RecordedEvent:
        """See the port."""
        return await self._wire.write(f"append {new.group_id[:4]} {new.seq}", lambda: self._store.append(new))

    async def append_all(self, events: Sequence[NewEvent]) -> Sequence[RecordedEvent]:
        """See the port."""
        what = f"append {events[0].group_id[:4]} {events[0].seq} to {events[-1].seq}"
        return await self._wire.write(what, lambda: self._store.append_all(events))

    async def read(self, group_id: str, after: int, limit: int) -> Sequence[RecordedEvent]:
        """See the port."""
        return await self._read("read", lambda: self._store.read(group_id, after, limit))

    async def read_creations(
        self, group_id: str, noun: Noun, before: int, limit: int
    ) -> Sequence[RecordedEvent]:
        """See the port."""
        return await self._read(
            "read_creations", lambda: self._store.read_creations(group_id, noun, before, limit)
        )

    async def find_command(self, group_id: str, command_id: str) -> RecordedEvent | None:
        """See the port."""
        return await self._read("find_command", lambda: self._store.find_command(group_id, command_id))

    async def of_commands(
        self, group_id: str, prefix: str, after: str, limit: int
    ) -> Sequence[RecordedEvent]:
        """See the port."""
        return await self._read(
            "of_commands", lambda: self._store.of_commands(group_id, prefix, after, limit)
        )

    async def latest(self, group_id: str, noun: Noun, ids: Sequence[str]) -> Mapping[str, RecordedEvent]:
        """See the port."""
        return await self._read("latest", lambda: self._store.latest(group_id, noun, ids))

    async def about(self, group_id: str, noun: Noun, subject_id: str, limit: int) -> Sequence[RecordedEvent]:
        """See the port."""
        return await self._read("about", lambda: self._store.about(group_id, noun, subject_id, limit))

    async def heads(self, group_ids: Sequence[str]) -> Mapping[str, int]:
        """See the port."""
        return await self._read("heads", lambda: self._store.heads(group_ids))

    async def seq_at(self, group_id: str, at: str) -> int:
        """See the port."""
        return await self._read("seq_at", lambda: self._store.seq_at(group_id, at))

    async def groups_of(self, user_id: str) -> Sequence[str]:
        """See the port."""
        return await self._read("groups_of", lambda: self._store.groups_of(user_id))

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """See the port."""
        self._wire.counts["snapshot saved"] += 1
        await self._read("save_snapshot", lambda: self._store.save_snapshot(snapshot))

    async def load_snapshot(self, group_id: str, version: int, up_to: int) -> Snapshot | None:
        """See the port."""
        found = await self._read("load_snapshot", lambda: self._store.load_snapshot(group_id, version, up_to))
        self._wire.counts["snapshot loaded"] += found is not None
        return found

    async def groups(self, after: str, limit: int) -> Sequence[str]:
        """See the port."""
        return await self._read("groups", lambda: self._store.groups(after, limit))

    async def stored(self, group_id: str, after: int, limit: int) -> Sequence[StoredEvent]:
        """See the port."""
        return await self._read("stored", lambda: self._store.stored(group_id, after, limit))

    async def snapshots(self, group_id: str, after: int, limit: int) -> Sequence[Snapshot]:
        """See the port."""
        return await self._read("snapshots", lambda: self._store.snapshots(group_id, after, limit))

    async def put(self, events: Sequence[RecordedEvent]) -> None:
        """See the port."""
        await self._read("put", lambda: self._store.put(events))

    async def erase(self, group_id: str) -> None:
        """See the port."""
        await self._read("erase", lambda: self._store.erase(group_id))

    async def ping(self) -> None:
        """See the port."""
        await self._read("ping", self._store.ping)


class WiredDocuments(Documents):
    """A collection of documents as a node reaches it."""

    def __init__(self, wire: Wire, name: str, store: MemoryDocuments) -> None:
        self._wire = wire
        self._name = name
        self._store = store

    async def _call(self, what: str, work: Callable[[], Awaitable[T]]) -> T:
        return await self._wire.call(f"{self._name} {what}", work, self._wire.weather.documents_fail)

    async def insert(self, document: Document) -> None:
        """See the port."""
        await self._call("insert", lambda: self._store.insert(document))

    async def replace(self, document: Document) -> Document:
        """See the port."""
        return await self._call("replace", lambda: self._store.replace(document))

    async def get(self, ids: Sequence[str]) -> Mapping[str, Document]:
        """See the port."""
        return await self._call("get", lambda: self._store.get(ids))

    async def find(self, key: str, value: str, limit: int) -> Sequence[Document]:
        """See the port."""
        return await self._call("find", lambda: self._store.find(key, value, limit))

    async def delete(self, id_: str) -> None:
        """See the port."""
        await self._call("delete", lambda: self._store.delete(id_))

    async def count(self) -> int:
        """See the port."""
        return await self._call("count", self._store.count)

    async def scan(self, after: str, limit: int) -> Sequence[Document]:
        """See the port."""
        return await self._call("scan", lambda: self._store.scan(after, limit))

    async def put(self, documents: Sequence[Document]) -> None:
        """See the port."""
        await self._call("put", lambda: self._store.put(documents))


class Bus:
    """What carries hints between nodes: it loses, doubles, delays and overtakes, and is away for a while."""

    def __init__(self, loop: VirtualLoop, weather: Weather, counts: Counter[str]) -> None:
        self._loop = loop
        self._weather = weather
        self._counts = counts
        self._subscribers: list[tuple[Actor, Callable[[Hint | None], None]]] = []
        self._away_until = 0.0

    def subscribe(self, actor: Actor, listener: Callable[[Hint | None], None]) -> None:
        """Tell this node, too; like every new subscriber it hears that it may have missed something."""
        self._subscribers.append((actor, listener))
        actor.soon(self._weather.delay(), lambda: listener(None))

    def go_away(self, seconds: float) -> None:
        """Lose all hints for a while; then every node hears that it may have missed some."""
        self._counts["bus away"] += 1
        self._away_until = self._loop.time() + seconds
        for actor, listener in self._subscribers:
            late = seconds + self._weather.chance.uniform(0, 5)
            actor.soon(late, lambda tell=listener: tell(None))  # type: ignore[misc]  # each its own

    def publish(self, sender: Actor, hint: Hint) -> None:
        """Hand the hint on to whoever it reaches; the sender hears it, too."""
        weather = self._weather
        for actor, listener in self._subscribers:
            if actor.is_dead:
                continue
            if self._loop.time() < self._away_until or weather.happens(weather.hint_lost):
                self._counts["hint lost"] += actor is not sender
                continue
            for _ in range(2 if weather.happens(weather.hint_twice) else 1):
                late = 10.0 if weather.happens(weather.hint_slow) else 0.05
                actor.soon(weather.chance.uniform(0, late), lambda tell=listener: tell(hint))  # type: ignore[misc]


class BusHints(Hints):
    """A node's end of the bus."""

    def __init__(self, bus: Bus, actor: Actor) -> None:
        self._bus = bus
        self._actor = actor

    async def publish(self, hint: Hint) -> None:
        """See the port."""
        self._bus.publish(self._actor, hint)

    def subscribe(self, listener: Callable[[Hint | None], None]) -> None:
        """See the port."""
        self._bus.subscribe(self._actor, listener)
