"""Between the wire and python-socketio: who may send what, how fast, and how a connection really ends.

The only module that knows the insides of python-socketio and python-engineio. Two kinds of wrong are kept apart.
What no Socket.IO client sends ends the connection, quietly: no answer, one line in the log at most. What a client
sends by mistake (an unknown event, not one object, too fast) gets a coded ack, and the connection stays.
"""

import asyncio
import logging
import random
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import engineio
import socketio
import structlog
from aiohttp import WSCloseCode, WSMsgType, web
from socketio import packet

from persplit.ledger.errors import NotFound, PerSplitError
from persplit.service import metrics
from persplit.service.errors import InternalError, Malformed, RateLimited
from persplit.transport.backlog import PING, Backlog, Frame, frame_of
from persplit.transport.buckets import TokenBucket
from persplit.transport.frames import BadFrame, GuardedPacket, is_engine_frame

FRAME_BYTES_MAX: Final = 65_536
"""The largest frame taken. An outbox of 200 commands fits."""
HANDSHAKE_SECONDS: Final = 10.0
"""From opening to being signed in."""
REFUSED_OPENING_SECONDS: Final = 3.0
"""For a client that may not open a socket now to ask, and to be told so."""
REFUSED_SECONDS: Final = 1.0
"""For a client to read why it was refused, and to try once more with another token."""
CLOSE_SECONDS: Final = 1.0
"""For the last messages to go out before a connection is cut."""
WRITE_SECONDS_MAX: Final = 10.0
"""A client that takes nothing for so long is cut off; it resumes by `seq`."""
MESSAGE_SECONDS_MAX: Final = 30.0
"""A client that is still taking one message after so long has given up itself: it heard no ping in between."""
LOOK_SECONDS: Final = 1.0
"""How often to look whether a client that is being waited for takes anything."""
WRITE_BUFFER_BYTES: Final = 32_768
"""What the transport may hold before we wait for the client; the message that fills it comes on top."""
UNSENT_BYTES_MAX: Final = 16_384
"""What the kernel may hold that the client has no room for. By itself it takes megabytes: we would learn late that
somebody doesn't read, and see a slow reader take something only once in a long while."""
TOO_SLOW_RETRY_MS: Final = 1_000
TOO_SLOW_SPREAD_MS: Final = 4_000
"""When those that read too slowly are to come back: a room can have many of them."""
PONG: Final = "3"
CLOSING_EVENT: Final = "session:closing"
"""Says why, before the end."""
FRAMES_PER_SECOND: Final = 50
FRAMES_BURST: Final = 200
"""A phone that comes back online sends its outbox at once; nobody types faster than this."""
FLOOD_FACTOR: Final = 10
"""So many times over the rate and the burst, refusing costs more than the connection is worth."""
LOG_LINES_PER_SECOND: Final = 1
LOG_LINES_BURST: Final = 20

RESERVED: Final = frozenset({"connect", "disconnect", "message", "*", "connect_error", "__disconnect_final"})
"""Names by which the libraries reach handlers that aren't for clients."""
NAMESPACE: Final = "/"

Refuse: TypeAlias = Callable[[PerSplitError], dict[str, Any]]

