"""Thousands of devices in one process of their own, so that a server's figures are the server's.

Each device is a websocket that speaks Socket.IO by hand and follows the reference: it knows of each group where it
stands, drops what it has, pulls when there is a hole, says `since` when it comes back, and answers pings. It keeps no
state of a group, only counts what would be wrong with one. The process takes a JSON object a line on standard input
and answers each with one on standard output; see `Swarm` for who speaks to it.
"""

import asyncio
import contextlib
import itertools
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

import aiohttp

from tests.measuring import unmeasured

Json: TypeAlias = dict[str, Any]

SOCKET_PATH: Final = "/socket.io/?EIO=4&transport=websocket"
OPENING_MAX: Final = 100
"""Handshakes under way at once, unless told otherwise: more would only wait in the kernel."""
RETRY_SECONDS: Final = 0.1
"""Between attempts of a device that comes back at once; a phone's library waits a second and more."""
ANSWER_SECONDS_MAX: Final = 60.0
"""For a line to be answered, and a handshake to go through."""
LATENCIES_MAX: Final = 200_000


@dataclass
class Counts:
    """What all devices together have seen. `holes`, `doubled` and `backwards` are wrong where no connection broke."""

    heard: int = 0
    pulled: int = 0
    holes: int = 0
    stale: int = 0
    snapshots: int = 0
    pings: int = 0
    ended: int = 0
    failed: int = 0
    refused: int = 0
    closing: dict[str, int] = field(default_factory=dict)
    """Codes of `session:closing`."""
    latencies_ms: list[float] = field(default_factory=list)


@dataclass(eq=False)
class Device:
    """One device, over all its connections. `stands` is [seq, epoch] of each group."""

    account: int
    stands: dict[str, list[Any]] = field(default_factory=dict)
    wanted: dict[str, int] = field(default_factory=dict)
    pulls: dict[int, str] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    is_ready: bool = False
    ready_at: float = 0.0
    retry_after_ms: int = 0
    task: asyncio.Task[None] | None = None
    ws: aiohttp.ClientWebSocketResponse | None = None

    def is_behind(self) -> bool:
        """Whether a pull is under way, or has yet to be sent."""
        return bool(self.pulls) or any(self.stands[g][0] < seq for g, seq in self.wanted.items())


