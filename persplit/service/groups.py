"""The groups that this node holds in memory, each behind its lock.

Whenever a group's state moves on by an event, whoever committed it, the event is announced right there, under
the lock: so a node's clients hear every event once and in order of `seq`, and a state in memory never gets
ahead of what was announced.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Final, Protocol

import structlog

from persplit.ledger.errors import NotFound
from persplit.ledger.events import RecordedEvent
from persplit.ledger.plan import Plan
from persplit.ledger.state import GroupState, apply, has_same_plan, plan_in_slices
from persplit.service import snapshots
from persplit.service.errors import StoreUnavailable
from persplit.service.metrics import (
    ANNOUNCING_FAILED,
    EVENT_LAG_SECONDS,
    FANOUT_SECONDS,
    GROUPS_HELD,
    PLAN_SECONDS,
    PLANS,
    child,
    timed,
)
from persplit.service.people import OUTAGE_SECONDS_MAX
from persplit.service.ports import READ_LIMIT_MAX, EventStore, GroupErased
from persplit.service.standing import Standing, Standings
from persplit.service.turns import Turns

GROUPS_HELD_MAX: Final = 10_000
"""Groups in memory; a state is a few kilobytes, however long its history. Those that are heard or in use stay,
beyond this number too."""
LOCK_SECONDS_MAX: Final = 6.0
"""For a group's turn to come. Whoever waits longer waits behind calls that the store doesn't answer."""
LET_OTHERS_EVERY: Final = 100
"""Events taken in between two turns of the event loop: a few milliseconds."""
TOLD_ONE_BY_ONE_MAX: Final = 200
"""Events that come at once and are announced one by one. Of more, as an import makes, those who listen are told the
last: they find the hole in `seq` and pull, a page at a time, which costs a plan and a broadcast instead of thousands."""
LOOKED_AT_MAX: Final = 8
"""Held groups that one use looks at to see whether they can go: more than one, so that the excess shrinks."""

_log = structlog.get_logger(__name__)


class FanOut(Protocol):
    """Delivers recorded events to the connected members of their group. Enqueues only: never waits for a client."""

    async def follow_membership(self, recorded: RecordedEvent) -> None:
        """Let who has joined hear the group from this event on, and who has left no more, this event included."""
        ...

    def has_listeners(self, group_id: str) -> bool:
        """Whether anybody connected here hears the group."""
        ...

    def heard_groups(self) -> Sequence[str]:
        """The groups that somebody connected here hears."""
        ...

    async def dismiss(self, group_id: str) -> None:
        """Let nobody hear the group any more."""
        ...

    def is_connected(self, user_id: str) -> bool:
        """Whether a device of the user is connected here."""
        ...

    def lacks(self, group_id: str, user_id: str) -> bool:
        """Whether a device of the user, connected here, doesn't hear the group."""
        ...

    async def admit(self, user_id: str, recorded: RecordedEvent, standing: Standing) -> None:
        """Let the user's connected devices hear the event's group from now on; those that didn't, get the event."""
        ...

    async def announce(self, recorded: RecordedEvent, standing: Standing) -> None:
        """Send the event, with the standing after it, to everybody who hears the group."""
        ...


class LiveGroup:
    """One group in memory; `state` is None before the first event. Change it only with `lock` held.

    `users` counts who holds the lock or waits for it: while it goes from one to the next nobody holds it.
    `known_at` is when `state` was last known to be the newest, on the monotonic clock.
    """

    __slots__ = ("known_at", "lock", "plan", "state", "users")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.state: GroupState | None = None
        self.plan: Plan | None = None
        """Of `state`, once somebody asked for it."""
        self.users = 0
        self.known_at = -math.inf


class _Locked:
    """A group's lock held for a block. A class, not a generator: those the loop registers, each one."""

    __slots__ = ("_group_id", "_groups", "_live", "_load_up_to", "_within")

    def __init__(self, groups: "Groups", group_id: str, load_up_to: int | None, within: float) -> None:
        self._groups = groups
        self._group_id = group_id
        self._load_up_to = load_up_to
        self._within = within

    async def __aenter__(self) -> LiveGroup:
        self._live = await self._groups.acquire(self._group_id, self._load_up_to, self._within)
        return self._live

    async def __aexit__(self, *_: object) -> None:
        self._groups.release(self._group_id, self._live)


