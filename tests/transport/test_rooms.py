"""Rooms are those of the library, and leaving them is cheap."""

import asyncio
import sys
from typing import Any

import pytest
import socketio
from hypothesis import given
from hypothesis import strategies as st

from persplit.transport import guard
from persplit.transport.guard import guarded_server
from persplit.transport.rooms import Rooms
from tests.transport.guarded import EVENTS, ORIGIN, Served, refuse


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["connect", "enter", "leave", "close", "disconnect"]),
            st.integers(0, 4),
            st.sampled_from(["a", "b", "c"]),
        ),
        max_size=60,
    )
)
def test_our_rooms_are_those_of_the_library(steps: list[tuple[str, int, str]]) -> None:
    async def run() -> None:
        stock, ours = socketio.AsyncManager(), Rooms()
        places: list[int] = []
        for manager in (stock, ours):
            server = socketio.AsyncServer(manager, logger=guard._SILENCE, engineio_logger=guard._SILENCE)
            # The library takes an id also for who has one.
            server.eio.generate_id = lambda: f"id {len(places)}"
        sids: list[str] = []
        for step, number, room in steps:
            places.append(number)
            if step == "connect":
                made = await connects(stock, f"eio {number}", room)
                assert await connects(ours, f"eio {number}", room) == made
                sids.extend([made] if made else [])
            elif sids:
                for manager in (stock, ours):
                    await moves(manager, step, sids[number % len(sids)], room)
            assert seen(ours, sids) == seen(stock, sids)
        for sid in sids:
            await ours.disconnect(sid, "/")
        assert ours.is_empty

    asyncio.run(run())


def seen(manager: Any, sids: list[str]) -> object:
    """What can be asked of a manager."""
    return [
        [
            (
                sid,
                manager.is_connected(sid, "/"),
                manager.is_pre_connected(sid, "/"),
                sorted(manager.get_rooms(sid, "/")),
            )
            for sid in sids
        ],
        [manager.eio_sid_from_sid(sid, "/") for sid in sids] if manager.rooms else [None] * len(sids),
        [manager.sid_from_eio_sid(f"eio {number}", "/") for number in range(5)],
        [sorted(manager.get_participants("/", room)) for room in ("a", "b", "c", None, ["a", "b"], *sids)],
    ]


async def connects(manager: Any, eio_sid: str, room: str) -> str | None:
    """Sign in; half of it, where the room is "a"."""
    sid: str | None = await manager.pre_connect(eio_sid, "/")
    if sid is not None and room != "a":
        await manager.connect(sid, "/")
    return sid


async def moves(manager: Any, step: str, sid: str, room: str) -> None:
    """Take one step. Who has gone enters nothing: there the two differ, and the next test says how."""
    if step == "leave":
        await manager.leave_room(sid, "/", room)
    elif step == "close":
        await manager.close_room(room, "/")
    elif step == "enter" and manager.eio_sid_from_sid(sid, "/") is not None:
        await manager.enter_room(sid, "/", room)
    elif step == "disconnect":
        if manager.is_connected(sid, "/"):
            manager.pre_disconnect(sid, "/")
        await manager.disconnect(sid, "/")


async def test_a_socket_that_has_gone_enters_no_room_and_leaves_none_behind(served: Served) -> None:
    client = await served.signed_in()
    with pytest.raises(ValueError, match="not connected"):
        await served.server.enter_room("nobody", "new")
    assert list(served.server.manager.get_participants("/", "new")) == []
    await client.is_served()


async def test_leaving_does_not_look_into_every_room() -> None:
    manager = Rooms()
    manager.set_server(guarded_server(EVENTS, refuse, [ORIGIN]))
    sids = [await manager.pre_connect(f"eio {number}", "/") for number in range(1_500)]
    for sid in sids:
        assert sid is not None
        await manager.connect(sid, "/")
        await manager.enter_room(sid, "/", f"of {sid}")
    steps = 0

    def count(*_: object) -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(count)
    await manager.disconnect(sids[0], "/")
    sys.setprofile(None)
    assert steps < 500
