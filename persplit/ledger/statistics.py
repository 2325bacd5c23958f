"""What a group spent: by category, by member, by month; and one member's share beside what they paid. Pure.

Every sum is over expenses that count; payments between members are none. Refunds and income count as less than nothing.
Amounts in minor units.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from persplit.ledger.categories import category_key
from persplit.ledger.expense import Expense
from persplit.ledger.finding import Canonical

MONTH_LENGTH: Final = len("2026-11")


@dataclass(frozen=True, slots=True)
class CategoryTotal:
    """`category`: its key, or a free text as it was written first; None: expenses with none."""

    category: str | None
    count: int
    amount: int


@dataclass(frozen=True, slots=True)
class MemberTotal:
    """What somebody paid, and what fell to them; `count`: of expenses in which they have a part."""

    user_id: str
    count: int
    paid: int
    share: int


@dataclass(frozen=True, slots=True)
class MonthTotal:
    """`month`: YYYY-MM, by the day of the expense. `paid` and `share` are the asking member's."""

    month: str
    count: int
    amount: int
    paid: int
    share: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """Categories by amount, the largest first; members likewise by what they paid; months in order.

    `paid` and `share` are the asking member's. What all members paid, and what fell to all, is each the amount.
    """

    count: int
    amount: int
    paid: int
    share: int
    categories: tuple[CategoryTotal, ...]
    members: tuple[MemberTotal, ...]
    months: tuple[MonthTotal, ...]


@dataclass(slots=True)
class _Sum:
    count: int = 0
    amount: int = 0
    paid: int = 0
    share: int = 0


@dataclass
class Counting:
    """Adds expenses up, one by one."""

    me: str
    canonical: Canonical
    _all: _Sum = field(default_factory=_Sum)
    _categories: dict[str | None, _Sum] = field(default_factory=dict)
    _members: dict[str, _Sum] = field(default_factory=dict)
    _months: dict[str, _Sum] = field(default_factory=dict)

    def add(self, expense: Expense) -> None:
        """Count one that isn't deleted."""
        paid: dict[str, int] = {}
        share: dict[str, int] = {}
        sign = 1 if expense.spent > 0 else -1
        for legs, by_member in ((expense.payers, paid), (expense.shares, share)):
            for leg in legs:
                user_id = self.canonical(leg.user_id)
                by_member[user_id] = by_member.get(user_id, 0) + sign * leg.amount
        mine = paid.get(self.me, 0), share.get(self.me, 0)
        of_category = self._categories.setdefault(category_key(expense.category), _Sum())
        of_month = self._months.setdefault(expense.date[:MONTH_LENGTH], _Sum())
        for it in (self._all, of_category, of_month):
            _count(it, expense.spent, *mine)
        for user_id in paid.keys() | share.keys():
            of_member = self._members.setdefault(user_id, _Sum())
            _count(of_member, expense.spent, paid.get(user_id, 0), share.get(user_id, 0))

    def result(self) -> Statistics:
        """The sums so far."""
        categories = (CategoryTotal(key, it.count, it.amount) for key, it in self._categories.items())
        members = (MemberTotal(user_id, it.count, it.paid, it.share) for user_id, it in self._members.items())
        months = (
            MonthTotal(month, it.count, it.amount, it.paid, it.share) for month, it in self._months.items()
        )
        return Statistics(
            count=self._all.count,
            amount=self._all.amount,
            paid=self._all.paid,
            share=self._all.share,
            categories=tuple(sorted(categories, key=lambda it: (-it.amount, it.category or ""))),
            members=tuple(sorted(members, key=lambda it: (-it.paid, it.user_id))),
            months=tuple(sorted(months, key=lambda it: it.month)),
        )


def _count(it: _Sum, amount: int, paid: int, share: int) -> None:
    it.count += 1
    it.amount += amount
    it.paid += paid
    it.share += share


def statistics_of(expenses: Iterable[Expense], me: str, canonical: Canonical) -> Statistics:
    """The statistics of these expenses, deleted ones left out, as `me` sees them."""
    counting = Counting(me, canonical)
    for expense in expenses:
        if expense.deleted_at is None:
            counting.add(expense)
    return counting.result()
