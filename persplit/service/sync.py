"""What a client lacks: the tail of the ledger, or everything where that is shorter or its past is another one."""

from dataclasses import dataclass
from typing import Final

from persplit.service.epochs import Epochs
from persplit.service.groups import Groups
from persplit.service.history import SNAPSHOT_THINGS_MAX, GroupSnapshot, History, Tail

EVENTS_AT_ONCE_MAX: Final = 200
"""Events that a client gets of one group in one go; it pulls on for more."""
SNAPSHOT_BYTES_MAX: Final = 2 * 1024 * 1024
"""Of the things in a snapshot, as JSON: twice what a thousand everyday expenses have. Larger ones go out in pages."""
TOO_LARGE_REMEMBERED_MAX: Final = 1_000
"""Groups of which a snapshot was too large: it isn't begun again for each of their pages."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a client has of a group: the ledger up to `seq`, in the epoch. None: it doesn't say which."""

    seq: int
    epoch: str | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """What the client lacks. `is_reset`: it drops what it has first, and begins with this."""

    lacks: Tail | GroupSnapshot
    epoch: str
    is_reset: bool


class Sync:
    """The one path of first load, coming back, and repair."""

    def __init__(self, groups: Groups, history: History, epochs: Epochs) -> None:
        self._groups = groups
        self._history = history
        self._epochs = epochs
        self._too_large: dict[str, None] = {}

    async def missing(
        self, group_id: str, user_id: str, known: Known, limit: int = EVENTS_AT_ONCE_MAX
    ) -> Missing:
        """What somebody lacks who knows this much of the group. Raises `NotFound` for who isn't in it.

        A client that is ahead, or of another epoch, has a past that isn't ours: it begins anew. So does one so far
        behind that the whole group in its present version has fewer things in it than the tail.
        """
        state = await self._groups.state_for(group_id, user_id, for_sure=True)
        epoch = self._epochs.of(group_id)
        is_foreign = known.seq > state.seq or known.epoch not in (None, epoch)
        after = 0 if is_foreign else known.seq
        things = state.expense_count + state.settlement_count
        behind = state.seq - after
        if behind > limit and things < behind and things <= SNAPSHOT_THINGS_MAX:
            snapshot = await self._snapshot(group_id, user_id)
            if snapshot is not None:
                return Missing(snapshot, epoch, is_reset=True)
        tail = await self._history.events(group_id, user_id, after, limit)
        return Missing(tail, epoch, is_reset=is_foreign)

    async def _snapshot(self, group_id: str, user_id: str) -> GroupSnapshot | None:
        """The whole group; None where that would be too large."""
        if group_id in self._too_large:
            return None
        snapshot = await self._history.snapshot(group_id, user_id, SNAPSHOT_BYTES_MAX)
        if snapshot is None:
            if len(self._too_large) >= TOO_LARGE_REMEMBERED_MAX:
                del self._too_large[next(iter(self._too_large))]
            self._too_large[group_id] = None
        return snapshot
