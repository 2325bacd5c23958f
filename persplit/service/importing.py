"""Importing a file into a group, looking first if wished, and taking an import back."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from persplit.exchange.book import Book, Format, UnreadableFile
from persplit.exchange.identity import (
    GENERATIONS_MAX,
    IMPORT,
    Known,
    beyond_import,
    import_of,
    is_import_id,
    of_import,
    of_undoing,
    reversal_id,
    was_taken_back,
)
from persplit.ledger.errors import FieldError, Forbidden, LimitReached, NotFound
from persplit.ledger.events import ExpenseCreated, Noun, RecordedEvent, SettlementCreated
from persplit.ledger.expense import Expense
from persplit.ledger.settlement import Settlement
from persplit.ledger.state import GroupState
from persplit.service.batches import Batches, Recorded
from persplit.service.errors import ImportRefused
from persplit.service.groups import Groups
from persplit.service.handler import rfc3339
from persplit.service.people import People, shown_name
from persplit.service.ports import READ_LIMIT_MAX, Clock, EventStore
from persplit.service.subjects import thing_of

if TYPE_CHECKING:
    # What reads, plans and undoes is loaded when the first file comes, by the thread that has to do with it.
    from persplit.exchange.planning import ImportPlan
    from persplit.exchange.replaying import Step

LISTED_MAX: Final = 500
"""Imports of one group that a list has: more than anybody makes, and a second of look-ups."""
LOOKED_UP_AT_ONCE: Final = 500
"""Things asked for in one call of the store, so that each stays well within its deadline."""


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What somebody wants imported.

    Args:
        group_id: into which group.
        actor_id: who wants it.
        text: the file.
        format: whose file it is; None: found out.
        members: key or name in the file → user id of a member, or None for a new placeholder.
        skip: rows to leave out.

    """

    group_id: str
    actor_id: str
    text: str
    format: Format | None
    members: Mapping[str, str | None]
    skip: Collection[int]


@dataclass(frozen=True, slots=True)
class Imported:
    """What the import did, or would do. `recorded` is None where it was only looked at."""

    plan: "ImportPlan"
    recorded: Recorded | None


@dataclass(frozen=True, slots=True)
class PastImport:
    """An import that was carried out: one of the events that it recorded, and one of those that took it back, if any."""

    import_id: str
    recorded: RecordedEvent
    undone: RecordedEvent | None


