"""A simulated world from its seed: nodes, phones, the faults between them, and what it came to."""

import asyncio
import random
import secrets
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Final
from unittest import mock

import structlog
import uuid_utils

from persplit.adapters.memory_store import MemoryDocuments
from persplit.service import follower, groups, history, snapshots
from persplit.service.sessions import Sessions
from persplit.service.users import UNIQUE_KEYS, User, Users
from persplit.transport import sockets
from persplit.transport.views import Json
from tests.torture.simulation_faults import Bus, Weather
from tests.torture.simulation_loop import Actor, Stuck, VirtualLoop
from tests.torture.simulation_node import KEY, Cable, Disk, Link, Node
from tests.torture.simulation_oracle import Oracle, WatchedEvents
from tests.torture.simulation_phone import Held, Phone, Storage, Wish
from tests.torture.simulation_trace import LINES_KEPT, Trace
from tests.torture.simulation_user import User as Person

QUIET_SECONDS: Final = 15.0
"""After the last outbox is empty: a sweep, and what follows from it."""
DRAIN_SECONDS_MAX: Final = 240.0
"""From the end of all faults until every outbox is empty: half-open connections are found within a minute, and an
outbox of some dozens of commands goes out in turns."""
TICK_SECONDS: Final = 0.25
DOWN_SECONDS_MAX: Final = 8.0

_FAULTS_OF_OURS: Final = frozenset(
    {"announcing_failed", "command_failed", "connect_failed", "due_not_told", "snapshot_passed_over"}
)
"""Lines of the log that say that something broke that must not, whatever the faults."""


@dataclass(frozen=True)
class Scale:
    """How large a world is. None: as the seed likes."""

    nodes: int | None = None
    phones: int | None = None
    seconds: float | None = None


@dataclass
class Outcome:
    """What a world came to. `violations` is empty where every promise was kept."""

    seed: int
    violations: list[str]
    digest: str
    lines: int
    tail: list[str]
    seconds: float
    counts: Counter[str]
    steps: int = 0
    wall_seconds: float = 0.0


