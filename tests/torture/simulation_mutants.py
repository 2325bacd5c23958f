"""Servers broken on purpose, one fault each: a simulation that doesn't find them proves nothing."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any, Final
from unittest import mock

from persplit.adapters.recording import record_of
from persplit.ledger.events import RecordedEvent
from persplit.service import snapshots
from persplit.service.command_request import CommandRequest
from persplit.service.follower import Follower
from persplit.service.groups import Groups, LiveGroup
from persplit.service.handler import Handler
from persplit.service.history import History, Tail
from persplit.service.ports import CommandKnown, NewEvent
from persplit.service.standing import Standing
from persplit.transport.fanout import SocketFanOut
from persplit.transport.sockets import Connection, Sockets
from tests.torture.simulation_faults import WiredEvents

DROPPED_EVERY: Final = 20
"""One announcement in so many is dropped."""

_append = WiredEvents.append
_announce = SocketFanOut.announce
_catch_up = Groups.catch_up
_advance = Groups.advance
_events = History.events
_is_news = Follower._is_news
_seq_of = Groups.seq_of


def _patched(owner: Any, name: str, changed: Any) -> AbstractContextManager[object]:
    return mock.patch.object(owner, name, changed)


def acknowledge_before_append() -> AbstractContextManager[object]:
    """An event is taken as durable when it was sent to the store."""

    async def append(self: WiredEvents, new: NewEvent) -> RecordedEvent:
        asyncio.get_running_loop().create_task(_append(self, new)).add_done_callback(
            lambda it: it.exception()
        )
        return record_of(new)

    return _patched(WiredEvents, "append", append)


def announce_before_append() -> AbstractContextManager[object]:
    """Listeners are told before the store has the event."""
    groups_of: dict[int, Groups] = {}
    init = Handler.__init__

    def remember(self: Handler, store: Any, held: Groups, *rest: Any) -> None:
        groups_of[id(store)] = held
        init(self, store, held, *rest)

    async def append(self: WiredEvents, new: NewEvent) -> RecordedEvent:
        held = groups_of[id(self)]
        live = held._held[new.group_id]
        if live.state is not None:
            standing = await held._standing(live, live.state)
            await _announce(held._fan_out, record_of(new), standing)  # type: ignore[arg-type]  # as it is wired here
        return await _append(self, new)

    @contextmanager
    def both() -> Iterator[None]:
        with _patched(Handler, "__init__", remember), _patched(WiredEvents, "append", append):
            yield

    return both()


def apply_a_retry_twice() -> AbstractContextManager[object]:
    """A known command isn't looked for: its retry makes another event."""

    async def append(self: WiredEvents, new: NewEvent) -> RecordedEvent:
        try:
            return await _append(self, new)
        except CommandKnown:
            return await _append(self, replace(new, command_id=f"{new.command_id}+"))

    return _patched(WiredEvents, "append", append)


def forget_a_lost_answer() -> AbstractContextManager[object]:
    """What is refused isn't looked for among what was done."""

    async def known(self: Handler, live: LiveGroup, request: CommandRequest) -> None:
        return None

    return _patched(Handler, "_known", known)


def drop_announcements() -> AbstractContextManager[object]:
    """One announcement in twenty never goes out."""
    count = 0

    async def announce(self: SocketFanOut, recorded: RecordedEvent, standing: Standing) -> None:
        nonlocal count
        count += 1
        if count % DROPPED_EVERY:
            await _announce(self, recorded, standing)

    return _patched(SocketFanOut, "announce", announce)


def skip_an_event_in_the_tail() -> AbstractContextManager[object]:
    """A pull begins one event too late."""

    async def events(self: History, group_id: str, user_id: str, after: int, limit: int) -> Tail:
        return await _events(self, group_id, user_id, after + 1 if after else 0, limit)

    return _patched(History, "events", events)


def follow_one_behind() -> AbstractContextManager[object]:
    """The follower takes a node for level that is one event behind."""

    def seq_of(self: Groups, group_id: str) -> int:
        return _seq_of(self, group_id) + 1

    return _patched(Groups, "seq_of", seq_of)


