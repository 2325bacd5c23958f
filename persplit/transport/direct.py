"""The fast path: a frame is encoded once and written straight to the transport of each socket that waits for nothing.

aiohttp shakes hands, and then its connection is taken over by a `DirectLink`: no task, queue or request lives as
long as an idle socket, pings come from one timer, and all that is sent to a socket in one turn of the event loop costs
one write. A client that doesn't read gets its frames through the same bounded backlog as on the other path,
`engine.py`, which is the one to fall back on. The only module that reaches below the public interfaces of
python-socketio, python-engineio and aiohttp for the sake of speed.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from sys import getsizeof
from typing import Any, Final

import engineio
import structlog
from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType, hdrs, web
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_websocket import WebSocketReader
from socketio import packet

from persplit.service.delay import Delay
from persplit.transport.backlog import PING, Frame, frame_of, framed
from persplit.transport.engine import FRAME_BYTES_MAX, LINK, PONG, REQUEST, Engine, bound_buffers, shake_hands
from persplit.transport.frames import GuardedPacket, Json, is_engine_frame
from persplit.transport.links import CLOSE_SECONDS, FLOOD, LOOK_SECONDS, Link, SlowReader
from persplit.transport.rooms import Rooms
from persplit.transport.turnstile import Turnstile

INBOX_FRAMES_MAX: Final = 16
INBOX_BYTES_MAX: Final = FRAME_BYTES_MAX
"""Frames of one client that wait for the one that is being handled, and what they take in memory, which can be four
times what was sent. More than this, and it isn't read for a while; what it sends in one piece comes on top."""
IN_LINE_MAX: Final = 16
"""Commands of one client that wait in line for their groups: one commit's worth. More than this, and what comes after
them waits, and then it isn't read."""
GATHERED_BYTES_MAX: Final = 65_536
"""What is gathered for one socket before it is written: a dozen broadcasts to a group of eight."""
ENDS_PER_TURN: Final = 100
"""Sockets that are forgotten in one turn of the loop, at some hundredths of a millisecond each: a network that goes
down takes thousands with it at once."""
END_SECONDS_MAX: Final = 2.0
"""For the disconnect handlers of who was cut at the very end."""
LEFT_LOOK_SECONDS: Final = 0.02
_QUEUE_LIMIT: Final = 2**30
"""aiohttp would have its reader stop between two frames; what comes in one piece is read in one go here."""

_log = structlog.get_logger(__name__)
_PING: Final = Frame(PING)
_CLOSE: Final = 0x8
_PONG: Final = 0xA
_LEAVING: Final = "1"


class Opening(web.WebSocketResponse):
    """aiohttp's handshake, and nothing after it."""

    async def write_eof(self) -> None:  # type: ignore[override] # as its parent has it
        """Write nothing: the connection isn't aiohttp's any more."""


