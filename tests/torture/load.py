"""Many devices at one server: storms, crowds, quiet, a day, floods, a mass drop, waves.

    scripts/torture load storm --sockets 2000
    scripts/torture load idle --sockets 5000 --minutes 10

Each scenario raises `AssertionError` for what must never be (somebody misses an event, a file descriptor stays), and
compares figures with targets, which say something about a machine of one's own only. The exit code is 1 for both.
The server runs in a process of its own without rate limits, as all devices come from one address; so do the devices.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import math
import random
import signal
import statistics
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

import aiohttp

from tests.servers import free_port
from tests.torture import flood as flooding
from tests.torture import options
from tests.torture.swarm import Swarm
from tests.torture.watched import WatchedServer

Json: TypeAlias = dict[str, Any]

PASSWORD: Final = "a long walk by the sea"
SETTLE_SECONDS: Final = 300.0
"""For all devices to be where they should be: no target, but the end of waiting."""
MEMBERS: Final = 5
"""Of a group, where the size isn't the point."""
FILES_EXTRA: Final = 16
"""Open files that come with use, however many sockets there are: readers of the database, the asker's connections."""
RSS_EVERY_SECONDS: Final = 5.0
RENEW_SECONDS: Final = 240.0
"""Access tokens live for ten minutes."""
FORGOTTEN_SECONDS: Final = 45.0
"""The library keeps what it had of a connection until its next ping would be due, and then some."""

STORM_SECONDS_MAX: Final = 15.0
STALL_MS_MAX: Final = 250.0
WAVES_RATIO_MAX: Final = 1.25
IDLE_GROWTH_MAX: Final = 0.02
"""Of memory, from a tenth of the time to the end."""
DAY_GROWTH_MAX: Final = 1.1
"""Memory after the second day over that after the first."""
FLOOD_MB_MAX: Final = 30.0
"""Memory that attacks may leave behind: what the allocator keeps, and caches that fill."""

# Devices online in each hour of a day, as a share of the most: a quiet night, breakfast, lunch, the evening.
DAY: Final = (
    *(0.1, 0.06, 0.05, 0.05, 0.06, 0.1, 0.25, 0.5, 0.7, 0.55, 0.5, 0.55),
    *(0.75, 0.7, 0.5, 0.5, 0.55, 0.65, 0.8, 1.0, 0.95, 0.8, 0.5, 0.25),
)


@dataclass
class Outcome:
    """What a scenario measured, and which targets it missed."""

    figures: dict[str, Any] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)

    def target(self, name: str, value: float, most: float) -> None:
        """Note a figure that shall be at most so much."""
        self.figures[name] = round(value, 3)
        if value > most:
            self.missed.append(f"{name}: {value:.3f}, target {most}")

    def show(self) -> None:
        """Print a table, and the same as JSON."""
        for name, value in self.figures.items():
            print(f"  {name:36} {value}")  # noqa: T201 - a command line
        print(json.dumps({"figures": self.figures, "missed": self.missed}))  # noqa: T201


