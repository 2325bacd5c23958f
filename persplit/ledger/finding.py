"""Which expenses somebody is looking for: the same rule on the server and on a device. Pure."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from persplit.ledger.categories import category_key
from persplit.ledger.expense import Expense

TEXT_LENGTH_MAX: Final = 100
"""Of what is looked for: a few words."""

Canonical: TypeAlias = Callable[[str], str]
"""From a user id to that of who claimed the placeholder."""


def folded(text: str) -> str:
    """The text as it is compared: without case, and with letters of one shape alike."""
    return unicodedata.normalize("NFKC", text).casefold()


@dataclass(frozen=True, slots=True)
class ExpenseFilter:
    """None: whatever it is. All that is given has to hold; bounds are included.

    Args:
        text: each of its words is somewhere in the description or the notes, in any case.
        member: who paid or has a share.
        payer: who paid.
        category: a key, a name or another word for it, or a free text.
        amount_min, amount_max: minor units.
        date_from, date_to: days of the expense, YYYY-MM-DD.

    """

    text: str | None = None
    member: str | None = None
    payer: str | None = None
    category: str | None = None
    amount_min: int | None = None
    amount_max: int | None = None
    date_from: str | None = None
    date_to: str | None = None

    def matcher(self, canonical: Canonical) -> Callable[[Expense], bool]:
        """Whether an expense is looked for, in a group whose placeholders were claimed so."""
        checks = [*self._amounts(), *self._people(canonical), *self._words()]
        return lambda expense: all(check(expense) for check in checks)

    def _amounts(self) -> list[Callable[[Expense], bool]]:
        low, high, begin, end = self.amount_min, self.amount_max, self.date_from, self.date_to
        checks: list[Callable[[Expense], bool]] = []
        if low is not None:
            checks.append(lambda it: it.amount >= low)
        if high is not None:
            checks.append(lambda it: it.amount <= high)
        if begin is not None:
            checks.append(lambda it: it.date >= begin)
        if end is not None:
            checks.append(lambda it: it.date <= end)
        return checks

    def _people(self, canonical: Canonical) -> list[Callable[[Expense], bool]]:
        checks: list[Callable[[Expense], bool]] = []
        if self.payer is not None:
            payer = canonical(self.payer)
            checks.append(lambda it: any(canonical(leg.user_id) == payer for leg in it.payers))
        if self.member is not None:
            member = canonical(self.member)
            checks.append(
                lambda it: any(canonical(leg.user_id) == member for leg in (*it.payers, *it.shares))
            )
        return checks

    def _words(self) -> list[Callable[[Expense], bool]]:
        checks: list[Callable[[Expense], bool]] = []
        if self.category is not None:
            wanted = folded(category_key(self.category) or "")
            checks.append(lambda it: folded(category_key(it.category) or "") == wanted)
        if self.text is not None:
            words = folded(self.text).split()
            checks.append(lambda it: _has_all(words, folded(f"{it.description}\n{it.notes or ''}")))
        return checks


def _has_all(words: list[str], text: str) -> bool:
    return all(word in text for word in words)
