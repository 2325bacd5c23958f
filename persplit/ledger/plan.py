"""The settle-up plan: the fewest payments that bring every balance to zero.

The fewest payments = people with a non-zero balance − the most groups summing to zero ("parts") that they can be
cut into: a part of k people settles in k − 1 payments, and payments that connect people make parts of them.
(Verhoeff, "Settling multiple debts efficiently", 2004.) Finding the most parts is NP-hard; at the size of a
group of friends it is exact here, and `Plan.optimal` says when that could not be proven.

    1  exact opposites pay each other: always right, see `_opposites`
    2  parts of the others, found by `_most_parts`: zero-sum sets by size, then a search for the most disjoint ones
    3  inside each part the largest debtor pays the largest creditor

Everything counts steps, not time, so that the same balances give the same plan on every machine and node.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import chain, combinations_with_replacement, groupby, islice
from math import isqrt, lcm
from typing import Final

PLAN_BUDGET_STEPS: Final = 300_000
"""What one plan may cost, in steps of about 0.15 µs: some 50 ms.

All 24-people instances that `scripts/bench/plan.py` made so far were exact within it, ordinary ones in 5 to 30
thousand steps, the hardest of 20,000 in 240 thousand."""

EXACT_PEOPLE_MAX: Final = 32
"""More people than this, exact opposites aside, are first thinned out by `_thinned`: halves of 16 still fit the
budget, and beyond, proofs no longer do."""

_SMALLEST_PART: Final = 3
"""Without exact opposites, fewer people than this never sum to zero."""

_WEIGHT: Final = lcm(*range(1, EXACT_PEOPLE_MAX + 1))
"""One part, in units that every size of part divides: a person in a part of k weighs `_WEIGHT // k`."""

_STEPS_A_SET: Final = 40
"""Filing one zero-sum set costs as much as that many half-sums."""

_STEPS_A_VALUE: Final = 5
"""Weighing one balance's sets at one place of the search, likewise."""

_STEPS_A_LOOK: Final = 8
"""Looking whether a set of three or four is still there, likewise."""


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


def settle_up(balances: Mapping[str, int], budget_steps: int = PLAN_BUDGET_STEPS) -> Plan:
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
    rows, fewest = _settled(balances, _Budget(budget_steps))
    if len(rows) > fewest:
        # Packing early what looks good can cost more than it saves; never be worse than the obvious plan.
        rows = min(rows, list(_largest_first(balances)), key=len)
    rows.sort(key=lambda row: (row.from_id, row.to_id))
    return Plan(tuple(rows), optimal=len(rows) == fewest)


def _settled(balances: Mapping[str, int], budget: "_Budget") -> tuple[list[Transfer], int]:
    """Transfers that settle the balances, and a number of transfers below which nobody can."""
    pairs, others = _opposites(balances)
    if len(others) > EXACT_PEOPLE_MAX:
        early, loose = _thinned(others, budget)
        rows = early + _settled(loose, budget)[0]
        most = _parts_bound(others.values())
    else:
        parts, most = _most_parts(sorted(others.values()), budget)
        rows = list(_by_parts(others, parts))
    return pairs + rows, len(pairs) + len(others) - most


def after_payment(plan: Plan, paid: Transfer) -> Plan | None:
    """The plan after a payment that follows it: only the payment's own row shrinks or goes.

    Returns None when the payment does not follow the plan (no such row, or more than it asks for): then the
    balances ask for a new plan.
    """
    row = next(
        (row for row in plan.transfers if (row.from_id, row.to_id) == (paid.from_id, paid.to_id)), None
    )
    if row is None or not 0 < paid.amount <= row.amount:
        return None
    if paid.amount == row.amount:
        rows = tuple(other for other in plan.transfers if other is not row)
        # If the rest could be settled in fewer rows, then those and this one had settled the whole in fewer too:
        # an optimal plan stays optimal.
        return Plan(rows, optimal=plan.optimal or len(rows) == _transfers_bound(rows))
    shrunk = Transfer(row.from_id, row.to_id, row.amount - paid.amount)
    rows = tuple(shrunk if other is row else other for other in plan.transfers)
    # What is left may happen to be some other balances' opposite, and then one transfer fewer is possible.
    return Plan(rows, optimal=_is_fewest(rows) if plan.optimal else len(rows) == _transfers_bound(rows))


