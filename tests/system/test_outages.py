"""The store away, slow or read-only: writes are refused in time, members read on, and all is well when it is back."""

import asyncio
import sqlite3
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from persplit.adapters import mongo_store, sqlite_database
from persplit.bootstrap import DATABASE_FILE, Node
from persplit.config import Settings
from persplit.service import follower, sessions
from persplit.service.errors import StoreUnavailable
from persplit.transport.operations import Patience
from tests.fault_proxy import FaultProxy, Faults, proxying
from tests.read_only_proxy import read_only_proxying
from tests.servers import Server, free_port_for_restarts, mongodb_command, running
from tests.system.conftest import SECRET, MakePhone, phones_of, serving, settings_for
from tests.system.phone import Json, Phone, key
from tests.system.test_stopping import Slow

Act: TypeAlias = Callable[[], Awaitable[object]]

BOUND_SECONDS = 30.0
"""No answer may take longer; the real bound is nine seconds, and here the store's are shortened."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that a test can wait for."""
    monkeypatch.setattr(mongo_store, "SERVER_SELECTION_TIMEOUT_MS", 600)
    monkeypatch.setattr(mongo_store, "CONNECT_TIMEOUT_MS", 500)
    monkeypatch.setattr(mongo_store, "OPERATION_TIMEOUT_MS", 1_000)
    monkeypatch.setattr(mongo_store, "DEADLINE_S", 1.2)
    monkeypatch.setattr(follower, "SWEEP_SECONDS", 0.5)


@pytest.fixture
async def own_mongodb(tmp_path: Path) -> AsyncIterator[Server]:
    """A server that may be killed: what it acknowledges survives that."""
    port = free_port_for_restarts()
    command = mongodb_command(port, tmp_path / "mongodb", "--sync-on-commit")
    with running(command, port, tmp_path / "mongodb.log") as server:
        yield server


@pytest.fixture
def mongodb_port(mongodb_uri: str) -> int:
    """Of the run's own server, for those who only come between it and the node."""
    port = urlsplit(mongodb_uri).port
    assert port is not None
    return port


@asynccontextmanager
async def phones_over(port: int, tmp_path: Path) -> AsyncIterator[MakePhone]:
    """Phones of a node whose MongoDB is at the port."""
    # Asked often who it is: a real server that is primary no more says so by itself, our proxy doesn't.
    options = "directConnection=true&heartbeatFrequencyMS=500"
    uri = f"mongodb://127.0.0.1:{port}/outage-{uuid.uuid4().hex}?{options}"
    settings = settings_for(tmp_path, mongodb_uri=SecretStr(uri), jwt_secret=SECRET)
    async with AsyncExitStack() as stack:
        _, url = await opened(stack, settings)
        yield await stack.enter_async_context(phones_of(url))


async def opened(stack: AsyncExitStack, settings: Settings) -> tuple[Node, str]:
    """The node, once its MongoDB, which others use as well, has the time to make a database."""
    for _ in range(2):
        with suppress(StoreUnavailable):
            return await stack.enter_async_context(serving(settings))
    return await stack.enter_async_context(serving(settings))


def spent(group_id: str, amount: int = 100) -> Json:
    return {
        "commandId": key(),
        "groupId": group_id,
        "description": "Tea",
        "amount": amount,
        "splitType": "EQUAL",
    }


async def is_unavailable_on_a_socket(phone: Phone, event: str, body: Json) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        error = await phone.refused(event, body)
    assert (error["code"], error["status"]) == ("store_unavailable", 503)
    assert error["retryAfterMs"] > 0


