"""What we lean on inside the libraries is as we expect: an upgrade that changes it fails here first."""

import inspect

import engineio
import pytest
import socketio
from engineio.async_drivers import aiohttp as driver
from engineio.async_socket import AsyncSocket

from persplit.transport import engine, guard
from persplit.transport.frames import GuardedPacket
from persplit.transport.guard import guarded_server
from tests.transport.guarded import EVENTS, ORIGIN, refuse

PRIVATE: dict[type, dict[str, str | None]] = {
    engineio.AsyncServer: {"send_packet": "self sid pkt", "create_queue": None},
    AsyncSocket: {
        "close": "self wait abort reason",
        "poll": "self",
        "_websocket_handler": "self ws",
        "schedule_ping": "self",
    },
    driver.WebSocket: {
        "__init__": "self handler server",
        "__call__": "self environ",
        "wait": "self",
        "send": "self message",
        "close": "self",
    },
    socketio.packet.Packet: {"decode": "self encoded_packet", "uses_binary_events": None, "json": None},
    socketio.AsyncServer: {
        "_engineio_server_class": "self",
        "_handle_eio_connect": "self eio_sid environ",
        "_handle_eio_message": "self eio_sid data",
        "_handle_eio_disconnect": "self eio_sid reason",
        "_handle_connect": "self eio_sid namespace data",
        "_handle_event": "self eio_sid namespace id data",
        "_handle_ack": "self eio_sid namespace id data",
        "_send_packet": "self eio_sid pkt",
    },
    socketio.AsyncManager: {
        "basic_enter_room": "self sid namespace room eio_sid",
        "basic_leave_room": "self sid namespace room",
        "basic_disconnect": "self sid namespace kwargs",
        "get_rooms": "self sid namespace",
        "sid_from_eio_sid": "self eio_sid namespace",
        "eio_sid_from_sid": "self sid namespace",
        "disconnect": "self sid namespace kwargs",
    },
}
"""What the guard leans on inside the libraries, with the parameters that it counts on. None: a plain attribute."""


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [(owner, name, parameters) for owner, names in PRIVATE.items() for name, parameters in names.items()],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_the_libraries_are_inside_as_the_guard_expects(
    owner: type, name: str, parameters: str | None
) -> None:
    found = getattr(owner, name)
    if parameters is not None:
        assert " ".join(inspect.signature(found).parameters) == parameters


def test_the_libraries_keep_what_the_guard_expects() -> None:
    server = guarded_server(EVENTS, refuse, [ORIGIN], fast_path=False)
    assert driver._async["websocket"] is driver.WebSocket, "the library's own is left alone"
    assert server.eio._async["websocket"] is engine.Wire
    assert type(server.eio) is engine.Engine
    assert {"sockets", "max_http_buffer_size"} <= vars(server.eio).keys()
    assert {"environ", "handlers", "_binary_packet"} <= vars(server).keys()
    assert {"rooms", "callbacks"} <= vars(server.manager).keys()
    assert {"queue", "last_ping"} <= vars(AsyncSocket(server.eio, "sid")).keys()
    assert server.packet_class is GuardedPacket
    assert set(server.reserved_events) <= guard.RESERVED