class Cast:
    """Accounts and groups, made through the server's own door. `heads` is the seq of each group."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self.tokens: list[str] = []
        self.heads: dict[str, int] = {}
        self._http = http
        self._refresh_tokens: list[str] = []
        self._writer_of: dict[str, int] = {}

    async def ask(self, method: str, path: str, body: Json | None = None, *, account: int = -1) -> Json:
        """One request that must succeed, asked again under the same key while the server is away."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        if account >= 0:
            headers["Authorization"] = f"Bearer {self.tokens[account]}"
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                async with self._http.request(
                    method, f"{self.url}/api/v1{path}", json=body, headers=headers
                ) as response:
                    answer: Json = await response.json()
                    if response.status < 300:
                        return answer
                    assert response.status == 503, (method, path, answer)
            assert time.monotonic() < deadline, "the server does not come back"
            await asyncio.sleep(0.05)

    async def register(self, count: int) -> None:
        """So many accounts more."""
        at_once = asyncio.Semaphore(4)

        async def one() -> Json:
            body = {"name": "Asha", "email": f"{uuid.uuid4().hex}@example.org", "password": PASSWORD}
            async with at_once:
                return await self.ask("POST", "/auth/register", body)

        for made in await asyncio.gather(*(one() for _ in range(count))):
            self.tokens.append(made["accessToken"])
            self._refresh_tokens.append(made["refreshToken"])

    async def group(self, accounts: range) -> str:
        """A group of these accounts, the first of them its admin."""
        made = await self.ask("POST", "/groups", {"name": "Goa trip"}, account=accounts[0])
        group_id = str(made["group"]["id"])
        self.heads[group_id], self._writer_of[group_id] = 1, accounts[0]
        for account in accounts[1:]:
            await self.join(group_id, account)
        return group_id

    async def groups(self) -> None:
        """Cut all accounts into groups."""
        for first in range(0, len(self.tokens), MEMBERS):
            await self.group(range(first, min(first + MEMBERS, len(self.tokens))))

    async def join(self, group_id: str, account: int) -> None:
        """One more member."""
        invite = await self.ask("POST", f"/groups/{group_id}/invites", account=self._writer_of[group_id])
        joined = await self.ask("POST", "/groups/join", {"code": invite["code"]}, account=account)
        self.heads[group_id] = joined["group"]["seq"]

    async def spend(self, group_id: str) -> None:
        """One expense."""
        body = {"description": "Tea", "amount": 1_000, "splitType": "EQUAL"}
        path = f"/groups/{group_id}/expenses"
        self.heads[group_id] = (await self.ask("POST", path, body, account=self._writer_of[group_id]))["seq"]

    async def spend_everywhere(self, times: int = 1) -> None:
        """An expense in each group."""
        for _ in range(times):
            for group_id in list(self.heads):
                await self.spend(group_id)

    async def renew(self) -> None:
        """Fresh tokens for everybody."""
        for account, token in enumerate(self._refresh_tokens):
            renewed = await self.ask("POST", "/auth/refresh", {"refreshToken": token})
            self.tokens[account] = renewed["accessToken"]
            self._refresh_tokens[account] = renewed["refreshToken"]


