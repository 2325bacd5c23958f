"""Counting frames without parsing them."""

import socket
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.benchmarks.commands import in_order, number_in, require_ok
from scripts.benchmarks.floor import frame
from scripts.benchmarks.servers import Failed
from scripts.benchmarks.sockets import PONG, Device, Reader, client_frame, server_frame

BROADCAST = b'42["expense:created",{"groupId":"g","seq":%d,"commandId":"00000000-0000-7000-8000-%012x"}]'
READER = Reader()
ROOM_BYTES = 50_000  # goes into a socket that nobody reads
texts = st.one_of(
    st.integers(0, 10**6).map(lambda seq: BROADCAST % (seq, seq)),
    st.sampled_from([125, 126, 4_000, 65_535, 65_536, 70_000]).map(
        lambda size: (BROADCAST % (1, 1)).ljust(size, b"x")
    ),
    st.sampled_from([b'437[{"ok":true}]', b'42["settlement:due",{"qr":"%s"}]' % (b"q" * 300), b"2", b"40{}"]),
)


def pair() -> tuple[socket.socket, Device]:
    """The server's end, and a device at the other."""
    server, client = socket.socketpair()
    client.settimeout(0)
    return server, Device(client)


@pytest.fixture
def connected() -> Iterator[tuple[socket.socket, Device]]:
    server, device = pair()
    yield server, device
    server.close()
    device.close()


@given(st.lists(texts, max_size=8), st.lists(st.floats(0, 1), max_size=6))
def test_however_the_bytes_come_each_frame_counts_once(sent: list[bytes], cuts: list[float]) -> None:
    server, device = pair()
    with server, device.sock:
        data = b"".join(map(server_frame, sent))
        shown: list[bytes] = []
        device.on_broadcast = lambda _, buffer, begin, stop: shown.append(bytes(buffer[begin:stop]))
        ends = sorted(
            {*(round(cut * len(data)) for cut in cuts), *range(0, len(data), ROOM_BYTES), len(data)}
        )
        for begin, end in pairwise([0, *ends]):
            server.sendall(data[begin:end])
            READER.read(device)
        broadcasts = [text for text in sent if text.startswith(b'42["e')]
        assert shown == broadcasts
        assert device.broadcasts == len(broadcasts)
        assert device.acks == sum(text.startswith(b"43") for text in sent)
        assert device.left == b""
        if b"2" in sent:
            assert server.recv(1_000) == PONG * sent.count(b"2")


def test_who_was_told_nothing_has_nothing_to_read(connected: tuple[socket.socket, Device]) -> None:
    assert Reader().read(connected[1]) == 0


def test_a_connection_that_ends_is_a_failure(connected: tuple[socket.socket, Device]) -> None:
    connected[0].close()
    with pytest.raises(Failed, match="closed"):
        Reader().read(connected[1])


def test_a_hole_in_the_order_is_a_failure(connected: tuple[socket.socket, Device]) -> None:
    server, device = connected
    device.on_broadcast = in_order
    for seq in (7, 8):
        server.sendall(server_frame(BROADCAST % (seq, 0)))
    assert Reader().read(device) == 2
    server.sendall(server_frame(BROADCAST % (10, 0)))
    with pytest.raises(Failed, match="10 after 8"):
        Reader().read(device)


def test_a_broadcast_tells_which_command_it_is_about() -> None:
    text = BROADCAST % (1, 0xBEEF)
    assert number_in(bytearray(text), 0, len(text)) == 0xBEEF


def test_a_refused_command_is_a_failure() -> None:
    refused = bytearray(b'431[{"ok":false,"error":{"code":"forbidden"}}]')
    with pytest.raises(Failed, match="forbidden"):
        require_ok(refused, 0, len(refused))
    accepted = bytearray(b'431[{"ok":true,"seq":1}]')
    require_ok(accepted, 0, len(accepted))


@given(st.integers(100, 70_000))
def test_the_floor_writes_frames_of_the_size_that_is_asked_for(size: int) -> None:
    try:
        made = frame(size)
    except ValueError:
        assert size in range(128, 130) or size in range(65_540, 65_546)  # between two lengths of the header
        return
    assert len(made) == size


def test_what_a_client_sends_is_masked_with_zeros() -> None:
    assert client_frame(b"hi") == b"\x81\x82\0\0\0\0hi"
    assert client_frame(b"x" * 300) == b"\x81\xfe\x01\x2c\0\0\0\0" + b"x" * 300