@dataclass
class World:
    """Everything there is. It is what phones call on, and what users share."""

    loop: VirtualLoop
    chance: random.Random
    weather: Weather
    trace: Trace
    counts: Counter[str]
    oracle: Oracle
    disk: Disk
    bus: Bus
    nodes: dict[str, Node] = field(default_factory=dict)
    phones: dict[str, Phone] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)
    spenders: set[str] = field(default_factory=set)
    resend_at_once: float = 0.0
    is_over: bool = False
    sids: int = 0

    # --- what phones see of it

    def happens(self, likelihood: float) -> bool:
        """Whether it happens."""
        return self.weather.happens(likelihood)

    def uniform(self, low: float, high: float) -> float:
        """Some number between the two."""
        return self.chance.uniform(low, high)

    def note(self, *words: object) -> None:
        """A line of the trace; the last word but a phone's name is counted."""
        self.trace.add(*words)
        self.counts[str(words[-1] if len(words) == 2 else words[0])] += 1

    def wished(self, user_id: str, wish: Wish) -> None:
        """A command was stored."""
        self.trace.add(user_id[:4], "wishes", wish.type, wish.command_id[:8])
        self.counts["commands wished"] += 1
        self.oracle.wished(user_id, wish)

    def some_node(self) -> Node | None:
        """The node that a load balancer picks: any that is up, rarely one that isn't."""
        up = [node for node in self.nodes.values() if node.is_up and not node.is_stopping]
        if not up or self.happens(0.02):
            return None
        return self.chance.choice(up)

    def dial(self, phone: Phone, auth: Json) -> Cable | None:
        """Connect a phone to some node."""
        node = self.some_node()
        if node is None:
            return None
        self.sids += 1
        self.counts["connections"] += 1
        cable = Cable(self.weather, phone.actor, node.actor)
        link = Link(f"s{self.sids}", phone.storage.user_id, cable)
        self.trace.add(phone.name, "dials", node.name, link.sid)
        cable.open(lambda: node.switchboard.accept(link, auth))
        if self.happens(self.weather.half_open * 0.1):
            self._fall_silent(cable)
        return cable

    def _fall_silent(self, cable: Cable) -> None:
        self.counts["half-open"] += 1
        cable.fall_silent(self.chance.choice(("up", "down")))

    async def rest(self, phone: Phone, event: str, body: Json) -> Json | None:
        """Ask some node over HTTP: the question or the answer may get lost, and the node may die over it."""
        node = self.some_node()
        if node is None:
            return None
        self.counts["rest requests"] += 1
        answered = self.loop.create_future()

        def answer(ack: Json) -> None:
            if not answered.done() and not self.happens(self.weather.rest_lost):
                answered.set_result(ack)

        async def carry_out() -> None:
            ack = await node.rest(phone.storage.user_id, event, body)
            phone.actor.soon(self.weather.delay(), lambda: answer(ack))

        if not self.happens(self.weather.rest_lost):
            node.actor.soon(self.weather.delay(), lambda: node.actor.spawn(carry_out()))
        try:
            async with asyncio.timeout(10.0):
                ack: Json = await answered
                return ack
        except TimeoutError:
            return None

    # --- nodes and phones come and go

    def start_node(self, name: str) -> None:
        """Start the process."""
        node = Node(self.loop, name, self.disk, self.bus, self.weather, self.trace, self.oracle)
        self.nodes[name] = self.oracle.nodes[name] = node

    def _kill_node(self, node: Node) -> None:
        self.counts["nodes killed"] += 1
        self.trace.add(node.name, "is killed")
        self._bury(node)
        node.kill()
        self._start_later(node.name)

    def _bury(self, node: Node) -> None:
        self.counts += node.counts
        node.counts.clear()

    def _start_later(self, name: str) -> None:
        seconds = self.uniform(0.1, DOWN_SECONDS_MAX)
        self.loop.call_later(seconds, self.start_node, name)

    async def _stop_node(self, node: Node) -> None:
        self.counts["nodes stopped"] += 1
        self.trace.add(node.name, "stops")
        node.is_stopping = True
        node.actor.spawn(node.stop())
        while not node.actor.is_dead:  # noqa: ASYNC110 - a killed node sets no event any more
            await asyncio.sleep(0.1)
        self._bury(node)
        self._start_later(node.name)

    def start_phone(self, name: str, storage: Storage) -> None:
        """Start the app."""
        self.phones[name] = Phone(
            self.loop, name, storage, self, None if self.is_over else self.people[name].act
        )

    def _kill_phone(self, phone: Phone) -> None:
        self.counts["phones killed"] += 1
        self.trace.add(phone.name, "is killed")
        phone.kill()
        self.loop.call_later(self.uniform(0.1, 20.0), self.start_phone, phone.name, phone.storage)

    # --- the weather

    async def storm(self, seconds: float) -> None:
        """Let things happen for so long."""
        end = self.loop.time() + seconds
        while self.loop.time() < end and not self.oracle.violations:
            await asyncio.sleep(TICK_SECONDS)
            self._perhaps_break()

    def _perhaps_break(self) -> None:
        weather = self.weather
        alive = [node for node in self.nodes.values() if not node.actor.is_dead and not node.is_stopping]
        for node in alive:
            if self.happens(weather.kills_per_second * TICK_SECONDS):
                self._kill_node(node)
            elif node.is_up and self.happens(weather.stops_per_second * TICK_SECONDS):
                self.loop.create_task(self._stop_node(node))
            elif self.happens(weather.outages_per_second * TICK_SECONDS):
                self._store_away([node])
        if self.happens(weather.outages_per_second * TICK_SECONDS):
            self._store_away(alive)
        if self.happens(weather.bus_outages_per_second * TICK_SECONDS):
            self.bus.go_away(self.uniform(1, 20))
        for phone in list(self.phones.values()):
            if not phone.actor.is_dead and self.happens(weather.phone_kills_per_second * TICK_SECONDS):
                self._kill_phone(phone)
            elif phone.cable is not None and self.happens(weather.cuts_per_second * TICK_SECONDS):
                self._break_cable(phone.cable)

    def _store_away(self, nodes: list[Node]) -> None:
        self.counts["store away"] += 1
        seconds = self.uniform(0.5, 12.0)
        for node in nodes:
            self.trace.add(node.name, "loses the store for", f"{seconds:.1f}")
            node.wire.down_until = self.loop.time() + seconds
            node.wire.trouble(seconds + 9.0)

    def _break_cable(self, cable: Cable) -> None:
        if self.happens(self.weather.half_open):
            self._fall_silent(cable)
        else:
            self.counts["cut"] += 1
            cable.cut()

    # --- the end

    async def heal(self) -> None:
        """End all faults, and see that everything comes to where it belongs by itself."""
        self.weather.calm()
        self.is_over = True
        for node in self.nodes.values():
            node.wire.down_until = 0.0
        await asyncio.sleep(DOWN_SECONDS_MAX + 25.0)  # whoever was to come back is back, users have stopped
        for phone in list(self.phones.values()):
            # The same app goes on, with nobody tapping.
            phone.kill()
            self.start_phone(phone.name, phone.storage)
        await self._until_pushed()
        await self._until_equal("by what it heard", with_gone=False)
        for phone in self.phones.values():
            phone.hang_up()
        await asyncio.sleep(QUIET_SECONDS)
        await self._until_equal("after coming back", with_gone=True)
        await self._check_fresh()

    async def _until_pushed(self) -> None:
        """Every outbox is empty soon."""
        end = self.loop.time() + DRAIN_SECONDS_MAX
        while waiting := [phone for phone in self.phones.values() if phone.storage.outbox]:
            if self.loop.time() > end:
                left = {phone.name: len(phone.storage.outbox) for phone in waiting}
                self.oracle.broken(8, f"outboxes don't drain within {DRAIN_SECONDS_MAX} s: {left}")
                return
            await asyncio.sleep(1.0)

    async def _until_equal(self, how: str, *, with_gone: bool) -> None:
        """Every phone shows what the ledgers say."""
        await asyncio.sleep(QUIET_SECONDS)
        for phone in self.phones.values():
            for text in self.oracle.differences(phone.storage, with_gone=with_gone):
                self.oracle.broken(5, f"{phone.name} doesn't show what is so, {how}: {text}")

    async def _check_fresh(self) -> None:
        """Somebody who comes with nothing gets the same."""
        for phone in list(self.phones.values()):
            fresh = Storage(phone.storage.user_id, phone.storage.token)
            for group_id in sorted(self.oracle.groups_of(fresh.user_id)):
                fresh.groups[group_id] = Held()
            visitor = Phone(self.loop, f"fresh {phone.name}", fresh, self, None)
            # Each group that is too long for the greeting is a pull, and in a slow world that takes seconds.
            end = self.loop.time() + DRAIN_SECONDS_MAX
            await asyncio.sleep(1.0)
            while self.oracle.differences(fresh, with_gone=True) and self.loop.time() < end:  # noqa: ASYNC110 - virtual time costs nothing
                await asyncio.sleep(1.0)
            for text in self.oracle.differences(fresh, with_gone=True):
                self.oracle.broken(5, f"a fresh phone of {phone.name} doesn't show what is so: {text}")
            visitor.kill()


