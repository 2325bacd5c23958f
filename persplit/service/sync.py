"""What a client lacks: the tail of the ledger, or everything where that is shorter or its past is another one."""

from dataclasses import dataclass
from typing import Final

from persplit.service.epochs import Epochs
from persplit.service.groups import Groups
from persplit.service.history import SNAPSHOT_THINGS_MAX, GroupSnapshot, History, Tail

EVENTS_AT_ONCE_MAX: Final = 200
"""Events that a client gets of one group in one go; it pulls on for more."""


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
        if behind <= limit or things >= behind or things > SNAPSHOT_THINGS_MAX:
            tail = await self._history.events(group_id, user_id, after, limit)
            return Missing(tail, epoch, is_reset=is_foreign)
        return Missing(await self._history.snapshot(group_id, user_id), epoch, is_reset=True)
