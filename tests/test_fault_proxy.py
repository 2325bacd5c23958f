"""The fault proxy does what it is told."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.fault_proxy import FaultProxy, Faults, proxying


@pytest.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    """A proxy to a server that says everything back."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with proxying(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy
    server.close()


async def test_it_passes_everything_on_unchanged(proxy: FaultProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(bytes(range(256)) * 1_000)
    assert await reader.readexactly(256_000) == bytes(range(256)) * 1_000
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()


async def test_a_delay_and_a_throttle_take_their_time(proxy: FaultProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    proxy.set(Faults(delay_s=0.05))
    started = time.monotonic()
    writer.write(b"x")
    await reader.readexactly(1)
    assert time.monotonic() - started >= 0.1  # there and back
    proxy.set(Faults(bytes_per_s=1_000))
    started = time.monotonic()
    writer.write(b"x" * 300)
    await reader.readexactly(300)
    assert time.monotonic() - started >= 0.3
    writer.close()


async def test_while_it_stalls_nothing_comes_and_nothing_is_lost(proxy: FaultProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    proxy.set(Faults(is_stalled=True))
    writer.write(b"late")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await reader.readexactly(4)
    proxy.heal()
    assert await reader.readexactly(4) == b"late"
    writer.close()


async def test_a_cut_resets_every_connection_and_refusing_those_to_come(proxy: FaultProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"x")
    await reader.readexactly(1)
    assert proxy.connections() == 1
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    proxy.set(Faults(is_refusing=True))
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()
