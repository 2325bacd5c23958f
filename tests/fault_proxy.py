"""A TCP proxy that misbehaves as it is told: between clients and server, or a server and its MongoDB or Redis."""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

CHUNK_BYTES: Final = 16_384
"""What is passed on at once; with a throttle, a tenth of a second's worth."""
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing sends RST, as a router does that has forgotten the connection."""


@dataclass
class Faults:
    """What the proxy does to bytes from now on.

    `delay_s` and up to `jitter_s` more before each chunk is passed on, `bytes_per_s` in each direction of each
    connection, `is_stalled`: nothing is passed on and nothing closed (half-open), `is_refusing`: new connections
    are reset. `is_mute_there` and `is_mute_here`: what goes to the target, or comes from it, is lost for good
    while the other direction lives; such a connection never heals. `slice_bytes`: passed on in pieces of so many
    bytes. `cut_after_bytes`: each connection is reset after so many bytes more from the target, in the middle of a
    frame. `hold_s`: a new connection waits up to so long before it reaches the target, so that they arrive in
    another order than that in which they were opened.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float | None = None
    is_stalled: bool = False
    is_refusing: bool = False
    is_mute_there: bool = False
    is_mute_here: bool = False
    slice_bytes: int | None = None
    cut_after_bytes: int | None = None
    hold_s: float = 0.0


class FaultProxy:
    """Listens on `port` and passes on to `host:target_port`, with faults. Make one with `proxying`."""

    def __init__(self, target_port: int, host: str = "127.0.0.1", *, seed: int = 0) -> None:
        self.faults = Faults()
        self.port = 0
        self.accepted = 0
        """Connections taken so far."""
        self._target = (host, target_port)
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._changed = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, and end all connections."""
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def set(self, faults: Faults) -> None:
        """Misbehave like this from now on."""
        self.faults = faults
        self._changed.set()
        self._changed = asyncio.Event()

    def heal(self) -> None:
        """Behave."""
        self.set(Faults())

    def cut(self) -> int:
        """Reset every connection; returns how many."""
        writers = list(self._writers)
        for writer in writers:
            _reset(writer)
        return len(writers)

    def connections(self) -> int:
        """Connections that are open, counted once each."""
        return len(self._writers) // 2

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self.faults.is_refusing:
            _reset(writer)
            return
        if self.faults.hold_s:
            await asyncio.sleep(self._random.uniform(0, self.faults.hold_s))
        try:
            there_reader, there_writer = await asyncio.open_connection(*self._target)
        except OSError:
            _reset(writer)
            return
        both = {writer, there_writer}
        self._writers |= both
        passing = [
            asyncio.create_task(self._pass_on(reader, there_writer, is_here=False)),
            asyncio.create_task(self._pass_on(there_reader, writer, is_here=True)),
        ]
        self._tasks.update(passing)
        try:
            await asyncio.gather(*passing, return_exceptions=True)
        finally:
            self._tasks.difference_update(passing)
            self._writers -= both
            for each in both:
                each.close()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_here: bool
    ) -> None:
        is_mute, faults, passed = False, self.faults, 0
        with contextlib.suppress(ConnectionError):
            while True:
                chunk = await reader.read(self._chunk_bytes())
                if not chunk:
                    break
                await self._hold_back(len(chunk))
                if self.faults is not faults:
                    faults, passed = self.faults, 0
                is_mute = is_mute or (faults.is_mute_here if is_here else faults.is_mute_there)
                if is_mute:
                    continue
                if is_here and faults.cut_after_bytes is not None:
                    chunk = chunk[: max(0, faults.cut_after_bytes - passed)]
                passed += len(chunk)
                await _write(writer, chunk, faults.slice_bytes or len(chunk))
                if is_here and faults.cut_after_bytes is not None and passed >= faults.cut_after_bytes:
                    _reset(writer)
                    return
        with contextlib.suppress(OSError):
            if writer.can_write_eof():
                writer.write_eof()

    def _chunk_bytes(self) -> int:
        rate = self.faults.bytes_per_s
        return CHUNK_BYTES if rate is None else max(1, min(CHUNK_BYTES, int(rate / 10)))

    async def _hold_back(self, size: int) -> None:
        while self.faults.is_stalled:
            await self._changed.wait()
        faults = self.faults
        wait = faults.delay_s + self._random.uniform(0, faults.jitter_s)
        if faults.bytes_per_s is not None:
            wait += size / faults.bytes_per_s
        if wait:
            await asyncio.sleep(wait)


async def _write(writer: asyncio.StreamWriter, chunk: bytes, size: int) -> None:
    for start in range(0, len(chunk), max(1, size)):
        writer.write(chunk[start : start + size])
        await writer.drain()
        if size < len(chunk):
            # Without a pause the kernel would put the pieces together again.
            await asyncio.sleep(0)


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()


@asynccontextmanager
async def proxying(target_port: int, host: str = "127.0.0.1", *, seed: int = 0) -> AsyncIterator[FaultProxy]:
    """A proxy to the port, while the block runs. `seed` decides the jitter."""
    proxy = FaultProxy(target_port, host, seed=seed)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.close()