_LINK: Final = "persplit.link"
# By what `Link.cut` is told; what else it is told is what a frame was instead.
_CUT_OFF_REASONS: Final = {"too slow": "too_slow", "flood": "flood"}
# The libraries log a traceback for each thing that goes wrong; `logger=False` still lets errors through. Whatever
# of it is ours is caught and logged here. This one has no parent and no handler, and takes nothing.
_SILENCE: Final = logging.Logger("silence", logging.CRITICAL + 1)  # noqa: LOG001 - out of everybody's reach
_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Link:
    """One TCP connection, from opening to end.

    `socket` is python-engineio's. `refused` is why it may not sign in, whoever it is. `wait_ms` is above 0 when the latest frame came too fast. `cut_for` is why we cut
    it. `left_because` is set when it ended while a handler of it was running (`is_busy`). `is_reading`: it is slow,
    and takes what we wait for it to take.
    """

    sid: str
    request: web.Request
    socket: Any
    served: TokenBucket = field(default_factory=lambda: TokenBucket(FRAMES_PER_SECOND, FRAMES_BURST))
    endured: TokenBucket = field(
        default_factory=lambda: TokenBucket(FRAMES_PER_SECOND * FLOOD_FACTOR, FRAMES_BURST * FLOOD_FACTOR)
    )
    is_limited: bool = True
    refused: PerSplitError | None = None
    wait_ms: int = 0
    is_busy: bool = False
    is_reading: bool = False
    is_closing: bool = False
    cut_for: str | None = None
    left_because: str | None = None
    close_code: int = WSCloseCode.OK
    timer: asyncio.TimerHandle | None = None

    def is_flooded(self) -> bool:
        """Count a frame. Whether it is one of far too many."""
        if not self.is_limited:
            return False
        now = time.monotonic()
        self.wait_ms = self.served.take(now)
        return self.endured.take(now) > 0

    @property
    def backlog(self) -> Backlog:
        """What waits for the client."""
        backlog: Backlog = self.socket.queue
        return backlog

    def abort(self) -> None:
        """End the TCP connection now. The loop that reads it notices, and runs the disconnect handler."""
        self.is_closing = True
        self.stop_timer()  # it may have called this, and holds the link, which holds it
        if self.request.transport is not None:
            self.request.transport.abort()

    def cut(self, reason: str) -> None:
        """End it now, for a reason to log."""
        self.cut_for = self.cut_for or reason
        self.abort()

    def dismiss(self, reason: str, farewell: Frame) -> None:
        """Tell the client why, in place of all that waits, and end it in a moment. `reason` is for the log."""
        self.cut_for = self.cut_for or reason
        self.is_closing = True
        self.backlog.drop()
        self.backlog.add(farewell)
        self.backlog.end()
        self.end_within(CLOSE_SECONDS)

    def end_within(self, seconds: float) -> None:
        """See to it that it has ended by then. A later call can only bring the end forward."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        if self.timer is None or self.timer.when() > due:
            self.stop_timer()
            self.timer = loop.call_at(due, self.abort)

    def stop_timer(self) -> None:
        """Let it live."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


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
        self._link: Link = environ[_LINK]
        try:
            try:
                await self._response.prepare(self._link.request)
            except ValueError:
                # The library decodes the key before it looks whether it is one.
                raise Malformed("the Sec-WebSocket-Key is none") from None
            _bound_buffers(self._link.request.transport)
            await self._handler(self)
        finally:
            await self._link.socket.close(wait=False, abort=True)
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
            if self._link.is_flooded():
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
        began = took_at = time.monotonic()
        left = transport.get_write_buffer_size()
        taken = asyncio.ensure_future(self._link.request.writer.drain())
        try:
            while not (await asyncio.wait({taken}, timeout=LOOK_SECONDS))[0]:
                now, was_left, left = time.monotonic(), left, transport.get_write_buffer_size()
                self._link.is_reading = left < was_left
                if self._link.is_reading:
                    took_at = now
                    self._is_alive()
                if now - took_at >= WRITE_SECONDS_MAX or now - began >= MESSAGE_SECONDS_MAX:
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


def _bound_buffers(transport: asyncio.Transport | None) -> None:
    """Let little wait below us, where we can't count it."""
    if transport is None:
        return
    transport.set_write_buffer_limits(WRITE_BUFFER_BYTES)
    raw = transport.get_extra_info("socket")
    if raw is not None and hasattr(socket, "TCP_NOTSENT_LOWAT"):
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES_MAX)


class Engine(engineio.AsyncServer):
    """The Engine.IO server: our wire, and a bound on what waits for each client."""

    _async: dict[str, Any]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._async = {**self._async, "websocket": Wire}
        self.links: dict[str, Link] = {}
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
        response: web.StreamResponse = await super().handle_request(request)
        if response.status >= 400:
            raise Malformed(
                "open a WebSocket here: EIO=4, transport=websocket, no sid, from an accepted origin"
            )
        return response

    async def send_packet(self, sid: str, pkt: Any) -> None:
        """Queue a message. A client that lets too much wait is told so, and cut off. Never waits."""
        link = self.links.get(sid)
        if link is None or link.is_closing:
            return
        frame = frame_of(pkt)
        if not link.backlog.takes(frame):
            link.dismiss("too slow", _too_slow())
            return
        # Counted here and taken down now and then: this runs for each recipient of each event.
        self.sent_packets += 1
        self.sent_bytes += len(frame.data)
        await super().send_packet(sid, pkt)


