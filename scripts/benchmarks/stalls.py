"""How long the event loop stands still under everything at once: the lateness of a heartbeat every 10 ms.

Commands in groups of eight, groups of 24 with balances that are hard to plan, a group with a long history whose
snapshots fall due, sign-ins (argon2), QR images nobody has asked for before, connections that break and come back,
clients that fetch the longest pages and snapshots, and the served docs.
"""

import asyncio
import itertools
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

import aiohttp

from persplit.bootstrap import open_stores
from persplit.config import Settings
from scripts.benchmarks import plan
from scripts.benchmarks.bench import Bench, home, say
from scripts.benchmarks.histories import lengthen
from scripts.benchmarks.rows import OURS, Goal, Row
from scripts.benchmarks.servers import Failed, Ours, Running
from scripts.benchmarks.stats import percentile
from scripts.benchmarks.watched import BEATS
from scripts.benchmarks.world import PASSWORD, Group, Size, World, seeded_now
from tests.torture.swarm import Swarm

Json: TypeAlias = dict[str, Any]

MEMBERS: Final = 8
GROUPS: Final = 20
HARD_GROUPS: Final = 4
EVENTS: Final = 100_000
EVENTS_QUICK: Final = 5_000
SECONDS: Final = 6
"""Times the seconds of a repetition: one beat in a thousand is what is looked at."""
PAGE: Final = 200
"""The longest."""
ALONG_MAX: Final = 64
"""Requests of one kind under way; beyond, the next one waits."""
GOALS: Final = (Goal(None, 50, at_least=False),)
HARD: Final = ("trip, ₹50 per head", "two scales 9, 9", "multiples, 3 off", "near 1:2", "rupees ±1000")
"""Classes of balances whose plans take long: see `plan`."""

Act: TypeAlias = Callable[[], Awaitable[None]]


def measure(bench: Bench) -> Sequence[Row]:
    """The part: see above."""
    if not bench.wants(OURS):
        return []
    events = EVENTS_QUICK if bench.is_quick else EVENTS
    say(f"stalls: everything at once, {events:,} events in one group")
    found = bench.once({OURS: partial(run, bench, events)})
    what = "lateness of a 10 ms heartbeat in the server's loop under everything at once"
    busy = "processor time of the loop's thread between two beats"
    note = "what others on the machine do makes beats late too; the loop's own work is its processor time"
    return [
        Row("stalls", f"{what}: median", "ms", found["late 50"]),
        Row("stalls", f"{what}: 99th percentile", "ms", found["late 99"]),
        Row("stalls", f"{what}: 99.9th percentile", "ms", found["late 99.9"], GOALS),
        Row("stalls", f"{what}: longest", "ms", found["late 100"]),
        Row("stalls", f"{busy}: 99.9th percentile", "ms", found["busy 99.9"]),
        Row("stalls", f"{busy}: longest", "ms", found["busy 100"], note=note),
    ]


def run(bench: Bench, events: int) -> dict[str, float]:
    """One repetition."""
    with home() as here:
        world = _filled(here / "data", events)
        beats = here / "beats"
        ours = Ours(module="scripts.benchmarks.watched", variables={BEATS: str(beats)})
        with ours.over(here / "data", here, world) as running:
            since = asyncio.run(_under_load(running, bench.warm_seconds, SECONDS * bench.seconds))
        late, busy = _beats(beats, since)
    figures = {}
    for share in (50, 99, 99.9, 100):
        figures[f"late {share}"] = 1_000 * percentile(late, share / 100)
        figures[f"busy {share}"] = 1_000 * percentile(busy, share / 100)
    return figures


def _filled(data: Path, events: int) -> World:
    settings = Settings(data_dir=data)
    world = seeded_now(settings, Size(GROUPS, MEMBERS))

    async def fill() -> None:
        async with open_stores(settings) as stores:
            await lengthen(stores.events, world.groups[-1].id, events)

    asyncio.run(fill())
    return world


def _beats(path: Path, since: float) -> tuple[list[float], list[float]]:
    """How late beats were, and how busy the loop was before each, in seconds, since a moment."""
    rows = [tuple(map(float, line.split())) for line in path.read_text().splitlines() if line[0] != "t"]
    late = [max(late, 0.0) for at, late, _ in rows if at >= since]
    return late, [busy for at, _, busy in rows if at >= since]


