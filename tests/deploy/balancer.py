"""A TCP balancer as simple as they come: each connection goes to the next node whose `/readyz` says 200."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Final

PROBE_SECONDS: Final = 0.2
PROBE_SECONDS_MAX: Final = 5.0
"""For one answer of `/readyz`."""


class Balancer:
    """Listens on `port` and spreads connections over the ready ones of `targets` (ports on this machine).

    No sticky sessions: where a connection goes depends on nothing but whose turn it is. `taken` counts by target.
    """

    def __init__(self, targets: Sequence[int]) -> None:
        self.port = 0
        self.ready: set[int] = set()
        self.taken = dict.fromkeys(targets, 0)
        self._targets = list(targets)
        self._turn = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen and to probe."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        for target in self._targets:
            self._spawn(self._probe(target))

    async def close(self) -> None:
        """Stop, and end all connections."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until_ready(self, *targets: int) -> None:
        """Wait until these take connections."""
        while not self.ready.issuperset(targets):  # noqa: ASYNC110 - probed from time to time anyway
            await asyncio.sleep(PROBE_SECONDS)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _probe(self, target: int) -> None:
        while True:
            if await _is_ready(target):
                self.ready.add(target)
            else:
                self.ready.discard(target)
            await asyncio.sleep(PROBE_SECONDS)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in self._targets:
            target = self._targets[self._turn % len(self._targets)]
            self._turn += 1
            if target not in self.ready:
                continue
            with contextlib.suppress(OSError):
                there = await asyncio.open_connection("127.0.0.1", target)
                self.taken[target] += 1
                self._spawn(_pass_on(reader, there[1]))
                self._spawn(_pass_on(there[0], writer))
                return
        writer.transport.abort()


async def _is_ready(target: int) -> bool:
    writer = None
    try:
        async with asyncio.timeout(PROBE_SECONDS_MAX):
            reader, writer = await asyncio.open_connection("127.0.0.1", target)
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: balancer\r\nConnection: close\r\n\r\n")
            return b" 200 " in await reader.readline()
    except (OSError, TimeoutError):
        return False
    finally:
        if writer is not None:
            writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def balancing(*targets: int) -> AsyncIterator[Balancer]:
    """A balancer over the ports, while the block runs."""
    balancer = Balancer(targets)
    await balancer.open()
    try:
        yield balancer
    finally:
        await balancer.close()
