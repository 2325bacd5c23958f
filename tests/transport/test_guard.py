"""The guard, against a real server on a real port: good clients by their library, bad ones by hand."""

import asyncio
import contextlib
import inspect
import json
import logging
import socket
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import engineio
import pytest
import socketio
import structlog
from aiohttp import WSMsgType, web
from engineio.async_drivers import aiohttp as driver
from engineio.async_socket import AsyncSocket
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from socketio.exceptions import ConnectionRefusedError as Refused

from persplit.ledger.errors import PerSplitError
from persplit.service.errors import RateLimited
from persplit.transport import backlog, guard
from persplit.transport.buckets import TokenBucket
from persplit.transport.frames import BadFrame, GuardedPacket
from persplit.transport.guard import IndexedManager, guarded_server
from persplit.transport.rest import answer_errors

PATIENCE_SECONDS = 10.0
"""How long a test waits for what must come."""
PROMPT_SECONDS = 3.0
"""What happens at once happens well before this; what waits for a ping timeout doesn't."""
ORIGIN = "https://app.example.org"
EVENTS = ["expense:create", "slow", "fails", "big"]
HALF_AN_EMOJI = '42%s["expense:create",{"name":"\\ud83d"}]'


def refuse(error: PerSplitError) -> dict[str, Any]:
    """An ack as the transport makes it, as far as these tests look."""
    retry = {"retryAfterMs": error.retry_after_ms} if isinstance(error, RateLimited) else {}
    return {"ok": False, "error": {"code": error.code, "detail": error.detail, **retry}}


@dataclass
class Client:
    """A client by hand: it can send what no library would."""

    ws: aiohttp.ClientWebSocketResponse
    sid: str = ""

    async def hears(self) -> str:
        """The next frame that isn't a ping."""
        while True:
            message = await self.ws.receive(timeout=PATIENCE_SECONDS)
            assert message.type is WSMsgType.TEXT, message
            if message.data != "2":
                return str(message.data)

    async def signs_in(self) -> "Client":
        """Connect to the namespace."""
        await self.ws.send_str('40{"token":"good"}')
        answer = await self.hears()
        assert answer.startswith("40{"), answer
        self.sid = json.loads(answer[2:])["sid"]
        return self

    async def asks(self, text: str, ack_id: int = 1) -> dict[str, Any]:
        """Send a frame whose `%s` is the ack id, and wait for the ack: always exactly one object."""
        await self.ws.send_str(text.replace("%s", str(ack_id)))
        answer = await self.hears()
        prefix = f"43{ack_id}"
        assert answer.startswith(prefix), answer
        (ack,) = json.loads(answer[len(prefix) :])
        assert isinstance(ack, dict)
        return ack

    async def is_served(self, ack_id: int = 9) -> None:
        """Pass if an ordinary command of it is carried out."""
        ack = await self.asks('42%s["expense:create",{"amount":1}]', ack_id)
        assert ack == {"ok": True, "body": {"amount": 1}}

    async def is_gone(self) -> None:
        """Pass if the server ends the connection at once."""
        async with asyncio.timeout(PROMPT_SECONDS):
            await self.ends()

    async def ends(self) -> list[str]:
        """Read to the end of the connection. Returns what was said."""
        said = []
        while (message := await self.ws.receive(timeout=PATIENCE_SECONDS)).type is WSMsgType.TEXT:
            said.append(message.data)
        assert message.type is not WSMsgType.BINARY
        return said


