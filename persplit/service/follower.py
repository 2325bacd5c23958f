"""Keeps this node level with what other nodes commit: hints make it quick, the sweep makes it sure."""

import asyncio
import random
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Protocol

import structlog

from persplit.ledger.events import Noun
from persplit.service import metrics
from persplit.service.errors import StoreUnavailable
from persplit.service.groups import FanOut, Groups
from persplit.service.ports import READ_LIMIT_MAX, EventStore, Hint, Hints

SWEEP_SECONDS: Final = 5.0
"""How late an event of another node arrives at most when every hint is lost."""
RETRY_SECONDS: Final = 1.0
"""Before the store is asked again when it failed."""
HINTS_WAITING_MAX: Final = 10_000
"""Groups with a hint not yet looked at; beyond that the next sweep finds them."""
READ_AT_ONCE: Final = 16
"""Groups read at the same time, so that one whose lock is held for long doesn't hold up all others."""
PEOPLE_PER_SWEEP_MAX: Final = 500
"""People whose groups one sweep looks up: a hundred reads a second at most. With more, it takes turns."""
ANNOUNCED_LATE_MAX: Final = 100
"""Events that somebody new to a group is told one by one at most; beyond that they pull."""

_log = structlog.get_logger(__name__)


class People(Protocol):
    """Who is connected here."""

    def connected_users(self) -> Sequence[str]:
        """Everybody with a device that is connected here."""
        ...

    def lacks(self, group_id: str, user_id: str) -> bool:
        """Whether a device of the user, connected here, doesn't hear the group."""
        ...


