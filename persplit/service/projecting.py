"""Lets the tallies follow the ledgers: in the background, by every node, each event exactly once.

What a node has written itself it hears of at once; a sweep over all groups finds what nodes that were killed left
behind. Both read a group's ledger from where its tally stands. How far that is stands in the tally, which moves on
together with what it counts, so it doesn't matter who follows a group, how often, or where they are stopped.
"""

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from persplit.ledger.state import GroupState
from persplit.service import snapshots
from persplit.service.errors import StoreUnavailable
from persplit.service.handler import rfc3339
from persplit.service.metrics import TALLIES_AS_OF, TALLIES_FAILING, TALLIES_FAILURES
from persplit.service.ports import Clock, EventStore, GroupErased, Hint, Hints
from persplit.service.tallies import Advance, Step, Tallies, TallyMoved
from persplit.service.tally_progress import TallyProgress
from persplit.service.tallying import followed, tally_of

GATHER_SECONDS: Final = 0.5
"""Before what was heard of is followed, if that is longer than `REST` times what it took the last time."""
GATHER_SECONDS_MAX: Final = 10.0
"""But no longer: so old are the analytics of a node that has much to do. Each group's events are then followed in one
go, and that costs the less of the node's time the more they are."""
SWEEP_SECONDS: Final = 10.0
"""From the end of a sweep to the next one, if that is longer than `REST` times what it took."""
REST: Final = 9
"""Following very many groups, or one with a long ledger, takes a tenth of one node's time at most."""
RETRY_SECONDS: Final = 1.0
"""Before the store is asked again when it failed."""
RETRY_SECONDS_MAX: Final = 600.0
"""Before a group that can't be followed is tried again, after some failures: its ledger has to be mended first."""
FAILING_MAX: Final = 10_000
"""Groups that can't be followed and are remembered; of more the longest known are tried each time."""
NOTED_MAX: Final = 10_000
"""Groups that were heard of and wait; beyond that the next sweep finds them."""
STATES_MAX: Final = 1_000
"""Groups whose state at their tally is remembered: a few megabytes. Of others up to a snapshot's distance is read."""
EVENTS_AT_ONCE: Final = 25
"""Events that a tally moves on by at once: a small transaction."""
READ_AT_ONCE: Final = 5
"""Events that are read and taken in without a rest: a millisecond of the interpreter, which a command may wait for."""
GROUPS_AT_ONCE: Final = 500
"""Groups that a sweep compares in one go."""
ATTEMPTS_MAX: Final = 8
"""Times that a group is looked at anew after another node has moved it on."""

_log = structlog.get_logger(__name__)


