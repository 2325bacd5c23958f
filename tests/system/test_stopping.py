"""How a server stops: the balancer hears of it first, then writes are refused, then everybody is told and goes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import socketio

from persplit import server as serving
from persplit.bootstrap import Node
from persplit.ledger.events import RecordedEvent
from persplit.service.ports import NewEvent
from persplit.transport import sockets
from tests.system.conftest import MakePhone
from tests.system.phone import Json, Phone, key


def spent(group_id: str) -> Json:
    return {
        "commandId": key(),
        "groupId": group_id,
        "description": "Tea",
        "amount": 100,
        "splitType": "EQUAL",
    }


async def readiness(phone: Phone) -> int:
    async with phone.http.get(f"{phone.url}/readyz") as response:
        return response.status


async def test_a_server_that_leaves_says_so_to_the_balancer_and_serves_as_ever(
    server: tuple[Node, str], phones: MakePhone
) -> None:
    asha = await phones("Asha", online=True)
    assert await readiness(asha) == 200
    server[0].leave()
    assert await readiness(asha) == 503
    group_id = await asha.makes_group()
    await asha.done("expense:create", spent(group_id))
    await (await phones("Ben")).connect()


async def test_a_connection_ends_with_the_first_answer_after_the_server_has_begun_to_leave(
    server: tuple[Node, str], phones: MakePhone
) -> None:
    asha = await phones("Asha")
    server[0].leave()
    answer = await asha.rest("GET", "/groups")
    assert answer.headers["Connection"].lower() == "close"


async def test_who_is_connected_is_told_when_to_come_back_and_hears_1012(
    server: tuple[Node, str], phones: MakePhone
) -> None:
    asha = await phones("Asha")
    ws_url = server[1].replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    async with asha.http.ws_connect(ws_url) as raw:
        await raw.receive_str()
        await raw.send_str(f'40{{"token":"{asha.token}"}}')
        draining: asyncio.Task[None] | None = None
        heard = []
        async for message in raw:
            heard.append(str(message.data))
            if "session:ready" in heard[-1]:
                draining = asyncio.create_task(server[0].drain())
    assert draining is not None
    await draining
    assert heard[-1].startswith('42["session:closing",{"code":"server_restarting","retryAfterMs":')
    assert raw.close_code == aiohttp.WSCloseCode.SERVICE_RESTART


async def test_writes_and_connections_are_refused_with_a_time_to_come_back(
    server: tuple[Node, str], phones: MakePhone
) -> None:
    asha = await phones("Asha", online=True)
    group_id = await asha.makes_group()
    server[0].lifetime.end(is_replaced=False)
    refused = await asha.refused("expense:create", spent(group_id))
    assert (refused["code"], refused["status"]) == ("server_restarting", 503)
    assert refused["retryAfterMs"] > 0
    over_rest = await asha.rest("POST", f"/groups/{group_id}/expenses", spent(group_id))
    assert (over_rest.status, over_rest.code) == (503, "server_restarting")
    assert int(over_rest.headers["Retry-After"]) > 0
    assert (await asha.rest("GET", f"/groups/{group_id}")).status == 200
    late = asha.another_device()
    with pytest.raises(socketio.exceptions.ConnectionError):
        await late.connect()


async def test_one_that_is_replaced_is_ready_to_the_end_and_takes_writes_that_still_reach_it(
    server: tuple[Node, str], phones: MakePhone
) -> None:
    asha = await phones("Asha", online=True)
    group_id = await asha.makes_group()
    await server[0].drain(is_replaced=True)
    assert (await asha.hears("session:closing"))["code"] == "server_restarting"
    assert await readiness(asha) == 200
    await asha.spends(group_id, 1_000)


class Slow:
    """A store whose next append takes its time."""

    def __init__(self, node: Node) -> None:
        self._store = node.services.handler._store
        node.services.handler._store = self
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def append(self, new: NewEvent) -> RecordedEvent:
        self.reached.set()
        await self.go_on.wait()
        return await self._store.append(new)


@pytest.mark.parametrize("is_replaced", [True, False])
async def test_a_command_under_way_is_answered_before_its_socket_is_closed(
    server: tuple[Node, str], phones: MakePhone, *, is_replaced: bool
) -> None:
    asha = await phones("Asha", online=True)
    group_id = await asha.makes_group()
    slow = Slow(server[0])
    asked = asyncio.create_task(asha.send("expense:create", spent(group_id)))
    await slow.reached.wait()
    draining = asyncio.create_task(server[0].drain(is_replaced=is_replaced))
    await asyncio.sleep(0.3)
    assert "session:closing" not in [name for name, _ in asha.heard]
    slow.go_on.set()
    ack = await asked
    assert (ack["ok"], ack["seq"]) == (True, 2)
    await draining
    await asha.hears("session:closing")


async def test_a_command_that_comes_while_its_socket_is_told_to_go_is_carried_out_or_not_answered(
    server: tuple[Node, str], phones: MakePhone
) -> None:
    asha = await phones("Asha", online=True)
    group_id = await asha.makes_group()
    emitter: Any = server[0].sockets._server
    emit, acks = emitter.emit, []

    async def emit_slowly(event: str, data: Json, **options: Any) -> None:
        if event == "session:closing":
            acks.append(await asha.send("expense:create", spent(group_id)))
        await emit(event, data, **options)

    emitter.emit = emit_slowly
    await server[0].drain(is_replaced=True)
    assert [(ack["ok"], ack["seq"]) for ack in acks] == [(True, 2)]
    await asha.hears("session:closing")


async def test_a_command_that_never_ends_does_not_hold_up_the_end(
    server: tuple[Node, str], phones: MakePhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("persplit.bootstrap.COMMANDS_SECONDS_MAX", 0.1)
    monkeypatch.setattr("persplit.bootstrap.DRAIN_SECONDS_MAX", 0.3)
    asha = await phones("Asha", online=True)
    group_id = await asha.makes_group()
    slow = Slow(server[0])
    asked = asyncio.create_task(asha.send("expense:create", spent(group_id)))
    await slow.reached.wait()
    async with asyncio.timeout(10):
        await server[0].drain()
        await asha.hears("session:closing")
    slow.go_on.set()
    asked.cancel()


async def test_many_are_closed_a_few_at_a_time(
    server: tuple[Node, str], phones: MakePhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CLOSED_AT_ONCE", 2)
    people = [await phones(f"Person{number}", online=True) for number in range(5)]
    sizes: list[int] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        if seconds == sockets.CLOSING_PAUSE_SECONDS:
            sizes.append(len(server[0].sockets))
        await sleep(seconds)

    monkeypatch.setattr(sockets.asyncio, "sleep", note)  # type: ignore[attr-defined]
    await server[0].drain()
    assert sizes == [3, 1]
    waits = [(await person.hears("session:closing"))["retryAfterMs"] for person in people]
    assert all(0 <= wait < sockets.RESTART_SPREAD_MS for wait in waits)


async def test_idle_connections_dont_hold_up_the_end_and_requests_under_way_finish(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from persplit.bootstrap import open_node

    async with open_node(settings) as node, aiohttp.ClientSession() as http:
        runner, url = await serving.listen(node)
        phone = await Phone(url, http).register("Asha")
        group_id = await phone.makes_group()
        slow = Slow(node)
        asked = asyncio.create_task(phone.spends(group_id, 100))
        async with aiohttp.ClientSession() as other, other.get(f"{url}/healthz") as idle:
            assert idle.status == 200
            await slow.reached.wait()
            ending = asyncio.create_task(_end(node, runner.cleanup))
            await asyncio.sleep(0.2)
            slow.go_on.set()
            assert (await asked)["seq"] == 2
            await ending


async def _end(node: Node, cleanup: Callable[[], Awaitable[None]]) -> None:
    await node.drain()
    await cleanup()
