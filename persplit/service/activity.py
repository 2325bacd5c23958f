"""What happened in all groups of one person, newest first, and how much of it they haven't read.

The work is bounded by the page and the number of groups, however long their ledgers: the newest event of every group
is known from its state, and only the groups whose turn it is are read, a few events at a time, from their end.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from persplit.ledger.events import RecordedEvent
from persplit.ledger.state import GroupState
from persplit.service.overview import Overview
from persplit.service.ports import EventStore, GroupErased
from persplit.service.read_marks import ReadMarks

READ_AT_ONCE: Final = 25
"""Events that are read of a group when it is its turn: half a page."""
GROUPS_AT_ONCE: Final = 16
"""Groups that are read side by side."""
UNREAD_LOOKED_AT_MAX: Final = 100
"""The newest events of a group, among which what is unread is counted: nobody tells 100 from 1,000."""
COUNTS_KEPT_MAX: Final = 20_000
"""Counts that are remembered while nothing happens: some 5 MB."""

Place: TypeAlias = tuple[str, str, int]
"""`(at, group id, seq)`: events of all groups in one order, the later the larger."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of one of the person's groups."""

    state: GroupState
    event: RecordedEvent
    is_unread: bool


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Entries, newest first; `next_before` is the place to go on from, None on the last page."""

    entries: tuple[Entry, ...]
    next_before: Place | None


@dataclass(frozen=True, slots=True)
class Unread:
    """How many events of others, since the person joined, stand after their mark, of the newest that were looked at.

    `is_more`: there are older ones after the mark, which weren't.
    """

    state: GroupState
    mark: int
    count: int
    is_more: bool


@dataclass(slots=True)
class _Lane:
    """One group's events, from the newest down. `bound`: no event of it that is left is later."""

    state: GroupState
    bound: Place
    below: int
    waiting: list[RecordedEvent] = field(default_factory=list)

    def take(self) -> RecordedEvent:
        """The newest event that waits."""
        event = self.waiting.pop()
        self.bound = _place(self.waiting[-1]) if self.waiting else _place(event)
        return event


def _place(event: RecordedEvent) -> Place:
    return event.at, event.group_id, event.seq


class Activity:
    """Reads for one person at a time."""

    def __init__(self, store: EventStore, overview: Overview, marks: ReadMarks) -> None:
        self._store = store
        self._overview = overview
        self._marks = marks
        self._counts: OrderedDict[tuple[str, str], tuple[tuple[int, int], int]] = OrderedDict()

    async def feed(self, user_id: str, before: Place | None, limit: int) -> FeedPage:
        """At most `limit` events of all groups that the person is in, earlier than `before`."""
        marks = await self._marks.of(user_id)
        lanes = await self._lanes(user_id, before)
        entries: list[Entry] = []
        while lanes and len(entries) <= limit:
            lane = max(lanes, key=lambda it: it.bound)
            if lane.waiting:
                event = lane.take()
                mark = marks.get(event.group_id, 0)
                entries.append(Entry(lane.state, event, _is_unread(lane.state, user_id, mark, event)))
            elif not await self._fill(lane, None):
                lanes.remove(lane)
        page = tuple(entries[:limit])
        return FeedPage(page, _place(page[-1].event) if len(entries) > limit else None)

    async def _lanes(self, user_id: str, before: Place | None) -> list[_Lane]:
        states = await self._overview.states(user_id, await self._overview.group_ids(user_id))
        lanes = [_Lane(it, (it.at, it.group_id, it.seq), it.seq + 1) for it in states]
        if before is None:
            return lanes
        # Where a group has something later than that, its end isn't where to begin.
        late = [lane for lane in lanes if lane.bound >= before]
        for start in range(0, len(late), GROUPS_AT_ONCE):
            some = late[start : start + GROUPS_AT_ONCE]
            await asyncio.gather(*(self._begin(lane, before) for lane in some))
        return [lane for lane in lanes if lane.waiting or lane.bound < before]

    async def _begin(self, lane: _Lane, before: Place) -> None:
        last = await self._store.seq_at(lane.state.group_id, before[0])
        lane.below = min(last, lane.state.seq) + 1
        await self._fill(lane, before)

    async def _fill(self, lane: _Lane, before: Place | None) -> bool:
        """Read the next events down, those from `before` on left out; whether there were any."""
        while lane.below > 1 and not lane.waiting:
            after = max(0, lane.below - 1 - READ_AT_ONCE)
            try:
                read = await self._store.read(lane.state.group_id, after, lane.below - 1 - after)
            except GroupErased:
                read = ()
            lane.below = after + 1 if read else 1
            lane.waiting = [event for event in read if before is None or _place(event) < before]
        if lane.waiting:
            lane.bound = _place(lane.waiting[-1])
        return bool(lane.waiting)

    async def unread(self, user_id: str) -> Sequence[Unread]:
        """How much is unread in each group that the person is in."""
        marks = await self._marks.of(user_id)
        states = await self._overview.states(user_id, await self._overview.group_ids(user_id))
        found: list[Unread] = []
        for start in range(0, len(states), GROUPS_AT_ONCE):
            some = states[start : start + GROUPS_AT_ONCE]
            found += await asyncio.gather(
                *(self._count(it, user_id, marks.get(it.group_id, 0)) for it in some)
            )
            await asyncio.sleep(0)
        return found

    async def _count(self, state: GroupState, user_id: str, mark: int) -> Unread:
        key, now = (user_id, state.group_id), (mark, state.seq)
        known = self._counts.get(key)
        if known is None or known[0] != now:
            known = now, await self._counted(state, user_id, mark)
            self._remember(key, known)
        return Unread(state, mark, known[1], is_more=state.seq - mark > UNREAD_LOOKED_AT_MAX)

    async def _counted(self, state: GroupState, user_id: str, mark: int) -> int:
        after = max(mark, state.seq - UNREAD_LOOKED_AT_MAX)
        if after >= state.seq:
            return 0
        try:
            events = await self._store.read(state.group_id, after, state.seq - after)
        except GroupErased:
            return 0
        return sum(_is_unread(state, user_id, mark, event) for event in events)

    def _remember(self, key: tuple[str, str], counted: tuple[tuple[int, int], int]) -> None:
        self._counts[key] = counted
        self._counts.move_to_end(key)
        if len(self._counts) > COUNTS_KEPT_MAX:
            self._counts.popitem(last=False)


def _is_unread(state: GroupState, user_id: str, mark: int, event: RecordedEvent) -> bool:
    """Whether it is news to the person: after their mark, not their own doing, and since they joined."""
    return event.seq > mark and event.by != user_id and event.at > state.members[user_id].joined_at