@dataclass
class Served:
    """A server, what its handlers were called with, and its clients."""

    server: guard.GuardedServer
    url: str
    http: aiohttp.ClientSession
    connected: list[str] = field(default_factory=list)
    ready: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    handled: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def opens(self, **options: Any) -> Client:
        """A client that hasn't signed in."""
        url = f"{self.url}/socket.io/?EIO=4&transport=websocket"
        client = Client(await self.http.ws_connect(url, max_msg_size=0, **options))
        opened = await self.hears_open(client)
        assert opened["upgrades"] == []
        return client

    async def hears_open(self, client: Client) -> dict[str, Any]:
        """What the server says first."""
        answer = await client.hears()
        assert answer[0] == "0"
        opened = json.loads(answer[1:])
        assert isinstance(opened, dict)
        return opened

    async def signed_in(self, **options: Any) -> Client:
        """A client that has signed in."""
        return await (await self.opens(**options)).signs_in()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds."""
        async with asyncio.timeout(PROMPT_SECONDS):
            while not condition():  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.005)

    # --- the application behind the guard

    def register(self) -> None:
        """Put the handlers in place."""
        self.server.on_connected = self.on_connected
        for name, handler in {
            "connect": self.on_connect,
            "disconnect": self.on_disconnect,
            "expense:create": self.on_create,
            "slow": self.on_slow,
            "fails": self.on_failing,
            "big": self.on_big,
        }.items():
            self.server.on(name, handler)

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        """Sign in with the token "good"."""
        assert isinstance(environ["aiohttp.request"], web.Request)
        if auth == {"token": "slow"}:
            await self.release.wait()
        elif auth == {"token": "fault"}:
            raise RuntimeError("the store is away")
        elif auth != {"token": "good"}:
            raise Refused("no", {"code": "token_invalid"})
        self.connected.append(sid)

    async def on_connected(self, sid: str) -> None:
        """Enter a room."""
        await self.server.enter_room(sid, f"of {sid}")
        self.ready.append(sid)

    async def on_disconnect(self, sid: str, reason: str) -> None:
        """Count it; fail where a test says so."""
        self.left.append(sid)
        if reason == "client disconnect" and self.release.is_set():
            raise RuntimeError("a fault of ours")

    async def on_create(self, sid: str, body: dict[str, Any]) -> dict[str, Any]:
        """Answer with what came."""
        self.handled.append((sid, body))
        return {"ok": True, "body": body}

    async def on_slow(self, sid: str, body: dict[str, Any]) -> dict[str, Any]:
        """Wait for the test."""
        self.handled.append((sid, body))
        await self.release.wait()
        self.handled.append((sid, {"done": True}))
        return {"ok": True}

    async def on_failing(self, sid: str, body: dict[str, Any]) -> dict[str, Any]:
        """Have a bug."""
        raise RuntimeError("a fault of ours")

    async def on_big(self, sid: str, body: dict[str, Any]) -> dict[str, Any]:
        """Answer at length."""
        self.handled.append((sid, body))
        return {"ok": True, "text": "x" * 200_000}

    @property
    def is_empty(self) -> bool:
        """Whether nothing of any client is left in the server."""
        manager = self.server.manager
        return not (
            self.server.eio.links
            or self.server.environ
            or manager.rooms
            or manager.pending_connect
            or manager.pending_disconnect
            or manager._rooms_of
        )


@contextlib.asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Served]:
    """A running server. Afterwards nothing may be left of any client, and nothing may have escaped."""
    escaped: list[dict[str, Any]] = []

    def escape(_: object, context: dict[str, Any]) -> None:
        # A connection that a client of these tests left open isn't the server's.
        if "client_connection" not in context:
            escaped.append(context)

    asyncio.get_running_loop().set_exception_handler(escape)
    server = guarded_server(EVENTS, refuse, [ORIGIN], **{"rate_limits": False, **options})
    app = web.Application(middlewares=[answer_errors])
    server.attach(app, socketio_path="socket.io")
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with aiohttp.ClientSession() as http:
            served = Served(server, url, http)
            served.register()
            yield served
        await served.until(lambda: served.is_empty)
        assert sorted(served.left) == sorted(served.connected), "each disconnect handler runs exactly once"
    finally:
        await server.shutdown()
        await runner.cleanup()
    assert escaped == []


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The server under test, without rate limits."""
    async with serving() as running:
        yield running


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """What the guard logs."""
    with structlog.testing.capture_logs() as captured:
        yield captured  # type: ignore[misc]


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing through `logging`, nothing on the terminal."""
    caplog.set_level(logging.INFO)
    yield
    assert [record for record in caplog.records if record.name != "asyncio"] == []
    assert capfd.readouterr() == ("", "")


async def by_hand(
    served: Served, buffer_bytes: int = 4096
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
    """A client that has signed in, without a library: it can stop reading."""
    raw = socket.create_connection(("127.0.0.1", int(served.url.rsplit(":", 1)[1])))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    reader, writer = await asyncio.open_connection(sock=raw, limit=buffer_bytes // 4)
    writer.write(
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    known = set(served.ready)
    text = b'40{"token":"good"}'
    writer.write(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
    await served.until(lambda: len(served.ready) > len(known))
    (sid,) = set(served.ready) - known
    return reader, writer, sid


# --- the good path


async def test_a_library_client_signs_in_sends_commands_and_leaves(served: Served) -> None:
    client = socketio.AsyncClient(reconnection=False)
    heard: asyncio.Queue[Any] = asyncio.Queue()
    client.on("news", heard.put)
    await client.connect(served.url, auth={"token": "good"}, transports=["websocket"])
    assert await client.call("expense:create", {"a": [1, "₹", None]}) == {
        "ok": True,
        "body": {"a": [1, "₹", None]},
    }
    await served.server.emit("news", {"n": 1}, to=f"of {client.get_sid()}")
    assert await asyncio.wait_for(heard.get(), PATIENCE_SECONDS) == {"n": 1}
    await client.disconnect()
    await served.until(lambda: served.left == served.connected)
    assert served.ready == served.connected


async def test_a_client_without_an_ack_is_served_without_one(served: Served) -> None:
    client = await served.signed_in()
    await client.ws.send_str('42["expense:create",{"n":1}]')
    await client.is_served()
    assert [body for _, body in served.handled] == [{"n": 1}, {"amount": 1}]


async def test_one_clients_commands_run_in_order_and_another_client_does_not_wait_for_them(
    served: Served,
) -> None:
    first, second = await served.signed_in(), await served.signed_in()
    await first.ws.send_str('421["slow",{"n":1}]')
    await first.ws.send_str('422["expense:create",{"n":2}]')
    await served.until(lambda: bool(served.handled))
    await second.is_served()
    assert [body for sid, body in served.handled if sid == first.sid] == [{"n": 1}]
    served.release.set()
    assert [(await first.hears())[:3] for _ in "ab"] == ["431", "432"]
    assert [body for sid, body in served.handled if sid == first.sid] == [{"n": 1}, {"done": True}, {"n": 2}]
    served.release.clear()


async def test_pings_go_to_and_fro() -> None:
    async with serving(ping_interval_seconds=0.1, ping_timeout_seconds=5) as served:
        client = await served.signed_in()
        for _ in range(3):
            assert (await client.ws.receive(timeout=PATIENCE_SECONDS)).data == "2"
            await client.ws.send_str("3")
        await client.ws.ping()
        await client.ws.pong()
        await client.is_served()


async def test_a_client_that_no_longer_answers_is_let_go_with_its_connection() -> None:
    async with serving(ping_interval_seconds=0.2, ping_timeout_seconds=0.2) as served:
        client = await served.signed_in()
        await client.ends()
        await served.until(lambda: served.left == [client.sid])


# --- what no client sends ends the connection


HOSTILE = {
    "an empty frame": "",
    "a letter": "x",
    "a digit of another script": "²",
    "an engine ping": "2",
    "an upgrade": "5",
    "a pong with data that would be parsed": "3" + "[" * 1000,
    "a message that would be parsed as JSON": "4" + "[" * 50_000,
    "a message of base64": "bAAAA",
    "a message without a packet": "4",
    "an unknown packet type": '47["expense:create",{}]',
    "a type of another script": '4²["expense:create",{}]',
    "a CONNECT_ERROR": '44{"message":"no"}',
    "a binary event": '451-["expense:create",{"_placeholder":true,"num":0}]',
    "a binary event with endless attachments": '459999999999-["expense:create",{}]',
    "a binary ack": "461-1[]",
    "attachments on an event": '421-["expense:create",{}]',
    "another namespace": '42/admin,["expense:create",{}]',
    "connecting to another namespace": "40/admin,",
    "an event without data": "42",
    "an empty list": "42[]",
    "an object for a list": '42{"a":1}',
    "a name that is no string": '42[{"a":1}]',
    "a number for a name": "42[1,{}]",
    "not JSON": '42["expense:create",{]',
    "cut off": '42["expense:create",{"a":1}',
    "NaN": '42["expense:create",{"a":NaN}]',
    "Infinity": '42["expense:create",{"a":-Infinity}]',
    "50,000 arrays": '42["expense:create",' + "[" * 25_000 + "]" * 25_000 + "]",
    "an ack id that no client counts to": "42" + "1" * 101 + '["expense:create",{}]',
    "an ack id of another script": '42²["expense:create",{}]',
    "raw binary": b"\x00\x01",
    "empty binary": b"",
    "a frame over the limit": "42" + " " * guard.FRAME_BYTES_MAX,
}


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("frame", HOSTILE.values(), ids=HOSTILE)
async def test_what_no_client_sends_ends_the_connection_at_once_and_quietly(
    served: Served, lines: list[dict[str, Any]], frame: str | bytes
) -> None:
    good, bad = await served.signed_in(), await served.signed_in()
    if isinstance(frame, str):
        await bad.ws.send_str(frame)
    else:
        await bad.ws.send_bytes(frame)
    await bad.is_gone()
    await served.until(lambda: served.left == [bad.sid])
    await good.is_served()
    assert len(served.handled) == 1
    assert len(lines) <= 1
    assert all(len(json.dumps(line)) < 200 for line in lines)


@pytest.mark.usefixtures("quiet")
async def test_text_that_is_not_utf8_ends_the_connection(served: Served) -> None:
    bad = await served.signed_in()
    await bad.ws._writer.send_frame(b'42["expense:create",{"a":"\xed\xa0\xbd"}]', WSMsgType.TEXT)
    await bad.is_gone()
    await served.until(lambda: served.left == [bad.sid])


@pytest.mark.usefixtures("quiet", "lines")
async def test_the_same_before_signing_in_ends_it_too(served: Served) -> None:
    frames = ("", "40/admin,", "40[", '42["expense:create",{}]', '421["connect",{}]', "43", '431["x"]', "41")
    clients = [await served.opens() for _ in frames]
    for client, frame in zip(clients, frames, strict=True):
        await client.ws.send_str(frame)
    await asyncio.gather(*(client.is_gone() for client in clients))
    assert (served.handled, served.connected) == ([], [])


@pytest.mark.usefixtures("quiet")
async def test_a_frame_of_ten_megabytes_ends_the_connection_and_is_not_kept(served: Served) -> None:
    good = await served.signed_in()
    _, writer, sid = await by_hand(served)
    chunk, sent = b"x" * 100_000, 0
    tracemalloc.start()
    writer.write(b"\x81\xff" + (10_000_000).to_bytes(8) + bytes(4))
    with contextlib.suppress(ConnectionError):
        while sent < 10_000_000:
            writer.write(chunk)
            sent += len(chunk)
            await writer.drain()
    await served.until(lambda: served.left == [sid])
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    writer.transport.abort()
    await good.is_served()


async def test_a_frame_at_the_limit_is_taken(served: Served) -> None:
    client = await served.signed_in()
    frame = '421["expense:create",{"a":"%s"}]'
    filled = frame.replace("%s", "x" * (guard.FRAME_BYTES_MAX - len(frame) + 2))
    assert len(filled) == guard.FRAME_BYTES_MAX
    assert (await client.asks(filled))["ok"] is True


async def test_attachments_are_never_collected(served: Served) -> None:
    client = await served.signed_in()
    await client.ws.send_str('459999-["expense:create",{"_placeholder":true,"num":0}]')
    with contextlib.suppress(ConnectionError):
        for _ in range(20):
            await client.ws.send_bytes(b"x" * 60_000)
    await client.is_gone()
    assert served.server._binary_packet == {}


async def test_log_lines_about_many_bad_clients_are_few(served: Served, lines: list[dict[str, Any]]) -> None:
    for _ in range(guard.LOG_LINES_BURST * 2):
        client = await served.opens()
        await client.ws.send_str("x")
        await client.is_gone()
    assert len(lines) < guard.LOG_LINES_BURST * 2
    assert {line["event"] for line in lines} == {"socket_cut"}


# --- what a client sends by mistake is answered


REFUSED = {
    "an unknown event": ('42%s["expense:invent",{}]', "not_found"),
    "connect": ('42%s["connect",{"REMOTE_ADDR":"1.2.3.4"},{"token":"good"}]', "not_found"),
    "connect with one object": ('42%s["connect",{"token":"good"}]', "not_found"),
    "disconnect": ('42%s["disconnect","x"]', "not_found"),
    "disconnect with one object": ('42%s["disconnect",{}]', "not_found"),
    "message": ('42%s["message",{}]', "not_found"),
    "star": ('42%s["*",{}]', "not_found"),
    "a client's own": ('42%s["__disconnect_final",{}]', "not_found"),
    "an empty name": ('42%s["",{}]', "not_found"),
    "no argument": ('42%s["expense:create"]', "malformed"),
    "two arguments": ('42%s["expense:create",{},{}]', "malformed"),
    "a list": ('42%s["expense:create",[]]', "malformed"),
    "a text": ('42%s["expense:create","x"]', "malformed"),
    "null": ('42%s["expense:create",null]', "malformed"),
    "33 levels": ('42%s["expense:create",' + '{"a":' * 32 + "{}" + "}" * 32 + "]", "malformed"),
    "1,000 arrays in it": ('42%s["expense:create",{"a":' + "[" * 900 + "]" * 900 + "}]", "malformed"),
    "an integer over 64 bits": ('42%s["expense:create",{"a":18446744073709551616}]', "malformed"),
    "a negative one": ('42%s["expense:create",{"a":[-9223372036854775809]}]', "malformed"),
    "an integer of 5,000 digits": ('42%s["expense:create",{"a":' + "7" * 5_000 + "}]", "malformed"),
    "1e999": ('42%s["expense:create",{"a":1e999}]', "malformed"),
    "1e300": ('42%s["expense:create",{"a":1e300}]', "malformed"),
    "half an emoji": (HALF_AN_EMOJI, "malformed"),
}


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(("frame", "code"), REFUSED.values(), ids=REFUSED)
async def test_what_is_sent_by_mistake_is_answered_with_a_code_and_the_connection_stays(
    served: Served, lines: list[dict[str, Any]], frame: str, code: str
) -> None:
    client = await served.signed_in()
    ack = await client.asks(frame, ack_id=7)
    assert (ack["ok"], ack["error"]["code"]) == (False, code)
    # The same without an ack id: nothing is answered, nothing happens.
    await client.ws.send_str(frame.replace("%s", ""))
    await client.is_served()
    assert len(served.handled) == 1
    assert (len(served.connected), served.left) == (1, [])
    assert lines == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9007199254740993", 9007199254740993),
        ("18446744073709551615", 18446744073709551615),
        ("1.5", 1.5),
        ('"\\u0000\\u202e"', "\0\u202e"),
        ('"\\ud83d\\ude00"', "😀"),
        ('{"_placeholder":true,"num":0}', {"_placeholder": True, "num": 0}),
        ("[" * 30 + "]" * 30, json.loads("[" * 30 + "]" * 30)),
    ],
)
async def test_what_json_can_mean_reaches_the_handler_as_it_is(
    served: Served, text: str, value: object
) -> None:
    client = await served.signed_in()
    ack = await client.asks('42%s["expense:create",{"a":' + text + "}]")
    assert ack["body"] == {"a": value}
    assert type(served.handled[0][1]["a"]) is type(value)


async def test_the_default_namespace_may_be_spelled_out(served: Served) -> None:
    client = await served.opens()
    await client.ws.send_str('40/,{"token":"good"}')
    assert (await client.hears()).startswith("40{")
    assert (await client.asks('42/,%s["expense:create",{}]'))["ok"] is True


async def test_a_handler_that_fails_is_answered_and_logged_once(
    served: Served, lines: list[dict[str, Any]]
) -> None:
    client = await served.signed_in()
    ack = await client.asks('42%s["fails",{}]')
    assert ack["error"]["code"] == "internal_error"
    await client.is_served()
    assert [line["event"] for line in lines] == ["event_handler_failed"]


async def test_an_ack_from_a_client_is_dropped(served: Served) -> None:
    client = await served.signed_in()
    await served.server.emit("asked", {}, to=client.sid, callback=served.release.set)
    assert await client.hears() == '421["asked",{}]'
    for frame in ("430[]", "431[]", "43[1]", '4399["x",{}]', "43"):
        await client.ws.send_str(frame)
    await client.is_served()


# --- signing in


async def test_who_never_signs_in_is_let_go() -> None:
    async with serving(handshake_seconds=0.2) as served:
        client = await served.opens()
        assert await client.ends() == []


async def test_pings_do_not_put_the_deadline_off() -> None:
    async with serving(handshake_seconds=0.3) as served:
        client = await served.opens()
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PROMPT_SECONDS):
                while not client.ws.closed:
                    await client.ws.ping()
                    await client.ws.send_str("3")
                    await asyncio.sleep(0.02)
        await client.is_gone()


async def test_who_has_signed_in_stays_beyond_the_deadline() -> None:
    async with serving(handshake_seconds=0.2) as served:
        client = await served.signed_in()
        await asyncio.sleep(0.4)
        await client.is_served()


async def test_who_is_refused_is_told_the_code_and_then_let_go(served: Served) -> None:
    client = await served.opens()
    await client.ws.send_str('40{"token":"bad"}')
    assert await client.ends() == ['44{"message":"no","data":{"code":"token_invalid"}}']
    assert served.connected == served.left == []


async def test_a_library_client_that_is_refused_sees_the_code(served: Served) -> None:
    client = socketio.AsyncClient(reconnection=False)
    told: asyncio.Queue[Any] = asyncio.Queue()
    client.on("connect_error", told.put)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(served.url, auth={"token": "bad"}, transports=["websocket"])
    assert (await asyncio.wait_for(told.get(), PATIENCE_SECONDS))["data"] == {"code": "token_invalid"}


@pytest.mark.parametrize("auth", ["", "{}", "[]", '{"token":7}', '["token"]'])
async def test_the_application_says_what_is_wrong_with_any_auth(served: Served, auth: str) -> None:
    client = await served.opens()
    await client.ws.send_str("40" + auth)
    assert (await client.hears()).startswith('44{"message":"no"')


async def test_who_is_refused_may_try_again_on_the_same_connection(served: Served) -> None:
    client = await served.opens()
    await client.ws.send_str('40{"token":"bad"}')
    await client.hears()
    await client.signs_in()
    await asyncio.sleep(guard.REFUSED_SECONDS + 0.2)
    await client.is_served()


async def test_trying_again_and_again_does_not_put_the_end_off(served: Served) -> None:
    client = await served.opens()
    tries = 0
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(PROMPT_SECONDS):
            while not client.ws.closed:
                await client.ws.send_str('40{"token":"bad"}')
                tries += 1
                await asyncio.sleep(0.05)
    await client.is_gone()
    assert tries > 1


async def test_connecting_twice_changes_nothing(served: Served) -> None:
    client = await served.signed_in()
    await client.ws.send_str('40{"token":"good"}')
    assert await client.hears() == '44"Unable to connect"'
    await asyncio.sleep(guard.REFUSED_SECONDS + 0.2)
    await client.is_served()
    assert served.connected == served.ready == [client.sid]


async def test_who_leaves_the_namespace_and_stays_is_let_go(served: Served) -> None:
    client = await served.signed_in()
    await client.ws.send_str("41")
    await served.until(lambda: served.left == [client.sid])
    await client.is_gone()


async def test_who_leaves_while_signing_in_is_forgotten(served: Served) -> None:
    client = await served.opens()
    await client.ws.send_str('40{"token":"slow"}')
    (link,) = served.server.eio.links.values()
    await served.until(lambda: link.is_busy)
    await link.socket.close(wait=False, abort=True)
    await asyncio.sleep(0.05)
    assert served.left == []
    served.release.set()
    await served.until(lambda: served.is_empty)
    served.release.clear()
    assert (len(served.connected), served.ready) == (1, [])


async def test_a_sign_in_that_fails_on_our_side_ends_the_connection_and_leaves_nothing(
    served: Served, lines: list[dict[str, Any]]
) -> None:
    client = await served.opens()
    await client.ws.send_str('40{"token":"fault"}')
    await client.is_gone()
    await served.until(lambda: served.is_empty)
    assert [line["event"] for line in lines] == ["socket_handler_failed"]


async def test_a_disconnect_handler_that_fails_leaves_nothing_behind(
    served: Served, lines: list[dict[str, Any]]
) -> None:
    served.release.set()
    client = await served.signed_in()
    await client.ws.send_str("1")
    await served.until(lambda: served.left == [client.sid] and served.is_empty)
    assert [line["event"] for line in lines] == ["disconnect_handler_failed"]
    served.release.clear()


# --- the door


@pytest.mark.usefixtures("quiet")
async def test_polling_is_refused_in_plain_words(served: Served) -> None:
    for method in ("GET", "POST"):
        async with served.http.request(
            method, f"{served.url}/socket.io/?EIO=4&transport=polling"
        ) as response:
            assert response.status == 400
            assert (await response.json(content_type=None))["code"] == "malformed"


async def test_a_bad_websocket_handshake_is_refused_and_leaves_nothing(served: Served) -> None:
    url = f"{served.url}/socket.io/?EIO=4&transport=websocket"
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    async with served.http.get(url, headers=headers) as response:
        assert response.status == 400
    await served.until(lambda: served.is_empty)


@pytest.mark.usefixtures("quiet")
async def test_only_named_origins_and_native_apps_may_connect(served: Served) -> None:
    await (await served.signed_in(origin=ORIGIN)).is_served()
    await (await served.signed_in()).is_served()
    for origin in ("https://evil.example", served.url, "null"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
            await served.opens(origin=origin)
        assert raised.value.status == 400


@pytest.mark.parametrize("origins", [[], ["*"], [ORIGIN, "*"]])
def test_a_server_without_named_origins_is_not_made(origins: list[str]) -> None:
    with pytest.raises(ValueError, match="origins"):
        guarded_server(EVENTS, refuse, origins)


@pytest.mark.parametrize("name", sorted(guard.RESERVED))
def test_a_server_whose_events_have_a_reserved_name_is_not_made(name: str) -> None:
    with pytest.raises(ValueError, match="reserved"):
        guarded_server([*EVENTS, name], refuse, [ORIGIN])


async def test_messages_are_not_compressed(served: Served) -> None:
    client = await served.signed_in(compress=15)
    assert client.ws.compress == 0


async def test_the_address_of_a_client_is_known(served: Served) -> None:
    client = await served.signed_in(headers={"X-Device": "phone"})
    request = served.server.request_of(client.sid)
    assert request is not None
    assert request.headers["X-Device"] == "phone"
    assert served.server.remote_of(client.sid) == "127.0.0.1"
    assert (served.server.request_of("nobody"), served.server.remote_of("nobody")) == (None, None)


# --- too fast


async def test_over_the_rate_an_event_is_refused_with_the_time_to_wait_and_served_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guard, "FRAMES_PER_SECOND", 5)
    async with serving(rate_limits=True) as served:
        client = await served.signed_in()
        for _ in range(guard.FRAMES_BURST * 2):
            await client.ws.send_str('421["expense:create",{}]')
        acks = [json.loads((await client.hears())[3:])[0] for _ in range(guard.FRAMES_BURST * 2)]
        refused = [ack["error"] for ack in acks if not ack["ok"]]
        assert len(served.handled) >= guard.FRAMES_BURST - 1
        assert len(served.handled) + len(refused) == len(acks)
        assert refused[0]["code"] == "rate_limited"
        assert 0 < refused[0]["retryAfterMs"] <= 200
        await asyncio.sleep(refused[-1]["retryAfterMs"] / 1000)
        await client.is_served()


async def test_over_the_rate_nothing_but_an_event_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "FRAMES_PER_SECOND", 0.01)
    monkeypatch.setattr(guard, "FRAMES_BURST", 2)
    async with serving(rate_limits=True) as served:
        client = await served.signed_in()
        await client.is_served()
        await client.ws.send_str('40{"token":"good"}')
        assert (await client.asks('42%s["expense:create",{}]'))["error"]["code"] == "rate_limited"


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("kind", ["events", "pings"])
async def test_a_flood_ends_the_connection(lines: list[dict[str, Any]], kind: str) -> None:
    async with serving(rate_limits=True) as served:
        client, other = await served.signed_in(), await served.signed_in()
        with contextlib.suppress(ConnectionError):
            for _ in range(guard.FRAMES_BURST * guard.FLOOD_FACTOR * 3):
                await (client.ws.ping() if kind == "pings" else client.ws.send_str('42["nothing",{}]'))
        await client.ends()
        await other.is_served()
    assert [line["reason"] for line in lines] == ["flood"]


async def test_without_rate_limits_a_flood_is_served(served: Served) -> None:
    client = await served.signed_in()
    for _ in range(guard.FRAMES_BURST * guard.FLOOD_FACTOR + 100):
        await client.ws.send_str('42["expense:create",{}]')
    await client.is_served()
    assert len(served.handled) == guard.FRAMES_BURST * guard.FLOOD_FACTOR + 101


def test_a_bucket_gives_its_burst_then_its_rate() -> None:
    bucket = TokenBucket(per_second=8, burst=3)
    assert [bucket.take(100) for _ in range(5)] == [0, 0, 0, 125, 125]
    assert [bucket.take(100.0625), bucket.take(100.1875), bucket.take(100.1875)] == [63, 0, 63]
    assert [bucket.take(1000) for _ in range(4)] == [0, 0, 0, 125]


# --- ending a connection


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
    began = time.monotonic()
    await served.server.close(sid)
    assert time.monotonic() - began < 0.5
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
        if link.request.transport is not None:
            waiting += link.request.transport.get_write_buffer_size()
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
    monkeypatch.setattr(guard, "WRITE_SECONDS_MAX", 0.3)
    monkeypatch.setattr(guard, "LOOK_SECONDS", 0.1)
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
    monkeypatch.setattr(guard, "WRITE_SECONDS_MAX", 0.5)
    monkeypatch.setattr(guard, "MESSAGE_SECONDS_MAX", 1.0)
    monkeypatch.setattr(guard, "LOOK_SECONDS", 0.1)
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
    monkeypatch.setattr(guard, "LOOK_SECONDS", 0.05)
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
    monkeypatch.setattr(guard, "WRITE_BUFFER_BYTES", 1_000)
    async with serving() as served:
        client = await served.signed_in()
        await asyncio.gather(*(served.server.emit("news", {"n": n}, to=client.sid) for n in range(6)))
        said = [json.loads(frame[2:])[0] for frame in await client.ends()]
        assert said[-1] == "session:closing"
        assert len(said) <= 5


async def test_a_client_that_reads_gets_any_amount(served: Served) -> None:
    client = await served.signed_in()
    for ack_id in range(30):
        assert len((await client.asks('42%s["big",{}]', ack_id))["text"]) == 200_000
    (link,) = served.server.eio.links.values()
    assert link.backlog.waiting_bytes == 0


# --- anything at all


FRAMES = st.one_of(
    st.text(max_size=40),
    st.binary(max_size=40),
    st.text(alphabet='0123456-/,[]{}":ab\\u\x1e', max_size=30).map(lambda text: "4" + text),
    st.tuples(
        st.sampled_from(["42", "421", "40", "41", "43", "451-", "42/a,"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
            ),
            max_leaves=5,
        ),
    ).map(lambda pair: pair[0] + json.dumps(pair[1])),
)


@pytest.mark.usefixtures("quiet")
@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(batches=st.lists(st.lists(FRAMES, min_size=1, max_size=4), min_size=1, max_size=8))
def test_whatever_is_sent_others_are_served_and_nothing_escapes(batches: list[list[str | bytes]]) -> None:
    async def attack() -> None:
        async with serving(rate_limits=True) as served:
            good = await served.signed_in()
            for batch in batches:
                bad = await served.signed_in()
                with contextlib.suppress(ConnectionError):
                    for frame in batch:
                        await (bad.ws.send_str(frame) if isinstance(frame, str) else bad.ws.send_bytes(frame))
                await good.is_served()
            await good.is_served()

    with structlog.testing.capture_logs() as lines:
        asyncio.run(attack())
    assert {line["event"] for line in lines} <= {"socket_cut"}


@given(st.text() | st.text(alphabet='0123456-/,[]{}":ab\\ud8').map(lambda text: "2" + text))
def test_a_packet_is_read_or_is_a_bad_frame(text: str) -> None:
    try:
        read = GuardedPacket(encoded_packet=text or "x")
    except BadFrame:
        return
    assert read.packet_type in range(4)
    assert read.namespace is None
    assert read.attachment_count == 0


# --- rooms


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["connect", "enter", "leave", "close", "disconnect"]),
            st.integers(0, 4),
            st.sampled_from(["a", "b", "c"]),
        ),
        max_size=60,
    )
)
def test_the_index_of_rooms_changes_nothing_but_the_time_it_takes(steps: list[tuple[str, int, str]]) -> None:
    async def run() -> None:
        stock, indexed = socketio.AsyncManager(), IndexedManager()
        for manager in (stock, indexed):
            ids = map(str, range(1000))
            server = socketio.AsyncServer(manager, logger=guard._SILENCE, engineio_logger=guard._SILENCE)
            server.eio.generate_id = ids.__next__
        sids: list[str] = []
        for step, number, room in steps:
            if step == "connect":
                made = await connects(stock, f"eio {number}", room)
                assert await connects(indexed, f"eio {number}", room) == made
                sids.extend([made] if made else [])
            elif sids:
                for manager in (stock, indexed):
                    await moves(manager, step, sids[number % len(sids)], room)
            assert [getattr(indexed, name) for name in KEPT] == [getattr(stock, name) for name in KEPT]
            in_rooms = {sid: sorted(stock.get_rooms(sid, "/")) for sid in sids}
            assert {sid: sorted(indexed.get_rooms(sid, "/")) for sid in sids} == in_rooms
        assert {sid for _, sid in indexed._rooms_of} == {sid for sid in sids if stock.get_rooms(sid, "/")}

    asyncio.run(run())


KEPT = ["rooms", "callbacks", "pending_connect", "pending_disconnect"]
"""What a manager keeps."""


async def connects(manager: Any, eio_sid: str, room: str) -> str | None:
    """Sign in; half of it, where the room is "a"."""
    sid: str | None = await manager.pre_connect(eio_sid, "/")
    if sid is not None and room != "a":
        await manager.connect(sid, "/")
    return sid


async def moves(manager: Any, step: str, sid: str, room: str) -> None:
    """Take one step. Who has gone enters nothing: there the two differ, and the next test says how."""
    if step == "leave":
        await manager.leave_room(sid, "/", room)
    elif step == "close":
        await manager.close_room(room, "/")
    elif step == "enter" and manager.eio_sid_from_sid(sid, "/") is not None:
        await manager.enter_room(sid, "/", room)
    elif step == "disconnect":
        if manager.is_connected(sid, "/"):
            manager.pre_disconnect(sid, "/")
        await manager.disconnect(sid, "/")


async def test_a_socket_that_has_gone_enters_no_room_and_leaves_none_behind(served: Served) -> None:
    client = await served.signed_in()
    with pytest.raises(ValueError, match="not connected"):
        await served.server.enter_room("nobody", "new")
    assert "new" not in served.server.manager.rooms["/"]
    await client.is_served()


async def test_leaving_does_not_look_into_every_room() -> None:
    manager = IndexedManager()
    manager.set_server(guarded_server(EVENTS, refuse, [ORIGIN]))
    sids = [await manager.pre_connect(f"eio {number}", "/") for number in range(1_500)]
    for sid in sids:
        await manager.connect(sid, "/")
        await manager.enter_room(sid, "/", f"of {sid}")
    steps = 0

    def count(*_: object) -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(count)
    await manager.disconnect(sids[0], "/")
    sys.setprofile(None)
    assert steps < 500


# --- the libraries


PRIVATE: dict[type, dict[str, str | None]] = {
    engineio.AsyncServer: {"send_packet": "self sid pkt", "create_queue": None},
    AsyncSocket: {
        "close": "self wait abort reason",
        "poll": "self",
        "_websocket_handler": "self ws",
        "schedule_ping": "self",
    },
    driver.WebSocket: {
        "__init__": "self handler server",
        "__call__": "self environ",
        "wait": "self",
        "send": "self message",
        "close": "self",
    },
    socketio.packet.Packet: {"decode": "self encoded_packet", "uses_binary_events": None, "json": None},
    socketio.AsyncServer: {
        "_engineio_server_class": "self",
        "_handle_eio_connect": "self eio_sid environ",
        "_handle_eio_message": "self eio_sid data",
        "_handle_eio_disconnect": "self eio_sid reason",
        "_handle_connect": "self eio_sid namespace data",
        "_handle_event": "self eio_sid namespace id data",
        "_handle_ack": "self eio_sid namespace id data",
        "_send_packet": "self eio_sid pkt",
    },
    socketio.AsyncManager: {
        "basic_enter_room": "self sid namespace room eio_sid",
        "basic_leave_room": "self sid namespace room",
        "basic_disconnect": "self sid namespace kwargs",
        "get_rooms": "self sid namespace",
        "sid_from_eio_sid": "self eio_sid namespace",
        "eio_sid_from_sid": "self sid namespace",
        "disconnect": "self sid namespace kwargs",
    },
}
"""What the guard leans on inside the libraries, with the parameters that it counts on. None: a plain attribute."""


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [(owner, name, parameters) for owner, names in PRIVATE.items() for name, parameters in names.items()],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_the_libraries_are_inside_as_the_guard_expects(
    owner: type, name: str, parameters: str | None
) -> None:
    found = getattr(owner, name)
    if parameters is not None:
        assert " ".join(inspect.signature(found).parameters) == parameters


def test_the_libraries_keep_what_the_guard_expects() -> None:
    server = guarded_server(EVENTS, refuse, [ORIGIN])
    assert driver._async["websocket"] is driver.WebSocket, "the library's own is left alone"
    assert server.eio._async["websocket"] is guard.Wire
    assert type(server.eio) is guard.Engine
    assert {"sockets", "max_http_buffer_size"} <= vars(server.eio).keys()
    assert {"environ", "handlers", "_binary_packet"} <= vars(server).keys()
    assert {"rooms", "callbacks", "pending_connect", "pending_disconnect"} <= vars(server.manager).keys()
    assert {"queue", "last_ping"} <= vars(AsyncSocket(server.eio, "sid")).keys()
    assert server.packet_class is GuardedPacket
    assert set(server.reserved_events) <= guard.RESERVED
