"""Engine.IO as python-engineio does it over aiohttp's WebSockets, with a bound on everything.

The way to fall back on: `direct.py` does the same without the library's tasks and buffers.
"""

import asyncio
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import engineio
from aiohttp import WSMsgType, web

from persplit.service.errors import Malformed
from persplit.transport.backlog import PING, Backlog, Frame, frame_of
from persplit.transport.frames import is_engine_frame
from persplit.transport.links import CLOSE_SECONDS, FLOOD, LOOK_SECONDS, Link, SlowReader

FRAME_BYTES_MAX: Final = 65_536
"""The largest frame taken. An outbox of 200 commands fits."""
WRITE_BUFFER_BYTES: Final = 32_768
"""What the transport may hold before we wait for the client; the message that fills it comes on top."""
UNSENT_BYTES_MAX: Final = 16_384
"""What the kernel may hold that the client has no room for. By itself it takes megabytes: we would learn late that
somebody doesn't read, and see a slow reader take something only once in a long while."""
PONG: Final = "3"
LINK: Final = "persplit.link"
"""Under which a connection's `environ` holds its link."""
REQUEST: Final = "aiohttp.request"
"""Under which it holds the request."""


class WireLink(Link):
    """A connection that python-engineio's `socket` and aiohttp carry."""

    __slots__ = ("request", "socket")

    def __init__(self, sid: str, request: web.Request, socket: Any, *, is_limited: bool) -> None:
        super().__init__(sid, request.transport, is_limited=is_limited)
        self.request = request
        self.socket = socket
        self.backlog: Backlog = socket.queue

    def drop(self) -> None:
        """End the TCP connection now. The loop that reads it notices, and runs the disconnect handler."""
        if self.transport is not None:
            self.transport.abort()

    def finish(self) -> None:
        """Nothing to do: the library's writer ends with the backlog, and closes the wire."""


class Wire:
    """The WebSocket under an Engine.IO socket, in place of python-engineio's own for aiohttp.

    That one compresses each message (four times the memory), waits without end for a client that doesn't read, and
    lets a frame that it can't parse end the reading without running the disconnect handler.
    """

    def __init__(self, handler: Callable[["Wire"], Awaitable[None]], engine: Any) -> None:
        self._handler = handler
        self._ping_interval_seconds: float = engine.ping_interval
        self._response = web.WebSocketResponse(
            # aiohttp refuses a frame of exactly this size.
            max_msg_size=FRAME_BYTES_MAX + 1,
            compress=False,
            # So that pings count as frames: aiohttp would answer any number of them.
            autoping=False,
            # How long to wait for the other side to close too.
            timeout=CLOSE_SECONDS,
            # We wait for the client ourselves, and not without end.
            writer_limit=sys.maxsize,
        )

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        """Run the connection from the handshake to the end."""
        self._link: WireLink = environ[LINK]
        try:
            await shake_hands(self._response, self._link.request)
            bound_buffers(self._link.request.transport)
            await self._handler(self)
        finally:
            await self._link.socket.close(wait=False, abort=True)
            self._link.transport = None
            self._untie()
        return self._response

    def _untie(self) -> None:
        """Let go of the frames behind the error that ended the connection: they hold the error, in a circle.

        So the collector would have all of the connection to find, and finding five thousand of them at once stops
        the loop for seconds.
        """
        error = self._response.exception()
        if error is not None:
            error.__traceback__ = error.__context__ = None

    async def wait(self) -> str | None:
        """Return the next frame; None when there is none to come: the library's loop then ends.

        Without an exception, which would tie the loop's frame to the task that raised it, in a circle.
        """
        while True:
            try:
                async with asyncio.timeout(self._ping_interval_seconds):
                    message = await self._response.receive()
            except TimeoutError:
                if self._link.is_reading:
                    # Its pong will come when it has read the ping, behind a long message. The library wouldn't wait.
                    return PONG
                continue
            self._link.wait_ms = self._link.count_frame()
            if self._link.wait_ms == FLOOD:
                self._link.cut("flood")
            elif message.type is WSMsgType.PING:
                if not self._is_waiting:
                    await self._response.pong(message.data)
                continue
            elif message.type is WSMsgType.PONG:
                continue
            elif message.type is WSMsgType.TEXT and is_engine_frame(message.data):
                frame: str = message.data
                return frame
            elif message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                self._link.cut("not a frame")
            self._link.end_within(CLOSE_SECONDS)
            return None

    @property
    def _is_waiting(self) -> bool:
        """Whether the client has to read before it gets more."""
        return self._link.request.protocol.writing_paused

    async def send(self, frame: bytes) -> None:
        """Write a frame, and return when the client has taken most of it. Ends the connection if it doesn't."""
        await self._response.send_frame(frame, WSMsgType.TEXT)
        if self._is_waiting:
            await self._client_reads()
        if frame == PING:
            self._is_alive()

    def _is_alive(self) -> None:
        """Give the client the full time for its pong from now on: it was sent the ping late, or is busy reading."""
        if self._link.socket.last_ping:
            self._link.socket.last_ping = time.time()

    async def _client_reads(self) -> None:
        """Wait for the client. Raises `OSError` if it takes nothing for too long, or far too little."""
        transport = self._link.request.transport
        if transport is None:
            return
        reader = SlowReader(transport.get_write_buffer_size())
        taken = asyncio.ensure_future(self._link.request.writer.drain())
        try:
            while not (await asyncio.wait({taken}, timeout=LOOK_SECONDS))[0]:
                self._link.is_reading = reader.sees(transport.get_write_buffer_size())
                if self._link.is_reading:
                    self._is_alive()
                if reader.is_over:
                    self._link.cut("too slow")
                    raise OSError("the client doesn't read")
        finally:
            self._link.is_reading = False
            taken.cancel()

    async def close(self) -> None:
        """Close in the WebSocket way; without it, if the client doesn't play along."""
        self._link.backlog.end()
        self._link.end_within(CLOSE_SECONDS)
        await self._response.close(code=self._link.close_code)