class Follower:
    """Reads on, in order, the groups that somebody connected here hears, and finds those they have come into."""

    def __init__(
        self, store: EventStore, groups: Groups, fan_out: FanOut, hints: Hints, people: People | None = None
    ) -> None:
        """`people`: whose new groups to look for even without a hint; None where no other node adds them to any."""
        self._store = store
        self._groups = groups
        self._fan_out = fan_out
        self._people = people
        self._looked_at = 0
        self._waiting: dict[str, set[str]] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._failed: dict[str, set[str]] = {}
        self._woken = asyncio.Event()
        self._sweep_at = 0.0
        hints.subscribe(self._hinted)

    def _hinted(self, hint: Hint | None) -> None:
        if hint is not None and hint.seq == 0:
            return  # nothing has happened in the ledger
        if hint is None or len(self._waiting) >= HINTS_WAITING_MAX:
            self._sweep_at = 0.0
        else:
            users = {hint.user_id} if self._fan_out.is_connected(hint.user_id) else set()
            if not (users or self._is_news(hint)):
                return
            _add(self._waiting, hint.group_id, users)
        self._woken.set()

    def _is_news(self, hint: Hint) -> bool:
        return self._fan_out.has_listeners(hint.group_id) and hint.seq > self._groups.seq_of(hint.group_id)

    async def run(self) -> None:
        """Follow until cancelled. What fails now is tried again by a sweep soon after."""
        try:
            while True:
                await self._follow()
        finally:
            for task in self._reading.values():
                task.cancel()
            await asyncio.gather(*self._reading.values(), return_exceptions=True)

    async def _follow(self) -> None:
        now = asyncio.get_running_loop().time
        with suppress(TimeoutError):
            async with asyncio.timeout(self._sweep_at - now()):
                await self._woken.wait()
        self._woken.clear()
        # Asked here and not only after a silence: with many hints there may never be one.
        if now() >= self._sweep_at:
            # Jitter keeps many nodes from asking at the same instant.
            self._sweep_at = now() + SWEEP_SECONDS * random.uniform(0.8, 1.0)  # noqa: S311 - no secret
            try:
                with metrics.timed(metrics.SWEEP_SECONDS):
                    await self._sweep()
            except Exception as error:  # noqa: BLE001 - nobody else would do this node's following
                self._failing("sweep_interrupted", error)
        self._read_on_waiting()

    def _failing(self, what: str, error: Exception, **ids: str) -> None:
        """Log it. If the store is away, sweep soon; other faults don't heal so fast."""
        metrics.SWEEP_FAILURES.inc()
        _log.warning(what, error=type(error).__name__, **ids)
        if isinstance(error, StoreUnavailable):
            self._sweep_at = min(self._sweep_at, asyncio.get_running_loop().time() + RETRY_SECONDS)

    async def _sweep(self) -> None:
        """Compare the heads of all groups that are heard here with what was announced."""
        failed, self._failed = self._failed, {}
        for group_id, users in failed.items():
            _add(self._waiting, group_id, users)
        # Where other nodes write, a group that is held and not heard is looked at again before it is used.
        looked_at = tuple({*self._fan_out.heard_groups(), *(() if self._people else self._groups.held())})
        for start in range(0, len(looked_at), READ_LIMIT_MAX):
            some = looked_at[start : start + READ_LIMIT_MAX]
            heads = await self._store.heads(some)
            self._groups.confirm(heads)
            for group_id in some:
                head, seq = heads.get(group_id, 0), self._groups.seq_of(group_id)
                if head > seq:
                    metrics.GROUPS_BEHIND.inc()
                # One that is gone was erased, which reading on finds out.
                if head > seq or (head == 0 and (seq or self._fan_out.has_listeners(group_id))):
                    _add(self._waiting, group_id, ())
        if self._people is not None:
            await self._find_new_groups(self._people)

    async def _find_new_groups(self, people: People) -> None:
        """Look whether people connected here have come into groups that they don't hear yet."""
        users = people.connected_users()
        start = self._looked_at if self._looked_at < len(users) else 0
        self._looked_at = start + PEOPLE_PER_SWEEP_MAX
        for first in range(start, min(self._looked_at, len(users)), READ_AT_ONCE):
            some = users[first : min(first + READ_AT_ONCE, self._looked_at)]
            for user_id, theirs in zip(
                some, await asyncio.gather(*map(self._store.groups_of, some)), strict=True
            ):
                for group_id in theirs:
                    if people.lacks(group_id, user_id):
                        _add(self._waiting, group_id, [user_id])

    def _read_on_waiting(self) -> None:
        """Begin to read the groups that wait: so many at once, and each by one task only."""
        for group_id in list(self._waiting):
            if len(self._reading) >= READ_AT_ONCE:
                return  # each that is done lets us look again
            if group_id not in self._reading:
                reading = asyncio.create_task(self._read_on(group_id, self._waiting.pop(group_id)))
                self._reading[group_id] = reading
                reading.add_done_callback(partial(self._done, group_id))

    def _done(self, group_id: str, _: asyncio.Task[None]) -> None:
        del self._reading[group_id]
        self._woken.set()

    async def _read_on(self, group_id: str, users: Collection[str]) -> None:
        """Take in what is new, and let these people hear the group if they are in it."""
        try:
            load_up_to = await self._before_they_came(group_id, users)
            async with self._groups.locked(group_id, load_up_to) as live:
                await self._groups.catch_up(group_id, live)
                for user_id in users:
                    await self._groups.admit(group_id, live, user_id)
        except Exception as error:  # noqa: BLE001 - the other groups go on
            _add(self._failed, group_id, users)
            self._failing("group_not_read", error, group_id=group_id)

    async def _before_they_came(self, group_id: str, users: Collection[str]) -> int | None:
        """From where to announce a group that isn't held here, so that who is new in it hears how they came in.

        None where nobody is new, or so much has happened since that they had better pull.
        """
        if not users or self._groups.seq_of(group_id):
            return None
        came = await self._store.latest(group_id, Noun.MEMBER, list(users))
        first = min((recorded.seq for recorded in came.values()), default=0)
        heads = await self._store.heads([group_id])
        is_recent = first and heads.get(group_id, 0) - first < ANNOUNCED_LATE_MAX
        return first - 1 if is_recent else None


def _add(waiting: dict[str, set[str]], group_id: str, users: Iterable[str]) -> None:
    waiting.setdefault(group_id, set()).update(users)
