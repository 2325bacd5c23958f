"""Up to where a person has read each of their groups: one document a person, on every device the same."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Protocol

import structlog

from persplit.service.errors import StoreUnavailable
from persplit.service.groups import Groups
from persplit.service.overview import GROUPS_PER_USER_MAX
from persplit.service.ports import (
    Document,
    Documents,
    DuplicateKey,
    EventStore,
    Hint,
    Hints,
    VersionChanged,
)

ATTEMPTS_MAX: Final = 8
"""Times that a mark is moved anew after another device has moved one."""
TOLD_AT_ONCE_MAX: Final = 1_000
"""Marks moved elsewhere that are being looked up; more are left out: a device asks anew when it next connects."""
MOVED: Final = 0
"""The seq of a hint that says: this person's mark in the group has moved. No event has it."""

_log = structlog.get_logger(__name__)


class Teller(Protocol):
    """Tells a person's devices that are connected here."""

    def is_connected(self, user_id: str) -> bool:
        """Whether a device of the user is connected here."""
        ...

    async def tell_read(self, user_id: str, group_id: str, seq: int) -> None:
        """The person has read the group up to `seq`."""
        ...


class ReadMarks:
    """Keeps the marks. They only ever move on."""

    def __init__(
        self, documents: Documents, events: EventStore, groups: Groups, teller: Teller, hints: Hints
    ) -> None:
        self._documents = documents
        self._events = events
        self._groups = groups
        self._teller = teller
        self._hints = hints
        self._telling: set[asyncio.Task[None]] = set()
        hints.subscribe(self._hinted)

    async def of(self, user_id: str) -> Mapping[str, int]:
        """The person's marks by group; a group that they never read has none."""
        found = await self._documents.get([user_id])
        return dict(found[user_id].body) if found else {}

    async def move(self, user_id: str, group_id: str, seq: int) -> int:
        """Note that a member has read the group up to `seq`, or its end if that is before; returns the mark.

        Raises:
            NotFound: no such group, or not theirs.

        """
        state = await self._groups.state_for(group_id, user_id, for_sure=True)
        mark, has_moved = await self._moved(user_id, group_id, min(seq, state.seq))
        if has_moved:
            await self._teller.tell_read(user_id, group_id, mark)
            await self._hints.publish(Hint(group_id, MOVED, user_id))
        return mark

    async def _moved(self, user_id: str, group_id: str, seq: int) -> tuple[int, bool]:
        for _ in range(ATTEMPTS_MAX):
            found = (await self._documents.get([user_id])).get(user_id)
            marks = dict(found.body) if found else {}
            if marks.get(group_id, 0) >= seq:
                return int(marks[group_id]), False
            marks[group_id] = seq
            try:
                await self._keep(user_id, found, await self._bounded(user_id, marks))
            except (DuplicateKey, VersionChanged):
                continue
            return seq, True
        raise StoreUnavailable("the marks are being moved from too many devices")

    async def _keep(self, user_id: str, found: Document | None, marks: dict[str, int]) -> None:
        if found is None:
            await self._documents.insert(Document(user_id, marks))
        else:
            await self._documents.replace(replace(found, body=marks))

    async def _bounded(self, user_id: str, marks: dict[str, int]) -> dict[str, int]:
        """Without those of groups that the person has left, once there are more than anybody has groups."""
        if len(marks) <= GROUPS_PER_USER_MAX:
            return marks
        theirs = set(await self._events.groups_of(user_id))
        return {group_id: seq for group_id, seq in marks.items() if group_id in theirs}

    def _hinted(self, hint: Hint | None) -> None:
        """Another node has moved a mark: tell the devices that are connected here."""
        if hint is None or hint.seq != MOVED or not self._teller.is_connected(hint.user_id):
            return
        if len(self._telling) < TOLD_AT_ONCE_MAX:
            task = asyncio.create_task(self._tell(hint))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell(self, hint: Hint) -> None:
        try:
            mark = (await self.of(hint.user_id)).get(hint.group_id)
        except StoreUnavailable:
            _log.warning("mark_not_told", group_id=hint.group_id)
            return
        if mark is not None:
            await self._teller.tell_read(hint.user_id, hint.group_id, mark)

    async def close(self) -> None:
        """Stop telling."""
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)