class Crowd:
    """All devices of this process."""

    def __init__(self) -> None:
        self.url = ""
        self.tokens: list[str] = []
        self.counts = Counts()
        self.devices: list[Device] = []
        self.comes_back = ""
        self._http: aiohttp.ClientSession | None = None
        self._opening = asyncio.Semaphore(OPENING_MAX)
        self._renewing: set[asyncio.Task[None]] = set()
        self._random = random.Random(0)  # noqa: S311 - no secret

    async def obey(self, told: Json) -> Json:
        """Do what a line says; returns what to answer."""
        act: dict[str, Callable[..., Awaitable[Json]]] = {
            "open": self.open,
            "status": self.status,
            "tokens": self.take_tokens,
            "leave": self.leave,
            "flap": self.flap,
        }
        return await act[told.pop("do")](**told)

    async def open(
        self,
        url: str,
        tokens: list[str],
        count: int,
        comes_back: str = "",
        opening: int = OPENING_MAX,
    ) -> Json:
        """Let `count` more devices connect, the accounts taking turns; see `settled` for when they have.

        `comes_back`: "" not at all, "at once", or "jitter": within the time that the server names.
        """
        self.url, self.tokens, self.comes_back = url, tokens, comes_back
        self._opening = asyncio.Semaphore(opening)
        if self._http is None:
            # Not closed before the process ends: it is killed, or has nothing else to do.
            self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True))
        for number in range(count):
            device = Device((len(self.devices) + number) % len(tokens))
            device.task = asyncio.create_task(self._live(device))
            self.devices.append(device)
        return {}

    async def take_tokens(self, tokens: list[str], spread_seconds: float = 0.0) -> Json:
        """Sign in with these from now on; who is connected renews within the time.

        In life devices sign in at different times, and renew at different times; these all have a token of one age.
        """
        self.tokens = tokens
        for device in self.devices:
            self._renewing.add(task := asyncio.create_task(self._renew(device, spread_seconds)))
            task.add_done_callback(self._renewing.discard)
        return {}

    async def _renew(self, device: Device, spread_seconds: float) -> None:
        await asyncio.sleep(self._random.uniform(0, spread_seconds))
        if device.ws is not None and device.is_ready:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                renewal = ["auth:renew", {"token": self.tokens[device.account]}]
                await device.ws.send_str(f"42{json.dumps(renewal)}")

    async def leave(self, count: int) -> Json:
        """Let so many devices go for good, politely, the newest first."""
        leaving = [self.devices.pop() for _ in range(min(count, len(self.devices)))]
        await self._end(leaving)
        return {}

    async def flap(self, count: int) -> Json:
        """Break so many connections without a word; the devices come back if they are of that kind."""
        for device in self._random.sample(self.devices, min(count, len(self.devices))):
            if device.ws is not None and (transport := device.ws._response.connection) is not None:
                assert transport.transport is not None
                transport.transport.abort()
        return {}

    async def _end(self, devices: Iterable[Device]) -> None:
        for device in devices:
            assert device.task is not None
            device.task.cancel()
            if device.ws is not None:
                with contextlib.suppress(Exception):
                    await device.ws.close()

    async def status(self) -> Json:
        """Where all stand. `lowest` is the lowest seq of each group over all ready devices."""
        ready = [device for device in self.devices if device.is_ready]
        lowest: dict[str, int] = {}
        for device in ready:
            for group_id, (seq, _) in device.stands.items():
                lowest[group_id] = min(seq, lowest.get(group_id, seq))
        counts = vars(self.counts) | {"latencies_ms": sorted(self.counts.latencies_ms)}
        return {
            "devices": len(self.devices),
            "ready": len(ready),
            "behind": sum(device.is_behind() for device in ready),
            "ready_at": max((device.ready_at for device in ready), default=0.0),
            "lowest": lowest,
            **counts,
        }

    # --- one device

    async def _live(self, device: Device) -> None:
        while True:
            device.retry_after_ms = 0
            try:
                await self._once(device)
                self.counts.ended += 1
            except (aiohttp.ClientError, OSError, TimeoutError):
                self.counts.failed += 1
            device.is_ready, device.ws = False, None
            if not self.comes_back:
                return
            wait = self._random.uniform(0, device.retry_after_ms / 1000) if self.comes_back == "jitter" else 0
            await asyncio.sleep(max(wait, RETRY_SECONDS * self._random.uniform(0.5, 1.5)))

    async def _once(self, device: Device) -> None:
        assert self._http is not None
        device.pulls.clear()
        device.wanted.clear()
        async with self._opening, asyncio.timeout(ANSWER_SECONDS_MAX):
            ws = device.ws = await self._http.ws_connect(
                self.url + SOCKET_PATH, max_msg_size=0, autoclose=True
            )
            while not device.is_ready:
                frame = await ws.receive()
                if frame.type is not aiohttp.WSMsgType.TEXT:
                    return
                await self._hear(device, ws, frame.data)
        async for frame in ws:
            if frame.type is aiohttp.WSMsgType.TEXT:
                await self._hear(device, ws, frame.data)

    async def _hear(self, device: Device, ws: aiohttp.ClientWebSocketResponse, text: str) -> None:
        if text == "2":
            self.counts.pings += 1
            await ws.send_str("3")
        elif text.startswith("0"):
            since = {group_id: {"seq": s, "epoch": e} for group_id, (s, e) in device.stands.items()}
            await ws.send_str(f"40{json.dumps({'token': self.tokens[device.account], 'since': since})}")
        elif text.startswith("44"):
            self.counts.refused += 1
            device.retry_after_ms = json.loads(text[2:]).get("data", {}).get("retryAfterMs", 1_000)
            await ws.close()
        elif text.startswith("42"):
            await self._told(device, ws, *json.loads(text[2:]))
        elif text.startswith("43"):
            number, _, answer = text[2:].partition("[")
            await self._answered(device, ws, int(number), json.loads(f"[{answer}")[0])

    async def _told(
        self, device: Device, ws: aiohttp.ClientWebSocketResponse, event: str, told: Json
    ) -> None:
        if event == "session:ready":
            await self._greeted(device, ws, told["groups"])
        elif event == "session:closing":
            device.retry_after_ms = told["retryAfterMs"]
            self.counts.closing[told["code"]] = self.counts.closing.get(told["code"], 0) + 1
        elif event == "auth:expiring":
            await ws.send_str(f"42{json.dumps(['auth:renew', {'token': self.tokens[device.account]}])}")
        elif "updatedBalances" in told:
            group_id, seq = told["groupId"], told["seq"]
            have = device.stands.setdefault(group_id, [0, None])
            if seq == have[0] + 1 and group_id not in device.pulls.values():
                have[0] = seq
                self.counts.heard += 1
                if len(self.counts.latencies_ms) < LATENCIES_MAX:
                    at = datetime.fromisoformat(told["at"]).timestamp()
                    self.counts.latencies_ms.append((time.time() - at) * 1000)
            elif seq <= have[0]:
                self.counts.stale += 1
            else:
                self.counts.holes += 1
                await self._want(device, ws, group_id, seq)

    async def _greeted(self, device: Device, ws: aiohttp.ClientWebSocketResponse, groups: list[Json]) -> None:
        for group in groups:
            known = device.stands.get(group["id"])
            if known is None:
                # A device that is new has fetched everything, as far as this goes.
                device.stands[group["id"]] = [group["seq"], group["epoch"]]
                continue
            if "sync" in group:
                self._put(device, group["id"], group["sync"])
            await self._want(device, ws, group["id"], group["seq"])
        device.is_ready, device.ready_at = True, time.monotonic()

    async def _want(
        self, device: Device, ws: aiohttp.ClientWebSocketResponse, group_id: str, seq: int
    ) -> None:
        device.wanted[group_id] = max(seq, device.wanted.get(group_id, 0))
        have, epoch = device.stands[group_id]
        if have < device.wanted[group_id] and group_id not in device.pulls.values():
            number = next(device.numbers)
            device.pulls[number] = group_id
            asked = {"groupId": group_id, "after": have, **({"epoch": epoch} if epoch else {})}
            await ws.send_str(f"42{number}{json.dumps(['sync:pull', asked])}")

    async def _answered(
        self, device: Device, ws: aiohttp.ClientWebSocketResponse, number: int, answer: Json
    ) -> None:
        group_id = device.pulls.pop(number, None)
        if group_id is None:
            return
        if answer["ok"]:
            self._put(device, group_id, answer)
        else:
            await asyncio.sleep(answer["error"].get("retryAfterMs", 1_000) / 1_000)
        await self._want(device, ws, group_id, 0)

    def _put(self, device: Device, group_id: str, pulled: Json) -> None:
        stand = device.stands[group_id]
        stand[1] = pulled["epoch"]
        if "snapshot" in pulled:
            self.counts.snapshots += 1
            stand[0] = pulled["snapshot"]["seq"]
        elif pulled["reset"]:
            stand[0] = 0
        for event in pulled.get("events", ()):
            if event["seq"] == stand[0] + 1:
                stand[0] = event["seq"]
                self.counts.pulled += 1
            else:
                self.counts.holes += 1


