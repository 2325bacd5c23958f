"""Between the wire and python-socketio: who may send what, how fast, and how a connection really ends.

With `engine.py`, `direct.py` and `rooms.py` below it the only module that knows the insides of python-socketio and
python-engineio. Two kinds of wrong are kept apart.
What no Socket.IO client sends ends the connection, quietly: no answer, one line in the log at most. What a client
sends by mistake (an unknown event, not one object, too fast) gets a coded ack, and the connection stays.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Any, Final, TypeAlias

import socketio
import structlog
from aiohttp import WSCloseCode, web
from socketio import packet

from persplit.ledger.errors import NotFound, PerSplitError
from persplit.service import metrics
from persplit.service.errors import InternalError, Malformed, RateLimited
from persplit.transport.buckets import TokenBucket
from persplit.transport.direct import DirectEngine, DirectRooms
from persplit.transport.engine import FRAME_BYTES_MAX, REQUEST, Engine
from persplit.transport.frames import BadFrame, GuardedPacket
from persplit.transport.links import CLOSE_SECONDS, Link
from persplit.transport.rooms import NAMESPACE, Rooms

HANDSHAKE_SECONDS: Final = 10.0
"""From opening to being signed in."""
REFUSED_OPENING_SECONDS: Final = 3.0
"""For a client that may not open a socket now to ask, and to be told so."""
REFUSED_SECONDS: Final = 1.0
"""For a client to read why it was refused, and to try once more with another token."""
LOG_LINES_PER_SECOND: Final = 1
LOG_LINES_BURST: Final = 20

RESERVED: Final = frozenset({"connect", "disconnect", "message", "*", "connect_error", "__disconnect_final"})
"""Names by which the libraries reach handlers that aren't for clients."""
Refuse: TypeAlias = Callable[[PerSplitError], dict[str, Any]]
HandOn: TypeAlias = Callable[[], None]
"""What the handler of a pipelined event calls once the next one can be begun without overtaking it."""

# By what `Link.cut` is told; what else it is told is what a frame was instead.
_CUT_OFF_REASONS: Final = {"too slow": "too_slow", "flood": "flood"}
# The libraries log a traceback for each thing that goes wrong; `logger=False` still lets errors through. Whatever
# of it is ours is caught and logged here. This one has no parent and no handler, and takes nothing.
_SILENCE: Final = logging.Logger("silence", logging.CRITICAL + 1)  # noqa: LOG001 - out of everybody's reach
_SPENT: Final[dict[str, Any]] = {}
"""In place of a request, once a socket has signed in: nobody looks at it again, and it takes kilobytes."""
_log = structlog.get_logger(__name__)