class Intake(WebSocketDataQueue):
    """Where aiohttp's reader of frames puts what it reads: one for all connections, emptied after each piece."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(BaseProtocol(loop), _QUEUE_LIMIT, loop=loop)
        self._messages: list[WSMessage] = []
        self._error: BaseException | None = None

    def feed_data(self, data: Any, size: int) -> None:  # noqa: ARG002 - aiohttp's shape
        """Called by the reader for each message."""
        self._messages.append(data)

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:  # noqa: ARG002 - as above
        """Called by the reader for what is no WebSocket frame."""
        self._error = exc

    def parse(self, reader: WebSocketReader, data: bytes) -> tuple[list[WSMessage], int | None]:
        """The messages that a piece of a connection completes, and the code to close it with where it breaks off.

        It does where what follows is no WebSocket frame.
        """
        reader.feed_data(data)
        messages, self._messages = self._messages, []
        error, self._error = self._error, None
        if error is None:
            return messages, None
        return messages, error.code if isinstance(error, WebSocketError) else WSCloseCode.PROTOCOL_ERROR


class DirectLink(Link, asyncio.Protocol):
    """A connection that is carried by its transport alone."""

    __slots__ = (
        "_answered",
        "_ended_because",
        "_engine",
        "_gathered",
        "_gathered_bytes",
        "_has_said_goodbye",
        "_in_line",
        "_inbox",
        "_inbox_bytes",
        "_is_deaf",
        "_is_forgotten",
        "_is_paused",
        "_reader",
        "_slow_reader",
        "_watch",
        "_worker",
        "is_ready",
    )

    def __init__(self, sid: str, engine: "DirectEngine", transport: asyncio.Transport) -> None:
        super().__init__(sid, transport, is_limited=engine.is_limited)
        self._engine = engine
        self.is_ready = True
        """Whether a frame can be written to the transport at once: nothing waits, and it takes more."""
        self._gathered: list[bytes] | None = None
        self._gathered_bytes = 0
        self._reader = WebSocketReader(engine.intake, FRAME_BYTES_MAX + 1, compress=False, decode_text=True)
        # Each a frame, the milliseconds by which it came too fast, and its bytes.
        self._inbox: list[tuple[str, int, int]] = []
        self._worker: asyncio.Task[None] | None = None
        self._in_line = 0
        self._answered: asyncio.Future[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._slow_reader: SlowReader | None = None
        self._inbox_bytes = 0
        self._is_paused = False
        self._is_deaf = False
        self._is_forgotten = False
        self._has_said_goodbye = False
        self._ended_because: str | None = None

    # --- sending

    def put(self, frame: Frame) -> None:
        """Have the frame written, or let it wait."""
        if self.is_ready:
            self.gather(frame.wire)
            self._note(frame)
        else:
            self.backlog.add(frame)

    def gather(self, wire: bytes) -> None:
        """Have it written with what else this turn of the loop sends. Call only while it is ready."""
        if self._gathered is None:
            self._gathered = [wire]
            self._engine.has_gathered(self)
        else:
            self._gathered.append(wire)
        self._gathered_bytes += len(wire)
        if self._gathered_bytes >= GATHERED_BYTES_MAX:
            self.write_gathered()

    def write_gathered(self) -> None:
        """Write what was gathered, in one piece."""
        gathered, self._gathered, self._gathered_bytes = self._gathered, None, 0
        if gathered is not None and self.transport is not None and not self.transport.is_closing():
            try:
                self.transport.write(gathered[0] if len(gathered) == 1 else self._engine.joined(gathered))
            except Exception:  # noqa: BLE001 - others are written to in the same turn
                # This one comes back, and catches up on what it missed.
                _log.exception("write_failed")
                self.abort()

    def ping(self) -> None:
        """Ask whether the client is there."""
        if not self.is_closing:
            self.put(_PING)

    def _send(self, frame: Frame) -> None:
        if self.transport is not None:
            self.transport.write(frame.wire)
            self._note(frame)

    def _note(self, frame: Frame) -> None:
        if frame.data == PING:
            self._engine.unanswered.start(self)

    def pause_writing(self) -> None:
        """The transport has enough: wait for the client, each time anew."""
        self._is_paused, self.is_ready = True, False
        waiting_bytes = 0 if self.transport is None else self.transport.get_write_buffer_size()
        self._slow_reader = SlowReader(waiting_bytes)
        if self._watch is None:
            self._watch = asyncio.create_task(self._watch_client())
        else:
            self.is_reading = True  # it has taken what it was waited for before

    def resume_writing(self) -> None:
        """The client has read. Give it what waits."""
        self._is_paused = False
        self._flush()
        if not self._is_paused:
            self._stop_watching()

    def _flush(self) -> None:
        while not self._is_paused and (frame := self.backlog.pop()) is not None:
            self._send(frame)
        if self._is_paused:
            return
        if self.backlog.is_ended:
            self._say_goodbye()
        elif self.transport is not None and not self.transport.is_closing():
            self.is_ready = True

    async def _watch_client(self) -> None:
        """Wait for a client that doesn't take everything at once, and cut it off if it takes too little."""
        while self.transport is not None and self._slow_reader is not None:
            reader = self._slow_reader
            await asyncio.sleep(LOOK_SECONDS)
            if reader is self._slow_reader and self.transport is not None:
                self.is_reading = reader.sees(self.transport.get_write_buffer_size())
                if reader.is_over:
                    self.cut("too slow")
                    return

    def _stop_watching(self) -> None:
        self.is_reading = False
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    # --- receiving

    def data_received(self, data: bytes) -> None:
        """Take a piece of what the client sends."""
        messages, error_code = self._engine.intake.parse(self._reader, data)
        for message in messages:
            if self._is_deaf:
                return
            self._take(message)
        if error_code is not None and not self._is_deaf:
            self._part(error_code)

    def _take(self, message: WSMessage) -> None:
        kind, data, _ = message
        wait_ms = self.count_frame()
        if wait_ms == FLOOD:
            self._is_deaf = True
            self.cut("flood")
        elif kind is WSMsgType.TEXT and is_engine_frame(data):
            self._take_frame(data, wait_ms)
        elif kind is WSMsgType.PING:
            if self.is_ready:
                self.gather(framed(_PONG, data))
        elif kind is WSMsgType.CLOSE:
            self._part(data or WSCloseCode.OK)
        elif kind is not WSMsgType.PONG:
            self._is_deaf = True
            self.cut("not a frame")

    def _take_frame(self, frame: str, wait_ms: int) -> None:
        if frame == PONG:
            self._engine.answered(self)
        elif frame == _LEAVING:
            self._ended_because = engineio.AsyncServer.reason.CLIENT_DISCONNECT
            self._part(self.close_code)
        elif not self.is_closing:
            size = getsizeof(frame)
            self._inbox.append((frame[1:], wait_ms, size))
            self._inbox_bytes += size
            if self._worker is None:
                self._start_worker()
            is_full = len(self._inbox) > INBOX_FRAMES_MAX or self._inbox_bytes > INBOX_BYTES_MAX
            if is_full and self.transport is not None:
                self.transport.pause_reading()

    def _start_worker(self) -> None:
        self._worker = asyncio.create_task(self._work())

    async def _work(self) -> None:
        """Handle what has come, in order, one at a time, until it is done or another worker goes on with it."""
        worker = self._worker
        try:
            while self._inbox and self._worker is worker:
                frame, self.wait_ms, size = self._inbox.pop(0)
                self._inbox_bytes -= size
                await self._engine.handle_message(self.sid, frame)
        except BaseException:
            self._inbox.clear()
            self.abort()
            raise
        finally:
            if self._worker is worker:
                self._rest()
            else:
                self._is_answered()

    def _rest(self) -> None:
        """Nothing is left to handle."""
        self._worker = None
        if self.transport is None:
            self._forget()
        elif not self.transport.is_closing():
            self.transport.resume_reading()

    def hand_on(self) -> None:
        """What is being handled has got in line: have another worker handle what came after it."""
        # Who has handed on has nothing left to.
        if self._in_line < IN_LINE_MAX and asyncio.current_task() is self._worker:
            self._in_line += 1
            if self._inbox:
                self._start_worker()
            else:
                self._rest()

    def _is_answered(self) -> None:
        self._in_line -= 1
        if self._in_line == 0 and self._answered is not None:
            self._answered.set_result(None)
            self._answered = None

    async def until_answered(self) -> None:
        """Wait until nothing that was handed on from is being handled any more."""
        if self._in_line:
            if self._answered is None:
                self._answered = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._answered)

    @property
    def is_excused(self) -> bool:
        """Whether a pong that doesn't come means nothing: the client is busy reading, or isn't being read."""
        return self.is_reading or self._worker is not None

    # --- ending

    def end_within(self, seconds: float) -> None:
        """See to it that it has ended by then, unless it has."""
        if self.transport is not None:
            super().end_within(seconds)

    def drop(self) -> None:
        """End the TCP connection."""
        self.is_ready = False
        if self.transport is not None:
            self.transport.abort()

    def lose(self, reason: str) -> None:
        """The client has gone, and nobody said so."""
        self._ended_because = reason
        self.abort()

    def finish(self) -> None:
        """Say goodbye, once everything has gone out."""
        self.write_gathered()
        self.is_ready = False
        if not self._is_paused:
            self._flush()

    def _say_goodbye(self) -> None:
        if not self._has_said_goodbye and self.transport is not None:
            self._has_said_goodbye = True
            self.transport.write(framed(_CLOSE, self.close_code.to_bytes(2)))

    def _part(self, code: int) -> None:
        """The client sends nothing more that we read: close in the WebSocket way, with the code."""
        self._is_deaf = True
        self.write_gathered()
        self.is_ready = False
        self.end_within(CLOSE_SECONDS)
        self.backlog.end()
        self.close_code = code
        if not self._is_paused:
            self._say_goodbye()
        if self.transport is not None:
            self.transport.close()  # once what is written has gone out

    def eof_received(self) -> None:
        """The client sends no more. The transport closes, once what is on its way has gone out."""
        self.write_gathered()
        self.is_ready = False
        self.end_within(CLOSE_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whatever it was
        """The TCP connection has ended."""
        self.transport = None
        self.is_ready = False
        self._stop_watching()
        self.stop_timer()
        self.backlog.end()  # whoever waits for room in it
        self._engine.lost(self)
        if not self._inbox:
            self._forget()

    def _forget(self) -> None:
        """Everything that it sent has been handled, or is being."""
        if not self._is_forgotten:
            self._is_forgotten = True
            self._engine.forget(self)

    @property
    def ended_because(self) -> str:
        """The library's word for how it ended."""
        return self._ended_because or engineio.AsyncServer.reason.TRANSPORT_CLOSE


class DirectEngine(Engine):
    """An Engine.IO server whose sockets are `DirectLink`s."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.unasked: Delay[DirectLink] = Delay(self.ping_interval, DirectLink.ping)
        self.unanswered: Delay[DirectLink] = Delay(self.ping_timeout, self._not_answered)
        self._ends = Turnstile(ENDS_PER_TURN)
        self._ending: set[asyncio.Task[None]] = set()
        self._intake: Intake | None = None
        self._gathering: list[DirectLink] = []
        self._joined_frames: list[bytes] = []
        self._joined = b""

    @property
    def intake(self) -> Intake:
        """Where what clients send is read."""
        if self._intake is None:
            self._intake = Intake(asyncio.get_running_loop())
        return self._intake

    # --- opening

    async def open_socket(self, request: web.Request) -> web.StreamResponse | None:
        """Shake hands, and take the connection over from aiohttp."""
        if request.method == hdrs.METH_OPTIONS:
            return await super().open_socket(request)
        if not self._is_opening(request):
            return None
        # Some clients send their first frame right behind the request.
        protocol = request.protocol
        early, protocol._message_tail = protocol._message_tail, b""  # noqa: SLF001 - nowhere else to be had
        response = Opening(compress=False)
        try:
            await shake_hands(response, request)
        except BaseException:
            protocol._message_tail = early  # noqa: SLF001 - it was another request
            raise
        transport = _taken_over(protocol)
        if transport is not None:
            bound_buffers(transport)
            link = DirectLink(self.generate_id(), self, transport)
            await self.handlers["connect"](link.sid, {REQUEST: request, LINK: link})
            transport.set_protocol(link)
            link.put(Frame(packet_of_opening(self, link.sid)))
            self.unasked.start(link)
            if early:
                link.data_received(early)
        return response

    def _is_opening(self, request: web.Request) -> bool:
        query, headers = request.query, request.headers
        origin = headers.get(hdrs.ORIGIN)
        return (
            request.method == hdrs.METH_GET
            and query.getall("EIO", []) == ["4"]
            and query.get("transport") == "websocket"
            and "sid" not in query
            and headers.get(hdrs.UPGRADE, "").lower() == "websocket"
            and (not origin or origin in self.cors_allowed_origins)
            and not request.body_exists
            and not request.protocol.writing_paused
        )

    def link_of(self, sid: str, environ: dict[str, Any]) -> Link:  # noqa: ARG002 - made before
        """The link of a socket that has just opened."""
        link: Link = environ[LINK]
        return link

    # --- messages

    async def handle_message(self, sid: str, text: str) -> None:
        """Have a Socket.IO packet handled."""
        await self.handlers["message"](sid, text)

    async def send_packet(self, sid: str, pkt: Any) -> None:
        """Send a message. Never waits."""
        self.send_to_all((sid,), frame_of(pkt))

    def send_to_all(self, sids: Iterable[str], frame: Frame) -> None:
        """Have the same message written to many, or let it wait for those that have to read first."""
        links, wire, written = self.links, frame.wire, 0
        for sid in sids:
            link = links.get(sid)
            if not isinstance(link, DirectLink):
                continue  # it has gone
            if link.is_ready:
                link.gather(wire)
                written += 1
            elif self.takes(link, frame):
                link.put(frame)
        self.sent_packets += written
        self.sent_bytes += written * len(frame.data)

    # --- writing

    def has_gathered(self, link: DirectLink) -> None:
        """See to it that what the link gathers is written.

        Two turns of the loop from now, so that the answers to what this turn announces go with it.
        """
        if not self._gathering:
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self._write_gathered)
        self._gathering.append(link)

    def _write_gathered(self) -> None:
        gathering, self._gathering = self._gathering, []
        for link in gathering:
            link.write_gathered()
        self._joined_frames, self._joined = [], b""

    def joined(self, frames: list[bytes]) -> bytes:
        """The frames in one piece: made once for all links to which the same ones go."""
        if frames != self._joined_frames:
            self._joined_frames, self._joined = frames, b"".join(frames)
        return self._joined

    # --- pings

    def answered(self, link: DirectLink) -> None:
        """A pong has come. One that nobody asked for means nothing."""
        if self.unanswered.stop(link):
            self.unasked.start(link)

    def _not_answered(self, link: DirectLink) -> None:
        if link.is_excused:
            self.unanswered.start(link)
        else:
            link.lose(self.reason.PING_TIMEOUT)

    # --- ending

    def lost(self, link: DirectLink) -> None:
        """The connection has ended: ask it nothing more."""
        self.unasked.stop(link)
        self.unanswered.stop(link)

    def forget(self, link: DirectLink) -> None:
        """All that it sent has been handled: have its disconnect handler run, in one of the next turns."""
        self._ends.call(partial(self._end, link))

    def _end(self, link: DirectLink) -> None:
        ending = asyncio.create_task(self.handlers["disconnect"](link.sid, link.ended_because))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def shutdown(self) -> None:
        """Say goodbye to who is left, and wait until everybody has gone and was forgotten. Takes seconds at most."""
        await super().shutdown()
        self.unasked.close()
        for link in tuple(self.links.values()):
            link.close(WSCloseCode.SERVICE_RESTART)
        # By then each of them has been cut.
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS + END_SECONDS_MAX):
                while self.links or self._ending:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(LEFT_LOOK_SECONDS)
        self.unanswered.close()


class DirectRooms(Rooms):
    """Emits to a room without a task for each recipient."""

    async def emit(
        self, event: str, data: Any, namespace: str, room: str | None = None, **options: Any
    ) -> None:
        """Send an event to everybody in the room. Never to everybody: not everybody has signed in."""
        if room is None:
            raise ValueError("name a room")
        if options.get("callback") is not None:
            await super().emit(event, data, namespace, room=room, **options)
            return
        text = GuardedPacket(packet.EVENT, [event, data]).encode()
        self.server.eio.send_to_all(self.members_of(room).values(), Frame(f"4{text}".encode()))


def packet_of_opening(engine: Engine, sid: str) -> bytes:
    """The first packet of a connection."""
    told = {
        "sid": sid,
        "upgrades": [],
        "pingTimeout": int(engine.ping_timeout * 1000),
        "pingInterval": int(engine.ping_interval * 1000),
        "maxPayload": engine.max_http_buffer_size,
    }
    return f"0{Json.dumps(told)}".encode()


def _taken_over(protocol: web.RequestHandler) -> asyncio.Transport | None:
    """The connection of aiohttp's, which gives it up as if it had been lost; None if it has been.

    The handler has to return a response that writes nothing more.
    """
    transport = protocol.transport
    if transport is None or transport.is_closing():
        return None
    protocol.transport = None
    protocol.connection_lost(None)
    return transport
