"""All of a group for a file: its whole ledger, and where it stands after it."""

import asyncio
from dataclasses import dataclass
from typing import Final

from persplit.ledger.errors import NotFound
from persplit.ledger.events import RecordedEvent
from persplit.ledger.expense import Expense
from persplit.ledger.loan import Loan
from persplit.ledger.settlement import Settlement
from persplit.service.errors import TooLarge
from persplit.service.groups import Groups
from persplit.service.people import People, Profiles, shown_name
from persplit.service.ports import EventStore, GroupErased
from persplit.service.standing import Standing
from persplit.service.subjects import loan_of, thing_of

EVENTS_MAX: Final = 20_000
"""Events of one exported group: some 20 MB. Nobody types as much; a whole server is moved by a backup."""
READ_AT_ONCE: Final = 500
"""Events read between two turns of the event loop."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A group, all of it, at `standing.state.seq`. `profiles` are of everybody who is or was in it."""

    standing: Standing
    events: list[RecordedEvent]
    profiles: Profiles

    def names(self) -> dict[str, str]:
        """User id → the name to show."""
        return {
            m.user_id: shown_name(self.profiles, m.user_id, m.name, placeholder=m.placeholder)
            for m in self.standing.state.members.values()
        }

    def things(self) -> list[Expense | Settlement]:
        """Its expenses and settlements in their present version, in order of their making."""
        present: dict[str, Expense | Settlement] = {}
        for recorded in self.events:
            thing = thing_of(recorded.event)
            if thing is not None:
                present[thing.id] = thing
        return list(present.values())

    def loans(self) -> list[Loan]:
        """Every loan that there ever was, as it stands, in order of their making."""
        present: dict[str, Loan] = {}
        for recorded in self.events:
            loan = loan_of(recorded.event)
            if loan is not None:
                present[loan.id] = loan
        return list(present.values())


class Exporting:
    """Reads whole groups for their members."""

    def __init__(self, store: EventStore, groups: Groups, people: People) -> None:
        self._store = store
        self._groups = groups
        self._people = people

    async def whole(self, group_id: str, user_id: str) -> Whole:
        """The group with its whole ledger.

        Raises:
            NotFound: no such group, or not the caller's.
            TooLarge: its ledger is too long for a file.

        """
        standing = await self._groups.standing_for(group_id, user_id, for_sure=True)
        seq = standing.state.seq
        if seq > EVENTS_MAX:
            raise TooLarge(f"a group with more than {EVENTS_MAX} events is too large for a file")
        events: list[RecordedEvent] = []
        while len(events) < seq:
            try:
                page = await self._store.read(group_id, len(events), min(READ_AT_ONCE, seq - len(events)))
            except GroupErased:
                raise NotFound("there is no such group") from None
            if not page:
                raise NotFound("there is no such group")
            events += page
            await asyncio.sleep(0)
        return Whole(standing, events, await self._people.get(set(standing.state.members)))
