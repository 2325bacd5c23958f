"""The settle-up plan: the fewest payments that bring every balance to zero.

The fewest payments = people with a non-zero balance − the most groups summing to zero ("parts") that they can be
cut into: a part of k people settles in k − 1 payments, and payments that connect people make parts of them.
(Verhoeff, "Settling multiple debts efficiently", 2004.) Finding the most parts is NP-hard; at the size of a
group of friends it is exact here, and `Plan.optimal` says when that could not be proven.

    1  exact opposites pay each other: always right, see `_opposites`
    2  parts of the others, found by `most_parts`: zero-sum sets by size, then a search for the most disjoint ones
    3  inside each part the largest debtor pays the largest creditor

Everything counts steps, not time, so that the same balances give the same plan on every machine and node. What may
take long comes in two forms: at once, and in slices, for a loop that has others to serve meanwhile.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import combinations_with_replacement, islice
from math import isqrt
from typing import Final, TypeAlias

from persplit.ledger.parts import EXACT_PEOPLE_MAX, most_parts, parts_bound
from persplit.ledger.slices import Budget, BudgetSpent, Work, at_once

PLAN_BUDGET_STEPS: Final = 100_000
"""What one plan may cost, in steps of 0.2 to 0.4 µs (more where the processor is shared): 20 to 40 ms.

All 24-people instances that `scripts/benchmarks/plan.py` made so far were exact within it: of 800 trips half took less
than 6 thousand steps, one in a hundred more than 20 thousand, the hardest 28 thousand."""

_STEPS_A_PAIR: Final = 3
"""Making a pair, and looking for who makes three or four of it; of so many people that the half of the steps that are
left suffices."""

_STEPS_A_LOOK: Final = 8
"""Looking whether a set of three or four is still there."""

PLANS_KNOWN_MAX: Final = 256
"""Plans that are remembered by their balances: a group is planned from the same ones again after each payment. A few
kilobytes each."""

_STEPS_WORTH_KNOWING: Final = 1_000
"""What costs less is worked out again."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """One suggested payment; never stored as a fact.

    `amount` is in minor units and positive.
    """

    from_id: str
    to_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Who should pay whom; `optimal` only if it is proven that fewer transfers are impossible."""

    transfers: tuple[Transfer, ...]
    optimal: bool


_Asked: TypeAlias = tuple[int, frozenset[tuple[str, int]]]

_KNOWN: Final[dict[_Asked, Plan]] = {}


def settle_up_in_slices(balances: Mapping[str, int], budget_steps: int = PLAN_BUDGET_STEPS) -> Work[Plan]:
    """The plan with the fewest transfers, or a good one where the budget ends before the proof.

    Whoever is owed only receives, whoever owes only pays, and a pair has one row at most. Rows are in order of
    payer and receiver.

    Args:
        balances: user id → minor units, positive is owed to them. In any order: the plan doesn't depend on it.
        budget_steps: bounds the work; never more than this is spent.

    Raises:
        ValueError: the balances do not sum to zero, so no plan exists.

    """
    if sum(balances.values()):
        raise ValueError("balances must sum to zero")
    key = (budget_steps, frozenset(balances.items()))
    known = _KNOWN.get(key)
    if known is not None:
        return known
    budget = Budget(budget_steps)
    rows, fewest = yield from _settled(balances, budget)
    if len(rows) > fewest:
        # Packing early what looks good can cost more than it saves; never be worse than the obvious plan.
        rows = min(rows, list(_largest_first(balances)), key=len)
    rows.sort(key=lambda row: (row.from_id, row.to_id))
    plan = Plan(tuple(rows), optimal=len(rows) == fewest)
    if budget_steps - budget.left >= _STEPS_WORTH_KNOWING:
        _remember(key, plan)
    return plan


settle_up = at_once(settle_up_in_slices)


def _settled(balances: Mapping[str, int], budget: Budget) -> Work[tuple[list[Transfer], int]]:
    """Transfers that settle the balances, and a number of transfers below which nobody can."""
    pairs, others = _opposites(balances)
    if len(others) > EXACT_PEOPLE_MAX:
        early, loose = yield from _thinned(others, budget)
        late, _ = yield from _settled(loose, budget)
        rows = early + late
        most = parts_bound(others.values())
    else:
        parts, most = yield from most_parts(sorted(others.values()), budget)
        rows = list(_by_parts(others, parts))
    return pairs + rows, len(pairs) + len(others) - most