async def shake_hands(response: web.WebSocketResponse, request: web.Request) -> None:
    """Answer a request for a WebSocket with one. Raises `Malformed` where its key is none."""
    try:
        await response.prepare(request)
    except ValueError:
        # aiohttp decodes the key before it looks whether it is one.
        raise Malformed("the Sec-WebSocket-Key is none") from None


def bound_buffers(transport: asyncio.Transport | None) -> None:
    """Let little wait below us, where we can't count it."""
    if transport is None:
        return
    transport.set_write_buffer_limits(WRITE_BUFFER_BYTES)
    raw = transport.get_extra_info("socket")
    if raw is not None and hasattr(socket, "TCP_NOTSENT_LOWAT"):
        with suppress(OSError):  # a Unix socket has no such thing
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES_MAX)


class Engine(engineio.AsyncServer):
    """The Engine.IO server: our wire, and a bound on what waits for each client."""

    _async: dict[str, Any]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._async = {**self._async, "websocket": Wire}
        self.links: dict[str, Link] = {}
        self.is_limited = True
        self.turn_away: Callable[[web.Request], web.StreamResponse | None] | None = None
        self.sent_packets = 0
        self.sent_bytes = 0

    def create_queue(self, *_: Any, **__: Any) -> Backlog:
        """What waits for one client."""
        return Backlog()

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """Answer a request below our path. One that opens no socket is refused with a code, not in the library's words."""
        turned_away = None if self.turn_away is None else self.turn_away(request)
        if turned_away is not None:
            return turned_away
        response = await self.open_socket(request)
        if response is None or response.status >= 400:
            raise Malformed(
                "open a WebSocket here: EIO=4, transport=websocket, no sid, from an accepted origin"
            )
        return response

    async def open_socket(self, request: web.Request) -> web.StreamResponse | None:
        """Open a socket. None, or an answer of 400 and above, where the request isn't for one."""
        response: web.StreamResponse = await super().handle_request(request)
        return response

    def link_of(self, sid: str, environ: dict[str, Any]) -> Link:
        """The link of a socket that has just opened."""
        link: Link = WireLink(sid, environ[REQUEST], self.sockets[sid], is_limited=self.is_limited)
        environ[LINK] = link
        return link

    async def send_packet(self, sid: str, pkt: Any) -> None:
        """Queue a message. Never waits."""
        link = self.links.get(sid)
        if link is not None and self.takes(link, frame_of(pkt)):
            await super().send_packet(sid, pkt)

    def takes(self, link: Link, frame: Frame) -> bool:
        """Count a frame that is to wait for a client. One that lets too much wait is told so, and cut off."""
        if link.is_closing:
            return False
        if not link.backlog.takes(frame):
            link.dismiss()
            return False
        # Counted here and taken down now and then: this runs for each recipient of each event.
        self.sent_packets += 1
        self.sent_bytes += len(frame.data)
        return True
