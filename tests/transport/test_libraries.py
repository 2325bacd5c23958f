"""What we lean on inside the libraries is as we expect: an upgrade that changes it fails here first."""

import asyncio
import inspect

import engineio
import pytest
import socketio
from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp._websocket.reader import WebSocketDataQueue
from aiohttp.http_websocket import WebSocketReader
from engineio.async_drivers import aiohttp as driver
from engineio.async_socket import AsyncSocket

from persplit.transport import direct, engine, guard
from persplit.transport.frames import GuardedPacket
from persplit.transport.guard import guarded_server
from tests.transport.guarded import EVENTS, ORIGIN, masked, refuse

PRIVATE: dict[type, dict[str, str | None]] = {
    engineio.AsyncServer: {
        "send_packet": "self sid pkt",
        "create_queue": None,
        "generate_id": "self",
        "handle_request": "self args kwargs",
        "reason": None,
    },
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
    web.RequestHandler: {"connection_lost": "self exc", "_message_tail": None, "keep_alive": "self val"},
    web.WebSocketResponse: {"prepare": "self request", "write_eof": "self"},
    WebSocketDataQueue: {"feed_data": None, "set_exception": None},
    WebSocketReader: {"feed_data": None},
    socketio.AsyncManager: {
        "emit": "self event data namespace room skip_sid callback to kwargs",
        "pre_connect": "self eio_sid namespace",
        "connect": "self sid namespace",
        "get_participants": "self namespace room",
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


def test_the_fast_path_puts_its_own_in_the_places_of_the_libraries() -> None:
    server = guarded_server(EVENTS, refuse, [ORIGIN])
    assert type(server.eio) is direct.DirectEngine
    assert type(server.manager) is direct.DirectRooms
    assert {"connect", "message", "disconnect"} <= server.eio.handlers.keys()
    assert {"ping_interval", "ping_timeout", "cors_allowed_origins"} <= vars(server.eio).keys()
    assert server.eio.start_service_task is False, "nobody looks for its sockets in the library's book"


async def test_the_reader_of_frames_gives_what_it_reads_to_our_intake_and_keeps_nothing() -> None:
    intake = direct.Intake(asyncio.get_running_loop())
    readers = [WebSocketReader(intake, 100, compress=False, decode_text=True) for _ in "ab"]
    whole = masked("40hello")
    assert intake.parse(readers[0], whole[:5]) == ([], None)
    assert [message.data for message in intake.parse(readers[1], whole + whole)[0]] == ["40hello"] * 2
    (message,), code = intake.parse(readers[0], whole[5:])
    assert (message.type, message.data, code) == (WSMsgType.TEXT, "40hello", None)
    assert intake.parse(readers[0], masked("x" * 101)) == ([], WSCloseCode.MESSAGE_TOO_BIG)
    assert intake.parse(readers[1], whole)[1] is None, "one that breaks off leaves the others alone"


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
