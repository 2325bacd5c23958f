"""The most disjoint zero-sum parts that balances can be cut into: the hard half of the settle-up plan.

Zero-sum sets are found by meeting in the middle, in order of size, and searched for the most disjoint ones. Balances
are held as a multiset, so that people who owe the same are interchangeable. Everything counts steps, not time.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from math import lcm
from typing import Final

EXACT_PEOPLE_MAX: Final = 32
"""More people than this, exact opposites aside, are first thinned out by `plan`: halves of 16 still fit the
budget, and beyond, proofs no longer do."""

_SMALLEST_PART: Final = 3
"""Without exact opposites, fewer people than this never sum to zero."""

_WEIGHT: Final = lcm(*range(1, EXACT_PEOPLE_MAX + 1))
"""One part, in units that every size of part divides: a person in a part of k weighs `_WEIGHT // k`."""

_STEPS_A_SET: Final = 40
"""Filing one zero-sum set costs as much as that many half-sums."""

_STEPS_A_VALUE: Final = 5
"""Weighing one balance's sets at one place of the search, likewise."""


class BudgetSpent(Exception):
    """The search has to stop where it is."""


@dataclass(slots=True)
class Budget:
    """Steps that are left for one plan."""

    left: int

    def spend(self, steps: int) -> None:
        """Ask before doing what costs so many steps.

        Raises:
            BudgetSpent: that is more than is left; nothing is spent.

        """
        if steps > self.left:
            raise BudgetSpent
        self.left -= steps


def parts_bound(amounts: Collection[int]) -> int:
    """No more zero-sum parts than this without exact opposites: each has three people, and both signs."""
    creditors = sum(1 for amount in amounts if amount > 0)
    return min(len(amounts) // _SMALLEST_PART, creditors, len(amounts) - creditors)


def most_parts(amounts: Sequence[int], budget: Budget) -> tuple[list[tuple[int, ...]], int]:
    """All parts but one (the rest is zero-sum by itself) of the best division found, and a bound on the parts.

    Where the search was completed, the bound is reached. Zero-sum sets are made in order of size. In a division
    into `most` parts when more are known to be impossible, no part contains a smaller zero-sum set, and all
    but the largest have few people (`size_max`): when the sets up to that size are known, it is found or refuted.
    (A set inside another could be a part by itself, and what it leaves of the other joins the largest part.)

    Args:
        amounts: balances, ascending, none zero, no exact opposites, summing to zero.
        budget: what may be spent.

    """
    most = parts_bound(amounts)
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
    except BudgetSpent:
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

    def of_size(self, size: int, budget: Budget) -> dict[int, list[int]]:
        """Sum → the packed multisets of that many people."""
        while len(self._by_sum) <= size:
            self._grow(budget)
        return self._by_sum[size]

    def _grow(self, budget: Budget) -> None:
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

    def of_size(self, size: int, budget: Budget) -> Iterator[int]:
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

    def fill(self, sets: Iterable[int], size: int, wanted: int, budget: Budget) -> None:
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

    def _add(self, packed: int, size: int, budget: Budget) -> None:
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

    def search(self, parts: int, budget: Budget) -> bool:
        """Whether the people can be cut into so many parts, where one part more is known to be impossible.

        All sets up to `size_max` have to be known. Then `best` is all parts but the largest; if not, it is the
        most disjoint sets that have come across.
        """
        return self._fit(parts, self._all(), self._people, [], budget)

    def _fit(
        self, parts: int, fitting: int, people: tuple[int, ...], chosen: list[int], budget: Budget
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