async def _under_load(running: Running, warm_seconds: float, seconds: float) -> float:
    """Load the server for so long; returns the moment, on the monotonic clock, when it was warm."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{running.port}") as http, Swarm() as swarm:
        load = Load(http, swarm, running)
        await load.begin()
        loop = asyncio.get_running_loop()
        ends = loop.time() + warm_seconds + seconds
        since = loop.time() + warm_seconds
        await asyncio.gather(*(_at_rate(act, rate, ends) for act, rate in load.acts()))
        if load.put_off:
            say(f"  {load.put_off} requests were put off: more than this machine can do")
        return since


async def _at_rate(act: Act, per_second: float, ends: float) -> None:
    """Do it so often, whether or not the last one is answered, up to a bound."""
    loop, at_once = asyncio.get_running_loop(), asyncio.Semaphore(ALONG_MAX)

    async def one() -> None:
        try:
            await act()
        finally:
            at_once.release()

    async with asyncio.TaskGroup() as along:
        due = loop.time()
        while due < ends:
            await asyncio.sleep(due - loop.time())
            await at_once.acquire()
            along.create_task(one())
            due = max(due + 1 / per_second, loop.time() - 1)


class Load:
    """What is done to the server."""

    def __init__(self, http: aiohttp.ClientSession, swarm: Swarm, running: Running) -> None:
        self._http = http
        self._swarm = swarm
        self._running = running
        self._groups = itertools.cycle(running.world.groups)
        self._long = running.world.groups[-1]
        self._people = itertools.cycle(enumerate(running.world.people()))
        self._hard: Iterator[HardGroup] = iter(())
        self._random = Random("stalls")  # noqa: S311 - no secret
        self.put_off = 0
        """Requests that the server was too busy for."""

    async def begin(self) -> None:
        """Let a device of everybody connect, and make the groups that are hard to plan."""
        tokens = [person.token for person in self._running.world.people()]
        url = f"http://127.0.0.1:{self._running.port}"
        await self._swarm.do("open", url=url, tokens=tokens, count=len(tokens), comes_back="at once")
        await self._swarm.settled(seconds=60)
        self._hard = itertools.cycle([await self._hard_group(number) for number in range(HARD_GROUPS)])

    def acts(self) -> list[tuple[Act, float]]:
        """Each with how often a second."""
        return [
            (self._spend, 40),
            (self._spend_in_the_long, 15),
            (self._spend_in_a_hard, 4),
            (self._sign_in, 2),
            (self._look_at_qr, 4),
            (self._break_connections, 1),
            (self._fetch_page, 2),
            (self._read_docs, 0.2),
        ]

    async def ask(self, method: str, path: str, token: str = "", body: Json | None = None) -> Json:
        """One request that must succeed, or be put off because of all the others.

        Raises:
            Failed: it was neither.

        """
        headers = {"Idempotency-Key": uuid.uuid4().hex, "Authorization": f"Bearer {token}"}
        async with self._http.request(method, f"/api/v1{path}", json=body, headers=headers) as response:
            answer: Json = await response.json()
            if response.status == 503:
                self.put_off += 1
            elif response.status >= 300:
                raise Failed(f"{method} {path}: {response.status} {answer}")
            return answer

    async def _spend(self) -> None:
        await self._spend_in(next(self._groups))

    async def _spend_in_the_long(self) -> None:
        await self._spend_in(self._long)

    async def _spend_in(self, group: Group) -> None:
        body = {
            "description": "Dinner by the sea",
            "amount": self._random.randint(1_000, 500_000),
            "splitType": "EQUAL",
        }
        payer = self._random.choice(group.members)
        await self.ask("POST", f"/groups/{group.id}/expenses", payer.token, body)

    async def _hard_group(self, number: int) -> "HardGroup":
        person = self._running.world.groups[number].members[0]
        made = await self.ask("POST", "/groups", person.token, {"name": "Hard to plan"})
        group_id = made["group"]["id"]
        people = [person.id]
        while len(people) < plan.PEOPLE:
            added = await self.ask("POST", f"/groups/{group_id}/members", person.token, {"name": "Ravi"})
            people = [member["userId"] for member in added["group"]["members"]]
        return HardGroup(group_id, person.token, people, Random(f"hard {number}"))  # noqa: S311 - no secret

    async def _spend_in_a_hard(self) -> None:
        group = next(self._hard)
        await self.ask("POST", f"/groups/{group.id}/expenses", group.token, group.next())

    async def _sign_in(self) -> None:
        number, _ = next(self._people)
        body = {"email": f"person{number}@example.org", "password": PASSWORD}
        await self.ask("POST", "/auth/login", body=body)

    async def _look_at_qr(self) -> None:
        group = next(self._groups)
        standing = await self.ask("GET", f"/groups/{group.id}/balances", group.members[0].token)
        for row in standing.get("settleUp", ()):
            if row["qrUrl"]:
                async with self._http.get(row["qrUrl"]) as response:
                    await response.read()

    async def _break_connections(self) -> None:
        await self._swarm.do("flap", count=4)

    async def _fetch_page(self) -> None:
        for path in (f"events?limit={PAGE}", "sync?after=0"):
            await self.ask("GET", f"/groups/{self._long.id}/{path}", self._long.members[0].token)

    async def _read_docs(self) -> None:
        for path in ("/openapi.json", "/asyncapi.json", "/docs"):
            async with self._http.get(path) as response:
                await response.read()


class HardGroup:
    """A group of 24 that one expense after the other takes from hard balances to hard balances."""

    def __init__(self, group_id: str, token: str, people: Sequence[str], random: Random) -> None:
        self.id = group_id
        self.token = token
        self._people = people
        self._balances = [0] * len(people)
        self._random = random
        self._classes = itertools.cycle(HARD)

    def next(self) -> Json:
        """The expense that takes it to the next balances: who gains by that pays, the others have the shares."""
        wanted = plan.CLASSES[next(self._classes)](self._random)
        moved = [new - old for new, old in zip(wanted, self._balances, strict=True)]
        self._balances = wanted
        pays = [(user, by) for user, by in zip(self._people, moved, strict=True) if by > 0]
        owes = [(user, -by) for user, by in zip(self._people, moved, strict=True) if by < 0]
        return {
            "description": "Everything",
            "amount": sum(by for _, by in pays),
            "paidBy": [{"userId": user, "amount": by} for user, by in pays],
            "splitType": "EXACT",
            "splits": [{"userId": user, "value": by} for user, by in owes],
        }