@dataclass
class Stage:
    """A server, accounts with groups, and a swarm of devices, at first empty."""

    server: WatchedServer
    cast: Cast
    swarm: Swarm
    random: random.Random

    async def open(self, count: int, **how: Any) -> None:
        """Let so many devices connect, and wait for them."""
        await self.swarm.do("open", url=self.server.url, tokens=self.cast.tokens, count=count, **how)
        await self.swarm.settled(self.cast.heads, seconds=SETTLE_SECONDS)

    async def all_gone(self, files: int) -> None:
        """Wait until the server has so few open files again."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while self.server.files() > files:
            assert time.monotonic() < deadline, f"{self.server.files()} files open instead of {files}"
            await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def serving(home: Path, accounts: int, **variables: str) -> AsyncIterator[tuple[WatchedServer, Cast]]:
    """A server with accounts in groups, while the block runs."""
    server = WatchedServer(home, free_port(), **variables)
    await asyncio.to_thread(server.start)
    try:
        async with aiohttp.ClientSession() as http:
            cast = Cast(server.url, http)
            await cast.register(accounts)
            await cast.groups()
            yield server, cast
    finally:
        # Nobody looks any more, and in order it would first answer all that a flood has left.
        server.end(signal.SIGKILL)


@contextlib.asynccontextmanager
async def staged(server: WatchedServer, cast: Cast, seed: int = 0) -> AsyncIterator[Stage]:
    """With a swarm of its own."""
    async with Swarm() as swarm:
        yield Stage(server, cast, swarm, random.Random(seed))  # noqa: S311 - no secret


# --- scenarios


RESTARTS: Final = (("jitter", signal.SIGTERM), ("at once", signal.SIGTERM), ("at once", signal.SIGKILL))
"""How the devices come back, and what ended the server."""


async def storm(stage: Stage, sockets: int, restarts: Sequence[tuple[str, int]] = RESTARTS) -> Outcome:
    """Everybody comes back after the server was restarted, and has what was written meanwhile."""
    outcome = Outcome()
    for comes_back, number in restarts:
        async with Swarm() as swarm:
            await swarm.do(
                "open", url=stage.server.url, tokens=stage.cast.tokens, count=sockets, comes_back=comes_back
            )
            await swarm.settled(stage.cast.heads, seconds=SETTLE_SECONDS)
            await stage.cast.spend_everywhere()
            await asyncio.to_thread(stage.server.end, number)
            writing = asyncio.create_task(stage.cast.spend_everywhere(times=2))
            since = await asyncio.to_thread(stage.server.start)
            await writing
            status = await swarm.settled(stage.cast.heads, seconds=SETTLE_SECONDS)
            took, stall = status["ready_at"] - since, stage.server.stall(since)
        name = f"{'killed' if number == signal.SIGKILL else 'stopped'}, back {comes_back}: "
        outcome.target(name + "all synced, s", took, STORM_SECONDS_MAX)
        outcome.figures[name + "loop late, ms"] = stall.late_ms
        outcome.figures[name + "loop busy, ms"] = stall.busy_ms
        outcome.figures[name + "pulled events"] = status["pulled"]
    return outcome


async def idle(stage: Stage, sockets: int, minutes: float) -> Outcome:
    """Nothing happens, for a while."""
    files, before = stage.server.files(), stage.server.rss_mb()
    await stage.open(sockets)
    outcome = Outcome()
    samples: list[tuple[float, float]] = []
    end, renew_at = time.monotonic() + minutes * 60, time.monotonic() + RENEW_SECONDS
    while (now := time.monotonic()) < end:
        samples.append((now, stage.server.rss_mb()))
        if now > renew_at:
            renew_at = now + RENEW_SECONDS
            await stage.cast.renew()
            await stage.swarm.do("tokens", tokens=stage.cast.tokens, spread_seconds=RENEW_SECONDS / 2)
        await asyncio.sleep(min(RSS_EVERY_SECONDS, minutes * 3))
    status = await stage.swarm.do("status")
    assert (status["ready"], status["ended"], status["failed"]) == (sockets, 0, 0), status
    outcome.figures["sockets"] = sockets
    outcome.figures["pings answered"] = status["pings"]
    outcome.figures["files above those of the sockets"] = stage.server.files() - sockets
    assert stage.server.files() - sockets <= files + FILES_EXTRA, (stage.server.files(), sockets, files)
    await stage.cast.spend_everywhere()
    await stage.swarm.settled(stage.cast.heads, seconds=SETTLE_SECONDS)
    warm = samples[len(samples) // 10 :]
    slope = statistics.linear_regression(*zip(*warm, strict=True)).slope if len(warm) > 1 else 0.0
    outcome.figures["memory at the end, MB"] = round(warm[-1][1], 1)
    outcome.figures["KB a socket"] = round((warm[-1][1] - before) * 1024 / sockets, 1)
    outcome.figures["slope, MB an hour"] = round(slope * 3600, 2)
    outcome.target("growth", warm[-1][1] / warm[0][1] - 1, IDLE_GROWTH_MAX)
    return outcome


async def big_group(stage: Stage, members: int, devices: int, events: int) -> Outcome:
    """One group, everybody in it: each device hears every event once, in order."""
    before = len(stage.cast.tokens)
    await stage.cast.register(members)
    group_id = await stage.cast.group(range(before, before + members))
    await stage.swarm.do("open", url=stage.server.url, tokens=stage.cast.tokens[before:], count=devices)
    heads = {group_id: stage.cast.heads[group_id]}
    await stage.swarm.settled(heads, seconds=SETTLE_SECONDS)
    since = time.monotonic()
    for _ in range(events):
        await stage.cast.spend(group_id)
    took = time.monotonic() - since
    status = await stage.swarm.settled({group_id: stage.cast.heads[group_id]}, seconds=SETTLE_SECONDS)
    wrong = (status["holes"], status["stale"], status["pulled"])
    assert (status["heard"], wrong) == (events * devices, (0, 0, 0)), status
    stall = stage.server.stall(since)
    latencies = status["latencies_ms"]
    figures = {
        "members": members,
        "devices": devices,
        "events a second": round(events / took, 1),
        "deliveries a second": round(events * devices / took),
        "heard after, ms, median": round(latencies[len(latencies) // 2], 1),
        "heard after, ms, 99 of 100": round(latencies[len(latencies) * 99 // 100], 1),
        "loop late, ms": stall.late_ms,
        "loop busy, ms": stall.busy_ms,
    }
    return Outcome(figures)


async def day(
    stage: Stage, sockets: int, minutes: float, days: int = 2, forgotten_seconds: float = FORGOTTEN_SECONDS
) -> Outcome:
    """Days compressed: devices come and go by the hour, break off, write; people join. Afterwards all is as before."""
    outcome = Outcome()
    files, tasks = stage.server.files(), await asyncio.to_thread(stage.server.tasks)
    after: list[float] = []
    for number in range(days):
        peak = await _one_day(stage, sockets, minutes)
        await stage.swarm.do("leave", count=sockets)
        await stage.all_gone(files + FILES_EXTRA)
        await asyncio.sleep(forgotten_seconds)
        after.append(stage.server.rss_mb())
        outcome.figures |= {
            f"day {number + 1}, peak MB": round(peak, 1),
            f"day {number + 1}, after, MB": round(after[-1], 1),
        }
    status = await stage.swarm.do("status")
    outcome.figures |= {name: status[name] for name in ("heard", "pulled", "ended", "failed")}
    deadline = time.monotonic() + SETTLE_SECONDS
    while (left := await asyncio.to_thread(stage.server.tasks)) > tasks + 2:
        assert time.monotonic() < deadline, f"{left} tasks are left instead of {tasks}"
        await asyncio.sleep(0.5)
    outcome.figures |= {"files before": files, "files after": stage.server.files()}
    outcome.figures |= {"tasks before": tasks, "tasks after": left}
    outcome.target("memory after the last day over the first", after[-1] / after[0], DAY_GROWTH_MAX)
    return outcome


async def _one_day(stage: Stage, sockets: int, minutes: float) -> float:
    hour_seconds = minutes * 60 / len(DAY)
    online, peak = 0, 0.0
    await stage.cast.renew()
    await stage.swarm.do("tokens", tokens=stage.cast.tokens)
    for share in DAY:
        end = time.monotonic() + hour_seconds
        wanted = int(sockets * share)
        if wanted > online:
            await stage.swarm.do(
                "open",
                url=stage.server.url,
                tokens=stage.cast.tokens,
                count=wanted - online,
                comes_back="at once",
            )
        await stage.swarm.do("leave", count=max(0, online - wanted))
        online = wanted
        await stage.swarm.do("flap", count=wanted // 10)
        for group_id in stage.random.sample(
            list(stage.cast.heads), max(1, int(len(stage.cast.heads) * share))
        ):
            await stage.cast.spend(group_id)
        if share > 0.9:
            await stage.cast.register(1)
            await stage.cast.join(stage.random.choice(list(stage.cast.heads)), len(stage.cast.tokens) - 1)
        await asyncio.sleep(max(0.0, end - time.monotonic()))
        peak = max(peak, stage.server.rss_mb())
        await stage.swarm.settled(stage.cast.heads, seconds=SETTLE_SECONDS)
    return peak


async def drop(stage: Stage, sockets: int) -> Outcome:
    """The process with all the devices is killed: the loop must go on turning."""
    files = stage.server.files()
    await stage.open(sockets)
    await asyncio.sleep(1)
    since = time.monotonic()
    await stage.swarm.kill()
    await stage.all_gone(files + FILES_EXTRA)
    took = time.monotonic() - since
    await stage.cast.spend_everywhere()
    stall = stage.server.stall(since)
    outcome = Outcome(
        {"sockets": sockets, "all forgotten, s": round(took, 2), "loop late, ms": stall.late_ms}
    )
    outcome.target("loop busy, ms", stall.busy_ms, STALL_MS_MAX)
    return outcome


async def waves(stage: Stage, sockets: int, count: int) -> Outcome:
    """Everybody comes, and is gone at once, again and again: memory stays."""
    outcome = Outcome()
    files = stage.server.files()
    sizes = []
    for number in range(count):
        async with Swarm() as swarm:
            await swarm.do("open", url=stage.server.url, tokens=stage.cast.tokens, count=sockets)
            await swarm.settled(stage.cast.heads, seconds=SETTLE_SECONDS)
            sizes.append(stage.server.rss_mb())
        await stage.all_gone(files + FILES_EXTRA)
        outcome.figures[f"wave {number + 1}, MB"] = round(sizes[-1], 1)
    outcome.target("last wave over the first", sizes[-1] / sizes[0], WAVES_RATIO_MAX)
    return outcome


async def flood(stage: Stage, seed: int, seconds: float, attackers: int) -> Outcome:
    """Floods and malformed packets of all kinds, while an innocent client writes and is answered."""
    await stage.open(2)
    rss, log, files = stage.server.rss_mb(), stage.server.log.stat().st_size, stage.server.files()
    since = time.monotonic()
    innocent = asyncio.create_task(_innocent(stage, since + seconds))
    targets = flooding.Target(stage.server.url, stage.cast.tokens[0])
    attacks = await flooding.attack(targets, seed, seconds, attackers)
    waits = await innocent
    status = await stage.swarm.settled(stage.cast.heads, seconds=SETTLE_SECONDS)
    assert (status["ended"], status["holes"]) == (0, 0), status
    await stage.all_gone(files + FILES_EXTRA)
    written = stage.server.log.stat().st_size - log
    outcome = Outcome({f"attacks: {name}": number for name, number in sorted(attacks.items())})
    outcome.figures["log, bytes an attack"] = round(written / max(1, attacks.total()), 1)
    assert written <= 200 * attacks.total() + 20_000, f"{written} bytes of log for {attacks.total()} attacks"
    assert "Traceback" not in stage.server.log.read_text(errors="replace")[log:], "a traceback in the log"
    outcome.figures["innocent: answers"] = len(waits)
    outcome.figures["innocent: longest wait, ms"] = round(max(waits) * 1000)
    stall = stage.server.stall(since)
    outcome.figures |= {"loop late, ms": stall.late_ms, "loop busy, ms": stall.busy_ms}
    outcome.target("memory grown by, MB", stage.server.rss_mb() - rss, FLOOD_MB_MAX)
    return outcome


async def _innocent(stage: Stage, until: float) -> list[float]:
    """Write now and then; returns how long each answer took, in seconds."""
    waits = []
    groups = itertools.cycle(list(stage.cast.heads))
    while time.monotonic() < until:
        started = time.monotonic()
        async with asyncio.timeout(SETTLE_SECONDS):
            await stage.cast.spend(next(groups))
        waits.append(time.monotonic() - started)
        await asyncio.sleep(0.05)
    return waits


# --- the command line

Run: TypeAlias = Callable[[Stage, argparse.Namespace, int], Coroutine[Any, Any, Outcome]]

SCENARIOS: Final[dict[str, tuple[int, Run]]] = {
    "storm": (2_000, lambda stage, given, _: storm(stage, given.sockets)),
    "idle": (5_000, lambda stage, given, _: idle(stage, given.sockets, given.minutes)),
    "big-group": (
        200,
        lambda stage, given, _: big_group(stage, given.sockets // 2, given.sockets, given.events),
    ),
    "day": (1_000, lambda stage, given, _: day(stage, given.sockets, given.minutes)),
    "flood": (0, lambda stage, given, seed: flood(stage, seed, given.minutes * 60, given.attackers)),
    "drop": (5_000, lambda stage, given, _: drop(stage, given.sockets)),
    "waves": (4_000, lambda stage, given, _: waves(stage, given.sockets, 4)),
}
"""The sockets of each by default, and how it is run."""


def main(arguments: list[str]) -> int:
    """Run one scenario; returns 1 if something broke or a target was missed."""
    parser = options.parser("load", "many devices at one server")
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--sockets", type=int, help="devices at most; in big-group, two of each member")
    parser.add_argument("--accounts", type=int, default=100, help="people that the devices belong to")
    parser.add_argument("--minutes", type=float, default=10, help="of idle and flood, and of each day")
    parser.add_argument("--events", type=int, default=200, help="written in big-group")
    parser.add_argument("--attackers", type=int, default=20, help="at once in flood")
    given = parser.parse_args(arguments)
    sockets, run = SCENARIOS[given.scenario]
    given.sockets = sockets if given.sockets is None else given.sockets
    seed = options.seed_of(given.seed)

    async def on_stage() -> Outcome:
        with tempfile.TemporaryDirectory() as home:
            accounts = max(MEMBERS, math.ceil(given.accounts / MEMBERS) * MEMBERS)
            async with serving(Path(home), accounts) as (server, cast), staged(server, cast, seed) as stage:
                return await run(stage, given, seed)

    try:
        outcome = asyncio.run(on_stage())
    except AssertionError as error:
        print(f"broken: {error}")  # noqa: T201 - a command line
        return 1
    outcome.show()
    for missed in outcome.missed:
        print(f"target missed: {missed}")  # noqa: T201
    return 1 if outcome.missed else 0