async def _run() -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=64 * 1024 * 1024)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    crowd = Crowd()
    while line := await lines.readline():
        answer = await crowd.obey(json.loads(line))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


class Swarm:
    """The process, from outside. Use `async with`."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "Swarm":
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.torture.swarm",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=64 * 1024 * 1024,
            env=unmeasured(),
        )  # fmt: skip
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def do(self, what: str, **arguments: Any) -> Json:
        """Say a line and return its answer."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": what, **arguments}).encode() + b"\n")
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            line = await self._process.stdout.readline()
        assert line, "the swarm has died"
        answer: Json = json.loads(line)
        return answer

    async def settled(self, heads: dict[str, int] | None = None, *, seconds: float) -> Json:
        """Wait until all devices are ready, with every event up to `heads` (of groups that any is in); returns the status.

        Raises `AssertionError` with the status if that takes longer than `seconds`.
        """
        deadline = time.monotonic() + seconds
        while True:
            status = await self.do("status")
            reached = all(status["lowest"].get(g, seq) >= seq for g, seq in (heads or {}).items())
            if status["ready"] == status["devices"] and not status["behind"] and reached:
                return status
            shown = {k: v for k, v in status.items() if k not in ("lowest", "latencies_ms")}
            assert time.monotonic() < deadline, f"not settled within {seconds} s: {shown}"
            await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """SIGKILL: all its connections end at once."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


if __name__ == "__main__":
    asyncio.run(_run())