def _too_slow() -> Frame:
    retry_after_ms = TOO_SLOW_RETRY_MS + random.randrange(TOO_SLOW_SPREAD_MS)  # noqa: S311 - no secret
    told = {"code": "too_slow", "retryAfterMs": retry_after_ms}
    return Frame(f"4{GuardedPacket(packet.EVENT, [CLOSING_EVENT, told]).encode()}".encode())


class IndexedManager(socketio.AsyncManager):
    """Knows which rooms a socket is in, so that one that leaves costs its own rooms, not a look into all."""

    def __init__(self) -> None:
        super().__init__()
        self._rooms_of: dict[tuple[str, str], set[str | None]] = {}

    def basic_enter_room(
        self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None
    ) -> None:
        """Enter. A socket that has gone may not: the library would leave an empty room behind."""
        if eio_sid is None and (namespace, sid) not in self._rooms_of:
            raise ValueError("sid is not connected to requested namespace")
        super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)
        self._rooms_of.setdefault((namespace, sid), set()).add(room)

    def basic_leave_room(self, sid: str, namespace: str, room: str | None) -> None:
        """Leave."""
        super().basic_leave_room(sid, namespace, room)
        rooms = self._rooms_of.get((namespace, sid), set())
        rooms.discard(room)
        if not rooms:
            self._rooms_of.pop((namespace, sid), None)

    def basic_disconnect(self, sid: str, namespace: str, **_: Any) -> None:
        """Leave every room, and forget what was pending."""
        for room in tuple(self._rooms_of.get((namespace, sid), ())):
            self.basic_leave_room(sid, namespace, room)
        self.callbacks.pop(sid, None)
        for pending in (self.pending_connect, self.pending_disconnect):
            if sid in pending.get(namespace, ()):
                pending[namespace].remove(sid)
                if not pending[namespace]:
                    del pending[namespace]

    def get_rooms(self, sid: str, namespace: str) -> list[str]:
        """The rooms of a socket."""
        return [room for room in self._rooms_of.get((namespace, sid), ()) if room is not None]