class Projector:
    """One node's following."""

    def __init__(
        self,
        store: EventStore,
        tallies: Tallies,
        progress: TallyProgress,
        clock: Clock,
        *,
        is_shared: bool,
    ) -> None:
        """`is_shared`: other nodes follow, too, and tell each other in the store how far they have come."""
        self._store = store
        self._tallies = tallies
        self._progress = progress
        self._clock = clock
        self._is_shared = is_shared
        self._states: OrderedDict[str, GroupState] = OrderedDict()
        self._noted: dict[str, None] = {}
        self._rest = 0
        self._woken = asyncio.Event()
        self._sweep_at = 0.0
        self._as_of: dict[str, str] = {}
        # By group: how often it has failed, and when it is tried again, by the loop's clock.
        self._failing: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def note(self, group_id: str) -> None:
        """Follow the group soon: something was written to it."""
        if len(self._noted) < NOTED_MAX:
            self._noted[group_id] = None
        else:
            self._sweep_at = 0.0
        self._woken.set()

    async def as_of(self) -> tuple[str, str]:
        """The generation that counts, and up to when it is at least; "" where that isn't known yet."""
        now = await self._progress.current()
        return now.generation, max(now.as_of, self._as_of.get(now.generation, ""))

    async def run(self) -> None:
        """Follow until cancelled. What fails is tried again."""
        loop = asyncio.get_running_loop()
        self._rest = REST  # others are served beside this; a rebuild has nothing else to do
        while True:
            try:
                if loop.time() >= self._sweep_at:
                    took = await self._swept()
                    self._sweep_at = loop.time() + max(SWEEP_SECONDS, REST * took) * random.uniform(0.8, 1.0)  # noqa: S311 - no secret
                began = loop.time()
                await self._follow_noted()
                rest_seconds = min(REST * (loop.time() - began), GATHER_SECONDS_MAX)
            except Exception as error:  # noqa: BLE001 - nobody else would do this node's following
                TALLIES_FAILURES.labels("all").inc()
                _log.warning("tallies_not_followed", error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            await self._wait(self._sweep_at - loop.time(), rest_seconds)

    async def _wait(self, seconds_max: float, rest_seconds: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, seconds_max)):
                await self._woken.wait()
                await asyncio.sleep(max(GATHER_SECONDS, rest_seconds))
        except TimeoutError:
            pass
        self._woken.clear()

    async def _follow_noted(self) -> None:
        """Follow those that wait now; who comes meanwhile waits for the next time."""
        noted, self._noted = list(self._noted), {}
        if not noted:
            return
        try:
            generation = (await self._progress.current()).generation
            while noted:
                await self._follow_apart(generation, noted[-1])
                noted.pop()
        finally:
            for group_id in noted:
                self.note(group_id)

    async def _swept(self) -> float:
        """Sweep, unless another node has just done so. Returns the seconds that it took."""
        now = await self._progress.current()
        if self._is_shared and now.as_of and self._age(now.as_of) < timedelta(seconds=SWEEP_SECONDS):
            _note_as_of(now.as_of)
            return 0.0
        started = asyncio.get_running_loop().time()
        await self.sweep(now.generation)
        return asyncio.get_running_loop().time() - started

    def _age(self, at: str) -> timedelta:
        return self._clock() - datetime.fromisoformat(at)

    async def sweep(self, generation: str) -> None:
        """Bring every group up to where it is now, and note that."""
        as_of = await self.follow_all(generation)
        self._as_of = {generation: as_of}
        _note_as_of(as_of)
        if self._is_shared:
            await self._progress.reached(generation, as_of)

    async def follow_all(self, generation: str, told: Callable[[int], None] = lambda _: None) -> str:
        """The same; returns up to when the generation is, but for groups that can't be followed.

        `told` hears how many groups were looked at.
        """
        as_of = rfc3339(self._clock())
        after, count = "", 0
        while group_ids := await self._store.groups(after, GROUPS_AT_ONCE):
            heads = await self._store.heads(group_ids)
            seqs = await self._tallies.seqs(generation, group_ids)
            for group_id in group_ids:
                if heads.get(group_id, 0) > seqs.get(group_id, 0):
                    await self._follow_apart(generation, group_id)
            after, count = group_ids[-1], count + len(group_ids)
            told(count)
            await self._follow_noted()
        return as_of

    async def _follow_apart(self, generation: str, group_id: str) -> None:
        """Follow the group, unless it failed lately. What is wrong with it holds up no other.

        Raises:
            StoreUnavailable: the store itself may be away. Where it is this group again, it is passed over then.

        """
        failures, retry_at = self._failing.get(group_id, (0, 0.0))
        if failures and asyncio.get_running_loop().time() < retry_at:
            return
        try:
            await self.follow(generation, group_id)
        except Exception as error:  # whatever it is of this group, the others go on
            self._failed(group_id, failures + 1, error)
            if isinstance(error, StoreUnavailable) and not error.is_damaged:
                raise
        else:
            self._failing.pop(group_id, None)
        TALLIES_FAILING.set(len(self._failing))

    def _failed(self, group_id: str, failures: int, error: Exception) -> None:
        self._failing[group_id] = failures, asyncio.get_running_loop().time() + retry_seconds(failures)
        self._failing.move_to_end(group_id)
        if len(self._failing) > FAILING_MAX:
            self._failing.popitem(last=False)
        self._states.pop(group_id, None)
        TALLIES_FAILURES.labels("group").inc()
        _log.warning("tally_not_followed", group_id=group_id, failures=failures, error=type(error).__name__)

    async def follow(self, generation: str, group_id: str) -> None:
        """Bring the group's tally up to its ledger."""
        for _ in range(ATTEMPTS_MAX):
            try:
                await self._follow(generation, group_id)
            except TallyMoved:
                continue
            except GroupErased:
                await self._forget(group_id)
            return
        raise StoreUnavailable("the tally is being moved on from too many sides")

    async def _follow(self, generation: str, group_id: str) -> None:
        after = (await self._tallies.seqs(generation, [group_id])).get(group_id, 0)
        is_behind = True
        while is_behind:
            state, steps = await self._read_on(group_id, after)
            is_behind = len(steps) == EVENTS_AT_ONCE
            if state is not None:
                began = asyncio.get_running_loop().time()
                await self._tallies.advance(generation, Advance(after, steps, tally_of(state)))
                self._remember(state)
                after = state.seq
                if is_behind:
                    await self._rest_from(began)
        # Whoever erases it marks the ledger first and then forgets the tally: what we wrote between the two is ours to take.
        if after and not await self._store.heads([group_id]):
            raise GroupErased

    async def _read_on(self, group_id: str, after: int) -> tuple[GroupState | None, Sequence[Step]]:
        """The group after its next events, None where there are none, and what each of them does to its tally."""
        state, steps = None, list[Step]()
        while room := min(READ_AT_ONCE, EVENTS_AT_ONCE - len(steps)):
            began = asyncio.get_running_loop().time()
            events = await self._store.read(group_id, after + len(steps), room)
            if events:
                state, more = followed(state or await self._state_at(group_id, after), events)
                steps += more
            if len(events) < room:
                break
            await self._rest_from(began)
        return state, steps

    async def _rest_from(self, began: float) -> None:
        """Let others be served, after what was begun then."""
        await asyncio.sleep(self._rest * (asyncio.get_running_loop().time() - began))

    async def _state_at(self, group_id: str, seq: int) -> GroupState | None:
        if seq == 0:
            return None
        known = self._states.get(group_id)
        return known if known and known.seq == seq else await snapshots.load(self._store, group_id, seq)

    def _remember(self, state: GroupState) -> None:
        self._states[state.group_id] = state
        self._states.move_to_end(state.group_id)
        if len(self._states) > STATES_MAX:
            self._states.popitem(last=False)

    async def _forget(self, group_id: str) -> None:
        self._states.pop(group_id, None)
        await self._tallies.forget(group_id)


