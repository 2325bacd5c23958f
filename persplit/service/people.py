"""Who is behind an id, for every broadcast: profiles, remembered for a few seconds."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Generic, TypeAlias, TypeVar

from persplit.service.errors import StoreUnavailable
from persplit.service.users import User, Users

PEOPLE_REMEMBERED_MAX: Final = 10_000
"""About 10 MB of profiles; a broadcast asks for the payees of one plan."""
OUTAGE_SECONDS_MAX: Final = 300.0
"""How old what is read from memory may be while the store is away: time for somebody on call to see to it. Only what
the reader could see then: a session that had not ended, a group that they were in. Nothing can be written meanwhile,
and an access token is over after ten minutes anyway."""
REMEMBERED_SECONDS: Final = 5.0
"""How long another node's change of a profile may go unseen."""

DELETED_PERSON: Final = "Deleted person"
"""How somebody is shown whose account was erased."""

_V = TypeVar("_V")


Profiles: TypeAlias = Mapping[str, User | None]
"""People by id. Who has no account isn't there; None is somebody who couldn't be read just now."""


class Remembered(Generic[_V]):
    """Values by id, each for a few seconds, and no more than `size_max`: the longest unused goes first.

    `monotonic` tells seconds that never go back.
    """

    def __init__(self, seconds: float, size_max: int, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._size_max = size_max
        self._monotonic = monotonic
        self._entries: OrderedDict[str, tuple[float, _V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, id_: str) -> _V | None:
        """The value, or None if it isn't (or no longer) remembered."""
        entry = self._entries.get(id_)
        if entry is None:
            return None
        until, value = entry
        if self._monotonic() >= until:
            return None
        self._entries.move_to_end(id_)
        return value

    def get_many(self, ids: Iterable[str]) -> Iterator[tuple[str, _V | None]]:
        """Each id once, with its value, or None if it isn't (or no longer) remembered."""
        now, entries = self._monotonic(), self._entries
        for id_ in dict.fromkeys(ids):
            entry = entries.get(id_)
            if entry is None or entry[0] <= now:
                yield id_, None
            else:
                entries.move_to_end(id_)
                yield id_, entry[1]

    def last(self, id_: str) -> _V | None:
        """The value as it was a while ago, for when nobody can be asked; None if it isn't known.

        Not older than `OUTAGE_SECONDS_MAX`.
        """
        until, value = self._entries.get(id_, (0.0, None))
        is_usable = self._monotonic() < until - self._seconds + OUTAGE_SECONDS_MAX
        return value if is_usable else None

    def put(self, id_: str, value: _V) -> None:
        """Remember the value from now on."""
        self._entries[id_] = (self._monotonic() + self._seconds, value)
        self._entries.move_to_end(id_)
        if len(self._entries) > self._size_max:
            self._entries.popitem(last=False)

    def drop(self, id_: str) -> None:
        """Don't remember it any more."""
        self._entries.pop(id_, None)


def shown_name(people: "Profiles", user_id: str, recorded: str, *, placeholder: bool) -> str:
    """The name to show of a member: that of their account, or of the placeholder; of an erased account none.

    Of somebody whose account can't be read just now it is the recorded one: that they are gone isn't known.
    """
    person = people.get(user_id)
    if person is not None:
        return person.name
    is_erased = not placeholder and user_id not in people
    return DELETED_PERSON if is_erased else recorded


class People:
    """Profiles by id, mostly from memory."""

    def __init__(
        self,
        users: Users,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        size_max: int = PEOPLE_REMEMBERED_MAX,
    ) -> None:
        self._users = users
        # An empty tuple remembers that the id is nobody's: a placeholder's, say.
        self._remembered: Remembered[tuple[User, ...]] = Remembered(REMEMBERED_SECONDS, size_max, monotonic)
        self._forgotten = 0

    async def get(self, ids: Iterable[str], *, for_sure: bool = False) -> Profiles:
        """The people with these ids; ids with no account are left out. Waits only for those not remembered.

        While the store doesn't answer they are as remembered from minutes ago, and who isn't is None, so that what
        is known can be shown and announced; unless they are wanted `for_sure`.

        Raises:
            StoreUnavailable: for sure, they can't be had.

        """
        found: dict[str, User | None] = {}
        missing: list[str] = []
        for id_, known in self._remembered.get_many(ids):
            if known is None:
                missing.append(id_)
            elif known:
                found[id_] = known[0]
        if missing:
            try:
                found.update(await self._read(missing))
            except StoreUnavailable:
                if for_sure:
                    raise
                for id_ in missing:
                    known = self._remembered.last(id_)
                    found.update([(id_, None)] if known is None else ((id_, user) for user in known))
        return found

    def forget(self, user_id: str) -> None:
        """Read this person anew next time, because their profile has just changed."""
        self._remembered.drop(user_id)
        self._forgotten += 1

    async def _read(self, ids: list[str]) -> Mapping[str, User]:
        forgotten = self._forgotten
        read = await self._users.get_many(ids)
        # Read before somebody's change, arriving after it: true when asked for, but not to be remembered.
        if forgotten == self._forgotten:
            for id_ in ids:
                self._remembered.put(id_, (read[id_],) if id_ in read else ())
        return read
