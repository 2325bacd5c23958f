"""Several events at once: recorded together or not at all, and told to those who listen as one step.

Nothing else in this house writes more than one event a command. An import does, because half of one would be wrong
balances; each of its events is what an ordinary command makes, so nobody who reads the ledger sees a difference.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from persplit.ledger.errors import NotFound
from persplit.ledger.events import RecordedEvent
from persplit.ledger.state import GroupState
from persplit.service.errors import ImportUnavailable, StoreUnavailable
from persplit.service.groups import Groups, LiveGroup
from persplit.service.handler import ATTEMPTS_MAX, Handler, rfc3339
from persplit.service.ports import (
    Clock,
    EventStore,
    GroupErased,
    Hint,
    Hints,
    NewEvent,
    SeqTaken,
    TransactionsUnavailable,
)

if TYPE_CHECKING:
    from persplit.exchange.replaying import Step  # loaded with the first file: a start does without

AT_ONCE_MAX: Final = 2
"""Files that one node reads, or batches that it decides and records, at the same time: each may take a second of a
processor."""
OUTSIDE_MAX: Final = 3
"""Times that a batch is decided while others may write to the group. If it has moved on each time, it is decided with
the group's lock held: that ends, and makes the others wait, once."""

Deciding = Callable[[GroupState, str], Awaitable["Sequence[Step]"]]
"""From the group as it is, and the time to record, to what is to happen. Raises `LedgerError` to refuse."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of it: the events, none where nothing was to be done, and the group after them."""

    events: Sequence[RecordedEvent]
    state: GroupState


class Batches:
    """Records what was decided on a group's newest state."""

    def __init__(
        self, store: EventStore, groups: Groups, handler: Handler, hints: Hints, clock: Clock
    ) -> None:
        self._store = store
        self._groups = groups
        self._handler = handler
        self._hints = hints
        self._clock = clock
        self.turn = asyncio.Semaphore(AT_ONCE_MAX)
        """For what costs a processor a second, this and what others do of the kind."""

    async def record(self, group_id: str, actor_id: str, deciding: Deciding) -> Recorded:
        """Decide and record, again where somebody was quicker. It runs to its end when the caller goes away.

        Others write to the group while it is decided: `deciding` may be called several times.

        Raises:
            NotFound: there is no such group, or the actor isn't in it.
            LedgerError: as decided; nothing was written.
            ImportUnavailable: the store has no transactions.
            StoreUnavailable: the outcome is unknown.

        """
        return await self._handler.to_the_end(self._record(group_id, actor_id, deciding))

    async def _record(self, group_id: str, actor_id: str, deciding: Deciding) -> Recorded:
        # Its turn first: nobody waits for that with a group's lock held.
        async with self.turn:
            for _ in range(OUTSIDE_MAX):
                state = await self._newest(group_id, actor_id)
                now, steps = await self._decided(state, deciding)
                if not steps:
                    return Recorded((), state)
                with suppress(SeqTaken):
                    return await self._append(group_id, actor_id, state, now, steps)
            return await self._record_inside(group_id, actor_id, deciding)

    async def _newest(self, group_id: str, actor_id: str) -> GroupState:
        async with self._groups.locked(group_id) as live:
            await self._groups.catch_up(group_id, live)
            return _of_member(live.state, actor_id)

    async def _decided(self, state: GroupState, deciding: Deciding) -> "tuple[str, Sequence[Step]]":
        now = max(rfc3339(self._clock()), state.at)
        return now, await deciding(state, now)

    async def _append(
        self, group_id: str, actor_id: str, state: GroupState, now: str, steps: "Sequence[Step]"
    ) -> Recorded:
        """Record what was decided on the state. Raises `SeqTaken` where the group isn't there any more."""
        async with self._groups.locked(group_id) as live:
            if live.state is None or live.state.seq != state.seq:
                raise SeqTaken
            return await self._written(live, _new_events(state, actor_id, now, steps))

    async def _record_inside(self, group_id: str, actor_id: str, deciding: Deciding) -> Recorded:
        """The same with the lock held all the time, for a group that is written to more quickly than can be decided."""
        async with self._groups.locked(group_id) as live:
            for _ in range(ATTEMPTS_MAX):
                await self._groups.catch_up(group_id, live)
                state = _of_member(live.state, actor_id)
                now, steps = await self._decided(state, deciding)
                if not steps:
                    return Recorded((), state)
                with suppress(SeqTaken):
                    return await self._written(live, _new_events(state, actor_id, now, steps))
        raise StoreUnavailable("the group is being written to from too many sides")

    async def _written(self, live: LiveGroup, events: Sequence[NewEvent]) -> Recorded:
        try:
            recorded = await self._store.append_all(events)
        except GroupErased:
            await self._groups.forget(events[0].group_id, live)
            raise NotFound("there is no such group") from None
        except TransactionsUnavailable:
            raise ImportUnavailable(
                "this server's database has no transactions: MongoDB needs to be a replica set for that"
            ) from None
        await self._groups.advance_all(live, recorded)
        last = recorded[-1]
        await self._hints.publish(Hint(last.group_id, last.seq))
        assert live.state is not None, "it has events"  # noqa: S101 - for the type checker
        return Recorded(recorded, live.state)


def _of_member(state: GroupState | None, actor_id: str) -> GroupState:
    if state is None or not state.is_member(actor_id):
        raise NotFound("there is no such group")
    return state


def _new_events(state: GroupState, actor_id: str, now: str, steps: "Sequence[Step]") -> list[NewEvent]:
    return [_new(state, actor_id, now, place, step) for place, step in enumerate(steps, 1)]


def _new(state: GroupState, actor_id: str, now: str, place: int, step: "Step") -> NewEvent:
    return NewEvent(
        group_id=state.group_id,
        seq=state.seq + place,
        at=now,
        by=actor_id,
        command_id=step.command_id,
        content_hash=hashlib.sha256(step.command_id.encode()).hexdigest()[:32],
        event=step.event,
    )
