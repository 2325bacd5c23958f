"""Redis absent, cut, paused, killed, or full of nonsense: every client hears every event, in order, within a sweep."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest
import redis.asyncio as redis
from pydantic import SecretStr

from persplit.adapters import redis_hints
from persplit.service import follower
from tests.servers import Server, free_port_for_restarts, redis_command, running, with_database
from tests.system.conftest import SECRET, phones_of, serving, settings_for
from tests.system.phone import Phone

Act: TypeAlias = Callable[[], Awaitable[None]]

SWEEP_SECONDS = 1.0
"""Five in earnest."""
GARBAGE = (
    b"",
    b"\xff\xfe",
    b"x" * 100_000,
    b"a b c",
    b"goa -1 asha",
    b"goa 9999999999999999999",
    b"goa 1e9 x",
)


@dataclass
class Scene:
    """A writer at one node and listeners at both, who must hear all."""

    group_id: str
    writer: Phone
    listeners: list[Phone]
    written: int = 0

    async def write_on(self) -> None:
        """Write until cancelled."""
        while True:
            await self.writer.spends(self.group_id, 100)
            self.written += 1
            await asyncio.sleep(0.02)

    async def writes(self, more: int) -> None:
        """Wait until so many more are written."""
        aim = self.written + more
        async with asyncio.timeout(60):
            while self.written < aim:  # noqa: ASYNC110 - nothing would wake it
                await asyncio.sleep(0.01)

    async def is_heard_by_all(self) -> None:
        """Every listener has every event so far, in order."""
        head = (await self.writer.ok("GET", f"/groups/{self.group_id}/balances"))["seq"]
        for phone in self.listeners:
            async with asyncio.timeout(60):
                while self._heard_by(phone)[-1:] < [head]:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.01)
            seqs = self._heard_by(phone)
            assert seqs == list(range(seqs[0], seqs[-1] + 1))

    def _heard_by(self, phone: Phone) -> list[int]:
        return [payload["seq"] for _, payload in phone.broadcasts(self.group_id)]


@asynccontextmanager
async def scene(mongodb_uri: str, redis_port: int, tmp_path: Path) -> AsyncIterator[Scene]:
    shared = {
        "mongodb_uri": SecretStr(with_database(mongodb_uri, f"redis-{uuid.uuid4().hex}")),
        "jwt_secret": SECRET,
        "redis_url": SecretStr(f"redis://127.0.0.1:{redis_port}/0"),
    }
    async with AsyncExitStack() as stack:
        _, here = await stack.enter_async_context(serving(settings_for(tmp_path / "one", **shared)))
        _, there = await stack.enter_async_context(serving(settings_for(tmp_path / "two", **shared)))
        make = await stack.enter_async_context(phones_of(here))
        asha = await make("Asha", online=True)
        group_id = await asha.makes_group()
        away = asha.another_device()
        away.url = there
        await away.connect()
        made = Scene(group_id, asha, [asha, away])
        writing = asyncio.create_task(made.write_on())
        try:
            yield made
        finally:
            writing.cancel()
            with suppress(asyncio.CancelledError):
                await writing
            await away.disconnect()


async def test_whatever_happens_to_redis_every_client_hears_every_event_in_order(
    mongodb_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "SWEEP_SECONDS", SWEEP_SECONDS)
    monkeypatch.setattr(redis_hints, "SILENCE_SECONDS_MAX", 1.0)
    monkeypatch.setattr(redis_hints, "PING_SECONDS", 0.3)
    port = free_port_for_restarts()
    async with scene(mongodb_uri, port, tmp_path) as played:
        # 1 absent from the start
        await played.writes(10)
        await played.is_heard_by_all()
        with running(redis_command(port, tmp_path), port, tmp_path / "log") as server:
            admin = redis.Redis(port=port)
            # 2 subscriptions cut, over and over
            for _ in range(5):
                await played.writes(5)
                await admin.client_kill_filter(_type="pubsub")
            await played.is_heard_by_all()
            # 3 nonsense on the channel
            for text in GARBAGE:
                await admin.publish("persplit:hints", text)
                await played.writes(1)
            await played.is_heard_by_all()
            # 4 paused: the node's own clients notice nothing, the others are a sweep late
            server.pause()
            try:
                await played.writes(20)
                await played.is_heard_by_all()
            finally:
                server.resume()
            await played.writes(5)
            # 5 killed, and started again
            server.kill()
            await played.writes(10)
            await played.is_heard_by_all()
            server.start()
            await admin.aclose()
            await _is_quick_again(played, server, monkeypatch)


async def _is_quick_again(played: Scene, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without sweeps, too, all is heard: by hints."""
    admin = redis.Redis(port=server.port)
    async with asyncio.timeout(60):
        while (await admin.pubsub_numsub("persplit:hints"))[0][1] < 2:  # noqa: ASYNC110 - nothing would wake it
            await asyncio.sleep(0.05)
    await admin.aclose()
    monkeypatch.setattr(follower, "SWEEP_SECONDS", 3_600.0)
    await asyncio.sleep(2 * SWEEP_SECONDS)  # the last sweep that was planned before
    await played.writes(10)
    await played.is_heard_by_all()
