"""What waits for one client: bytes as they will be written, in order, and never much of them.

In place of the queue that python-engineio has for each client. That one has no bound, and the library's writer
takes all that is in it at once, out of anybody's reach.
"""

import asyncio
from typing import Final, Protocol

WAITING_BYTES_MAX: Final = 262_144
"""What waits for a client that reads slowly. With what the transport holds: at most 384 KiB of a node's memory."""
LARGE_BYTES_MIN: Final = WAITING_BYTES_MAX // 2 + 1
"""From here on a frame is large: see `Backlog`."""
WAITING_FRAMES_MAX: Final = 512
"""Whoever is so many messages behind gets what it missed sooner by one question about the ledger."""


class Packet(Protocol):
    """The part of an Engine.IO packet that is used here."""

    def encode(self) -> str:
        """The packet as text."""
        ...


class Frame:
    """The bytes of one WebSocket message. One object for all who hear a broadcast, so it's in memory once."""

    __slots__ = ("_wire", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._wire: bytes | None = None

    @property
    def wire(self) -> bytes:
        """The same with the WebSocket's header, made at the first time.

        What a server sends isn't masked, so it's the same for everybody (RFC 6455, section 5.1).
        """
        if self._wire is None:
            self._wire = framed(TEXT, self.data)
        return self._wire

    def encode(self) -> bytes:
        """What the library's writer passes on."""
        return self.data


PING: Final = b"2"
TEXT: Final = 0x1
_FIN: Final = 0x80
_SHORT_MAX: Final = 125
_MIDDLE_MAX: Final = 0xFFFF


def framed(opcode: int, data: bytes) -> bytes:
    """An unfragmented, unmasked WebSocket frame."""
    size = len(data)
    if size <= _SHORT_MAX:
        return bytes((_FIN | opcode, size)) + data
    if size <= _MIDDLE_MAX:
        return bytes((_FIN | opcode, 126)) + size.to_bytes(2) + data
    return bytes((_FIN | opcode, 127)) + size.to_bytes(8) + data


def frame_of(packet: Packet) -> Frame:
    """The packet's bytes, made at the first time and kept with it."""
    frame: Frame | None = getattr(packet, "frame", None)
    if frame is None:
        frame = Frame(packet.encode().encode())
        packet.frame = frame  # type: ignore[attr-defined]
    return frame


class Backlog:
    """The frames that wait. It has the methods of `asyncio.Queue` that the library calls.

    A ping goes before everything else: behind a long message it would be late, and a client that reads well
    enough would count as dead. One large frame may wait beside the others, and its bytes don't count: what a
    client lacks of a group has to arrive, and be it larger than all that may wait.
    """

    __slots__ = ("_arrived", "_frames", "_is_ended", "_large", "_taken", "_waiting_bytes")

    def __init__(self) -> None:
        self._frames: list[Frame] = []  # empty for nearly everybody, and a deque takes 600 bytes
        self._waiting_bytes = 0
        self._large: Frame | None = None
        self._is_ended = False
        self._arrived: asyncio.Future[None] | None = None
        self._taken: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def waiting_bytes(self) -> int:
        """All bytes that wait, those of a large frame included."""
        return self._waiting_bytes

    @property
    def is_ended(self) -> bool:
        """Whether it takes nothing more."""
        return self._is_ended

    def takes(self, frame: Frame) -> bool:
        """Whether there is room for the frame."""
        if len(self._frames) >= WAITING_FRAMES_MAX:
            return False
        if len(frame.data) >= LARGE_BYTES_MIN:
            return self._large is None
        counted = self._waiting_bytes - (0 if self._large is None else len(self._large.data))
        return counted + len(frame.data) <= WAITING_BYTES_MAX

    def drop(self) -> None:
        """Forget everything that waits."""
        self._frames.clear()
        self._waiting_bytes = 0
        self._large = None

    def end(self) -> None:
        """Take nothing more. What waits still goes out, and then the writer ends."""
        self._is_ended = True
        _wake(self._arrived)
        _wake(self._taken)

    async def until_half_empty(self) -> None:
        """Wait while a large frame does, or as much. Returns at once where nothing more will be taken."""
        while self._waiting_bytes >= LARGE_BYTES_MIN and not self._is_ended:
            self._taken = asyncio.get_running_loop().create_future()
            await self._taken

    # --- as a queue

    def put_nowait(self, packet: Packet | None) -> None:
        """Let a packet wait, whether there is room or not; None ends it."""
        if packet is None:
            self.end()
        else:
            self.add(frame_of(packet))

    async def put(self, packet: Packet | None) -> None:
        """The same."""
        self.put_nowait(packet)

    def add(self, frame: Frame) -> None:
        """Let a frame wait, unless nothing more is taken."""
        if self._is_ended:
            return
        if frame.data == PING:
            self._frames.insert(0, frame)
        else:
            self._frames.append(frame)
        self._waiting_bytes += len(frame.data)
        if len(frame.data) >= LARGE_BYTES_MIN:
            self._large = frame
        _wake(self._arrived)

    async def get(self) -> Frame | None:
        """The next frame, once there is one; None at the end."""
        while not self._frames and not self._is_ended:
            self._arrived = asyncio.get_running_loop().create_future()
            await self._arrived
        return self.pop()

    def pop(self) -> Frame | None:
        """The next frame; None if there is none."""
        if not self._frames:
            return None
        frame = self._frames.pop(0)
        self._waiting_bytes -= len(frame.data)
        if frame is self._large:
            self._large = None
        _wake(self._taken)
        return frame

    def get_nowait(self) -> None:
        """Always empty: the library would take all, to write it when the client reads."""
        raise asyncio.QueueEmpty

    def task_done(self) -> None:
        """Nobody counts."""


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