def _remember(key: _Asked, plan: Plan) -> None:
    if len(_KNOWN) >= PLANS_KNOWN_MAX:
        for oldest in list(_KNOWN)[: PLANS_KNOWN_MAX // 2]:
            _KNOWN.pop(oldest, None)
    _KNOWN[key] = plan


def rows_after(rows: tuple[Transfer, ...], paid: Transfer) -> tuple[Transfer, ...] | None:
    """The rows of a plan after a payment that follows it: only the payment's own row shrinks or goes.

    Returns None when the payment does not follow the plan (no such row, or more than it asks for): then the
    balances ask for a new plan.
    """
    row = next((row for row in rows if (row.from_id, row.to_id) == (paid.from_id, paid.to_id)), None)
    if row is None or not 0 < paid.amount <= row.amount:
        return None
    if paid.amount == row.amount:
        return tuple(other for other in rows if other is not row)
    shrunk = Transfer(row.from_id, row.to_id, row.amount - paid.amount)
    return tuple(shrunk if other is row else other for other in rows)


def rest_of_in_slices(plan: Plan, rows: tuple[Transfer, ...]) -> Work[Plan]:
    """The plan that payments left these `rows` of: what it says of itself now."""
    if not plan.optimal:
        return Plan(rows, optimal=len(rows) == _transfers_bound(rows))
    # If rows that are still whole could be settled in fewer, then those and the ones paid had settled all in fewer
    # too. What is left of one that shrank may happen to be some other balances' opposite.
    if set(rows) <= set(plan.transfers):
        return Plan(rows, optimal=True)
    return Plan(rows, optimal=(yield from _is_fewest(rows)))


rest_of = at_once(rest_of_in_slices)


def pairwise_plan_in_slices(debts: Iterable[tuple[str, str, int]]) -> Work[Plan]:
    """Every debt as a row, for groups that don't want their debts rearranged.

    Args:
        debts: (debtor, creditor, minor units): positive, netted, one a pair. Rows keep their order.

    Returns:
        `optimal` says here what it always says: whether no plan whatsoever has fewer transfers.

    """
    rows = tuple(Transfer(*debt) for debt in debts)
    return Plan(rows, optimal=(yield from _is_fewest(rows)))


pairwise_plan = at_once(pairwise_plan_in_slices)


# What a plan says of itself


def _settled_by(rows: Iterable[Transfer]) -> dict[str, int]:
    """The balances that these transfers bring to zero, zeros left out."""
    balances: Counter[str] = Counter()
    for row in rows:
        balances[row.to_id] += row.amount
        balances[row.from_id] -= row.amount
    return {user: amount for user, amount in balances.items() if amount}


def _transfers_bound(rows: Iterable[Transfer]) -> int:
    """A number of transfers below which nobody can settle what these rows settle; cheap, not always reached."""
    pairs, others = _opposites(_settled_by(rows))
    return len(pairs) + len(others) - parts_bound(others.values())


def _is_fewest(rows: Sequence[Transfer]) -> Work[bool]:
    """Whether these rows are proven to be as few as possible."""
    balances = _settled_by(rows)
    if len(rows) > max(len(balances) - 1, 0):
        return False  # one part of everybody already needs fewer: no search
    fewest = yield from settle_up_in_slices(balances)
    return fewest.optimal and len(fewest.transfers) == len(rows)


# Steps 1 and 3: people


def _opposites(balances: Mapping[str, int]) -> tuple[list[Transfer], dict[str, int]]:
    """Who owes exactly what another is owed pays them; and the others' balances, none zero, in order of id.

    This never costs a part: where +a and −a stand in two parts, what is left of the two sums to zero together, so
    the pair and that are two parts again.
    """
    waiting = _by_amount(balances)
    pairs: list[Transfer] = []
    for amount in sorted(amount for amount in waiting if amount > 0 and -amount in waiting):
        creditors, debtors = waiting[amount], waiting[-amount]
        while creditors and debtors:
            pairs.append(Transfer(debtors.pop(), creditors.pop(), amount))
    left = sorted((user, amount) for amount, users in waiting.items() if amount for user in users)
    return pairs, dict(left)


def _by_parts(balances: Mapping[str, int], parts: Iterable[Sequence[int]]) -> Iterator[Transfer]:
    """The transfers that settle each part (of people with these balances) by itself, then those in no part."""
    loose = dict(balances)
    for part in _people_of(parts, balances):
        for user in part:
            del loose[user]
        yield from _largest_first(part)
    yield from _largest_first(loose)


def _people_of(parts: Iterable[Sequence[int]], balances: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """The same parts with people in them; who has the same balance comes in order of id."""
    waiting = _by_amount(balances)
    for part in parts:
        yield {waiting[amount].pop(): amount for amount in part}


def _by_amount(balances: Mapping[str, int]) -> dict[int, list[str]]:
    """Balance → who has it, to be popped in order of id."""
    waiting: dict[int, list[str]] = {}
    for user, amount in sorted(balances.items(), reverse=True):
        waiting.setdefault(amount, []).append(user)
    return waiting


def _largest_first(balances: Mapping[str, int]) -> Iterator[Transfer]:
    """The largest debtor pays the largest creditor until nobody is left; ties go by id.

    Each transfer settles one of the two for good: there are fewer transfers than people, no pair comes twice, and
    nobody who owes ever receives.
    """
    creditors = [(-amount, user) for user, amount in balances.items() if amount > 0]
    debtors = [(amount, user) for user, amount in balances.items() if amount < 0]
    heapify(creditors)
    heapify(debtors)
    while creditors:
        credit, creditor = heappop(creditors)
        debt, debtor = heappop(debtors)
        amount = min(-credit, -debt)
        yield Transfer(debtor, creditor, amount)
        if -credit > amount:
            heappush(creditors, (credit + amount, creditor))
        if -debt > amount:
            heappush(debtors, (debt + amount, debtor))


# Large groups


def _thinned(balances: Mapping[str, int], budget: Budget) -> Work[tuple[list[Transfer], dict[str, int]]]:
    """Transfers that leave few enough people for the exact search, and the balances of those.

    First zero-sum sets of three and four, as many as one greedy pass finds, then as `_largest_first` goes.
    """
    loose = dict(balances)
    early: list[Transfer] = []
    parts = yield from _small_sets(Counter(balances.values()), budget)
    for part in _people_of(parts, balances):
        early += _largest_first(part)
        for user in part:
            del loose[user]
    surplus = max(len(loose) - EXACT_PEOPLE_MAX, 0)
    for row in list(islice(_largest_first(loose), surplus)):
        early.append(row)
        loose[row.from_id] += row.amount
        loose[row.to_id] -= row.amount
    return early, {user: amount for user, amount in loose.items() if amount}


def _small_sets(counts: Counter[int], budget: Budget) -> Work[list[tuple[int, ...]]]:
    """Disjoint zero-sum sets of three and four that a greedy pass finds, for half of the budget at most.

    Args:
        counts: balance → how many people have it; no exact opposites.
        budget: the other half is left for the exact search.

    """
    loose, taken = dict(counts), list[tuple[int, ...]]()
    half = budget.left // 2
    with suppress(BudgetSpent), budget.only(half):
        for part in _threes_and_fours(loose, budget):
            budget.spend(_STEPS_A_LOOK)
            if budget.is_slice_over():
                yield
            while _has(loose, part):
                taken.append(part)
                for amount in part:
                    loose[amount] -= 1
    return taken


def _threes_and_fours(loose: Mapping[int, int], budget: Budget) -> Iterator[tuple[int, ...]]:
    """What may be zero-sum sets in what is loose when it is their turn: two against one, then two against two.

    If there are too many pairs, the largest balances are left out: small ones are likelier to sum to zero.
    """
    reach = isqrt(budget.left // (2 * _STEPS_A_PAIR))
    owed = _pairs(sorted(amount for amount in loose if amount > 0)[:reach])
    owing = _pairs(sorted((amount for amount in loose if amount < 0), reverse=True)[:reach])
    for pairs in (owed, owing):
        budget.spend(_STEPS_A_PAIR * len(pairs))
        for one, other in pairs:
            if -one - other in loose:
                yield (-one - other, one, other)
    by_sum: dict[int, list[tuple[int, int]]] = {}
    for pair in owed:
        by_sum.setdefault(sum(pair), []).append(pair)
    for pair in owing:
        for others in by_sum.get(-sum(pair), ()):
            yield (*pair, *others)
            if not _has(loose, pair):
                break


def _pairs(amounts: Iterable[int]) -> list[tuple[int, int]]:
    return list(combinations_with_replacement(amounts, 2))


def _has(loose: Mapping[int, int], part: tuple[int, ...]) -> bool:
    return all(loose.get(amount, 0) >= part.count(amount) for amount in part)
