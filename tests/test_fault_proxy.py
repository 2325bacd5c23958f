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


async def test_slices_come_one_by_one_and_whole(proxy: FaultProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    proxy.set(Faults(slice_bytes=1))
    writer.write(bytes(range(256)))
    assert await reader.readexactly(256) == bytes(range(256))
    writer.close()


async def test_a_cut_in_the_middle_lets_so_much_through(proxy: FaultProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    proxy.set(Faults(cut_after_bytes=10))
    writer.write(b"x" * 100)
    assert await reader.readexactly(10) == b"x" * 10
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()


@pytest.mark.parametrize("is_mute_here", [False, True])
async def test_a_direction_that_died_stays_dead_on_its_connection_and_no_other(
    proxy: FaultProxy, *, is_mute_here: bool
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    proxy.set(Faults(is_mute_here=is_mute_here, is_mute_there=not is_mute_here))
    writer.write(b"lost")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await reader.readexactly(4)
    proxy.heal()
    writer.write(b"lost, too")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await reader.readexactly(4)
    again_reader, again = await asyncio.open_connection("127.0.0.1", proxy.port)
    again.write(b"heard")
    assert await again_reader.readexactly(5) == b"heard"
    for each in (writer, again):
        each.close()


async def test_connections_arrive_in_another_order_than_they_were_opened() -> None:
    arrived: list[bytes] = []
    all_there = asyncio.Event()

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append(await reader.readexactly(1))
        if len(arrived) == 8:
            all_there.set()
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    async with proxying(server.sockets[0].getsockname()[1], seed=1) as proxy:
        proxy.set(Faults(hold_s=0.4))
        writers = []
        for number in range(8):
            _, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(b"%d" % number)
            writers.append(writer)
        async with asyncio.timeout(10):
            await all_there.wait()
        for writer in writers:
            writer.close()
    server.close()
    assert arrived != sorted(arrived)