def retry_seconds(failures: int) -> float:
    """How long a group that failed so often is passed over: not at first, which may have been the store."""
    return min(RETRY_SECONDS_MAX, RETRY_SECONDS * 2.0**failures) if failures > 1 else 0.0


def _note_as_of(at: str) -> None:
    TALLIES_AS_OF.set(datetime.fromisoformat(at).timestamp())


async def rebuild(
    projector: Projector, tallies: Tallies, progress: TallyProgress, told: Callable[[int], None]
) -> int:
    """Make the tallies anew beside those that count, and let them count then. Returns of how many groups.

    Servers may be running, and answer from the old ones meanwhile. Broken off, nothing has changed: do it again.
    A group that can't be followed is missing in them until it can; the log names it.

    Raises:
        Overtaken: somebody else has begun to do the same.

    """
    generation = await progress.begin()
    as_of = await projector.follow_all(generation, told)
    await progress.finish(generation, as_of)
    for stale in (await progress.current()).stale:
        await tallies.drop(stale)
        await progress.dropped(stale)
    return await tallies.count(generation)


class NotedHints(Hints):
    """Hints on their way to other nodes: the projector hears of what this one has written."""

    def __init__(self, hints: Hints, note: Callable[[str], None]) -> None:
        self._hints = hints
        self._note = note

    async def publish(self, hint: Hint) -> None:
        """See the port."""
        self._note(hint.group_id)
        await self._hints.publish(hint)

    def subscribe(self, listener: Callable[[Hint | None], None]) -> None:
        """See the port."""
        self._hints.subscribe(listener)

    def are_connected(self) -> bool | None:
        """See the port."""
        return self._hints.are_connected()
