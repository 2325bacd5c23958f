"""Half a room that doesn't read, in each way of not reading: it is cut off, and the other half notices nothing."""

import asyncio
import contextlib
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from persplit.bootstrap import Node
from persplit.client import Client
from persplit.transport import backlog
from tests.system.conftest import phones_of, serving, settings_for
from tests.system.phone import PASSWORD, PATIENCE_SECONDS, Json, Phone

PEOPLE, DEVICES_EACH = 6, 5
SLOW = 30
CAP_BYTES = 32 * 1024
"""Lowered, so that the room has to say less before it is too much. The real cap is tested at the guard."""
MESSAGES_MAX = 400
CUT_OFF_SECONDS_MAX = 20.0
"""A second after the bound is passed, ten at most; the rest is for a busy machine."""
UPGRADE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)


def masked(text: str) -> bytes:
    """A client's text frame."""
    data = text.encode()
    size = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0xFE]) + len(data).to_bytes(2)
    return b"\x81" + size + bytes(4) + data


@contextlib.asynccontextmanager
async def slow_reader(url: str, token: str, *, trickles: bool) -> AsyncIterator[asyncio.StreamWriter]:
    """A device that signs in, and then reads nothing, or a byte a second."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)  # noqa: FBT003 - the library's shape
    address = urlsplit(url)
    await asyncio.get_running_loop().sock_connect(raw, (address.hostname, address.port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=2048)
    writer.write(UPGRADE + masked("40" + json.dumps({"token": token})))
    await reader.readuntil(b"session:ready")

    async def trickle() -> None:
        with contextlib.suppress(ConnectionError):
            while await reader.read(1):  # noqa: ASYNC110 - its slowness is the point
                await asyncio.sleep(1)

    trickling = asyncio.create_task(trickle()) if trickles else None
    try:
        yield writer
    finally:
        if trickling is not None:
            trickling.cancel()
        writer.transport.abort()


class Room:
    """A group of six people; each has five devices that read."""

    def __init__(self, node: Node, people: list[Phone], group_id: str) -> None:
        self.node = node
        self.people = people
        self.healthy = [*people, *(p.another_device() for p in people for _ in range(DEVICES_EACH - 1))]
        self.group_id = group_id
        self.head = 0

    async def happens(self) -> None:
        """Somebody adds an expense with long notes, and has the answer."""
        fields: Json = {"description": "Dinner", "amount": 90_000, "splitType": "EQUAL", "notes": "n" * 1_900}
        writer = self.people[self.head % len(self.people)]
        self.head = (await writer.done("expense:create", {**fields, "groupId": self.group_id}))["seq"]

    async def all_healthy_heard_everything(self, first: int) -> None:
        """Pass when each of them has heard each seq from the first on, in order."""
        for phone in self.healthy:
            await phone.hears_seq(self.head)
            heard = [payload["seq"] for _, payload in phone.broadcasts(self.group_id)]
            assert heard == list(range(first, self.head + 1))


@contextlib.asynccontextmanager
async def room(tmp_path: Path) -> AsyncIterator[tuple[Room, str]]:
    """The room, all connected, on a server of its own."""
    async with serving(settings_for(tmp_path)) as (node, url), phones_of(url) as make:
        people = [await make(f"Person{number}", f"p{number}@ybl") for number in range(PEOPLE)]
        group_id = await people[0].makes_group(*people[1:])
        here = Room(node, people, group_id)
        for phone in here.healthy:
            await phone.connect()
        try:
            yield here, url
        finally:
            for phone in here.healthy:
                await phone.disconnect()


async def until(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.01)


async def test_half_a_room_that_does_not_read_is_cut_off_and_the_other_half_misses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "WAITING_BYTES_MAX", CAP_BYTES)
    async with contextlib.AsyncExitStack() as stack:
        here, url = await stack.enter_async_context(room(tmp_path))
        for number in range(SLOW):
            token = here.people[number % PEOPLE].token
            await stack.enter_async_context(slow_reader(url, token, trickles=number % 2 == 0))
        await until(lambda: len(here.node.sockets) == SLOW + PEOPLE * DEVICES_EACH)
        first = PEOPLE + 1
        await here.happens()
        for _ in range(4):
            await here.happens()
        await here.all_healthy_heard_everything(first)
        assert len(here.node.sockets) == SLOW + PEOPLE * DEVICES_EACH, "the slow ones are still there"
        guard = here.node.sockets._server
        async with asyncio.timeout(3 * CUT_OFF_SECONDS_MAX):
            while len(here.node.sockets) > PEOPLE * DEVICES_EACH:
                await here.happens()
                assert here.head < MESSAGES_MAX
        await here.happens()
        await here.all_healthy_heard_everything(first)
        await until(lambda: len(guard.eio.links) == PEOPLE * DEVICES_EACH)
        # What a client has heard already, the server may not have struck off yet.
        await until(lambda: not any(link.backlog.waiting_bytes for link in guard.eio.links.values()))
        # One of them comes back, and is told what it missed.
        back = here.people[0].another_device()
        greeting = await back.greeted({here.group_id: {"seq": here.head - 3, "epoch": None}})
        (group,) = greeting["groups"]
        assert [event["seq"] for event in group["sync"]["events"]] == list(
            range(here.head - 2, here.head + 1)
        )
        await back.disconnect()


async def test_a_client_process_that_is_stopped_is_cut_off_and_carries_on_by_seq(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "WAITING_BYTES_MAX", CAP_BYTES)
    async with serving(settings_for(tmp_path)) as (node, url), phones_of(url) as make:
        asha = await make("Asha", "asha@okaxis", online=True)
        group_id = await asha.makes_group()
        here = Room(node, [asha], group_id)
        async with Client.open(tmp_path / "device.db", url) as client:
            await client.login((await asha.ok("GET", "/auth/me"))["email"], PASSWORD)
            await client.sync()
        words = [
            sys.executable,
            "-m",
            "tests.system.stopped_device",
            str(tmp_path / "device.db"),
            url,
            group_id,
        ]
        device = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
        assert device.stdout is not None
        try:
            await until(lambda: len(node.sockets) == 2)
            device.send_signal(signal.SIGSTOP)
            while len(node.sockets) == 2:
                await here.happens()
                assert here.head < 5 * MESSAGES_MAX, (
                    "they are small, and the kernel holds as many as it likes"
                )
            device.send_signal(signal.SIGCONT)
            async with asyncio.timeout(3 * PATIENCE_SECONDS):
                while int(await device.stdout.readline()) < here.head:
                    pass
            await until(lambda: len(node.sockets) == 2, CUT_OFF_SECONDS_MAX)
        finally:
            device.kill()
            await device.wait()
