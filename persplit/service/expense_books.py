"""Every expense of a group in its present version, in memory: for looking for some, and for adding them up.

A book is read from the ledger once, and then kept up by the events since: an edit, a deletion or a restoring carries
the whole expense, so what is here can't differ from what a fresh reading would give. The most recently used are kept.
"""

import asyncio
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from persplit.ledger.errors import NotFound
from persplit.ledger.expense import Expense
from persplit.ledger.finding import ExpenseFilter
from persplit.ledger.state import GroupState
from persplit.ledger.statistics import Counting, Statistics
from persplit.service.groups import Groups
from persplit.service.history import Page
from persplit.service.ports import EventStore, GroupErased
from persplit.service.subjects import thing_of

EXPENSES_KEPT_MAX: Final = 50_000
"""Expenses of all books together that stay in memory: some 100 MB. A group with more is read anew for each question."""
BOOKS_KEPT_MAX: Final = 1_000
"""Books in memory, those of groups with few expenses included."""
READ_AT_ONCE: Final = 250
"""Events folded between two turns of the event loop: a few milliseconds."""
LOOKED_AT_ONCE: Final = 1_000
"""Expenses looked at between two turns: about a millisecond."""
LOOKED_AT_MAX: Final = 20_000
"""Expenses that one search looks at: some 20 ms. With more, the page ends early and says where to go on."""
COSTLY_CHARACTERS: Final = 2
"""As many characters beyond ASCII as cost what looking at an expense costs: some become eighteen when they are folded,
so that long notes take eight milliseconds."""
BOOKS_READ_AT_ONCE: Final = 2
"""Books that are being read at the same time: each may be large, and each takes from the time of everybody."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An expense, and the seq of its creation, which is its place in the list."""

    place: int
    expense: Expense


@dataclass(slots=True, eq=False)
class _Book:
    seq: int = 0
    expenses: dict[str, Placed] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class ExpenseBooks:
    """Answers members; every method raises `NotFound` for anybody else."""

    def __init__(self, store: EventStore, groups: Groups, kept_max: int = EXPENSES_KEPT_MAX) -> None:
        self._store = store
        self._groups = groups
        self._kept_max = kept_max
        self._books: OrderedDict[str, _Book] = OrderedDict()
        self._reading = asyncio.Semaphore(BOOKS_READ_AT_ONCE)

    def kept(self) -> int:
        """Expenses in memory."""
        return sum(len(book.expenses) for book in self._books.values())

    async def search(
        self,
        group_id: str,
        user_id: str,
        where: ExpenseFilter,
        before: int | None,
        limit: int,
        *,
        with_deleted: bool = False,
    ) -> Page:
        """At most `limit` expenses that are looked for, newest first, made before the seq `before`.

        Looks at what costs as much as `LOOKED_AT_MAX` plain ones, so a page may be shorter, or empty, and not the last.
        """
        state = await self._groups.state_for(group_id, user_id, for_sure=True)
        matches = where.matcher(state.canonical)
        expenses = await self._read(state)
        end = len(expenses) if before is None else bisect_left(expenses, before, key=lambda it: it.place)
        found: list[Expense] = []
        async for placed, cost in _unhurried(expenses[:end][::-1]):
            if cost >= LOOKED_AT_MAX or len(found) == limit:
                return Page(tuple(found), placed.place + 1)
            if (with_deleted or placed.expense.deleted_at is None) and matches(placed.expense):
                found.append(placed.expense)
        return Page(tuple(found), None)

    async def statistics(
        self, group_id: str, user_id: str, date_from: str | None, date_to: str | None
    ) -> tuple[GroupState, Statistics]:
        """What was spent on the days from and to these, both included, and the group."""
        state = await self._groups.state_for(group_id, user_id, for_sure=True)
        is_in_time = ExpenseFilter(date_from=date_from, date_to=date_to).matcher(state.canonical)
        counting = Counting(user_id, state.canonical)
        async for placed, _ in _unhurried(await self._read(state)):
            if placed.expense.deleted_at is None and is_in_time(placed.expense):
                counting.add(placed.expense)
        return state, counting.result()

    async def _read(self, state: GroupState) -> Sequence[Placed]:
        """The group's expenses in order of creation, deleted ones too, at the state's seq or later."""
        book = self._books.get(state.group_id)
        if book is None:
            book = self._books[state.group_id] = _Book()
        self._books.move_to_end(state.group_id)
        try:
            async with book.lock, self._reading:
                await self._catch_up(book, state)
                expenses = tuple(book.expenses.values())
        except BaseException:
            self._forget(state.group_id, book)
            raise
        self._make_room()
        return expenses

    async def _catch_up(self, book: _Book, state: GroupState) -> None:
        while book.seq < state.seq:
            try:
                events = await self._store.read(state.group_id, book.seq, READ_AT_ONCE)
            except GroupErased:
                raise NotFound("there is no such group") from None
            if not events:
                return
            for recorded in events:
                thing = thing_of(recorded.event)
                if isinstance(thing, Expense):
                    known = book.expenses.get(thing.id)
                    place = recorded.seq if known is None else known.place
                    book.expenses[thing.id] = Placed(place, thing)
            book.seq = events[-1].seq
            await asyncio.sleep(0)

    def _forget(self, group_id: str, book: _Book) -> None:
        if self._books.get(group_id) is book:
            del self._books[group_id]

    def _make_room(self) -> None:
        """Let the books go that were longest not asked for, as long as there is too much in all of them."""
        kept = self.kept()
        while kept > self._kept_max or len(self._books) > BOOKS_KEPT_MAX:
            _, book = self._books.popitem(last=False)
            kept -= len(book.expenses)


async def _unhurried(expenses: Sequence[Placed]) -> AsyncIterator[tuple[Placed, int]]:
    """One after the other, with what those before it have cost, letting others have their turn."""
    cost, turn_ends_at = 0, LOOKED_AT_ONCE
    for placed in expenses:
        yield placed, cost
        cost += _cost(placed.expense)
        if cost >= turn_ends_at:
            turn_ends_at = cost + LOOKED_AT_ONCE
            await asyncio.sleep(0)


def _cost(expense: Expense) -> int:
    """What looking at it, and folding its texts, costs, as a number of plain expenses."""
    texts = (expense.description, expense.notes or "")
    return 1 + sum(len(text) // COSTLY_CHARACTERS for text in texts if not text.isascii())
