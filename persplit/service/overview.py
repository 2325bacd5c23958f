"""One person's view over all their groups."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from persplit.ledger import debts as debt
from persplit.ledger.errors import LimitReached
from persplit.ledger.group import Member
from persplit.ledger.lending import lent_in
from persplit.ledger.state import GroupState
from persplit.service.groups import Groups
from persplit.service.ports import EventStore

GROUPS_PER_USER_MAX: Final = 500
"""Groups that one person is in at once: every connection lists them all."""
_LOADED_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class FriendBalance:
    """What somebody owes me (positive) or I owe them, in one currency, over all groups; minor units.

    `lent` is what is left of the loans between us, likewise, without interest. `name` is as recorded; `placeholder`: they have no account to take it from.
    """

    user_id: str
    name: str
    currency: str
    amount: int
    placeholder: bool = False
    lent: int = 0


class Overview:
    """Reads over all groups of one person."""

    def __init__(self, store: EventStore, groups: Groups) -> None:
        self._store = store
        self._groups = groups

    async def group_ids(self, user_id: str) -> Sequence[str]:
        """The groups that the person is in, in order of id."""
        return await self._store.groups_of(user_id)

    async def check_room(self, user_id: str) -> None:
        """Return if the person may be in one more group. Raises `LimitReached`."""
        if len(await self.group_ids(user_id)) >= GROUPS_PER_USER_MAX:
            raise LimitReached(f"a person is in at most {GROUPS_PER_USER_MAX} groups")

    async def states(self, user_id: str, group_ids: Sequence[str]) -> list[GroupState]:
        """The groups as they are now; one that the person has just left is left out."""
        loaded = await _some_at_once(self._groups.peek, group_ids)
        return [state for state in loaded if state.is_member(user_id)]

    async def enter(
        self, user_id: str, group_ids: Sequence[str], hear: Callable[[str], Awaitable[None]]
    ) -> list[GroupState]:
        """Let the person hear the groups, each from the state on that is returned; left ones are left out."""
        return await _some_at_once(lambda group_id: self._groups.enter(group_id, user_id, hear), group_ids)

    async def friends(self, user_id: str) -> list[FriendBalance]:
        """The netted debts and the loans with each person, added up over all groups by currency; zeros are left out."""
        states = await self.states(user_id, await self.group_ids(user_id))
        owed, lent = dict[tuple[str, str], int](), dict[tuple[str, str], int]()
        members: dict[str, Member] = {}
        for state in states:
            for totals, rows in ((owed, debt.rows(state.debts)), (lent, lent_in(state))):
                for other, amount in debt.of_one(rows, user_id):
                    key = (other, state.settings.currency)
                    totals[key] = totals.get(key, 0) + amount
                    members[other] = state.members[other]
        found = []
        for other, currency in sorted(owed.keys() | lent.keys()):
            amount, loan = owed.get((other, currency), 0), lent.get((other, currency), 0)
            if amount or loan:
                member = members[other]
                found.append(FriendBalance(other, member.name, currency, amount, member.placeholder, loan))
        return found


async def _some_at_once(
    load: Callable[[str], Awaitable[GroupState | None]], group_ids: Sequence[str]
) -> list[GroupState]:
    """Those that there are, in the order of the ids."""
    states: list[GroupState] = []
    for start in range(0, len(group_ids), _LOADED_AT_ONCE):
        some = group_ids[start : start + _LOADED_AT_ONCE]
        loaded = await asyncio.gather(*(load(group_id) for group_id in some))
        states += [state for state in loaded if state is not None]
    return states
