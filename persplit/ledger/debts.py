"""Who owes whom, pairwise and netted.

`Debts` maps debtor → creditor → minor units. It holds what is true of it by construction: every amount is
positive, a pair stands in one direction only, nobody owes themself, and nothing empty is kept.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from persplit.ledger.expense import Expense, ExpenseKind

Debt: TypeAlias = tuple[str, str, int]
"""(debtor, creditor, minor units)"""

Debts: TypeAlias = Mapping[str, Mapping[str, int]]


def rows(debts: Debts) -> Iterator[Debt]:
    """Every debt, in order of debtor and creditor."""
    for debtor in sorted(debts):
        for creditor in sorted(debts[debtor]):
            yield debtor, creditor, debts[debtor][creditor]


def of_one(debts: Iterable[Debt], user_id: str) -> Iterator[tuple[str, int]]:
    """The other one of each debt of the person, and what they owe the person: less than nothing for the reverse."""
    for debtor, creditor, amount in debts:
        if user_id in (debtor, creditor):
            yield (debtor, amount) if creditor == user_id else (creditor, -amount)


def with_debts(debts: Debts, added: Iterable[Debt]) -> Debts:
    """`debts` with more of them, netted. A negative amount takes a debt back; nothing is changed in place."""
    fresh: dict[str, dict[str, int]] = {}
    for debtor, creditor, amount in added:
        if debtor == creditor:
            continue
        owed, owing = _row(fresh, debts, debtor), _row(fresh, debts, creditor)
        net = owed.pop(creditor, 0) - owing.pop(debtor, 0) + amount
        if net > 0:
            owed[creditor] = net
        elif net < 0:
            owing[debtor] = -net
    return {debtor: owed for debtor, owed in {**debts, **fresh}.items() if owed}


def _row(fresh: dict[str, dict[str, int]], debts: Debts, debtor: str) -> dict[str, int]:
    """What the debtor owes to whom, copied before the first change."""
    row = fresh.get(debtor)
    if row is None:
        row = fresh[debtor] = dict(debts.get(debtor, {}))
    return row


def net_of(expense: Expense) -> dict[str, int]:
    """Each person's paid less owed in one expense, minor units; sums to zero. Received money counts the other way."""
    given, taken = expense.payers, expense.shares
    if expense.kind is not ExpenseKind.EXPENSE:
        given, taken = taken, given
    net: dict[str, int] = {}
    for posting in given:
        net[posting.user_id] = net.get(posting.user_id, 0) + posting.amount
    for posting in taken:
        net[posting.user_id] = net.get(posting.user_id, 0) - posting.amount
    return net


def debts_of(expense: Expense) -> Sequence[Debt]:
    """The debts that one expense makes.

    Who got more than they paid owes those who paid more than they got, in proportion to what each of them is
    over. Each debtor's row is rounded by largest remainder within what the creditors still lack, so both the
    rows and the columns add up exactly.
    """
    return debts_from(net_of(expense))


def debts_from(net: Mapping[str, int]) -> Sequence[Debt]:
    """The same, from each person's paid less owed; sums to zero."""
    lacking = {user: amount for user, amount in sorted(net.items()) if amount > 0}
    debtors = sorted((user, -amount) for user, amount in net.items() if amount < 0)
    if len(lacking) == 1:
        (creditor,) = lacking
        return [(debtor, creditor, amount) for debtor, amount in debtors]
    made: list[Debt] = []
    for debtor, amount in debtors:
        for creditor, part in _proportional(amount, lacking).items():
            made.append((debtor, creditor, part))
            lacking[creditor] -= part
    return made


def _proportional(amount: int, capacity: Mapping[str, int]) -> dict[str, int]:
    """`amount` ≤ the capacities' sum, divided in proportion to them, none exceeded.

    A floor below an exact part that isn't whole leaves room for one more unit, so rounding up never exceeds a
    capacity, which is whole.
    """
    total = sum(capacity.values())
    parts = {user: amount * room // total for user, room in capacity.items()}
    ranked = sorted(capacity, key=lambda user: (-(amount * capacity[user] % total), user))
    for user in ranked[: amount - sum(parts.values())]:
        parts[user] += 1
    return {user: part for user, part in parts.items() if part}


def handed_over(debts: Debts, user_id: str) -> Sequence[Debt]:
    """What takes somebody who is at zero out of the middle: their debtors owe their creditors instead.

    Returns the debts to add (negative ones take back); no balance changes. In order of user id, largest part
    first come first served. Does nothing for who has no debts.
    """
    owing = dict(sorted(debts.get(user_id, {}).items()))
    made: list[Debt] = []
    for debtor, creditor, owed in list(rows(debts)):
        left = owed if creditor == user_id else 0
        for heir in list(owing):
            part = min(left, owing[heir])
            if part:
                made += [(debtor, user_id, -part), (user_id, heir, -part), (debtor, heir, part)]
                left -= part
                owing[heir] -= part
    return made


def renamed(debts: Debts, old_id: str, new_id: str) -> Sequence[Debt]:
    """What moves all debts of `old_id` to `new_id`, as debts to add."""
    made: list[Debt] = []
    for debtor, creditor, amount in rows(debts):
        if old_id in (debtor, creditor):
            moved = (new_id, creditor, amount) if debtor == old_id else (debtor, new_id, amount)
            made += [(debtor, creditor, -amount), moved]
    return made
