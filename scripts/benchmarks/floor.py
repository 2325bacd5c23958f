"""The floor: a bare loop that writes the same bytes to the same number of sockets, with nothing else to do.

`python -m scripts.benchmarks.floor PORT DEVICES FRAME_BYTES send|uvloop`. It answers one request with 200, to say that
it is there; every other connection is a device, and once all are there it writes to each in turn, without end. With
`send` by the system call, with `uvloop` by a transport, as a server on that loop would.
"""

import asyncio
import select
import socket
import sys
from collections.abc import Sequence
from typing import Final

from scripts.benchmarks.sockets import server_frame

BACKLOG: Final = 4_096
_EVENT: Final = b'42["expense:created",{"groupId":"'
_HEADER_BYTES_MAX: Final = 10
_READY: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def frame(size: int) -> bytes:
    """A frame of this many bytes that counts as a broadcast."""
    for header in (2, 4, _HEADER_BYTES_MAX):
        made = server_frame(_EVENT.ljust(size - header, b"x"))
        if len(made) == size:
            return made
    raise ValueError(f"no frame has {size} bytes")


def accepted(listener: socket.socket, count: int) -> list[socket.socket]:
    """Answer the look whether we are there; then so many devices."""
    asking, _ = listener.accept()
    asking.recv(4_096)
    asking.sendall(_READY)
    asking.close()
    found = []
    for _ in range(count):
        device, _ = listener.accept()
        device.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        device.settimeout(0)
        found.append(device)
    return found


def write_by_send(devices: Sequence[socket.socket], data: bytes) -> None:
    """Write to each in turn, waiting only for one that has no room."""
    size = len(data)
    while True:
        for device in devices:
            try:
                sent = device.send(data)
            except BlockingIOError:
                sent = 0
            while sent < size:
                select.select((), (device,), ())
                sent += device.send(data[sent:])


class Paused(asyncio.Protocol):
    """Knows whether its transport has enough to write."""

    is_paused = False

    def pause_writing(self) -> None:
        """It has."""
        self.is_paused = True

    def resume_writing(self) -> None:
        """It hasn't."""
        self.is_paused = False


async def write_by_transport(devices: Sequence[socket.socket], data: bytes) -> None:
    """Write to each in turn that has not enough to write."""
    loop = asyncio.get_running_loop()
    made = [await loop.connect_accepted_socket(Paused, device) for device in devices]
    pairs = [(transport.write, protocol) for transport, protocol in made]
    while True:
        for write, protocol in pairs:
            if not protocol.is_paused:
                write(data)
        await asyncio.sleep(0)


def main(port: int, count: int, size: int, how: str) -> None:
    """Serve."""
    data = frame(size)
    with socket.create_server(("127.0.0.1", port), backlog=BACKLOG) as listener:
        devices = accepted(listener, count)
    try:
        if how == "uvloop":
            import uvloop  # noqa: PLC0415 - the other way needs none

            uvloop.run(write_by_transport(devices, data))
        else:
            write_by_send(devices, data)
    except (ConnectionError, KeyboardInterrupt):
        pass  # the devices have gone: that is the end


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
