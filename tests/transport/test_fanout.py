"""Who is told what, as the fan-out decides it; that it arrives is tested over real sockets."""

import asyncio
from itertools import pairwise

import pytest

from persplit.adapters.memory_store import MemoryDocuments, MemoryEvents
from persplit.ledger.commands import AddMember, RemoveMember
from persplit.ledger.plan import Plan, Transfer
from persplit.service.people import People
from persplit.service.standing import Payment, Standing
from persplit.service.users import UNIQUE_KEYS, Users
from persplit.transport.fanout import DUE_RESTS, Audience, Dues, SocketFanOut, group_room
from persplit.transport.views import Json
from tests.service.nodes import Node, ledger, whole


class Rooms:
    """Rooms as a Socket.IO server keeps them, and what was sent to whom."""

    def __init__(self) -> None:
        self.rooms: dict[str, set[str]] = {}
        self.told: list[tuple[str, str, int]] = []

    async def emit(self, event: str, data: Json, *, to: str) -> None:
        self.told += [(sid, event, data["seq"]) for sid in sorted(self.rooms.get(to, {to}))]

    async def enter_room(self, sid: str, room: str) -> None:
        self.rooms.setdefault(room, set()).add(sid)

    async def leave_room(self, sid: str, room: str) -> None:
        self.rooms[room].discard(sid)


class NoDrawing:
    async def png(self, text: str) -> bytes:
        raise AssertionError(text)

    async def svg(self, text: str) -> bytes:
        raise AssertionError(text)


@pytest.fixture
def rooms() -> Rooms:
    return Rooms()


@pytest.fixture
def fan_out(rooms: Rooms) -> SocketFanOut:
    return SocketFanOut(rooms, People(Users(MemoryDocuments(UNIQUE_KEYS))), NoDrawing())


async def test_who_is_let_in_late_hears_it_on_the_devices_that_lacked_the_group(
    rooms: Rooms, fan_out: SocketFanOut
) -> None:
    node = Node(MemoryEvents())
    await node.makes("ben")
    recorded = (await ledger(node.wire.store))[-1]
    standing = await node.standings.of(await whole(node.wire.store), Plan((), optimal=True))
    for sid, user_id in (("tablet", "ben"), ("phone", "ben"), ("laptop", "asha")):
        await fan_out.connect(sid, user_id)
    await fan_out.listen("tablet", "goa")
    assert fan_out.lacks("goa", "ben")
    await fan_out.admit("ben", recorded, standing)
    assert rooms.told == [("phone", "member:joined", 2)]
    assert rooms.rooms[group_room("goa")] == {"tablet", "phone"}
    assert not fan_out.lacks("goa", "ben")
    await fan_out.admit("ben", recorded, standing)
    assert len(rooms.told) == 1
    assert not fan_out.lacks("goa", "chitra")  # who isn't connected lacks nothing


async def test_who_joins_hears_it_on_all_devices_and_who_leaves_on_none(
    rooms: Rooms, fan_out: SocketFanOut
) -> None:
    node = Node(MemoryEvents())
    await node.makes()
    for sid in ("tablet", "phone"):
        await fan_out.connect(sid, "ben")
    for command in (AddMember("ben", "Ben"), RemoveMember("ben")):
        recorded = (await node.does("asha", command)).recorded
        await fan_out.follow_membership(recorded)
        await fan_out.announce(
            recorded, await node.standings.of(await whole(node.wire.store), Plan((), optimal=True))
        )
    assert [told for told in rooms.told if told[0] in ("tablet", "phone")] == [
        ("phone", "member:joined", 2),
        ("tablet", "member:joined", 2),
    ]


class SlowDrawing:
    """A drawer of QRs that notes when it began and ended each."""

    def __init__(self) -> None:
        self.spans: list[tuple[float, float]] = []
        self.texts: list[str] = []

    async def png(self, text: str) -> bytes:
        clock = asyncio.get_running_loop().time
        began = clock()
        await asyncio.sleep(0.01)
        self.spans.append((began, clock()))
        self.texts.append(text)
        return b"png"

    async def svg(self, text: str) -> bytes:
        raise AssertionError(text)


async def due(group_id: str, amount: int) -> Standing:
    """A group in which ben has to pay asha."""
    node = Node(MemoryEvents())
    await node.makes("ben", group_id=group_id)
    row = Payment(Transfer("ben", "asha", amount), f"upi://pay?pa={group_id}@upi&am={amount}", None)
    return Standing(await whole(node.wire.store, group_id), (row,), optimal=True)


async def test_however_many_groups_are_busy_drawing_qrs_rests_longer_than_it_works(rooms: Rooms) -> None:
    audience, drawing = Audience(), SlowDrawing()
    audience.connect("phone", "ben")
    dues = Dues(rooms, drawing, audience)
    standings = [await due(f"group {number}", amount) for number in range(3) for amount in (100, 200)]
    for standing in standings:
        audience.enter(standing.state.group_id, "phone")
        dues.put(standing, {"ben"})
    async with asyncio.timeout(30):
        while len(rooms.told) < 3:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.01)
    await dues.close()
    assert [text.partition("am=")[2] for text in drawing.texts] == ["200"] * 3, "the newest counts"
    for (began, ended), (next_began, _) in pairwise(drawing.spans):
        assert next_began - ended >= DUE_RESTS * (ended - began) * 0.99