def read_on_one_too_far() -> AbstractContextManager[object]:
    """Reading on leaves out the first event of several."""

    async def advance_all(self: Groups, live: LiveGroup, events: list[RecordedEvent]) -> None:
        for recorded in events[1:] or events:
            await _advance(self, live, recorded)

    return _patched(Groups, "advance_all", advance_all)


def decide_again_on_the_old_state() -> AbstractContextManager[object]:
    """After a lost race for a seq the tail isn't read."""

    async def catch_up(self: Groups, group_id: str, live: LiveGroup) -> bool:
        if asyncio.current_task() in handling:
            return False
        return await _catch_up(self, group_id, live)

    handling: set[Any] = set()
    carry_out = Handler._carry_out

    async def remember(self: Handler, live: LiveGroup, request: CommandRequest) -> Any:
        handling.add(asyncio.current_task())
        try:
            return await carry_out(self, live, request)
        finally:
            handling.discard(asyncio.current_task())

    @contextmanager
    def both() -> Iterator[None]:
        with _patched(Groups, "catch_up", catch_up), _patched(Handler, "_carry_out", remember):
            yield

    return both()


def let_who_left_listen() -> AbstractContextManager[object]:
    """Who leaves a group goes on hearing it."""

    async def unlisten(self: SocketFanOut, sid: str, group_id: str) -> None:
        pass

    return _patched(SocketFanOut, "unlisten", unlisten)


def trust_memory() -> AbstractContextManager[object]:
    """A node answers reads from memory, though others write to the store, too."""
    init = Groups.__init__

    def alone(self: Groups, *arguments: Any, is_shared: bool) -> None:
        init(self, *arguments, is_shared=False)

    return _patched(Groups, "__init__", alone)


def load_a_snapshot_without_its_tail() -> AbstractContextManager[object]:
    """A snapshot is taken for the present."""
    load = snapshots.load

    async def stale(store: Any, group_id: str, up_to: int | None = None) -> Any:
        found = await snapshots._from_snapshot(store, group_id, 2**62 if up_to is None else up_to)
        return found or await load(store, group_id, up_to)

    return _patched(snapshots, "load", stale)


def read_before_listening() -> AbstractContextManager[object]:
    """A socket is greeted with what was read before it began to hear."""
    welcome = Sockets._welcome

    async def late(self: Sockets, connection: Connection) -> None:
        listen = self._fan_out.listen
        heard: list[str] = []

        async def note(sid: str, group_id: str) -> None:
            heard.append(group_id)

        with mock.patch.object(self._fan_out, "listen", note):
            await welcome(self, connection)
        await asyncio.sleep(0.25)
        for group_id in heard:
            await listen(connection.sid, group_id)

    return _patched(Sockets, "_welcome", late)


def answer_unknown_as_refused() -> AbstractContextManager[object]:
    """A write whose outcome isn't known is answered as if the group's rules had refused it."""
    from persplit.ledger.errors import Conflict
    from persplit.service.errors import StoreUnavailable

    async def append(self: WiredEvents, new: NewEvent) -> RecordedEvent:
        try:
            return await _append(self, new)
        except StoreUnavailable:
            raise Conflict("the store did not take it") from None

    return _patched(WiredEvents, "append", append)


MUTANTS: Final[dict[str, Callable[[], AbstractContextManager[object]]]] = {
    mutant.__name__: mutant
    for mutant in (
        acknowledge_before_append,
        announce_before_append,
        apply_a_retry_twice,
        forget_a_lost_answer,
        drop_announcements,
        skip_an_event_in_the_tail,
        follow_one_behind,
        read_on_one_too_far,
        decide_again_on_the_old_state,
        let_who_left_listen,
        trust_memory,
        load_a_snapshot_without_its_tail,
        read_before_listening,
        answer_unknown_as_refused,
    )
}
"""By name."""
