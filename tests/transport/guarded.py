"""A guarded server on a real port with an application behind it, and clients by hand."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import WSMsgType, web
from socketio.exceptions import ConnectionRefusedError as Refused

from persplit.ledger.errors import PerSplitError
from persplit.service.errors import RateLimited
from persplit.transport import guard
from persplit.transport.guard import guarded_server
from persplit.transport.rest import answer_errors

PATIENCE_SECONDS = 30.0
"""How long a test waits for what must come."""
PROMPT_SECONDS = 8.0
"""What happens at once happens before this, on a slow machine too; what waits for a blocked write or a ping doesn't."""
FAST_PATH = True
"""How connections are carried unless a test says; see the fixture `carried`."""
ORIGIN = "https://app.example.org"
EVENTS = ["expense:create", "slow", "fails", "big", "queue", "queue:slowly"]
HALF_AN_EMOJI = '42%s["expense:create",{"name":"\\ud83d"}]'


UPGRADE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)


def masked(text: str) -> bytes:
    """A client's text frame of less than 126 bytes."""
    data = text.encode()
    return bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data


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
        return not (self.server.eio.links or self.server.environ) and self.server.manager.is_empty


@contextlib.asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Served]:
    """A running server. Afterwards nothing may be left of any client, and nothing may have escaped."""
    escaped: list[dict[str, Any]] = []

    def escape(_: object, context: dict[str, Any]) -> None:
        # A connection that a client of these tests left open isn't the server's.
        if "client_connection" not in context:
            escaped.append(context)

    asyncio.get_running_loop().set_exception_handler(escape)
    server = guarded_server(
        EVENTS, refuse, [ORIGIN], **{"rate_limits": False, "fast_path": FAST_PATH, **options}
    )
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


async def by_hand(
    served: Served, buffer_bytes: int = 4096
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
    """A client that has signed in, without a library: it can stop reading."""
    raw = socket.create_connection(("127.0.0.1", int(served.url.rsplit(":", 1)[1])))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    reader, writer = await asyncio.open_connection(sock=raw, limit=buffer_bytes // 4)
    writer.write(UPGRADE)
    await reader.readuntil(b"\r\n\r\n")
    known = set(served.ready)
    writer.write(masked('40{"token":"good"}'))
    await served.until(lambda: len(served.ready) > len(known))
    (sid,) = set(served.ready) - known
    return reader, writer, sid