class GuardedServer(socketio.AsyncServer):
    """A Socket.IO server that nothing a client sends can surprise. Make one with `guarded_server`.

    One client's packets are handled in order, one at a time; its disconnect handler runs once, promptly after its
    end, and never at the same time as another handler of it.
    """

    def __init__(
        self,
        allowed_events: Collection[str],
        refuse: Refuse,
        *,
        handshake_seconds: float,
        rate_limits: bool,
        **options: Any,
    ) -> None:
        if RESERVED.intersection(allowed_events):
            raise ValueError("a reserved name is no event")
        super().__init__(**options)
        self._links: dict[str, Link] = self.eio.links
        self._allowed_events = frozenset(allowed_events)
        self._refuse = refuse
        self._handshake_seconds = handshake_seconds
        self._rate_limits = rate_limits
        self._log_lines = TokenBucket(LOG_LINES_PER_SECOND, LOG_LINES_BURST)
        self._counted_packets, self._counted_bytes = [0.0], [0.0]
        self.on_connected: Callable[[str], Awaitable[None]] | None = None
        """Called with the sid once the client has been told that it is connected, before its first event."""
        self.on_opened: Callable[[web.Request], PerSplitError | None] | None = None
        """Called for each socket that opens, before it signs in; returns why it may not. See `refusal_at_opening`."""
        self.on_ended: Callable[[web.Request], None] | None = None
        """Called once for each that opened."""

    # --- for the application

    async def close(self, sid: str, code: int = WSCloseCode.OK) -> None:
        """Take nothing more from a client, let go out what waits for it, and end its connection. Doesn't wait.

        `code` is the WebSocket's. The library's `disconnect` leaves the TCP connection open.
        """
        link = self._link_of(sid)
        if link is not None and not link.is_closing:
            link.is_closing = True
            link.close_code = code
            link.end_within(CLOSE_SECONDS)
            link.backlog.end()

    def abort(self, sid: str) -> None:
        """End a client's connection now; what waits for it is lost."""
        link = self._link_of(sid)
        if link is not None:
            link.abort()

    def turn_away(self, decide: Callable[[web.Request], web.StreamResponse | None]) -> None:
        """Ask before each request for a socket: what is returned is the answer, and no socket is opened."""
        self.eio.turn_away = decide

    @staticmethod
    def refusal_at_opening(environ: dict[str, Any]) -> PerSplitError | None:
        """Why the socket that is signing in may not, by what `on_opened` said."""
        link: Link = environ[_LINK]
        return link.refused

    def note_load(self) -> None:
        """Take down how many are connected, what waits for them, and what was sent."""
        waiting = [link.backlog.waiting_bytes for link in self._links.values()]
        metrics.CONNECTIONS.set(len(waiting))
        metrics.BUFFERED_PACKETS.set(sum(len(link.backlog) for link in self._links.values()))
        metrics.BUFFERED_BYTES.set(sum(waiting))
        metrics.BUFFERED_BYTES_LARGEST.set(max(waiting, default=0))
        metrics.count_up_to(metrics.SENT_PACKETS, self._counted_packets, self.eio.sent_packets)
        metrics.count_up_to(metrics.SENT_BYTES, self._counted_bytes, self.eio.sent_bytes)

    def request_of(self, sid: str) -> web.Request | None:
        """The request that opened the socket; None if it has gone."""
        link = self._link_of(sid)
        return None if link is None else link.request

    def remote_of(self, sid: str) -> str | None:
        """The peer's address, a proxy's perhaps. The library's REMOTE_ADDR is always 127.0.0.1."""
        request = self.request_of(sid)
        return None if request is None else request.remote

    def _link_of(self, sid: str) -> Link | None:
        return self._links.get(self.manager.eio_sid_from_sid(sid, NAMESPACE))

    # --- in place of the library's

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        link = Link(
            eio_sid, environ["aiohttp.request"], self.eio.sockets[eio_sid], is_limited=self._rate_limits
        )
        environ[_LINK] = self._links[eio_sid] = link
        link.end_within(self._handshake_seconds)
        if self.on_opened is not None:
            link.refused = self.on_opened(link.request)
            if link.refused is not None:
                link.end_within(REFUSED_OPENING_SECONDS)

    async def _handle_eio_message(self, eio_sid: str, data: str) -> None:
        link = self._links.get(eio_sid)
        # What was still on its way when the end was decided isn't carried out. Over the rate, only an event is
        # worth an answer.
        if link is None or link.is_closing or (link.wait_ms and data[0] != str(packet.EVENT)):
            return
        link.is_busy = True
        try:
            await super()._handle_eio_message(eio_sid, data)
        except BadFrame as error:
            link.cut(str(error))
        except Exception:  # noqa: BLE001 - logged; the client comes back
            _log.exception("socket_handler_failed", sid=eio_sid)
            link.abort()
        finally:
            link.is_busy = False
        if link.left_because is not None:
            await self._forget(link, link.left_because)
        elif self.manager.sid_from_eio_sid(eio_sid, NAMESPACE) is None:
            link.end_within(REFUSED_SECONDS)
        # Whoever doesn't read its answers is asked to, over TCP, by not being read either.
        await link.backlog.until_half_empty()

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        link = self._links[eio_sid]
        link.is_closing = True
        link.end_within(CLOSE_SECONDS)
        if link.is_busy:
            link.left_because = reason
        else:
            await self._forget(link, reason)

    async def _forget(self, link: Link, reason: str) -> None:
        """Run the disconnect handler, and leave nothing behind even if it fails."""
        del self._links[link.sid]
        if self.on_ended is not None:
            self.on_ended(link.request)
        if link.cut_for is not None:
            metrics.CUT_OFFS.labels(_CUT_OFF_REASONS.get(link.cut_for, "not_a_frame")).inc()
        if link.cut_for is not None and self._log_lines.take(time.monotonic()) == 0:
            _log.info("socket_cut", sid=link.sid, reason=link.cut_for)
        sid = self.manager.sid_from_eio_sid(link.sid, NAMESPACE)
        try:
            await super()._handle_eio_disconnect(link.sid, reason)
        except Exception:  # noqa: BLE001 - logged; the client has gone
            _log.exception("disconnect_handler_failed", sid=sid)
        finally:
            # The library forgets neither a socket whose handler failed nor one that left while connecting.
            await self.manager.disconnect(sid, NAMESPACE)
            self.environ.pop(link.sid, None)

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        is_first = self.manager.sid_from_eio_sid(eio_sid, NAMESPACE) is None
        await super()._handle_connect(eio_sid, namespace, data)
        sid = self.manager.sid_from_eio_sid(eio_sid, NAMESPACE)
        link = self._links[eio_sid]
        if not is_first or sid is None or link.is_closing:
            return
        link.stop_timer()
        if self.on_connected is not None:
            await self.on_connected(sid)

    async def _handle_event(
        self,
        eio_sid: str,
        namespace: str | None,
        id: int | None,  # noqa: A002 - the library's shape
        data: tuple[str, dict[str, Any] | Malformed],
    ) -> None:
        if self.manager.sid_from_eio_sid(eio_sid, NAMESPACE) is None:
            return
        refused = self._refusal_of(self._links[eio_sid], *data)
        if refused is None:
            try:
                await super()._handle_event(eio_sid, namespace, id, data)
            except Exception:  # noqa: BLE001 - logged, and answered: a client never waits in vain
                _log.exception("event_handler_failed", sid=eio_sid, event_name=data[0])
                refused = InternalError("something went wrong on our side")
        if refused is not None and id is not None:
            await self._send_packet(eio_sid, GuardedPacket(packet.ACK, [self._refuse(refused)], id=id))

    def _refusal_of(self, link: Link, name: str, body: dict[str, Any] | Malformed) -> PerSplitError | None:
        if link.wait_ms:
            metrics.RATE_LIMITED.labels("messages").inc()
            return RateLimited("too many messages: wait a moment", link.wait_ms)
        if name not in self._allowed_events:
            return NotFound("there is no such event")
        return body if isinstance(body, Malformed) else None

    async def _handle_ack(self, eio_sid: str, namespace: str | None, id: int | None, data: Any) -> None:  # noqa: A002
        """Drop it: we ask no client for an ack, and the library looks up whatever id the client names."""


