"""One client's connection, whatever carries it: how fast it may send, what waits for it, and how it ends."""

import asyncio
import random
import time
from abc import ABC, abstractmethod
from typing import Final

from aiohttp import WSCloseCode
from socketio import packet

from persplit.ledger.errors import PerSplitError
from persplit.transport.backlog import Backlog, Frame
from persplit.transport.buckets import TokenBucket
from persplit.transport.frames import GuardedPacket

FRAMES_PER_SECOND: Final = 50
FRAMES_BURST: Final = 200
"""A phone that comes back online sends its outbox at once; nobody types faster than this."""
FLOOD_FACTOR: Final = 10
"""So many times over the rate and the burst, refusing costs more than the connection is worth."""
CLOSE_SECONDS: Final = 1.0
"""For the last messages to go out before a connection is cut."""
WRITE_SECONDS_MAX: Final = 10.0
"""A client that takes nothing for so long is cut off; it resumes by `seq`."""
MESSAGE_SECONDS_MAX: Final = 30.0
"""A client that is still taking one message after so long has given up itself: it heard no ping in between."""
LOOK_SECONDS: Final = 1.0
"""How often to look whether a client that is being waited for takes anything."""
TOO_SLOW_RETRY_MS: Final = 1_000
TOO_SLOW_SPREAD_MS: Final = 4_000
"""When those that read too slowly are to come back: a room can have many of them."""
CLOSING_EVENT: Final = "session:closing"
"""Says why, before the end."""
FLOOD: Final = -1
"""Instead of a wait: far too many frames have come."""


class Link(ABC):
    """One TCP connection, from opening to end.

    `transport` is None once it has ended. `address` is the client's. `refused` is why it may not sign in, whoever it is. `wait_ms` is above 0 when the frame
    that is being handled came too fast. `handlers`: how many of it are running; `left_because` is set when it ended
    meanwhile. `is_closing`: its end is decided, and nothing of it is carried out any more. `cut_for` is why we cut
    it, for the log. `is_reading`: it is slow, and takes what we wait for it to take.
    """

    __slots__ = (
        "__weakref__",
        "_endured",
        "_served",
        "_timer",
        "address",
        "backlog",
        "close_code",
        "cut_for",
        "handlers",
        "is_closing",
        "is_reading",
        "left_because",
        "refused",
        "sid",
        "transport",
        "wait_ms",
    )

    def __init__(self, sid: str, transport: asyncio.Transport | None, *, is_limited: bool) -> None:
        self.sid = sid
        self.transport = transport
        self.address = ""
        self.refused: PerSplitError | None = None
        self.backlog = Backlog()
        self.wait_ms = 0
        self.handlers = 0
        self.is_closing = False
        self.is_reading = False
        self.cut_for: str | None = None
        self.left_because: str | None = None
        self.close_code: int = WSCloseCode.OK
        self._timer: asyncio.TimerHandle | None = None
        self._served = TokenBucket(FRAMES_PER_SECOND, FRAMES_BURST) if is_limited else None
        self._endured = TokenBucket(FRAMES_PER_SECOND * FLOOD_FACTOR, FRAMES_BURST * FLOOD_FACTOR)

    # --- what it is made of says

    @abstractmethod
    def drop(self) -> None:
        """End the TCP connection, whatever is on its way."""

    @abstractmethod
    def finish(self) -> None:
        """Say goodbye with `close_code` once what waits has gone out. It takes nothing more: see `close`."""

    def hand_on(self) -> None:  # noqa: B027 - where it isn't possible
        """What is being handled has got in line: have what came after it handled too, if that is possible."""

    async def until_answered(self) -> None:  # noqa: B027 - as above
        """Wait until nothing that was handed on from is being handled any more."""

    # --- how fast it may send

    def count_frame(self) -> int:
        """Count a frame that came: the milliseconds by which it came too fast, or `FLOOD`."""
        if self._served is None:
            return 0
        now = time.monotonic()
        wait_ms = self._served.take(now)
        return FLOOD if self._endured.take(now) > 0 else wait_ms

    # --- how it ends

    def close(self, code: int) -> None:
        """Take nothing more, let go out what waits, and end it. Doesn't wait. `code` is the WebSocket's."""
        if not self.is_closing:
            self.is_closing = True
            self.close_code = code
            self.end_within(CLOSE_SECONDS)
            self.backlog.end()
            self.finish()

    def abort(self) -> None:
        """End it now. Whoever reads it notices, and the disconnect handler runs."""
        self.is_closing = True
        self.stop_timer()  # it may have called this, and holds the link, which holds it
        self.drop()

    def cut(self, reason: str) -> None:
        """End it now, for a reason to log."""
        self.cut_for = self.cut_for or reason
        self.abort()

    def dismiss(self) -> None:
        """It reads too slowly: tell it so in place of all that waits, and end it in a moment."""
        self.cut_for = self.cut_for or "too slow"
        self.backlog.drop()
        self.backlog.add(_too_slow())
        self.close(self.close_code)

    def end_within(self, seconds: float) -> None:
        """See to it that it has ended by then. A later call can only bring the end forward."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        if self._timer is None or self._timer.when() > due:
            self.stop_timer()
            self._timer = loop.call_at(due, self.abort)

    def stop_timer(self) -> None:
        """Let it live."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class SlowReader:
    """A client that has to read before it gets more: waited for as long as it takes something."""

    def __init__(self, waiting_bytes: int) -> None:
        self._began = self._took_at = time.monotonic()
        self._left = waiting_bytes

    def sees(self, waiting_bytes: int) -> bool:
        """Whether it took anything since the last look."""
        took, self._left = waiting_bytes < self._left, waiting_bytes
        if took:
            self._took_at = time.monotonic()
        return took

    @property
    def is_over(self) -> bool:
        """Whether it took nothing for too long, or far too little."""
        now = time.monotonic()
        return now - self._took_at >= WRITE_SECONDS_MAX or now - self._began >= MESSAGE_SECONDS_MAX


def _too_slow() -> Frame:
    retry_after_ms = TOO_SLOW_RETRY_MS + random.randrange(TOO_SLOW_SPREAD_MS)  # noqa: S311 - no secret
    told = {"code": "too_slow", "retryAfterMs": retry_after_ms}
    return Frame(f"4{GuardedPacket(packet.EVENT, [CLOSING_EVENT, told]).encode()}".encode())
