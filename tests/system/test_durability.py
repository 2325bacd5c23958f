"""What was acknowledged is there after the server was killed, and nothing is there half."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import socketio.exceptions

from tests.servers import free_port_for_restarts
from tests.system.conftest import MakePhone, phones_of
from tests.system.phone import PATIENCE_SECONDS, Json, Phone, key
from tests.torture.forked import ForkedServer

STOP_SECONDS_MAX = 8.0
CYCLES = 3
"""`tests.torture.test_crash` kills more often."""
WRITERS = 4


class Process(ForkedServer):
    """`persplit serve`, from within an event loop."""

    def __init__(self, home: Path) -> None:
        super().__init__(home / "data", port=free_port_for_restarts())

    async def starts(self) -> None:
        """Start it, and wait until it is ready."""
        await asyncio.to_thread(self.start)

    async def stops(self) -> int:
        """SIGTERM; its exit code."""
        return await asyncio.to_thread(self.stop)


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[Process]:
    process = Process(tmp_path)
    await process.starts()
    yield process
    if process.is_running:
        process.kill()


@pytest.fixture
async def phones(process: Process) -> AsyncIterator[MakePhone]:
    async with phones_of(process.url) as make:
        yield make


async def ledger_of(phone: Phone, group_id: str) -> list[Json]:
    """All events of the group, over REST."""
    events: list[Json] = []
    path = f"/groups/{group_id}/events?limit=200"
    cursor = ""
    while True:
        page = await phone.ok("GET", path + cursor)
        events += page["events"]
        if page["nextCursor"] is None:
            return events
        cursor = f"&cursor={page['nextCursor']}"


async def spends(phone: Phone, group_id: str, command_id: str) -> Json:
    """An expense over the socket where the phone is connected, else over REST. Returns the success."""
    spent = {"description": "Tea", "amount": 101, "splitType": "EQUAL"}
    if phone.socket is not None:
        return await phone.done("expense:create", spent, groupId=group_id, commandId=command_id)
    return await phone.ok("POST", f"/groups/{group_id}/expenses", spent, idempotency_key=command_id)


@pytest.mark.parametrize("way", ["REST", "a socket"])
async def test_an_event_acknowledged_just_before_the_server_is_killed_is_there_afterwards(
    process: Process, phones: MakePhone, way: str
) -> None:
    asha = await phones("Asha", online=way == "a socket")
    group_id = await asha.makes_group()
    acked = await spends(asha, group_id, "the-last")
    process.kill()
    await asha.disconnect()
    await process.starts()
    # The token is still good: the secret was kept.
    events = await ledger_of(asha, group_id)
    assert [event["seq"] for event in events] == [1, 2]
    assert events[-1]["expense"] == acked["expense"]
    if way == "a socket":
        await asha.connect()
    again = await spends(asha, group_id, "the-last")
    assert (again["seq"], again["replayed"], again["expense"]) == (acked["seq"], True, acked["expense"])
    assert len(await ledger_of(asha, group_id)) == 2
    refreshed = await asha.ok("POST", "/auth/refresh", {"refreshToken": asha.refresh_token})
    assert refreshed["accessToken"]


@dataclass
class Told:
    """What the writers know: the seqs that they were told, and the keys whose outcome they don't know."""

    acked: dict[str, int] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


async def write_until_cut_off(phone: Phone, group_id: str, told: Told) -> None:
    """One expense after the other, until the server is gone."""
    while True:
        command_id = key()
        told.unknown.append(command_id)
        try:
            written = await spends(phone, group_id, command_id)
        except (aiohttp.ClientError, socketio.exceptions.SocketIOError, ConnectionError):
            return
        told.unknown.remove(command_id)
        told.acked[command_id] = written["seq"]


async def test_killed_again_and_again_while_many_write_it_loses_nothing_that_it_acknowledged(
    process: Process, phones: MakePhone
) -> None:
    asha = await phones("Asha")
    group_id = await asha.makes_group()
    told = Told()
    chance = random.Random(7)  # noqa: S311 - of the test
    for _ in range(CYCLES):
        writers = [await asha.another_device().connect() for _ in range(WRITERS // 2)]
        writers += [asha.another_device() for _ in range(WRITERS // 2)]
        writing = [asyncio.create_task(write_until_cut_off(phone, group_id, told)) for phone in writers]
        acked = len(told.acked)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(told.acked) < acked + WRITERS:  # noqa: ASYNC110 - several writers, one count
                await asyncio.sleep(0.005)
        await asyncio.sleep(chance.uniform(0, 0.2))
        process.kill()
        await asyncio.sleep(0.1)  # what was acknowledged before is read by then
        for writer in writing:
            writer.cancel()
        ends = await asyncio.gather(*writing, return_exceptions=True)
        assert all(end is None or isinstance(end, asyncio.CancelledError) for end in ends), ends
        for phone in writers:
            await phone.disconnect()
        await process.starts()
        events = await ledger_of(asha, group_id)
        check(events, told)
        for command_id in told.unknown[:]:
            told.acked[command_id] = (await spends(asha, group_id, command_id))["seq"]
            told.unknown.remove(command_id)
        check(await ledger_of(asha, group_id), told)
    balances = await asha.ok("GET", f"/groups/{group_id}/balances")
    assert balances["seq"] == len(told.acked) + 1
    assert sum(row["amount"] for row in balances["balances"]) == 0
    assert len(told.acked) > CYCLES * WRITERS


def check(events: list[Json], told: Told) -> None:
    """Gap-free; what was acknowledged in its place; what is unknown at most once; every expense whole."""
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    seq_of = {event["commandId"]: event["seq"] for event in events}
    assert len(seq_of) == len(events)
    assert told.acked.items() <= seq_of.items()
    assert seq_of.keys() <= told.acked.keys() | set(told.unknown) | {events[0]["commandId"]}
    for event in events[1:]:
        assert (
            sum(share["amount"] for share in event["expense"]["shares"]) == event["expense"]["amount"] == 101
        )


async def test_told_to_stop_it_says_so_to_its_clients_and_ends_well_within_seconds(
    process: Process, phones: MakePhone
) -> None:
    asha, ben = await phones("Asha", online=True), await phones("Ben", online=True)
    group_id = await asha.makes_group()
    acked = await spends(asha, group_id, "the-last")
    started = time.monotonic()
    assert await process.stops() == 0
    assert time.monotonic() - started < STOP_SECONDS_MAX
    for phone in (asha, ben):
        closing = await phone.hears("session:closing")
        assert closing["code"] == "server_restarting"
        assert 0 <= closing["retryAfterMs"] <= 10_000
    await process.starts()
    assert (await ledger_of(asha, group_id))[-1]["expense"] == acked["expense"]
    await asha.disconnect()
    await asha.connect()
    assert (await spends(asha, group_id, "the-last"))["replayed"]
