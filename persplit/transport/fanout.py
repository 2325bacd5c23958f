"""Fan-out: one recorded event to every connected device of every member of its group.

Rooms are entered only after sign-in, and nothing is ever sent to the whole namespace.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, Protocol

import structlog

from persplit.ledger.events import CommentEvent, GroupCreated, MemberJoined, MemberLeft, RecordedEvent
from persplit.service.metrics import EVENTS_ANNOUNCED, FANOUT_RECIPIENTS, GROUPS_HEARD, USERS_CONNECTED
from persplit.service.people import People
from persplit.service.ports import QrRenderer
from persplit.service.qr_data import data_url
from persplit.service.standing import Payment, Standing
from persplit.transport import views
from persplit.transport.views import Json

DUE_INTERVAL_SECONDS: Final = 0.25
"""Between two `settlement:due` of one group: QRs are for people to look at, and cost milliseconds each to draw."""
DUE_INTERVAL_SECONDS_MAX: Final = 2.0
"""While events don't stop, the wait doubles up to this: nobody scans an amount that changes every second."""
DUE_RESTS: Final = 4
"""After the QRs of one group no others are drawn for so many times as long: at most a fifth of the time goes into
drawing, however many groups are busy."""

_log = structlog.get_logger(__name__)


class Emitter(Protocol):
    """The part of a Socket.IO server that the fan-out uses."""

    async def emit(self, event: str, data: Json, *, to: str) -> None:
        """Queue one message for everybody in the room `to`."""
        ...

    async def enter_room(self, sid: str, room: str) -> None:
        """Put a socket into a room."""
        ...

    async def leave_room(self, sid: str, room: str) -> None:
        """Take a socket out of a room."""
        ...


def group_room(group_id: str) -> str:
    """The room of everybody who hears the group."""
    return f"g:{group_id}"


def user_room(user_id: str, only: str | None = None) -> str:
    """The room of all devices of one person that may hear all of their groups, or `only` that one."""
    return f"u:{user_id}" if only is None else f"u:{user_id}:{only}"


class Audience:
    """Which socket is whose, and which groups are heard by which sockets."""

    def __init__(self) -> None:
        self._user_of: dict[str, str] = {}
        self._only_of: dict[str, str] = {}
        self._sids_of: dict[str, set[str]] = {}
        self._hearing: dict[str, set[str]] = {}

    def connect(self, sid: str, user_id: str, only: str | None = None) -> None:
        """A device of the user has connected, that may hear all of their groups or `only` one."""
        self._user_of[sid] = user_id
        if only is not None:
            self._only_of[sid] = only
        self._sids_of.setdefault(user_id, set()).add(sid)

    def disconnect(self, sid: str, group_ids: Sequence[str]) -> None:
        """It has gone; it heard these groups."""
        user_id = self._user_of.pop(sid, None)
        self._only_of.pop(sid, None)
        if user_id is not None:
            _remove(self._sids_of, user_id, sid)
        for group_id in group_ids:
            _remove(self._hearing, group_id, sid)

    def sids_of(self, user_id: str) -> Sequence[str]:
        """The user's sockets."""
        return tuple(self._sids_of.get(user_id, ()))

    def widen(self, sid: str) -> tuple[str, str | None]:
        """The socket may hear all groups of its user from now on; returns who that is, and the only one until now."""
        return self._user_of.get(sid, ""), self._only_of.pop(sid, None)

    def may_hear(self, sid: str, group_id: str) -> bool:
        """Whether the socket may hear the group, if its user is in it."""
        return self._only_of.get(sid, group_id) == group_id

    def rooms_of(self, user_id: str, group_id: str) -> Sequence[str]:
        """The rooms of the user's sockets that may hear of the group."""
        is_limited = any(self._only_of.get(sid) == group_id for sid in self.sids_of(user_id))
        return (user_room(user_id), user_room(user_id, group_id)) if is_limited else (user_room(user_id),)

    def users(self) -> Sequence[str]:
        """Who is connected."""
        return tuple(self._sids_of)

    def enter(self, group_id: str, sid: str) -> None:
        """The socket hears the group from now on."""
        self._hearing.setdefault(group_id, set()).add(sid)

    def leave(self, group_id: str, sid: str) -> None:
        """It does no more."""
        _remove(self._hearing, group_id, sid)

    def groups(self) -> Sequence[str]:
        """The groups that anybody hears."""
        return tuple(self._hearing)

    def listeners(self, group_id: str) -> Sequence[str]:
        """The sockets that hear the group."""
        return tuple(self._hearing.get(group_id, ()))

    def sockets_hearing(self, group_id: str) -> int:
        """How many sockets hear the group."""
        return len(self._hearing.get(group_id, ()))

    def size(self) -> tuple[int, int]:
        """How many users are connected, and how many groups are heard."""
        return len(self._sids_of), len(self._hearing)

    def hears(self, group_id: str, user_id: str | None = None) -> bool:
        """Whether anybody hears the group, or this user does."""
        if user_id is None:
            return group_id in self._hearing
        return not self._hearing.get(group_id, set()).isdisjoint(self._sids_of.get(user_id, ()))


