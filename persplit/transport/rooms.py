"""Which socket is in which room, in place of python-socketio's own book-keeping.

That one has a two-way dictionary for each room and each socket (some kilobytes a connection), and looks into every
room of everybody when one socket leaves. There is one namespace here, so nothing is kept by namespace.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import socketio

NAMESPACE: Final = "/"


class Rooms(socketio.AsyncManager):
    """The library's manager of clients on one node: `sid` is Socket.IO's id of a socket, `eio_sid` Engine.IO's."""

    def __init__(self) -> None:
        super().__init__()
        # What the library's own methods look at to see whether there is anybody in the namespace.
        self.rooms: dict[str, dict[str, Any]] = {NAMESPACE: {}}
        self._eio_sids: dict[str, str] = {}
        self._sids: dict[str, str] = {}
        self._members: dict[str, dict[str, str]] = {}
        self._rooms_of: dict[str, list[str]] = {}
        self._connecting: set[str] = set()
        self._leaving: set[str] = set()

    @property
    def is_empty(self) -> bool:
        """Whether nothing of any socket is left."""
        return not (
            self._eio_sids
            or self._sids
            or self._members
            or self._rooms_of
            or self._connecting
            or self._leaving
            or self.callbacks
        )

    # --- coming and going

    async def pre_connect(self, eio_sid: str, namespace: str) -> str | None:  # noqa: ARG002 - there is one
        """Give a socket that is signing in its `sid`; None if it has one."""
        if eio_sid in self._sids:
            return None
        sid: str = self.server.eio.generate_id()
        self._eio_sids[sid] = eio_sid
        self._sids[eio_sid] = sid
        self._connecting.add(sid)
        return sid

    async def connect(self, sid: str, namespace: str) -> str | None:
        """It has signed in. Where it had not begun to, `sid` is Engine.IO's."""
        if sid in self._connecting:
            self._connecting.remove(sid)
            return sid
        made = await self.pre_connect(sid, namespace)
        return None if made is None else await self.connect(made, namespace)

    def is_pre_connected(self, sid: str, namespace: str) -> bool:  # noqa: ARG002
        """Whether it is signing in."""
        return sid in self._connecting

    def is_connected(self, sid: str | None, namespace: str) -> bool:  # noqa: ARG002
        """Whether it has signed in, and isn't leaving."""
        return sid in self._eio_sids and sid not in self._connecting and sid not in self._leaving

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:  # noqa: ARG002
        """It is leaving: its disconnect handler is about to run."""
        self._leaving.add(sid)
        return self._eio_sids.get(sid)

    def basic_disconnect(self, sid: str, namespace: str, **_: Any) -> None:
        """It has gone: it leaves every room."""
        for room in tuple(self._rooms_of.get(sid, ())):
            self.basic_leave_room(sid, namespace, room)
        eio_sid = self._eio_sids.pop(sid, None)
        if eio_sid is not None:
            del self._sids[eio_sid]
        self._connecting.discard(sid)
        self._leaving.discard(sid)
        self.callbacks.pop(sid, None)

    def get_namespaces(self) -> tuple[str, ...]:
        """The only one."""
        return (NAMESPACE,)

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:  # noqa: ARG002
        """The `sid` of a socket that signs in or has."""
        return self._sids.get(eio_sid)

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:  # noqa: ARG002
        """The other way round."""
        return self._eio_sids.get(sid)

    # --- rooms

    def basic_enter_room(
        self,
        sid: str,
        namespace: str,  # noqa: ARG002
        room: str,
        eio_sid: str | None = None,  # noqa: ARG002
    ) -> None:
        """Enter. Raises `ValueError` for a socket that has gone, and for the room that is another socket."""
        if sid not in self._eio_sids:
            raise ValueError("sid is not connected to requested namespace")
        if room in self._eio_sids:
            if room != sid:
                raise ValueError("cannot enter a sid room")
            return
        members = self._members.setdefault(room, {})
        if sid not in members:
            members[sid] = self._eio_sids[sid]
            self._rooms_of.setdefault(sid, []).append(room)

    def basic_leave_room(self, sid: str, namespace: str, room: str) -> None:  # noqa: ARG002
        """Leave, if it is in there."""
        members = self._members.get(room)
        if members is None or sid not in members:
            return
        del members[sid]
        if not members:
            del self._members[room]
        rooms = self._rooms_of[sid]
        rooms.remove(room)
        if not rooms:
            del self._rooms_of[sid]

    def basic_close_room(self, room: str, namespace: str) -> None:
        """Have everybody leave. Raises `ValueError` for the room that is a socket."""
        if room in self._eio_sids:
            raise ValueError("cannot close a sid room")
        for sid in tuple(self._members.get(room, ())):
            self.basic_leave_room(sid, namespace, room)

    def get_rooms(self, sid: str, namespace: str) -> list[str]:  # noqa: ARG002
        """The rooms of a socket, the one that is itself included."""
        return [sid, *self._rooms_of.get(sid, ())] if sid in self._eio_sids else []

    def members_of(self, room: str) -> Mapping[str, str]:
        """Who is in a room, as `{sid: eio_sid}`. It changes as they come and go."""
        if room in self._eio_sids:
            return {room: self._eio_sids[room]}
        return self._members.get(room, {})

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:  # noqa: ARG002
        """Who is in a room, or in any of a list of rooms; None is everybody."""
        if room is None:
            yield from tuple(self._eio_sids.items())
        elif isinstance(room, str):
            yield from tuple(self.members_of(room).items())
        else:
            together: dict[str, str] = {}
            for one in room:
                together.update(self.members_of(one))
            yield from together.items()
