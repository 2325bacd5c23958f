"""Raw Socket.IO clients that cost next to nothing: frames are told apart and counted without parsing JSON.

Nothing here waits or copies more than it must: the load must never be what limits a server. What a client does not
do, no server gains by: frames come whole, each device is a TCP connection of its own, no compression is offered.
"""

import base64
import os
import socket
import struct
from collections.abc import Callable
from typing import Final

from scripts.benchmarks.servers import Failed

BUFFER_BYTES: Final = 4 * 1024 * 1024
"""Room for all that one look at a socket may find: more than the kernel holds for it."""
CONNECT_SECONDS: Final = 30.0
RECEIVED_BYTES: Final = 512 * 1024
"""What the kernel may hold for a device, as far as it lets us: more than comes between two looks."""
PONG: Final = b"\x81\x81\0\0\0\x003"
_PATH: Final = "/socket.io/?EIO=4&transport=websocket"


def client_frame(text: bytes) -> bytes:
    """A text frame from a client. The mask, which the protocol asks for, is zeros: the same work for the server."""
    size = len(text)
    if size < 126:
        return struct.pack("!BBI", 0x81, 0x80 | size, 0) + text
    return struct.pack("!BBHI", 0x81, 0xFE, size, 0) + text


def server_frame(text: bytes) -> bytes:
    """A text frame from a server."""
    size = len(text)
    if size < 126:
        return struct.pack("!BB", 0x81, size) + text
    if size < 65_536:
        return struct.pack("!BBH", 0x81, 126, size) + text
    return struct.pack("!BBQ", 0x81, 127, size) + text


def frame_bytes(payload_bytes: int) -> int:
    """The payload with its frame, from a server."""
    return payload_bytes + (2 if payload_bytes < 126 else 4 if payload_bytes < 65_536 else 10)


class Device:
    """One connection. `broadcasts` counts what it was told, `acks` what it was answered.

    `on_broadcast` and `on_ack` are shown the buffer and where in it the payload is.
    """

    __slots__ = ("acks", "broadcasts", "group", "left", "on_ack", "on_broadcast", "recv_into", "seq", "sock")

    def __init__(self, sock: socket.socket, group: int = 0) -> None:
        self.sock = sock
        self.group = group
        self.recv_into = sock.recv_into
        self.left = b""
        self.broadcasts = 0
        self.acks = 0
        self.seq = 0
        self.on_broadcast: Callable[[Device, bytearray, int, int], None] | None = None
        self.on_ack: Callable[[Device, bytearray, int, int], None] | None = None

    def send(self, text: bytes) -> None:
        """Send a command or a pong: small enough to go at once, or the server has stopped reading."""
        frame = client_frame(text)
        if self.sock.send(frame) != len(frame):
            raise Failed("the server does not read commands as fast as they are sent")

    def close(self) -> None:
        """Leave."""
        self.sock.close()


class Reader:
    """Reads devices through one buffer."""

    def __init__(self) -> None:
        self._buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._buffer)

    def read(self, device: Device) -> int:
        """Take what is there, without waiting; returns how many broadcasts it held.

        Raises:
            Failed: the server has closed the connection.

        """
        buffer, left = self._buffer, device.left
        start = len(left)
        try:
            if start:
                buffer[:start] = left
                got = device.recv_into(self._view[start:])
            else:
                got = device.recv_into(buffer)
        except BlockingIOError:
            return 0
        if got == 0:
            raise Failed("the server has closed a connection")
        return self._take(device, start + got)

    def _take(self, device: Device, end: int) -> int:
        """Go through the frames in buffer[:end]. A frame that isn't whole yet is kept for the next time."""
        buffer, at, found = self._buffer, 0, 0
        seen = device.on_broadcast
        while end - at >= 3:
            size = buffer[at + 1]
            if size < 126:
                begin = at + 2
            elif size == 126:
                size = (buffer[at + 2] << 8) | buffer[at + 3]
                begin = at + 4
            else:
                size = int.from_bytes(buffer[at + 2 : at + 10], "big")
                begin = at + 10
            stop = begin + size
            if stop > end:
                break
            # 42["e…: an expense was created. No other event begins so.
            if size > 4 and buffer[begin + 4] == 101 and buffer[begin + 1] == 50:
                found += 1
                if seen is not None:
                    seen(device, buffer, begin, stop)
            else:
                self._other(device, begin, stop)
            at = stop
        device.left = bytes(buffer[at:end]) if at < end else b""
        device.broadcasts += found
        return found

    def _other(self, device: Device, begin: int, stop: int) -> None:
        first = self._buffer[begin : begin + 2]
        if first == b"43":
            device.acks += 1
            if device.on_ack is not None:
                device.on_ack(device, self._buffer, begin, stop)
        elif stop - begin == 1 and first[:1] == b"2":
            device.sock.send(PONG)


def connected(port: int, token: str, group: int = 0) -> Device:
    """A device that is signed in and hears its groups.

    Raises:
        Failed: the server refused it.

    """
    sock = plain(port)
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(
        f"GET {_PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    got = _until(sock, b"", b"\r\n\r\n")
    if not got.startswith(b"HTTP/1.1 101"):
        raise Failed(f"no WebSocket: {got[:200]!r}")
    got = _until(sock, got.partition(b"\r\n\r\n")[2], b"}")
    sock.sendall(client_frame(f'40{{"token":"{token}"}}'.encode()))
    got = _until(sock, got, b'42["session:ready"')
    return _settled(sock, got, group)


def _settled(sock: socket.socket, got: bytes, group: int) -> Device:
    """Read the greeting to its end, so that the first frame to count starts a new read."""
    begin = got.index(b'42["session:ready"')
    # The header before it is 2, 4 or 10 bytes long; a short greeting has its size in the byte before.
    size = (
        int.from_bytes(got[begin - 2 : begin], "big")
        if got[begin - 3 : begin - 2] == b"\x7e"
        else got[begin - 1]
    )
    while len(got) < begin + size:
        got += sock.recv(65_536)
    sock.settimeout(0)
    device = Device(sock, group)
    device.left = got[begin + size :]
    return device


def plain(port: int) -> socket.socket:
    """A TCP connection to the server."""
    sock = socket.socket()
    sock.settimeout(CONNECT_SECONDS)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVED_BYTES)
    sock.connect(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _until(sock: socket.socket, got: bytes, end: bytes) -> bytes:
    while end not in got:
        more = sock.recv(65_536)
        if not more:
            raise Failed(f"the server closed the connection: {got[-200:]!r}")
        got += more
        if b"44{" in got:
            raise Failed(f"the server refused a device: {got[-300:]!r}")
    return got