def _remove(index: dict[str, set[str]], key: str, sid: str) -> None:
    members = index.get(key)
    if members is not None:
        members.discard(sid)
        if not members:
            del index[key]


class SocketFanOut:
    """Tells the connected members of a group what happened. Enqueues only: never waits for a client."""

    def __init__(self, emitter: Emitter, people: People, qr_codes: QrRenderer) -> None:
        self._emitter = emitter
        self._people = people
        self._audience = Audience()
        self._groups_of: dict[str, set[str]] = {}
        self._dues = Dues(emitter, qr_codes, self._audience)

    async def connect(self, sid: str, user_id: str, only: str | None = None) -> None:
        """Let a signed-in socket hear what is for its user: a group that they are added to from now on included.

        `only` is the one group that its token opens, if it is for one alone.
        """
        self._audience.connect(sid, user_id, only)
        self._groups_of[sid] = set()
        await self._emitter.enter_room(sid, user_room(user_id, only))

    async def widen(self, sid: str) -> None:
        """Let a socket that could hear one group hear all of its user's from now on."""
        user_id, only = self._audience.widen(sid)
        if only is not None:
            await self._emitter.leave_room(sid, user_room(user_id, only))
            await self._emitter.enter_room(sid, user_room(user_id))

    async def listen(self, sid: str, group_id: str) -> None:
        """Let a socket hear the group from now on, if it is still connected."""
        if sid in self._groups_of:
            await self._enter(group_id, sid)

    def disconnect(self, sid: str) -> None:
        """Forget a socket that has gone; its rooms went with it."""
        self._audience.disconnect(sid, tuple(self._groups_of.pop(sid, ())))

    async def unlisten(self, sid: str, group_id: str) -> None:
        """Let a socket hear the group no more."""
        if group_id in self._groups_of.get(sid, ()):
            self._groups_of[sid].discard(group_id)
            self._audience.leave(group_id, sid)
            await self._emitter.leave_room(sid, group_room(group_id))

    async def _enter(self, group_id: str, sid: str) -> None:
        self._groups_of[sid].add(group_id)
        self._audience.enter(group_id, sid)
        await self._emitter.enter_room(sid, group_room(group_id))

    def _lacking(self, group_id: str, user_id: str) -> list[str]:
        """The user's sockets that don't hear the group, and may."""
        may_hear = self._audience.may_hear
        sids = self._audience.sids_of(user_id)
        return [sid for sid in sids if group_id not in self._groups_of[sid] and may_hear(sid, group_id)]

    async def follow_membership(self, recorded: RecordedEvent) -> None:
        """Let who has joined hear the group from this event on, and who has left no more, this event included."""
        match recorded.event:
            case GroupCreated(member=member) | MemberJoined(member=member):
                for sid in self._lacking(recorded.group_id, member.user_id):
                    await self._enter(recorded.group_id, sid)
            case MemberLeft(member=member):
                for sid in self._audience.sids_of(member.user_id):
                    await self.unlisten(sid, recorded.group_id)
            case _:
                pass

    async def dismiss(self, group_id: str) -> None:
        """Let nobody hear the group any more."""
        for sid in self._audience.listeners(group_id):
            await self.unlisten(sid, group_id)

    def has_listeners(self, group_id: str) -> bool:
        """Whether anybody connected here hears the group."""
        return self._audience.hears(group_id)

    def heard_groups(self) -> Sequence[str]:
        """The groups that somebody connected here hears."""
        return self._audience.groups()

    def connected_users(self) -> Sequence[str]:
        """Who is connected here."""
        return self._audience.users()

    def lacks(self, group_id: str, user_id: str) -> bool:
        """Whether a device of the user, connected here, doesn't hear the group."""
        return bool(self._lacking(group_id, user_id))

    def is_connected(self, user_id: str) -> bool:
        """Whether a device of the user is connected here."""
        return bool(self._audience.sids_of(user_id))

    async def announce(self, recorded: RecordedEvent, standing: Standing) -> None:
        """Send the event, with the standing after it, to everybody who hears the group."""
        name, payload = await self._broadcast(recorded, standing)
        await self._emitter.emit(name, payload, to=group_room(recorded.group_id))
        EVENTS_ANNOUNCED.labels(name).inc()
        FANOUT_RECIPIENTS.inc(self._audience.sockets_hearing(recorded.group_id))
        if isinstance(recorded.event, CommentEvent):
            return  # what is due hasn't changed
        paying = {row.transfer.from_id for row in standing.plan}
        self._dues.put(standing, {user_id for user_id in paying if self.is_connected(user_id)})

    async def tell_read(self, user_id: str, group_id: str, seq: int) -> None:
        """Tell all devices of a person how far they have read a group."""
        await self._emitter.emit("activity:read", {"groupId": group_id, "seq": seq}, to=user_room(user_id))

    async def admit(self, user_id: str, recorded: RecordedEvent, standing: Standing) -> None:
        """Let the user's connected devices hear the event's group from now on; those that didn't, get the event."""
        name, payload = await self._broadcast(recorded, standing)
        for sid in self._lacking(recorded.group_id, user_id):
            await self._enter(recorded.group_id, sid)
            await self._emitter.emit(name, payload, to=sid)

    async def _broadcast(self, recorded: RecordedEvent, standing: Standing) -> tuple[str, Json]:
        shows = views.shows_people(recorded)
        people = await self._people.get(standing.state.members) if shows else {}
        return views.broadcast(recorded, standing, people)

    def note_load(self) -> None:
        """Take down how many listen."""
        users, groups = self._audience.size()
        USERS_CONNECTED.set(users)
        GROUPS_HEARD.set(groups)

    async def close(self) -> None:
        """Stop drawing QRs."""
        await self._dues.close()