class GuardedServer(socketio.AsyncServer):
    """A Socket.IO server that nothing a client sends can surprise. Make one with `guarded_server`.

    One client's packets are handled in order, one at a time, but for events that are `pipelined`: the next of these
    is begun once the one before has got in line. The disconnect handler runs once, promptly after the client's end,
    and never at the same time as another handler of it.
    """

    def __init__(
        self,
        allowed_events: Collection[str],
        pipelined: Collection[str],
        refuse: Refuse,
        *,
        handshake_seconds: float,
        rate_limits: bool,
        fast_path: bool,
        **options: Any,
    ) -> None:
        if RESERVED.intersection(allowed_events):
            raise ValueError("a reserved name is no event")
        self._engine_class = DirectEngine if fast_path else Engine
        super().__init__(client_manager=DirectRooms() if fast_path else Rooms(), **options)
        self.eio.is_limited = rate_limits
        self._links: dict[str, Link] = self.eio.links
        self._allowed_events = frozenset(allowed_events)
        self._pipelined = frozenset(pipelined)
        self._refuse = refuse
        self._handshake_seconds = handshake_seconds
        self._log_lines = TokenBucket(LOG_LINES_PER_SECOND, LOG_LINES_BURST)
        self._counted_packets, self._counted_bytes = [0.0], [0.0]
        self.on_connected: Callable[[str], Awaitable[None]] | None = None
        """Called with the sid once the client has been told that it is connected, before its first event."""
        self.address_of: Callable[[web.Request], str] = lambda request: request.remote or ""
        """Which address a socket counts for."""
        self.on_opened: Callable[[str], PerSplitError | None] | None = None
        """Called with the address of each socket that opens, before it signs in; returns why it may not. See
        `refusal_at_opening`."""
        self.on_ended: Callable[[str], None] | None = None
        """Called with it once for each that opened."""

    # --- for the application

    async def close(self, sid: str, code: int = WSCloseCode.OK) -> None:
        """Take nothing more from a client, let go out what waits for it, and end its connection. Doesn't wait.

        `code` is the WebSocket's. The library's `disconnect` leaves the TCP connection open.
        """
        link = self._link_of(sid)
        if link is not None:
            link.close(code)

    def abort(self, sid: str) -> None:
        """End a client's connection now; what waits for it is lost."""
        link = self._link_of(sid)
        if link is not None:
            link.abort()

    def turn_away(self, decide: Callable[[web.Request], web.StreamResponse | None]) -> None:
        """Ask before each request for a socket: what is returned is the answer, and no socket is opened."""
        self.eio.turn_away = decide

    def refusal_at_opening(self, sid: str) -> PerSplitError | None:
        """Why a socket that is signing in may not, by what `on_opened` said."""
        link = self._link_of(sid)
        return None if link is None else link.refused

    def address_at_opening(self, sid: str) -> str:
        """Which address it counts for."""
        link = self._link_of(sid)
        return "" if link is None else link.address

    @property
    def carried(self) -> int:
        """How many connections are carried by us alone, so that aiohttp doesn't count them."""
        return len(self._links) if self._engine_class is DirectEngine else 0

    def note_load(self) -> None:
        """Take down how many are connected, what waits for them, and what was sent."""
        waiting = [link.backlog.waiting_bytes for link in self._links.values()]
        metrics.CONNECTIONS.set(len(waiting))
        metrics.BUFFERED_PACKETS.set(sum(len(link.backlog) for link in self._links.values()))
        metrics.BUFFERED_BYTES.set(sum(waiting))
        metrics.BUFFERED_BYTES_LARGEST.set(max(waiting, default=0))
        metrics.count_up_to(metrics.SENT_PACKETS, self._counted_packets, self.eio.sent_packets)
        metrics.count_up_to(metrics.SENT_BYTES, self._counted_bytes, self.eio.sent_bytes)

    def _link_of(self, sid: str) -> Link | None:
        return self._links.get(self.manager.eio_sid_from_sid(sid, NAMESPACE))

    # --- in place of the library's

    def _engineio_server_class(self) -> type[Engine]:
        return self._engine_class

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        link = self._links[eio_sid] = self.eio.link_of(eio_sid, environ)
        link.address = self.address_of(environ[REQUEST])
        link.end_within(self._handshake_seconds)
        if self.on_opened is not None:
            link.refused = self.on_opened(link.address)
            if link.refused is not None:
                link.end_within(REFUSED_OPENING_SECONDS)

    async def _handle_eio_message(self, eio_sid: str, data: str) -> None:
        link, is_event = self._links.get(eio_sid), data[0] == str(packet.EVENT)
        if link is not None and not is_event:
            await link.until_answered()
        # What was still on its way when the end was decided isn't carried out. Over the rate, only an event is
        # worth an answer.
        if link is None or link.is_closing or (link.wait_ms and not is_event):
            return
        link.handlers += 1
        try:
            await super()._handle_eio_message(eio_sid, data)
        except BadFrame as error:
            link.cut(str(error))
        except Exception:  # noqa: BLE001 - logged; the client comes back
            _log.exception("socket_handler_failed", sid=eio_sid)
            link.abort()
        finally:
            link.handlers -= 1
        if link.left_because is not None:
            if link.handlers == 0:
                await self._forget(link, link.left_because)
        elif self.manager.sid_from_eio_sid(eio_sid, NAMESPACE) is None:
            link.end_within(REFUSED_SECONDS)
        # Whoever doesn't read its answers is asked to, over TCP, by not being read either.
        await link.backlog.until_half_empty()

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        link = self._links[eio_sid]
        link.is_closing = True
        link.end_within(CLOSE_SECONDS)
        if link.handlers:
            link.left_because = reason
        else:
            await self._forget(link, reason)

    async def _forget(self, link: Link, reason: str) -> None:
        """Run the disconnect handler, and leave nothing behind even if it fails."""
        del self._links[link.sid]
        if self.on_ended is not None:
            self.on_ended(link.address)
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
        if link.transport is not None and not link.transport.is_closing():
            link.stop_timer()
        self.environ[eio_sid] = _SPENT
        if self.on_connected is not None:
            await self.on_connected(sid)

    async def _handle_event(
        self,
        eio_sid: str,
        namespace: str | None,  # noqa: ARG002 - the library's shape
        id: int | None,  # noqa: A002 - the library's shape
        data: tuple[str, dict[str, Any] | Malformed],
    ) -> None:
        sid = self.manager.sid_from_eio_sid(eio_sid, NAMESPACE)
        if sid is None:
            return
        link = self._links[eio_sid]
        if data[0] not in self._pipelined:
            await link.until_answered()
            if link.is_closing:
                return
        ack = await self._answer(sid, link, *data)
        if id is not None:
            await self._send_packet(eio_sid, GuardedPacket(packet.ACK, [ack], id=id))

    async def _answer(self, sid: str, link: Link, name: str, body: dict[str, Any] | Malformed) -> Any:
        refused = self._refusal_of(link, name, body)
        if refused is not None:
            return self._refuse(refused)
        try:
            # By itself the library would look for it in several places first, and at what kind of function it is.
            handler = self.handlers[NAMESPACE][name]
            return await (handler(sid, body, link.hand_on) if name in self._pipelined else handler(sid, body))
        except Exception:  # noqa: BLE001 - logged, and answered: a client never waits in vain
            _log.exception("event_handler_failed", sid=sid, event_name=name)
            return self._refuse(InternalError("something went wrong on our side"))

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
    pipelined: Iterable[str] = (),
    rate_limits: bool = True,
    fast_path: bool = True,
    handshake_seconds: float = HANDSHAKE_SECONDS,
    ping_interval_seconds: float = 20,
    ping_timeout_seconds: float = 10,
) -> GuardedServer:
    """Make the server. `refuse` turns an error into an ack; the seconds are lowered by tests.

    Handlers of events are called with the sid and the one object that was sent, those of `pipelined` ones with a
    `HandOn` as well.
    `fast_path`: write straight to the sockets' transports (`direct.py`), rather than as the libraries do.

    `allowed_origins` are those of web pages that may connect. Native apps send no Origin and are let in: the token
    is in the CONNECT packet, so there is no cookie that a strange page could ride on.
    """
    if not allowed_origins or "*" in allowed_origins:
        # To the library an empty list means that nothing is checked.
        raise ValueError("name the origins that may connect")
    return GuardedServer(
        frozenset(allowed_events),
        frozenset(pipelined),
        refuse,
        handshake_seconds=handshake_seconds,
        rate_limits=rate_limits,
        fast_path=fast_path,
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
        # The fast path knows who doesn't answer pings without looking at everybody.
        monitor_clients=not fast_path,
    )