class Groups:
    """Loads, holds and moves on the groups of this node."""

    def __init__(
        self,
        store: EventStore,
        standings: Standings,
        fan_out: FanOut,
        *,
        is_shared: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`is_shared`: other nodes write to the store too, so what is held here may be behind it.

        `monotonic` tells seconds that never go back.
        """
        self._store = store
        self._monotonic = monotonic
        self._standings = standings
        self._fan_out = fan_out
        self._is_shared = is_shared
        self._held: OrderedDict[str, LiveGroup] = OrderedDict()
        self._saving: set[asyncio.Task[None]] = set()
        self._turns = Turns()

    def locked(
        self, group_id: str, load_up_to: int | None = None, *, within: float | None = None
    ) -> AbstractAsyncContextManager[LiveGroup]:
        """The group with its lock held, loaded: as it is now, or was at `load_up_to` if it isn't held yet.

        `within`: seconds that are left to wait for the lock, `LOCK_SECONDS_MAX` unless told.

        Raises:
            StoreUnavailable: it can't be loaded, or its turn didn't come in time.

        """
        return _Locked(self, group_id, load_up_to, LOCK_SECONDS_MAX if within is None else within)

    async def acquire(self, group_id: str, load_up_to: int | None, within: float) -> LiveGroup:
        """As `locked`, until `release`."""
        live = self._held.get(group_id)
        if live is None:
            live = self._held[group_id] = LiveGroup()
        self._held.move_to_end(group_id)
        live.users += 1
        try:
            await _acquired(live, within)
        except BaseException:
            self._leave(group_id, live)
            raise
        try:
            if live.state is None:
                live.state = await snapshots.load(self._store, group_id, load_up_to)
                if load_up_to is None:
                    live.known_at = self._monotonic()
        except BaseException:
            self.release(group_id, live)
            raise
        return live

    def release(self, group_id: str, live: LiveGroup) -> None:
        """Let the next one have it."""
        live.lock.release()
        self._leave(group_id, live)

    def _leave(self, group_id: str, live: LiveGroup) -> None:
        live.users -= 1
        self._let_go(group_id, live)

    def _let_go(self, group_id: str, live: LiveGroup) -> None:
        """Forget ids that are no group's, and the longest unused groups beyond the bound."""
        if live.users == 0 and live.state is None:
            del self._held[group_id]
        for _ in range(min(len(self._held) - GROUPS_HELD_MAX, LOOKED_AT_MAX)):
            key, oldest = next(iter(self._held.items()))
            if oldest.users or self._fan_out.has_listeners(key):
                self._held.move_to_end(key)
            else:
                del self._held[key]

    def seq_of(self, group_id: str) -> int:
        """Up to where this node has read the group; 0 if it doesn't hold it."""
        live = self._held.get(group_id)
        return live.state.seq if live is not None and live.state is not None else 0

    def held(self) -> Sequence[str]:
        """The groups in memory."""
        return tuple(self._held)

    def knows_member(self, group_id: str, user_id: str) -> bool:
        """Whether somebody is a member, as far as this node knows without asking the store."""
        live = self._held.get(group_id)
        return live is not None and live.state is not None and live.state.is_member(user_id)

    async def catch_up(self, group_id: str, live: LiveGroup) -> bool:
        """Take in what others have committed since; whether there was anything. Call with the lock held."""
        moved = False
        while True:
            after = live.state.seq if live.state else 0
            try:
                events = await self._store.read(group_id, after, READ_LIMIT_MAX)
            except GroupErased:
                await self.forget(group_id, live)
                return moved
            if events:
                await _to_the_end(self.advance_all(live, events))
                moved = True
            if len(events) < READ_LIMIT_MAX:
                live.known_at = self._monotonic()
                return moved

    def confirm(self, heads: Mapping[str, int]) -> None:
        """Note which groups are held here as they are in the store, whose newest seqs these were just now."""
        now = self._monotonic()
        for group_id, head in heads.items():
            live = self._held.get(group_id)
            if live is not None and live.state is not None and live.state.seq >= head:
                live.known_at = now

    async def advance_all(self, live: LiveGroup, events: Sequence[RecordedEvent]) -> None:
        """Move the group on by its next events. Call with the lock held."""
        are_told = len(events) <= TOLD_ONE_BY_ONE_MAX
        for recorded in events:
            await self.advance(live, recorded, is_told=are_told or recorded is events[-1])
            if recorded.seq % LET_OTHERS_EVERY == 0:
                await asyncio.sleep(0)
            if self._fan_out.has_listeners(recorded.group_id):
                committed_at = datetime.fromisoformat(recorded.at).timestamp()
                EVENT_LAG_SECONDS.observe(max(0.0, time.time() - committed_at))

    async def advance(
        self,
        live: LiveGroup,
        recorded: RecordedEvent,
        *,
        state: GroupState | None = None,
        is_told: bool = True,
    ) -> None:
        """Move the group on by its next event and, if told so, announce it. Call with the lock held.

        `state` is what the event makes of the group, where that is known already.

        An event that is durable can't be refused any more: if it can't be announced that is logged, and clients
        find the hole in `seq` and pull.
        """
        before, live.state = live.state, state or apply(live.state, recorded)
        if before is None or not has_same_plan(before, live.state):
            live.plan = None
        live.known_at = self._monotonic()
        try:
            await self._fan_out.follow_membership(recorded)
            if is_told and self._fan_out.has_listeners(recorded.group_id):
                standing = await self._standing(live, live.state)
                with timed(FANOUT_SECONDS):
                    await self._fan_out.announce(recorded, standing)
        except Exception:  # noqa: BLE001 - whatever it was, the event stands
            ANNOUNCING_FAILED.inc()
            _log.exception("announcing_failed", group_id=recorded.group_id, seq=recorded.seq)
        if recorded.seq % snapshots.SNAPSHOT_EVERY == 0:
            task = asyncio.create_task(snapshots.save(self._store, live.state))
            self._saving.add(task)
            task.add_done_callback(self._saving.discard)

    async def forget(self, group_id: str, live: LiveGroup) -> None:
        """The group was erased: it isn't in memory any more, and nobody hears it. Call with the lock held."""
        live.state = live.plan = None
        await self._fan_out.dismiss(group_id)

    async def admit(self, group_id: str, live: LiveGroup, user_id: str) -> None:
        """Let somebody hear the group who came into it unnoticed, as when it was loaded after that. Lock held.

        They are told the last event, so that they know, and pull what was before it.
        """
        if live.state is None or not live.state.is_member(user_id):
            return
        if self._fan_out.lacks(group_id, user_id):
            try:
                last = await self._store.read(group_id, live.state.seq - 1, 1)
            except GroupErased:
                await self.forget(group_id, live)
                return
            standing = await self._standing(live, live.state)
            await self._fan_out.admit(user_id, last[0], standing)

    async def state_for(self, group_id: str, user_id: str, *, for_sure: bool = False) -> GroupState:
        """The group as it is now, for a member to read; as remembered while the store doesn't answer.

        `for_sure`: not from memory. Whoever goes on to read the store for them asks so: what the store has may be
        younger than when they were last known to be a member.

        Raises:
            NotFound: no such group, or not the caller's.
            StoreUnavailable: it can't be read, or not for sure.

        """
        try:
            async with self.locked(group_id) as live:
                return await self._readable(group_id, live, user_id)
        except StoreUnavailable:
            if for_sure:
                raise
            return self._from_memory(group_id, user_id)[1]

    async def peek(self, group_id: str) -> GroupState | None:
        """The group as it is now, whoever asks; None if there is none. The caller sees to who may know."""
        async with self.locked(group_id) as live:
            if self._is_shared:
                await self.catch_up(group_id, live)
            return live.state

    async def enter(
        self, group_id: str, user_id: str, hear: Callable[[str], Awaitable[None]]
    ) -> GroupState | None:
        """Let a member hear the group from the state on that is returned; None for who isn't in it.

        All in one go, under the lock: who heard a group first that is held far behind here would be told of all
        that is announced while it is read on, and perhaps of what was before their time.
        """
        async with self.locked(group_id) as live:
            try:
                state = await self._readable(group_id, live, user_id)
            except NotFound:
                return None
            await hear(group_id)
            return state

    async def standing_for(self, group_id: str, user_id: str, *, for_sure: bool = False) -> Standing:
        """Where the group stands now, for a member to read. As `state_for`."""
        try:
            async with self.locked(group_id) as live:
                return await self._standing(live, await self._readable(group_id, live, user_id))
        except StoreUnavailable:
            if for_sure:
                raise
            return await self._standing(*self._from_memory(group_id, user_id))

    async def standing_then(self, group_id: str, user_id: str, seq: int) -> Standing:
        """Where the group stood after event `seq` (1 or more), for somebody who is a member now."""
        try:
            async with self.locked(group_id) as live:
                now = await self._readable(group_id, live, user_id)
                if seq >= now.seq:
                    return await self._standing(live, now)
        except StoreUnavailable:
            live, now = self._from_memory(group_id, user_id)
            if seq == now.seq:
                return await self._standing(live, now)
            raise
        then = await snapshots.load(self._store, group_id, seq)
        if then is None:
            raise NotFound("the group did not exist then")
        return await self._standings.of(then, await self._worked_out(then))

    async def _readable(self, group_id: str, live: LiveGroup, user_id: str) -> GroupState:
        if self._is_shared or live.state is None or not live.state.is_member(user_id):
            await self.catch_up(group_id, live)
        if live.state is None or not live.state.is_member(user_id):
            raise NotFound("there is no such group")
        return live.state

    def _from_memory(self, group_id: str, user_id: str) -> tuple[LiveGroup, GroupState]:
        """The group for who was in it minutes ago, without its lock; call where the store's failure is handled.

        Nothing of it is younger than when they were last known to be a member. Others aren't told that it is not
        there, for that isn't known.
        """
        live = self._held.get(group_id)
        if live is None or live.state is None or not live.state.is_member(user_id):
            raise StoreUnavailable("the group can't be read at the moment")
        if self._monotonic() - live.known_at >= OUTAGE_SECONDS_MAX:
            raise StoreUnavailable("the store has been away too long")
        return live, live.state

    async def _standing(self, live: LiveGroup, state: GroupState) -> Standing:
        return await self._standings.of(state, await self._plan(live, state))

    async def _plan(self, live: LiveGroup, state: GroupState) -> Plan:
        # The plan follows from the state alone; links follow from profiles too, which change by themselves.
        if live.plan is not None:
            return live.plan
        plan = await self._worked_out(state)
        if live.state is state:  # who reads from memory does so without the lock
            live.plan = plan
        return plan

    async def _worked_out(self, state: GroupState) -> Plan:
        with timed(PLAN_SECONDS):
            plan = await self._turns.finish(plan_in_slices(state))
        child(PLANS, "true" if plan.optimal else "false").inc()
        return plan

    def note_load(self) -> None:
        """Take down how many groups are held."""
        GROUPS_HELD.set(len(self._held))

    async def close(self) -> None:
        """Wait for snapshots that are being saved."""
        await asyncio.gather(*self._saving)


async def _acquired(live: LiveGroup, within: float) -> None:
    if live.users == 1:
        await live.lock.acquire()  # at once: a timer for each use would cost more than the lock
        return
    # Also where it isn't locked at this instant: it is on its way to the next who waits.
    try:
        async with asyncio.timeout(within):
            await live.lock.acquire()
    except TimeoutError:
        raise StoreUnavailable("too many wait for this group: nothing was done") from None


async def _to_the_end(work: Coroutine[None, None, None]) -> None:
    """Await the work. Who is cancelled meanwhile still waits for it, holding the lock, and is cancelled then."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    task.result()
