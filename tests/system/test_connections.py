"""Connections below HTTP: what isn't a request, what never becomes one, and how many there may be."""

import asyncio
import contextlib
import functools
import gc
import socket
import weakref
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from persplit.transport import http_server
from persplit.transport.security_headers import security_headers
from persplit.transport.turnstile import Turnstile
from tests.system.attacker import RawSocket, check_problem, over_http
from tests.system.conftest import phones_of, serving, settings_for
from tests.system.phone import PATIENCE_SECONDS


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    async with serving(settings_for(tmp_path)) as (_, url):
        yield url


async def opened(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


async def is_serving(url: str) -> bool:
    async with aiohttp.ClientSession() as http, http.get(f"{url}/healthz") as response:
        return response.status == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /api/v1/groups HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/groups HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % number for number in range(1_000)) + b"\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: \x00\r\n\r\n",
    ],
    ids=lambda request: repr(request[:24]),
)
async def test_what_is_not_a_request_is_a_coded_problem_with_the_headers_of_every_answer(
    url: str, request_bytes: bytes
) -> None:
    answer = await over_http(url, request_bytes)
    check_problem(answer, 400, "malformed")
    for name, value in security_headers("http://127.0.0.1").items():
        assert answer.headers[name.lower()] == value
    assert await is_serving(url)


@pytest.mark.parametrize(
    ("query", "header"),
    [
        ("EIO=4&transport=websocket", "Origin: https://evil.example"),
        ("EIO=4&transport=polling", "X: x"),
        ("EIO=3&transport=websocket", "X: x"),
        ("EIO=4&transport=websocket&sid=x", "X: x"),
        ("EIO=4&transport=websocket", "X: x"),
        ("", "X: x"),
    ],
)
async def test_what_opens_no_socket_is_a_coded_problem(url: str, query: str, header: str) -> None:
    request = f"GET /socket.io/?{query} HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n"
    check_problem(await over_http(url, request.encode()), 400, "malformed")


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost:"])
async def test_half_a_request_is_given_up_even_if_a_byte_comes_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(http_server, "KEEP_ALIVE_SECONDS", 0.5)
    async with serving(settings_for(tmp_path)) as (_, url):
        reader, writer = await opened(url)
        writer.write(sent)

        async def trickle() -> None:
            while sent:
                writer.write(b" ")
                await asyncio.sleep(0.1)

        trickling = asyncio.create_task(trickle())
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert await reader.read() == b""
        trickling.cancel()
        writer.close()


async def test_a_connection_is_kept_between_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(settings_for(tmp_path)) as (_, url):
        reader, writer = await opened(url)
        for _ in range(3):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
            await reader.readuntil(b"}")
        writer.close()


async def test_when_all_places_are_taken_whoever_waits_longest_without_a_request_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "CONNECTIONS_MAX", 6)
    async with serving(settings_for(tmp_path)) as (_, url), phones_of(url) as make:
        quiet = [await opened(url) for _ in range(4)]
        asha = await make("Asha", online=True)
        group_id = await asha.makes_group()
        more = [await opened(url) for _ in range(12)]
        await asha.spends(group_id, 1_000)
        await asha.hears_seq(2)
        for reader, _ in quiet:
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    assert await reader.read() == b""
        for _, writer in (*quiet, *more):
            writer.close()


async def test_when_all_places_are_taken_by_those_at_work_a_new_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(settings_for(tmp_path / "unused")), contextlib.AsyncExitStack() as stack:
        monkeypatch.setattr(http_server, "CONNECTIONS_MAX", 3)
        _, url = await stack.enter_async_context(serving(settings_for(tmp_path)))
        async with phones_of(url) as make:
            asha = await make("Asha", online=True)
            others = [await asha.another_device().connect() for _ in range(1)]
            async with aiohttp.ClientSession() as http:
                group_id = await asha.makes_group()
                socket_url = url + "/socket.io/?EIO=4&transport=websocket"
                held = await http.ws_connect(socket_url)
                with pytest.raises(aiohttp.ClientError):
                    await http.ws_connect(socket_url)
                with pytest.raises(aiohttp.ClientError):
                    await http.get(f"{url}/healthz")
                await held.close()
            assert group_id
            for phone in (asha, *others):
                assert (await phone.done("sync:pull", groupId=group_id, after=0))["events"]
                await phone.disconnect()


@pytest.mark.parametrize(
    ("bound", "value"),
    [("ANSWER_SECONDS_MAX", 0.3), ("UNACKNOWLEDGED_MS_MAX", 300)],
    ids=["ours", "kernel's"],
)
async def test_who_asks_and_does_not_take_the_answers_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, value: float
) -> None:
    monkeypatch.setattr(http_server, bound, value)
    has_ended = asyncio.Event()
    lost = http_server.Connection.connection_lost

    def connection_lost(self: http_server.Connection, exc: BaseException | None) -> None:
        lost(self, exc)
        has_ended.set()

    # When the kernel gives up it tells the server only: there is nothing to see from outside.
    monkeypatch.setattr(http_server.Connection, "connection_lost", connection_lost)
    async with serving(settings_for(tmp_path)) as (_, url):
        host, port = url.removeprefix("http://").split(":")
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        deaf.setblocking(False)  # noqa: FBT003 - the standard library's shape
        loop = asyncio.get_running_loop()
        await loop.sock_connect(deaf, (host, int(port)))
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(1):
                await loop.sock_sendall(deaf, b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 2_000)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await has_ended.wait()
        assert await is_serving(url)
        deaf.close()


@pytest.mark.parametrize("how", ["breaks off", "says good-bye", "is cut off"])
async def test_nothing_of_a_connection_that_has_ended_waits_for_the_collector(
    tmp_path: Path, how: str
) -> None:
    async with serving(settings_for(tmp_path)) as (node, url), phones_of(url) as make:
        asha = await make("Asha")
        async with aiohttp.ClientSession() as http:
            connection = await RawSocket.open(url, http, asha.token)
            (link,) = node.sockets._server._links.values()
            ended = weakref.ref(link)
            gc.disable()
            try:
                if how == "breaks off":
                    assert link.transport is not None
                    link.transport.abort()
                elif how == "is cut off":
                    await connection.send("not a packet")
                del link
                await connection.close()
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while ended() is not None:  # noqa: ASYNC110 - nothing else tells
                        await asyncio.sleep(0.01)
            finally:
                gc.enable()


async def test_many_ends_at_once_are_spread_over_turns_of_the_loop_in_order() -> None:
    turnstile, seen, turns = Turnstile(3), list[int](), 0
    for number in range(8):
        turnstile.call(functools.partial(seen.append, number))
    while len(seen) < 8:
        before = len(seen)
        await asyncio.sleep(0)
        assert len(seen) - before <= 3
        turns += 1
        assert turns < 10
    assert seen == list(range(8))


async def test_a_handshake_whose_key_is_not_even_text_is_refused_with_a_code(url: str) -> None:
    lines = (
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
        "Host: x",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: \u00e9",
    )
    answer = await over_http(url, ("\r\n".join(lines) + "\r\n\r\n").encode())
    check_problem(answer, 400, "malformed")