class Importing:
    """Imports and undoes imports, for admins of the group."""

    def __init__(
        self, store: EventStore, groups: Groups, people: People, batches: Batches, clock: Clock
    ) -> None:
        self._store = store
        self._groups = groups
        self._people = people
        self._batches = batches
        self._clock = clock

    async def look(self, order: ImportOrder) -> Imported:
        """What importing the file would do; nothing is written.

        Raises:
            ImportRefused: the file can't be read at all.
            LedgerError: the caller may not.

        """
        state = await self._groups.state_for(order.group_id, order.actor_id, for_sure=True)
        book = await self._book(order, state)
        now = max(rfc3339(self._clock()), state.at)
        async with self._batches.turn:
            return Imported(await self._planned(book, state, order, now), None)

    async def carry_out(self, order: ImportOrder) -> Imported:
        """Import the file: all of it, or nothing. What was imported before is not imported again.

        Raises:
            ImportRefused: some of it can't be imported; the errors name the rows and people.
            LedgerError: the caller may not, or there is no room.
            ImportUnavailable: the store has no transactions.

        """
        before = await self._groups.state_for(order.group_id, order.actor_id, for_sure=True)
        book = await self._book(order, before)
        plan: ImportPlan | None = None

        async def deciding(state: GroupState, now: str) -> "Sequence[Step]":
            nonlocal plan
            plan = await self._planned(book, state, order, now)
            if plan.refusals:
                raise ImportRefused("some of this can't be imported, so nothing was", plan.refusals)
            return plan.steps

        recorded = await self._batches.record(order.group_id, order.actor_id, deciding)
        assert plan is not None, "it was decided"  # noqa: S101 - for the type checker
        return Imported(plan, recorded)

    async def undo(self, group_id: str, actor_id: str, import_id: str) -> Recorded:
        """Take back all that an import made, by new events. Once it is taken back nothing more happens.

        Raises:
            NotFound: no such group or import.
            LedgerError: the caller may not, or some of it can't be taken back now; nothing was.

        """

        async def deciding(state: GroupState, now: str) -> "Sequence[Step]":
            if not state.is_admin(actor_id):
                raise Forbidden("only an admin of the group can undo an import")
            events = await self._events_of(group_id, import_id) if is_import_id(import_id) else ()
            if not events:
                raise NotFound("there is no such import in this group")
            present = await self._present(group_id, events)

            def steps() -> "Sequence[Step]":
                from persplit.exchange.undoing import undo_steps  # noqa: PLC0415 - loaded by this thread, when asked for

                return undo_steps(state, events, present, import_id, actor_id, now)

            return await asyncio.to_thread(steps)

        return await self._batches.record(group_id, actor_id, deciding)

    async def imports(self, group_id: str, user_id: str) -> Sequence[PastImport]:
        """The group's imports for a member, newest first; at most `LISTED_MAX`. A look-up or two for each.

        Raises:
            NotFound: no such group, or not the caller's.

        """
        await self._groups.state_for(group_id, user_id, for_sure=True)
        found: list[PastImport] = []
        after = ""
        while len(found) < LISTED_MAX:
            events = await self._store.of_commands(group_id, IMPORT, after, 1)
            if not events:
                break
            import_id = import_of(events[0])
            undoing = await self._store.of_commands(group_id, of_undoing(import_id), "", 1)
            found.append(PastImport(import_id, events[0], undoing[0] if undoing else None))
            after = beyond_import(import_id)
        return sorted(found, key=lambda it: it.recorded.seq, reverse=True)

    # --- what is known before it is decided

    async def _book(self, order: ImportOrder, state: GroupState) -> Book:
        if not state.is_admin(order.actor_id):
            raise Forbidden("only an admin of the group can import into it")
        try:
            async with self._batches.turn:
                return await asyncio.to_thread(_read_book, order.text, state.settings.currency, order.format)
        except UnreadableFile as error:
            raise ImportRefused("the file can't be read", [FieldError("file", str(error))]) from None

    async def _planned(self, book: Book, state: GroupState, order: ImportOrder, now: str) -> "ImportPlan":
        from persplit.exchange.planning import Group, Wish, plan_import  # noqa: PLC0415 - loaded with the book's reader

        active = state.active()
        profiles = await self._people.get({member.user_id for member in active})
        names = {
            m.user_id: shown_name(profiles, m.user_id, m.name, placeholder=m.placeholder) for m in active
        }
        group = Group(state, names, await self._known(book, state), await self._accounts(book))
        wish = Wish(order.actor_id, now, order.members, frozenset(order.skip))
        return await asyncio.to_thread(plan_import, book, group, wish)

    async def _accounts(self, book: Book) -> frozenset[str]:
        """Ids in a file of ours that are somebody's account on this server."""
        if book.format is not Format.PERSPLIT:
            return frozenset()
        from persplit.exchange.planning import is_uuid  # noqa: PLC0415 - loaded with the reader

        ids = {person.key for person in book.people if is_uuid(person.key)}
        return frozenset(await self._people.get(ids, for_sure=True))

    async def _known(self, book: Book, state: GroupState) -> dict[str, Known]:
        """What each entry is called in the group, and the last that happened to it if it is there."""
        from persplit.exchange.planning import id_of, keys_of  # noqa: PLC0415 - loaded with the reader

        known: dict[str, Known] = {}
        keys = keys_of(book)
        for generation in range(GENERATIONS_MAX):
            ids = {key: id_of(book, state.group_id, key, generation) for key in keys}
            found = await self._last_of(state, ids.values())
            for key, id_ in ids.items():
                known[key] = Known(id_, found.get(id_))
            keys = [key for key, id_ in ids.items() if was_taken_back(id_, found)]
            if not keys:
                return known
        raise LimitReached(f"this was imported and undone {GENERATIONS_MAX} times")

    async def _last_of(self, state: GroupState, ids: Iterable[str]) -> dict[str, RecordedEvent]:
        """By id the last event about an expense, settlement or loan, or about the payment that took one back."""
        found: dict[str, RecordedEvent] = {}
        wanted = list(ids)
        if state.expense_count:
            found.update(await self._latest(state.group_id, Noun.EXPENSE, wanted))
        if state.settlement_count:
            reversals = [reversal_id(id_) for id_ in wanted]
            found.update(await self._latest(state.group_id, Noun.SETTLEMENT, [*wanted, *reversals]))
        if state.loans:
            found.update(await self._latest(state.group_id, Noun.LOAN, wanted))
        return found

    async def _latest(self, group_id: str, noun: Noun, ids: Sequence[str]) -> dict[str, RecordedEvent]:
        found: dict[str, RecordedEvent] = {}
        for start in range(0, len(ids), LOOKED_UP_AT_ONCE):
            found.update(await self._store.latest(group_id, noun, ids[start : start + LOOKED_UP_AT_ONCE]))
        return found

    async def _events_of(self, group_id: str, import_id: str) -> list[RecordedEvent]:
        """All that the import recorded, oldest first."""
        found: list[RecordedEvent] = []
        after = ""
        while page := await self._store.of_commands(group_id, of_import(import_id), after, READ_LIMIT_MAX):
            found += page
            after = page[-1].command_id
        return sorted(found, key=lambda recorded: recorded.seq)

    async def _present(
        self, group_id: str, events: Iterable[RecordedEvent]
    ) -> dict[tuple[Noun, str], Expense | Settlement]:
        """The present version of what the events made, and of the payments that took some back."""
        expenses, settlements = list[str](), list[str]()
        for recorded in events:
            match recorded.event:
                case ExpenseCreated(expense=expense):
                    expenses.append(expense.id)
                case SettlementCreated(settlement=settlement):
                    settlements += [settlement.id, reversal_id(settlement.id)]
                case _:
                    pass
        present: dict[tuple[Noun, str], Expense | Settlement] = {}
        for noun, ids in ((Noun.EXPENSE, expenses), (Noun.SETTLEMENT, settlements)):
            for id_, recorded in (await self._latest(group_id, noun, ids)).items():
                thing = thing_of(recorded.event)
                assert thing is not None, "events about these hold one"  # noqa: S101 - for the type checker
                present[noun, id_] = thing
        return present


def _read_book(text: str, currency: str, format_: Format | None) -> Book:
    # All that the file will need, so that none of it is loaded on the loop.
    from persplit.exchange import planning  # noqa: F401, PLC0415 - see above
    from persplit.exchange.reading import read_book  # noqa: PLC0415 - see above

    return read_book(text, currency, format_)