def simulate(
    seed: int, scale: Scale = Scale(), mutant: Callable[[], AbstractContextManager[object]] = nullcontext
) -> Outcome:
    """Run the world of this seed to its end. `mutant` breaks the server on purpose while it lasts."""
    begun = time.perf_counter()
    chance = random.Random(seed)  # noqa: S311 - no secret
    order = random.Random(chance.getrandbits(64))  # noqa: S311 - no secret
    loop = VirtualLoop(order)  # type: ignore[abstract]  # without what needs I/O or threads
    trace = Trace(loop.time)
    counts: Counter[str] = Counter()
    oracle = Oracle(loop, trace, counts)
    with ExitStack() as stack:
        stack.enter_context(_controlled(loop, chance, trace, oracle, counts))
        stack.enter_context(mutant())
        stack.callback(loop.close)
        try:
            loop.run_until_complete(_live(loop, chance, trace, oracle, counts, scale))
        except Stuck as error:
            oracle.broken(9, f"the world stands still: {error}")
        for fault in loop.faults:
            oracle.broken(9, f"nobody caught: {fault}")
    return Outcome(
        seed,
        oracle.violations,
        trace.digest(),
        trace.lines,
        trace.tail(LINES_KEPT),
        loop.time(),
        counts,
        loop.steps,
        time.perf_counter() - begun,
    )