def pairwise_plan(debts: Iterable[tuple[str, str, int]]) -> Plan:
    """Every debt as a row, for groups that don't want their debts rearranged.

    Args:
        debts: (debtor, creditor, minor units): positive, netted, one a pair. Rows keep their order.

    Returns:
        `optimal` says here what it always says: whether no plan whatsoever has fewer transfers.

    """
    rows = tuple(Transfer(*debt) for debt in debts)
    return Plan(rows, optimal=_is_fewest(rows))


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
    return len(pairs) + len(others) - _parts_bound(others.values())


def _is_fewest(rows: Sequence[Transfer]) -> bool:
    """Whether these rows are proven to be as few as possible."""
    balances = _settled_by(rows)
    if len(rows) > max(len(balances) - 1, 0):
        return False  # one part of everybody already needs fewer: no search
    fewest = settle_up(balances)
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


def _thinned(balances: Mapping[str, int], budget: "_Budget") -> tuple[list[Transfer], dict[str, int]]:
    """Transfers that leave few enough people for the exact search, and the balances of those.

    First zero-sum sets of three and four, as many as one greedy pass finds, then as `_largest_first` goes.
    """
    loose = dict(balances)
    early: list[Transfer] = []
    for part in _people_of(_small_sets(Counter(balances.values()), budget), balances):
        early += _largest_first(part)
        for user in part:
            del loose[user]
    surplus = max(len(loose) - EXACT_PEOPLE_MAX, 0)
    for row in list(islice(_largest_first(loose), surplus)):
        early.append(row)
        loose[row.from_id] += row.amount
        loose[row.to_id] -= row.amount
    return early, {user: amount for user, amount in loose.items() if amount}


