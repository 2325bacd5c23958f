"""How a connection ends: closed, aborted, too slow; and who reads is never cut off."""

import asyncio
import contextlib
import json
import time
from typing import Any

import aiohttp
import pytest
import socketio

from persplit.transport import backlog, direct, engine, links
from tests.transport.guarded import PATIENCE_SECONDS, PROMPT_SECONDS, Client, Served, by_hand, serving

pytestmark = pytest.mark.usefixtures("carried")


def look_each(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Have the server look more often whether a slow client takes anything."""
    for module in (direct, engine):
        monkeypatch.setattr(module, "LOOK_SECONDS", seconds)


async def test_closing_lets_the_last_message_out_and_takes_nothing_more(served: Served) -> None:
    client = await served.signed_in()
    await served.server.emit("session:closing", {"code": "signed_out"}, to=client.sid)
    await served.server.close(client.sid)
    await served.server.close(client.sid)
    await client.ws.send_str('421["expense:create",{}]')
    async with asyncio.timeout(PROMPT_SECONDS):
        assert await client.ends() == ['42["session:closing",{"code":"signed_out"}]']
    assert client.ws.close_code == aiohttp.WSCloseCode.OK
    await served.until(lambda: served.left == [client.sid])
    assert served.handled == []


async def test_a_library_client_that_is_closed_hears_why_and_notices(served: Served) -> None:
    client = socketio.AsyncClient(reconnection=False)
    heard: asyncio.Queue[Any] = asyncio.Queue()
    gone = asyncio.Event()
    client.on("session:closing", heard.put)
    client.on("disconnect", lambda _: gone.set())
    await client.connect(served.url, auth={"token": "good"}, transports=["websocket"])
    await served.server.emit("session:closing", {"code": "token_expired"}, to=client.get_sid())
    await served.server.close(client.get_sid())
    assert await asyncio.wait_for(heard.get(), PATIENCE_SECONDS) == {"code": "token_expired"}
    await asyncio.wait_for(gone.wait(), PROMPT_SECONDS)


async def test_aborting_ends_the_connection_at_once(served: Served) -> None:
    client = await served.signed_in()
    served.server.abort(client.sid)
    await client.is_gone()
    await served.until(lambda: served.left == [client.sid])
    served.server.abort(client.sid)
    await served.server.close(client.sid)


async def test_a_client_aborted_during_its_command_leaves_after_it(served: Served) -> None:
    client = await served.signed_in()
    await client.ws.send_str('421["slow",{}]')
    await client.ws.send_str('422["expense:create",{}]')
    await served.until(lambda: bool(served.handled))
    served.server.abort(client.sid)
    await asyncio.sleep(0.05)
    assert served.left == []
    served.release.set()
    await served.until(lambda: served.left == [client.sid])
    served.release.clear()
    assert [body for _, body in served.handled] == [{}, {"done": True}]


async def test_closing_a_client_that_does_not_read_ends_it_all_the_same(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "WAITING_BYTES_MAX", 10**9)
    _, writer, sid = await by_hand(served)
    for _ in range(500):
        await served.server.emit("news", {"text": "x" * 20_000}, to=sid)
    async with asyncio.timeout(PROMPT_SECONDS):
        await served.server.close(sid)
    await served.until(lambda: served.left == [sid] and served.is_empty)
    writer.transport.abort()


async def overwhelm(served: Served, sid: str, length: int, count: int) -> int:
    """Send messages until it is too much for the client. Returns how many; never lets much wait on the way."""
    link = served.server._link_of(sid)
    assert link is not None
    for number in range(count):
        await served.server.emit("news", {"n": number, "text": "x" * length}, to=sid)
        if link.is_closing:
            return number
        waiting = link.backlog.waiting_bytes
        if link.transport is not None:
            waiting += link.transport.get_write_buffer_size()
        assert waiting <= 320 * 1024 + 2 * length
        if number % 8 == 0:
            await asyncio.sleep(0)
    raise AssertionError("it is still being waited for")


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(("length", "count"), [(100_000, 200), (1_500, 10_000), (10, 10_000)])
async def test_a_client_that_does_not_read_is_cut_off_before_it_costs_much(
    served: Served, lines: list[dict[str, Any]], length: int, count: int
) -> None:
    _, writer, sid = await by_hand(served)
    other = await served.signed_in()
    await overwhelm(served, sid, length, count)
    (link,) = [link for link in served.server.eio.links.values() if link.is_closing]
    assert link.backlog.waiting_bytes < 200, "only the farewell is left"
    await served.server.emit("news", {"text": "one more"}, to=sid)
    assert link.backlog.waiting_bytes < 200
    await other.is_served()
    await served.until(lambda: served.left == [sid])
    assert [line["reason"] for line in lines] == ["too slow"]
    writer.transport.abort()


async def test_a_client_that_is_too_slow_reads_why_before_the_end(served: Served) -> None:
    client = await served.signed_in()
    sent = await overwhelm(served, client.sid, 20_000, 2_000)
    said = [json.loads(frame[2:]) for frame in await client.ends() if frame.startswith("42")]
    assert said[-1][0] == "session:closing"
    assert said[-1][1]["code"] == "too_slow"
    assert 1_000 <= said[-1][1]["retryAfterMs"] < 5_000
    assert [body["n"] for _, body in said[:-1]] == list(range(len(said) - 1)), "what it got has no hole"
    assert len(said) - 1 < sent


async def test_a_client_whose_connection_blocks_is_cut_off_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "WRITE_SECONDS_MAX", 0.3)
    look_each(monkeypatch, 0.1)
    monkeypatch.setattr(backlog, "WAITING_BYTES_MAX", 10**9)
    async with serving() as served:
        _, writer, sid = await by_hand(served)
        for _ in range(200):
            await served.server.emit("news", {"text": "x" * 100_000}, to=sid)
        await served.until(lambda: served.left == [sid])
        writer.transport.abort()


@pytest.mark.parametrize("rate", [1, 40_000], ids=["a byte at a time", "forty kilobytes a second"])
async def test_a_client_that_takes_next_to_nothing_is_cut_off_in_time(
    monkeypatch: pytest.MonkeyPatch, lines: list[dict[str, Any]], rate: int
) -> None:
    monkeypatch.setattr(links, "WRITE_SECONDS_MAX", 0.5)
    monkeypatch.setattr(links, "MESSAGE_SECONDS_MAX", 1.0)
    look_each(monkeypatch, 0.1)
    async with serving() as served:
        reader, writer, sid = await by_hand(served)
        await served.server.emit("news", {"text": "x" * 5_000_000}, to=sid)

        async def trickle() -> None:
            with contextlib.suppress(ConnectionError):
                while await reader.read(max(1, rate // 10)):  # noqa: ASYNC110 - its slowness is the point
                    await asyncio.sleep(0.1)

        reading = asyncio.create_task(trickle())
        await served.until(lambda: served.left == [sid])
        assert [line["reason"] for line in lines] == ["too slow"]
        reading.cancel()
        writer.transport.abort()


async def test_a_slow_reader_is_alive_while_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    look_each(monkeypatch, 0.05)
    async with serving(ping_interval_seconds=0.3, ping_timeout_seconds=0.6) as served:
        reader, writer, sid = await by_hand(served, 65_536)
        await served.server.emit("news", {"text": "x" * 3_000_000}, to=sid)
        await served.server.emit("news", {"text": "the end"}, to=sid)
        got, began = b"", time.monotonic()
        # Most of it fits between the two kernels: what the server still holds takes longer than a ping's patience.
        while b"the end" not in got[-100_000:]:
            chunk = await asyncio.wait_for(reader.read(30_000), PATIENCE_SECONDS)
            assert chunk, "it was cut off"
            got += chunk
            if b"\x81\x012" in chunk:
                writer.write(bytes([0x81, 0x81, 0, 0, 0, 0]) + b"3")
            await asyncio.sleep(0.02)
        assert time.monotonic() - began > 1.0, "or this test shows nothing"
        assert sid not in served.left
        writer.transport.abort()


async def test_a_message_of_any_size_reaches_a_client_that_reads_with_what_comes_after_it(
    served: Served,
) -> None:
    client = await served.signed_in()
    for number in range(200):
        await served.server.emit(
            "news", {"n": number, "text": "x" * (4_000_000 if number == 3 else 1_000)}, to=client.sid
        )
    heard = [json.loads((await client.hears())[2:])[1]["n"] for _ in range(200)]
    assert heard == list(range(200))


async def test_a_client_that_does_not_read_its_answers_is_not_read_either(served: Served) -> None:
    client = await served.signed_in()
    for ack_id in range(200):
        await client.ws.send_str(f'42{ack_id}["big",{{}}]')
    (link,) = served.server.eio.links.values()
    await asyncio.sleep(0.3)
    assert len(served.handled) < 200, "it was pushed back, and not cut off"
    assert link.backlog.waiting_bytes <= 2 * 200_100
    answers = [(await client.hears()).partition("[")[0] for _ in range(200)]
    assert answers == [f"43{ack_id}" for ack_id in range(200)]
    assert link.backlog.waiting_bytes == 0


async def test_lower_caps_cut_off_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "WAITING_FRAMES_MAX", 4)
    async with serving() as served:
        _, writer, sid = await by_hand(served)
        link = served.server._link_of(sid)
        assert link is not None
        waited = 0
        while not link.is_closing:
            await served.server.emit("news", {"text": "x" * 10_000}, to=sid)
            waited = max(waited, len(link.backlog))
        assert waited == 4
        await served.until(lambda: served.left == [sid])
        writer.transport.abort()


async def test_a_client_that_reads_gets_any_amount(served: Served) -> None:
    client = await served.signed_in()
    for ack_id in range(30):
        assert len((await client.asks('42%s["big",{}]', ack_id))["text"]) == 200_000
    (link,) = served.server.eio.links.values()
    assert link.backlog.waiting_bytes == 0


async def test_who_reads_on_is_waited_for_however_long_there_is_more(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (direct, engine):
        monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(links, "MESSAGE_SECONDS_MAX", 1.0)
    async with serving() as served:
        client = await served.signed_in()
        link = served.server._link_of(client.sid)
        assert link is not None
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            while len(link.backlog) < 3:
                await served.server.emit("news", {"text": "x" * 60_000}, to=client.sid)
            await client.hears()
            await asyncio.sleep(0.01)
            assert not link.is_closing
        await client.ws.close()


async def test_a_server_that_ends_says_so_to_who_never_signed_in() -> None:
    async with serving() as served:
        client = await served.opens()
        if isinstance(served.server.eio, direct.DirectEngine):
            said, _ = await asyncio.gather(client.ends(), served.server.shutdown())
            assert said == []
            assert client.ws.close_code == 1012
            assert served.is_empty


async def test_few_large_frames_wait_while_one_is_handled(served: Served) -> None:
    client = await served.signed_in()
    await client.ws.send_str('421["slow",{}]')
    frame = '42["expense:create",{"text":"' + "\U0001f600" * 16_000 + '"}]'
    sending = asyncio.create_task(send_many(client, frame, 100))
    await served.until(lambda: bool(served.handled))
    await asyncio.sleep(0.3)
    link = served.server._link_of(client.sid)
    if isinstance(link, direct.DirectLink):
        assert link._inbox_bytes < 1_000_000
    served.release.set()
    await sending
    await served.until(lambda: len(served.handled) == 102)
    served.release.clear()


async def send_many(client: Client, frame: str, count: int) -> None:
    """Send a frame again and again."""
    for _ in range(count):
        await client.ws.send_str(frame)