async def is_unavailable_over_rest(phone: Phone, method: str, path: str, body: Json | None = None) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        sent = {name: value for name, value in (body or {}).items() if name not in ("commandId", "groupId")}
        same_key = (body or {}).get("commandId")
        answer = await phone.rest(method, path, sent or None, idempotency_key=same_key)
    assert (answer.status, answer.code) == (503, "store_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


async def until_done(phone: Phone, event: str, command: Json) -> Json:
    """As a client does it: the same command again until it is answered."""
    async with asyncio.timeout(60):
        while True:
            ack = await phone.send(event, command)
            if ack["ok"]:
                return ack
            assert ack["error"]["code"] == "store_unavailable", ack
            await asyncio.sleep(0.1)


async def until_read(phone: Phone, path: str) -> Json:
    """The same for a read."""
    async with asyncio.timeout(60):
        while True:
            answer = await phone.rest("GET", path)
            if answer.status == 200:
                return answer.body
            assert answer.code == "store_unavailable", answer
            await asyncio.sleep(0.1)


async def an_outage(make: MakePhone, break_it: Act, heal_it: Act) -> None:
    """A group at work before, while and after the store is away."""
    asha = await make("Asha", "asha@okaxis", online=True)
    ben = await make("Ben", online=True)
    group_id = await asha.makes_group(ben)
    await asha.done("expense:create", spent(group_id))
    before = await asha.ok("GET", f"/groups/{group_id}/balances")
    await ben.hears_seq(3)

    await break_it()
    lost, over_rest = spent(group_id, 200), spent(group_id, 300)
    # 1 writes fail in time, over either way, also when many come at once
    await is_unavailable_on_a_socket(asha, "expense:create", lost)
    await asyncio.gather(
        *(is_unavailable_over_rest(ben, "POST", f"/groups/{group_id}/expenses", over_rest) for _ in range(10))
    )
    # 2 who was a member reads on; what isn't in memory is said to be away, not to be missing
    async with asyncio.timeout(BOUND_SECONDS):
        assert (await ben.ok("GET", f"/groups/{group_id}/balances"))["balances"] == before["balances"]
        assert (await ben.ok("GET", f"/groups/{group_id}"))["name"] == "Goa trip"
        held = await asha.done("balances:get", groupId=group_id, seq=3)
        assert held["settleUp"] == before["settleUp"]
    await is_unavailable_over_rest(ben, "GET", f"/groups/{uuid.uuid4()}")
    await is_unavailable_over_rest(ben, "GET", "/groups")
    # 3 nothing was announced that isn't durable
    assert max(payload["seq"] for _, payload in ben.broadcasts(group_id)) == 3

    await heal_it()
    # 4 all goes on, on the sockets that were there: each command once
    seq = (await until_done(asha, "expense:create", lost))["seq"]
    again = await until_done(ben, "expense:create", over_rest)
    for phone in (asha, ben):
        await phone.hears_seq(max(seq, again["seq"]))
    ledger = (await until_read(asha, f"/groups/{group_id}/events"))["events"]
    commands = [event["commandId"] for event in ledger]
    assert len(commands) == len(set(commands)) == 5
    assert {lost["commandId"], over_rest["commandId"]} < set(commands)
    for phone in (asha, ben):
        seqs = [payload["seq"] for _, payload in phone.broadcasts(group_id)]
        assert seqs == sorted(set(seqs))
        assert seqs[-1] == 5
        assert "session:closing" not in [name for name, _ in phone.heard]


@pytest.mark.parametrize(
    "faults",
    [Faults(is_stalled=True), Faults(is_refusing=True), Faults(delay_s=3.0)],
    ids=["stalled", "refusing", "slow"],
)
async def test_a_mongodb_that_cant_be_reached(mongodb_port: int, tmp_path: Path, faults: Faults) -> None:
    async with proxying(mongodb_port) as proxy, phones_over(proxy.port, tmp_path) as make:

        async def break_it() -> None:
            proxy.set(faults)
            if faults.is_refusing:
                proxy.cut()

        await an_outage(make, break_it, lambda: _healed(proxy))


async def _healed(proxy: FaultProxy) -> None:
    proxy.heal()


async def test_a_mongodb_that_is_killed_and_started_again(own_mongodb: Server, tmp_path: Path) -> None:
    async with phones_over(own_mongodb.port, tmp_path) as make:
        await an_outage(
            make,
            lambda: asyncio.to_thread(own_mongodb.kill),
            lambda: asyncio.to_thread(own_mongodb.start),
        )


async def test_a_mongodb_that_takes_no_writes_is_still_read(
    mongodb_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The driver asks such a server anew who it is, which takes it half a second.
    monkeypatch.setattr(mongo_store, "SERVER_SELECTION_TIMEOUT_MS", 3_000)
    monkeypatch.setattr(mongo_store, "OPERATION_TIMEOUT_MS", 4_000)
    monkeypatch.setattr(mongo_store, "DEADLINE_S", 5.0)
    async with read_only_proxying(mongodb_port) as proxy, phones_over(proxy.port, tmp_path) as make:
        asha = await make("Asha", online=True)
        group_id = await asha.makes_group()
        proxy.is_read_only = True
        command = spent(group_id)
        await asyncio.gather(
            is_unavailable_on_a_socket(asha, "expense:create", command),
            is_unavailable_over_rest(asha, "POST", f"/groups/{group_id}/invites"),
        )
        assert proxy.refused > 0
        assert len((await until_read(asha, f"/groups/{group_id}/events"))["events"]) == 1
        assert len((await until_read(asha, "/groups"))["groups"]) == 1
        proxy.is_read_only = False
        assert (await until_done(asha, "expense:create", command))["seq"] == 2


async def test_who_signed_out_stays_out_while_the_store_is_away(
    mongodb_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "LIVE_SECONDS", 0.1)
    async with proxying(mongodb_port) as proxy, phones_over(proxy.port, tmp_path) as make:
        asha, ben = await make("Asha"), await make("Ben")
        group_id = await asha.makes_group(ben)
        await asha.ok("GET", f"/groups/{group_id}")
        await ben.ok("POST", "/auth/logout")
        proxy.set(Faults(is_refusing=True))
        proxy.cut()
        await asyncio.sleep(0.2)  # what is taken as it is remembered is so no more
        async with asyncio.timeout(BOUND_SECONDS):
            assert (await asha.rest("GET", f"/groups/{group_id}")).status == 200
            assert (await ben.rest("GET", f"/groups/{group_id}")).status == 401


def impatiently(seconds_max: float) -> Callable[..., None]:
    """`Patience.__init__`, with these seconds whatever the operation's are."""
    init = Patience.__init__
    return lambda self, *_: init(self, seconds_max)


async def test_a_command_that_takes_too_long_is_answered_and_announced_when_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(settings_for(tmp_path)) as (node, url), phones_of(url) as make:
        asha = await make("Asha", online=True)
        group_id = await asha.makes_group()
        slow, command = Slow(node), spent(group_id)
        monkeypatch.setattr(Patience, "__init__", impatiently(0.3))
        await is_unavailable_on_a_socket(asha, "expense:create", command)
        await is_unavailable_over_rest(asha, "POST", f"/groups/{group_id}/expenses", command)
        monkeypatch.undo()
        slow.go_on.set()
        assert (await asha.hears_seq(2))["commandId"] == command["commandId"]
        again = await asha.done("expense:create", command)
        assert (again["seq"], again["replayed"]) == (2, True)


async def test_a_file_that_another_process_keeps_locked_refuses_writes_in_time_and_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_database, "BUSY_TIMEOUT_MS", 500)
    async with serving(settings_for(tmp_path)) as (_, url), phones_of(url) as make:
        asha = await make("Asha", online=True)
        group_id = await asha.makes_group()
        command = spent(group_id)
        other = sqlite3.connect(tmp_path / DATABASE_FILE, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        await is_unavailable_on_a_socket(asha, "expense:create", command)
        await is_unavailable_over_rest(asha, "POST", f"/groups/{group_id}/invites")
        assert (await asha.ok("GET", f"/groups/{group_id}/balances"))["seq"] == 1
        assert len((await asha.ok("GET", f"/groups/{group_id}/events"))["events"]) == 1
        other.execute("ROLLBACK")
        other.close()
        assert (await until_done(asha, "expense:create", command))["seq"] == 2
        assert (await asha.hears_seq(2))["commandId"] == command["commandId"]