def _small_sets(counts: Counter[int], budget: "_Budget") -> list[tuple[int, ...]]:
    """Disjoint zero-sum sets of three and four that a greedy pass finds, for half of the budget at most.

    Args:
        counts: balance → how many people have it; no exact opposites.
        budget: the other half is left for the exact search.

    """
    loose, taken = dict(counts), list[tuple[int, ...]]()
    half = _Budget(budget.left // 2)
    budget.left -= half.left
    with suppress(_BudgetSpent):
        for part in _threes_and_fours(loose, half):
            taken.append(part)
            for amount in part:
                loose[amount] -= 1
    budget.left += half.left
    return taken


def _threes_and_fours(loose: Mapping[int, int], budget: "_Budget") -> Iterator[tuple[int, ...]]:
    """Zero-sum sets in what is loose when it is their turn: two against one, then two against two.

    Who takes one makes its people not loose. If there are too many pairs, the largest balances are left out: small
    ones are likelier to sum to zero.
    """
    reach = isqrt(budget.left // (2 * _STEPS_A_LOOK))
    owed = _pairs(sorted(amount for amount in loose if amount > 0)[:reach])
    owing = _pairs(sorted((amount for amount in loose if amount < 0), reverse=True)[:reach])
    by_sum: dict[int, list[tuple[int, int]]] = {}
    for pair in owed:
        by_sum.setdefault(sum(pair), []).append(pair)
    for pair in owed + owing:
        budget.spend(_STEPS_A_LOOK)
        while _has(loose, three := (-sum(pair), *pair)):
            yield three
    for pair in owing:
        for others in by_sum.get(-sum(pair), ()):
            budget.spend(_STEPS_A_LOOK)
            while _has(loose, four := (*pair, *others)):
                yield four
            if not _has(loose, pair):
                break


def _pairs(amounts: Iterable[int]) -> list[tuple[int, int]]:
    return list(combinations_with_replacement(amounts, 2))


def _has(loose: Mapping[int, int], part: tuple[int, ...]) -> bool:
    return all(loose.get(amount, 0) >= part.count(amount) for amount in part)


# Step 2: the most disjoint zero-sum parts


class _BudgetSpent(Exception):
    """The search has to stop where it is."""


@dataclass(slots=True)
class _Budget:
    """Steps that are left for one plan."""

    left: int

    def spend(self, steps: int) -> None:
        """Ask before doing what costs so many steps.

        Raises:
            _BudgetSpent: that is more than is left; nothing is spent.

        """
        if steps > self.left:
            raise _BudgetSpent
        self.left -= steps


def _parts_bound(amounts: Collection[int]) -> int:
    """No more zero-sum parts than this without exact opposites: each has three people, and both signs."""
    creditors = sum(1 for amount in amounts if amount > 0)
    return min(len(amounts) // _SMALLEST_PART, creditors, len(amounts) - creditors)


def _most_parts(amounts: Sequence[int], budget: _Budget) -> tuple[list[tuple[int, ...]], int]:
    """All parts but one (the rest is zero-sum by itself) of the best division found, and a bound on the parts.

    Where the search was completed, the bound is reached. Zero-sum sets are made in order of size. In a division
    into `most` parts when more are known to be impossible, no part contains a smaller zero-sum set, and all
    but the largest have few people (`size_max`): when the sets up to that size are known, it is found or refuted.
    (A set inside another could be a part by itself, and what it leaves of the other joins the largest part.)

    Args:
        amounts: balances, ascending, none zero, no exact opposites, summing to zero.
        budget: what may be spent.

    """
    most = _parts_bound(amounts)
    packing = _Packing.of(amounts)
    pool = _Pool(packing)
    sums = _ZeroSums(amounts, packing)
    try:
        for size in range(_SMALLEST_PART, len(amounts) // 2 + 1):
            pool.fill(sums.of_size(size, budget), size, most - 1, budget)
            if len(pool.best) >= most - 1:
                break
            most = min(most, pool.parts_bound(size))
            while len(pool.best) < most - 1 and pool.size_max(most, size) <= size:
                most -= not pool.search(most, budget)
    except _BudgetSpent:
        pool.pack()
    return [pool.amounts_of(index) for index in pool.best], most


@dataclass(frozen=True, slots=True)
class _Packing:
    """How a multiset of balances is one int, so that joining two of them is one addition.

    Lowest is how many people with each of `values` are in it, in fields of `width` bits; above that the sum of
    their balances, which may be negative. A field can't overflow: `people` is how many there are in all.
    """

    values: tuple[int, ...]
    people: tuple[int, ...]
    width: int

    @classmethod
    def of(cls, amounts: Iterable[int]) -> "_Packing":
        """The packing for subsets of these balances."""
        counts = sorted(Counter(amounts).items())
        people = tuple(count for _, count in counts)
        return cls(tuple(value for value, _ in counts), people, max(people, default=0).bit_length())

    def one(self, amount: int) -> int:
        """One person with this balance."""
        return (amount << self.sum_place) + (1 << self.values.index(amount) * self.width)

    @property
    def sum_place(self) -> int:
        """How far to the right the sum has to be shifted to be an int by itself."""
        return len(self.values) * self.width

    def counts_of(self, packed: int) -> tuple[int, ...]:
        """How many people with each of `values`."""
        field = (1 << self.width) - 1
        return tuple(packed >> place * self.width & field for place in range(len(self.values)))


class _Half:
    """The multisets over half of the balances, by size, made when first asked for."""

    def __init__(self, amounts: Sequence[int], packing: _Packing) -> None:
        self._packing = packing
        self._ones = [packing.one(amount) for amount in amounts]
        # Those of the largest size so far, by the place of their last person, after those with nobody. Of people
        # with equal balances a later one only follows the one before, so that each multiset is made once.
        self._by_last: list[list[int]] = [[0], *([] for _ in amounts)]
        self._by_sum: list[dict[int, list[int]]] = [{0: [0]}]

    def of_size(self, size: int, budget: _Budget) -> dict[int, list[int]]:
        """Sum → the packed multisets of that many people."""
        while len(self._by_sum) <= size:
            self._grow(budget)
        return self._by_sum[size]

    def _grow(self, budget: _Budget) -> None:
        """Make the next size: one more person after the last one."""
        grown: list[list[int]] = [[]]
        shorter: list[int] = []
        for place, one in enumerate(self._ones):
            shorter += self._by_last[place]
            repeated = place > 0 and self._ones[place - 1] == one
            before = self._by_last[place] if repeated else shorter
            budget.spend(len(before))
            grown.append([packed + one for packed in before])
        by_sum: dict[int, list[int]] = {}
        sum_place = self._packing.sum_place
        for packed in chain.from_iterable(grown):
            by_sum.setdefault(packed >> sum_place, []).append(packed)
        self._by_last = grown
        self._by_sum.append(by_sum)


class _ZeroSums:
    """The zero-sum multisets of the balances, by meeting in the middle: a half's sum is the other's opposite."""

    def __init__(self, amounts: Sequence[int], packing: _Packing) -> None:
        halves: tuple[list[int], list[int]] = ([], [])
        for _, equal in groupby(amounts):
            min(halves, key=len).extend(equal)
        self._halves = [_Half(half, packing) for half in halves]

    def of_size(self, size: int, budget: _Budget) -> Iterator[int]:
        """Each of them once, packed; always in the same order."""
        first, second = self._halves
        for part in range(size + 1):
            ours, theirs = first.of_size(part, budget), second.of_size(size - part, budget)
            budget.spend(len(ours))
            for total in [total for total in ours if -total in theirs]:
                for packed in ours[total]:
                    yield from [packed + other for other in theirs[-total]]


class _Pool:
    """Zero-sum sets to choose parts from, and the search for the most disjoint ones.

    Only sets that contain no smaller one are kept. A set of sets is one int, bit `index` for each: choosing a
    part strikes out all that it leaves too few people for in one operation a balance.
    """

    def __init__(self, packing: _Packing) -> None:
        self._packing = packing
        self._people = packing.people
        self._sets: list[tuple[tuple[int, int], ...]] = []  # index → (place of a balance, how many people)
        self._sizes: list[int] = []  # index → people; ascending
        # place → n → the sets that take more than n people with that balance
        self._needing = [[0] * (count + 1) for count in packing.people]
        # Number of people → the sets with that many creditors, and with that many debtors.
        self._with_creditors = [0] * (sum(packing.people) + 1)
        self._with_debtors = [0] * (sum(packing.people) + 1)
        self.best: list[int] = []

    def fill(self, sets: Iterable[int], size: int, wanted: int, budget: _Budget) -> None:
        """File all sets of this size, in order of size, or until so many disjoint ones are at hand."""
        due = 0
        for packed in sets:
            if len(self._sets) >= due:
                self.pack()
                if len(self.best) >= wanted:
                    return
                due = 2 * len(self._sets) + 1
            self._add(packed, size, budget)
        self.pack()

    def _add(self, packed: int, size: int, budget: _Budget) -> None:
        """File a set unless it contains a smaller one: that takes more than it of no balance."""
        budget.spend(_STEPS_A_SET)
        counts = self._packing.counts_of(packed)
        larger = 0
        for needing, count in zip(self._needing, counts, strict=True):
            larger |= needing[count]
        if larger != self._all():
            return
        bit = 1 << len(self._sets)
        self._sets.append(tuple((place, count) for place, count in enumerate(counts) if count))
        self._sizes.append(size)
        for place, count in self._sets[-1]:
            for fewer in range(count):
                self._needing[place][fewer] |= bit
        creditors = sum(count for place, count in self._sets[-1] if self._packing.values[place] > 0)
        self._with_creditors[creditors] |= bit
        self._with_debtors[size - creditors] |= bit

    def amounts_of(self, index: int) -> tuple[int, ...]:
        """The balances of a set's people."""
        return tuple(self._packing.values[place] for place, count in self._sets[index] for _ in range(count))

    def parts_bound(self, size: int) -> int:
        """No more parts than this, where all sets up to `size` are known.

        A part of k people gives each 1/k, in total one part. Nobody gets more than in their smallest set, and who
        is in no set so far gets less than 1/size.
        """
        weights = 0
        for needing, count in zip(self._needing, self._people, strict=True):
            smallest = self._sizes[_lowest(needing[0])] if needing[0] else size + 1
            weights += count * (_WEIGHT // smallest)
        return weights // _WEIGHT

    def size_max(self, parts: int, size: int) -> int:
        """No part but the largest has more people than this, where there are so many parts.

        The others have as many as the smallest set at least (more than `size` where none is known).
        """
        smallest = self._sizes[0] if self._sizes else size + 1
        return (sum(self._people) - smallest * (parts - 2)) // 2

    def pack(self) -> None:
        """Let `best` be no worse than taking the first set that still fits each time, so smaller ones first."""
        fitting, people, chosen = self._all(), self._people, list[int]()
        while fitting:
            chosen.append(_lowest(fitting))
            fitting, people = self._without(chosen[-1], fitting, people)
        self.best = max(self.best, chosen if any(people) else chosen[:-1], key=len)

    def search(self, parts: int, budget: _Budget) -> bool:
        """Whether the people can be cut into so many parts, where one part more is known to be impossible.

        All sets up to `size_max` have to be known. Then `best` is all parts but the largest; if not, it is the
        most disjoint sets that have come across.
        """
        return self._fit(parts, self._all(), self._people, [], budget)

    def _fit(
        self, parts: int, fitting: int, people: tuple[int, ...], chosen: list[int], budget: _Budget
    ) -> bool:
        """Whether `people` can be cut into so many parts, all but the largest of them among `fitting`."""
        self.best = max(self.best, chosen, key=len)
        if parts == 1:
            return True
        while fitting:
            budget.spend(_STEPS_A_VALUE * len(people))
            fitting &= self._small_enough(fitting, sum(people), parts)
            users = [fitting & needing[0] for needing in self._needing]  # place → the sets with such a person
            weights = [_WEIGHT // self._sizes[_lowest(sets)] if sets else 0 for sets in users]
            spare = _spare(weights, people, parts)
            if (
                spare < 0
                or not self._signs_suffice(users, people, parts)
                or self._few_are_in_all(parts - 2, fitting, users, people)
            ):
                return False
            # Either one of the sets with a person of the scarcest balance is a part, perhaps more than once …
            for index in _bits(min(filter(None, users), key=int.bit_count)):
                if self._weight(index, weights) <= _WEIGHT + spare:
                    rest = self._without(index, fitting, people)
                    if self._fit(parts - 1, *rest, [*chosen, index], budget):
                        return True
                fitting ^= 1 << index  # refuted as a part, it needn't be tried beside the others
            # … or all with that balance are in the largest part: no set left to choose from has any.
        return False

    def _small_enough(self, fitting: int, left: int, parts: int) -> int:
        """The sets that all parts but the largest are among: `size_max` for what is left."""
        smallest = self._sizes[_lowest(fitting)]
        size_max = (left - smallest * (parts - 2)) // 2
        return (1 << bisect_right(self._sizes, size_max)) - 1

    def _signs_suffice(self, users: Sequence[int], people: Sequence[int], parts: int) -> bool:
        """Whether there may be enough creditors, and enough debtors, for all parts and one for the largest.

        The rule of `parts_bound` again, counting people of one sign: a part with k creditors gives each 1/k.
        """
        weights = {True: list[int](), False: list[int]()}
        for value, sets, count in zip(self._packing.values, users, people, strict=True):
            classes = self._with_creditors if value > 0 else self._with_debtors
            fewest = next((k for k, some in enumerate(classes) if sets & some), 0)
            weights[value > 0] += [_WEIGHT // fewest if fewest else 0] * count
        return all(sum(sorted(each)[1:]) >= (parts - 1) * _WEIGHT for each in weights.values())

    def _few_are_in_all(self, few: int, fitting: int, users: Sequence[int], people: Sequence[int]) -> bool:
        """Whether so few people are found that each set needs one of them: no more sets than that are disjoint."""
        places = [place for place, sets in enumerate(users) if sets]
        while fitting and few >= 0:
            hit = max(places, key=lambda place: (fitting & users[place]).bit_count() / people[place])
            fitting &= ~users[hit]
            few -= people[hit]
        return few >= 0

    def _weight(self, index: int, weights: Sequence[int]) -> int:
        return sum(weights[place] * count for place, count in self._sets[index])

    def _without(self, index: int, fitting: int, people: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
        """The sets that still fit, and who is left, when this set's people are gone."""
        left = list(people)
        for place, count in self._sets[index]:
            left[place] -= count
            fitting &= ~self._needing[place][left[place]]
        return fitting, tuple(left)

    def _all(self) -> int:
        return (1 << len(self._sets)) - 1


def _spare(weights: Sequence[int], people: Sequence[int], parts: int) -> int:
    """By how much all parts but the largest may weigh more than `_WEIGHT` each; negative: so many don't exist.

    That is the rule of `parts_bound`: no part weighs less than `_WEIGHT`. The people whom the largest part
    leaves, no more than if it were of average size, are at best the heaviest.

    Args:
        weights: place → `_WEIGHT` by the size of the smallest set, 0 where there is none.
        people: place → how many are left.
        parts: to make of them.

    """
    left = sum(people)
    largest = -(-left // parts)
    each = sorted(
        (weight for weight, count in zip(weights, people, strict=True) for _ in range(count)), reverse=True
    )
    return sum(each[: left - largest]) - (parts - 1) * _WEIGHT


def _lowest(bits: int) -> int:
    """The place of the lowest bit set; there is one."""
    return (bits & -bits).bit_length() - 1


def _bits(bits: int) -> Iterator[int]:
    """The places of the bits set, ascending."""
    while bits:
        yield _lowest(bits)
        bits &= bits - 1