async def _live(
    loop: VirtualLoop,
    chance: random.Random,
    trace: Trace,
    oracle: Oracle,
    counts: Counter[str],
    scale: Scale,
) -> None:
    weather = Weather.of(random.Random(chance.getrandbits(64)))  # noqa: S311 - no secret
    events = WatchedEvents(oracle)
    nodes = scale.nodes or chance.choice((1, 2, 3, 3, 4, 4))
    disk = Disk(
        nodes > 1,
        Actor(loop, "disk"),
        events,
        MemoryDocuments(UNIQUE_KEYS),
        MemoryDocuments(),
        MemoryDocuments(),
        MemoryDocuments(),
        MemoryDocuments(),
        MemoryDocuments(),
    )
    world = World(loop, chance, weather, trace, counts, oracle, disk, Bus(loop, weather, counts))
    trace.add("weather", {key: value for key, value in vars(weather).items() if key != "chance"})
    world.resend_at_once = chance.choice((0.0, 0.1, 0.5))
    for number in range(nodes):
        world.start_node(f"node{number}")
    await _people(world, scale.phones or chance.randint(3, 8))
    await world.storm(scale.seconds or chance.choice((20.0, 40.0, 80.0)))
    if not oracle.violations:
        await world.heal()
        oracle.check_nodes()
        oracle.check_acked(phone.storage for phone in world.phones.values())
        await oracle.check_snapshots(events)
    for node in world.nodes.values():
        counts.update(node.counts)


async def _people(world: World, count: int) -> None:
    """Accounts, signed-in phones and their users."""
    users = Users(world.disk.users)
    pause_seconds = world.chance.choice((0.4, 1.0, 3.0))
    for number in range(count):
        user_id = str(uuid.UUID(int=world.chance.getrandbits(128), version=4))
        email = f"user{number}@example.com"
        vpa = f"user{number}@upi" if world.chance.random() < 0.5 else None
        await users.insert(
            User(user_id, f"User {number}", email, None, vpa, None, "2026-11-21T08:00:00.000Z"), ""
        )
        sessions = Sessions(world.disk.sessions, pepper=KEY, clock=world.loop.wall)
        with mock.patch.object(uuid_utils, "uuid7", lambda user_id=user_id: f"session-{user_id}"):
            await sessions.start(user_id)
        world.emails[user_id] = email
        if number < max(2, count * 0.6):
            world.spenders.add(user_id)
        # Some people use two devices.
        for device in range(world.chance.choice((1, 1, 2))):
            name = f"phone{number}{'ab'[device]}"
            own = random.Random(world.chance.getrandbits(64))  # noqa: S311 - no secret
            world.people[name] = Person(own, world, pause_seconds, groups_max=1 if number < 3 else 0)
            world.start_phone(name, Storage(user_id, f"{user_id} session-{user_id} {2**40}"))


# --- everything that could differ from run to run


@contextmanager
def _controlled(
    loop: VirtualLoop, chance: random.Random, trace: Trace, oracle: Oracle, counts: Counter[str]
) -> Iterator[None]:
    """Time, chance, ids and the log in the seed's hands; bounds so low that a short history meets them."""
    own = random.Random(chance.getrandbits(64))  # noqa: S311 - no secret

    class Now(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return loop.wall()

    def log(_: object, __: str, event: Any) -> Any:
        counts[f"log {event['event']}"] += 1
        trace.add("log", event["event"], event.get("error", ""))
        if event["event"] in _FAULTS_OF_OURS:
            where = traceback.format_exc(limit=-3).replace("\n", " | ") if event.pop("exc_info", None) else ""
            oracle.broken(9, f"the log says {event} {where}")
        raise structlog.DropEvent

    patches = (
        (time, "time", lambda: loop.wall().timestamp()),
        (time, "monotonic", loop.time),
        (uuid_utils, "uuid7", lambda: uuid.UUID(int=own.getrandbits(128), version=4)),
        (secrets, "token_hex", lambda size=32: own.randbytes(size).hex()),
        (secrets, "token_urlsafe", lambda size=32: own.randbytes(size).hex()),
        (sockets, "datetime", Now),
        (snapshots, "SNAPSHOT_EVERY", own.choice((3, 10))),
        (snapshots, "READ_LIMIT_MAX", own.choice((2, 7, 1000))),
        (groups, "READ_LIMIT_MAX", own.choice((2, 7, 1000))),
        (groups, "GROUPS_HELD_MAX", own.choice((1, 2, 1000))),
        (follower, "ANNOUNCED_LATE_MAX", own.choice((3, 20, 100))),
        (sockets, "CATCH_UP_EVENTS_MAX", own.choice((5, 1000))),
        (history, "PAGE_MAX", own.choice((2, 200))),
    )
    config, state = structlog.get_config(), random.getstate()
    with ExitStack() as stack:
        for module, name, value in patches:
            stack.enter_context(mock.patch.object(module, name, value))
        stack.callback(structlog.configure, **config)
        stack.callback(random.setstate, state)
        structlog.configure(processors=[log], cache_logger_on_first_use=False)
        random.seed(own.getrandbits(64))
        yield
