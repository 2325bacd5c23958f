"""Keeps this node level with what other nodes commit: hints make it quick, the sweep makes it sure."""

import asyncio
import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import starmap
from typing import Final, Protocol

import structlog

from persplit.ledger.events import Noun
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

    def hears(self, group_id: str, user_id: str) -> bool:
        """Whether a device of the user hears the group."""
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
        self._woken = asyncio.Event()
        self._sweep_at = 0.0
        hints.subscribe(self._hinted)

    def _hinted(self, hint: Hint | None) -> None:
        if hint is None or len(self._waiting) >= HINTS_WAITING_MAX:
            self._sweep_at = 0.0
        else:
            users = {hint.user_id} if self._fan_out.is_connected(hint.user_id) else set()
            if not (users or self._is_news(hint)):
                return
            self._wait_for(hint.group_id, users)
        self._woken.set()

    def _is_news(self, hint: Hint) -> bool:
        return self._fan_out.has_listeners(hint.group_id) and hint.seq > self._groups.seq_of(hint.group_id)

    def _wait_for(self, group_id: str, users: Iterable[str]) -> None:
        self._waiting.setdefault(group_id, set()).update(users)

    async def run(self) -> None:
        """Follow until cancelled. What fails now is tried again by the next sweep, which is soon."""
        while True:
            try:
                await self._follow()
            except Exception as error:  # noqa: BLE001 - nobody else would do this node's following
                _log.warning("following_interrupted", error=repr(error))
                self._sweep_at = 0.0
                await asyncio.sleep(RETRY_SECONDS)

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
            await self._sweep()
        waiting, self._waiting = self._waiting, {}
        await self._read_on_all(waiting)

    async def _sweep(self) -> None:
        """Compare the heads of all groups that are heard here with what was announced."""
        heard = self._fan_out.heard_groups()
        for start in range(0, len(heard), READ_LIMIT_MAX):
            heads = await self._store.heads(heard[start : start + READ_LIMIT_MAX])
            for group_id, head in heads.items():
                if head > self._groups.seq_of(group_id):
                    self._wait_for(group_id, ())
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
                    if not people.hears(group_id, user_id):
                        self._wait_for(group_id, [user_id])

    async def _read_on_all(self, users_of: Mapping[str, Collection[str]]) -> None:
        """Read these groups on, and let these people hear them."""
        groups = list(users_of.items())
        for start in range(0, len(groups), READ_AT_ONCE):
            await asyncio.gather(*starmap(self._read_on, groups[start : start + READ_AT_ONCE]))

    async def _read_on(self, group_id: str, users: Collection[str]) -> None:
        try:
            load_up_to = await self._before_they_came(group_id, users)
            async with self._groups.locked(group_id, load_up_to) as live:
                await self._groups.catch_up(group_id, live)
                for user_id in users:
                    if live.state is not None and live.state.is_member(user_id):
                        await self._fan_out.admit(group_id, user_id)
        except Exception as error:  # noqa: BLE001 - the other groups go on; this one is tried again
            _log.warning("group_not_read", group_id=group_id, error=repr(error))
            if isinstance(error, StoreUnavailable):
                self._wait_for(group_id, users)

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