class Dues:
    """Tells who now has to pay, with QRs made off the event loop.

    One task a group while there is something to tell; it takes the newest standing, so a burst of events costs
    one drawing, and what it sends is never older than what it sent before. One group's turn at a time.
    """

    def __init__(self, emitter: Emitter, qr_codes: QrRenderer, audience: Audience) -> None:
        self._emitter = emitter
        self._qr_codes = qr_codes
        self._audience = audience
        self._newest: dict[str, tuple[Standing, set[str]]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()

    def put(self, standing: Standing, payers: set[str]) -> None:
        """Tell the payers soon where they stand."""
        group_id = standing.state.group_id
        if payers:
            self._newest[group_id] = (standing, payers)
            if group_id not in self._tasks:
                self._tasks[group_id] = asyncio.create_task(self._tell(group_id))
        else:
            self._newest.pop(group_id, None)

    async def _tell(self, group_id: str) -> None:
        wait_seconds = DUE_INTERVAL_SECONDS
        try:
            while group_id in self._newest:
                async with self._turn:
                    await self._tell_newest(group_id)
                await asyncio.sleep(wait_seconds)
                wait_seconds = min(2 * wait_seconds, DUE_INTERVAL_SECONDS_MAX)
        except Exception:  # noqa: BLE001 - nobody waits for this task
            # A client can ask for its QR with `settlement:qr`.
            _log.exception("due_not_told", group_id=group_id)
        finally:
            del self._tasks[group_id]

    async def _tell_newest(self, group_id: str) -> None:
        if group_id not in self._newest:
            return  # meanwhile nobody has to pay any more
        standing, payers = self._newest.pop(group_id)
        clock = asyncio.get_running_loop().time
        began = clock()
        for user_id in payers:
            await self._tell_one(standing, user_id)
        await asyncio.sleep(DUE_RESTS * (clock() - began))

    async def _tell_one(self, standing: Standing, user_id: str) -> None:
        rows = [await self._due(row) for row in standing.plan if row.transfer.from_id == user_id]
        told = {"groupId": standing.state.group_id, "seq": standing.state.seq, "settleUp": rows}
        # While the QR was drawn they may have left the group.
        if self._audience.hears(standing.state.group_id, user_id):
            for room in self._audience.rooms_of(user_id, standing.state.group_id):
                await self._emitter.emit("settlement:due", told, to=room)

    async def _due(self, row: Payment) -> dict[str, Any]:
        qr = None if row.upi_link is None else await data_url(self._qr_codes, row.upi_link)
        return {**views.payment(row), "qr": qr}

    async def close(self) -> None:
        """Stop."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