def guarded_server(
    allowed_events: Iterable[str],
    refuse: Refuse,
    allowed_origins: Sequence[str],
    *,
    rate_limits: bool = True,
    handshake_seconds: float = HANDSHAKE_SECONDS,
    ping_interval_seconds: float = 20,
    ping_timeout_seconds: float = 10,
) -> GuardedServer:
    """Make the server. `refuse` turns an error into an ack; the seconds are lowered by tests.

    `allowed_origins` are those of web pages that may connect. Native apps send no Origin and are let in: the token
    is in the CONNECT packet, so there is no cookie that a strange page could ride on.
    """
    if not allowed_origins or "*" in allowed_origins:
        # To the library an empty list means that nothing is checked.
        raise ValueError("name the origins that may connect")
    return GuardedServer(
        frozenset(allowed_events),
        refuse,
        handshake_seconds=handshake_seconds,
        rate_limits=rate_limits,
        client_manager=IndexedManager(),
        serializer=GuardedPacket,
        namespaces=[NAMESPACE],
        # True would carry out one client's commands all at once and in any order; False also pushes back over TCP.
        async_handlers=False,
        # True would tell a client that it is connected before its token is looked at.
        always_connect=False,
        logger=_SILENCE,
        engineio_logger=_SILENCE,
        async_mode="aiohttp",
        # One long-lived connection needs no sticky sessions; what needs plain HTTP has REST.
        transports=["websocket"],
        allow_upgrades=False,
        http_compression=False,
        cookie=None,
        cors_credentials=False,
        cors_allowed_origins=list(allowed_origins),
        max_http_buffer_size=FRAME_BYTES_MAX,
        # A mobile network drops an idle connection after 30 s or more; a dead one is noticed within 30 s.
        ping_interval=ping_interval_seconds,
        ping_timeout=ping_timeout_seconds,
        monitor_clients=True,
    )
