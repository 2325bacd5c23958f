"""The search for the most disjoint sets of people.

A set is an int with a bit for each person. People who are alike are interchangeable: their bits are next to each
other, and a set with n of them has the lowest n of the bits.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import reduce
from math import lcm
from operator import or_
from typing import Final, NamedTuple

from persplit.ledger.prices import Prices, counts_of, priced
from persplit.ledger.slices import Budget, BudgetSpent, Work

_WEIGHT: Final = lcm(*range(1, 33))
"""One part, in units that every size of part divides: a person in a part of k weighs `_WEIGHT // k`."""

_STEPS_A_SET: Final = 10
"""Filing one set. The budget of a plan is too small for more than 65,535 of them, which `counts_of` could count."""

_STEPS_A_PLACE: Final = 120
"""Weighing one place of the search, and one more for each set that is looked at there."""

_QUICK_STEPS: Final = 1_000
"""A search that is over so soon does without prices, which cost several times as much."""


_PARTS_FEW: Final = 4
"""With more parts to come, few people who are in all sets are seldom found, and looking costs too much."""


class _Kind(NamedTuple):
    """Sets with so many creditors and so many debtors."""

    creditors: int
    debtors: int
    sets: list[int]

    @property
    def size(self) -> int:
        """People in each."""
        return self.creditors + self.debtors


class _Cover(NamedTuple):
    """Who is in sets with so many creditors and so many debtors, together with who is alike."""

    creditors: int
    debtors: int
    people: int


class Pool:
    """Zero-sum sets to choose parts from. Only sets that contain no smaller one are kept."""

    def __init__(self, amounts: Sequence[int], alike: Sequence[int]) -> None:
        """By bit: what each person is owed or owes, and all people who are like them."""
        self.alike = alike
        self._shared = sorted({some for some in alike if some.bit_count() > 1})
        self._everybody = (1 << len(alike)) - 1
        self._creditors = sum(1 << bit for bit, amount in enumerate(amounts) if amount > 0)
        self._sets: list[int] = []  # smaller ones first
        self._sizes: list[int] = []  # of these
        self._by_kind: dict[tuple[int, int], list[int]] = {}
        self.best: list[int] = []

    def fill(self, portions: Iterable[Iterable[int]], size: int, wanted: int, budget: Budget) -> Work[None]:
        """File all sets of this size, in order of size, or until so many disjoint ones are at hand."""
        due = 0
        # A set that contains a zero-sum set contains the rest of it too, and one of the two is half of it at most.
        halves = self._sets[: bisect_right(self._sizes, size // 2)]
        for portion in portions:
            for some in portion:
                if len(self._sets) >= due:
                    self.pack()
                    if len(self.best) >= wanted:
                        return
                    due = 2 * len(self._sets) + 1
                budget.spend(_STEPS_A_SET + len(halves) // 4)
                if budget.is_slice_over():
                    yield
                if not halves or 0 not in map((~some).__and__, halves):
                    self._add(some, size)
            if budget.is_slice_over():
                yield
        self.pack()

    def _add(self, some: int, size: int) -> None:
        self._sets.append(some)
        self._sizes.append(size)
        creditors = (some & self._creditors).bit_count()
        self._by_kind.setdefault((creditors, size - creditors), []).append(some)

    def _kinds(self) -> list[_Kind]:
        """All sets, smaller ones first."""
        kinds = sorted(self._by_kind.items(), key=lambda kind: (sum(kind[0]), kind[0]))
        return [_Kind(creditors, debtors, list(sets)) for (creditors, debtors), sets in kinds]

    def parts_bound(self, size: int) -> int:
        """No more parts than this, where all sets up to `size` are known.

        A part of k people gives each 1/k, in total one part. Nobody gets more than in their smallest set, and who
        is in no set so far gets less than 1/size.
        """
        uncovered, weights = self._everybody, 0
        for some, weight in _by_weight(self.covers(self._kinds()), self._everybody):
            weights += some.bit_count() * weight
            uncovered &= ~some
        return (weights + uncovered.bit_count() * (_WEIGHT // (size + 1))) // _WEIGHT

    def size_max(self, parts: int, size: int) -> int:
        """No part but the largest has more people than this, where there are so many parts.

        The others have as many as the smallest set at least (more than `size` where none is known).
        """
        smallest = self._sizes[0] if self._sizes else size + 1
        return _size_max(len(self.alike), smallest, parts)

    def pack(self) -> None:
        """Let `best` be no worse than taking the first set that still fits each time, so smaller ones first."""
        left, chosen = self._everybody, list[int]()
        for some in self._sets:
            while not some & ~left:
                left = self.without(some, left)
                chosen.append(some)
        self.best = max(self.best, chosen if left else chosen[:-1], key=len)

    def search(self, parts: int, budget: Budget) -> Work[bool]:
        """Whether the people can be cut into so many parts, where one part more is known to be impossible.

        All sets up to `size_max` have to be known. Then `best` is all parts but the largest; if not, it is the
        most disjoint sets that have come across.
        """
        kinds, everybody, free = self._kinds(), self._everybody, Prices.none(len(self.alike))
        with suppress(BudgetSpent), budget.only(_QUICK_STEPS):
            return (yield from _Search(self, free, budget).fit(parts, kinds, everybody, (), 0))
        kinds = _small_enough(kinds, len(self.alike), parts)
        prices = yield from priced([some for kind in kinds for some in kind.sets], self.alike, parts, budget)
        dear = {some for some, cost in prices.costs.items() if cost > prices.slack}
        kinds = _fitting(kinds, 0, dear)
        return (yield from _Search(self, prices, budget).fit(parts, kinds, everybody, (), prices.slack))

    def covers(self, kinds: Iterable[_Kind]) -> list[_Cover]:
        """Who is in the sets of each kind."""
        covers = []
        for kind in kinds:
            people = reduce(or_, kind.sets)
            for some in self._shared:
                if people & some:
                    people |= some
            covers.append(_Cover(kind.creditors, kind.debtors, people))
        return covers

    def signs_suffice(self, covers: Sequence[_Cover], left: int, parts: int) -> bool:
        """Whether there may be enough creditors, and enough debtors, for all parts and one for the largest.

        The rule of `parts_bound` again, counting people of one sign: a part with k creditors gives each 1/k.
        """
        creditors, debtors = left & self._creditors, left & ~self._creditors
        return _suffice([(cover.creditors, cover.people) for cover in covers], creditors, parts) and _suffice(
            [(cover.debtors, cover.people) for cover in covers], debtors, parts
        )

    def without(self, some: int, left: int) -> int:
        """Who is left when the set's people are gone: of who is alike, the lowest bits again."""
        rest = left & ~some
        for alike in self._shared:
            if taken := (some & alike).bit_count():
                rest = rest & ~alike | (left & alike) >> taken & alike
        return rest


class _Search:
    """One search of a pool, with what its people are worth."""

    def __init__(self, pool: Pool, prices: Prices, budget: Budget) -> None:
        self._pool = pool
        self._prices = prices
        self._budget = budget

    def fit(
        self, parts: int, kinds: list[_Kind], left: int, chosen: tuple[int, ...], slack: int
    ) -> Work[bool]:
        """Whether who is left can be cut into so many parts, all but the largest of them among these sets.

        `slack` is what they may cost beyond the least of all.
        """
        pool = self._pool
        pool.best = max(pool.best, list(chosen), key=len)
        if parts == 1:
            return True
        while slack >= 0 and (kinds := _small_enough(kinds, left.bit_count(), parts)):
            sets = [some for kind in kinds for some in kind.sets]
            self._budget.spend(_STEPS_A_PLACE + len(sets))
            if self._budget.is_slice_over():
                yield
            covers = pool.covers(kinds)
            weighed = _by_weight(covers, left)
            spare = _spare(weighed, left.bit_count(), parts)
            if spare < 0 or not pool.signs_suffice(covers, left, parts):
                return False
            counts = counts_of(sets, left.bit_length())
            if parts <= _PARTS_FEW and self._few_are_in_all(parts - 2, sets, counts, left):
                return False
            # Either one of the sets with the scarcest person is a part, perhaps more than once …
            scarcest = min((count, bit) for bit, count in enumerate(counts) if count)[1]
            alike = pool.alike[scarcest]
            refuted = set[int]()
            for some in [some for some in sets if some & alike]:
                cost = self._prices.costs.get(some, 0)
                if cost <= slack and _weight(some, weighed) <= _WEIGHT + spare:
                    rest = pool.without(some, left)
                    fitting = _fitting(kinds, ~rest, refuted)
                    if (yield from self.fit(parts - 1, fitting, rest, (*chosen, some), slack - cost)):
                        return True
                refuted.add(some)  # as a part, so it needn't be tried beside the others
            # … or all who are alike are in the largest part.
            kinds = _fitting(kinds, alike, refuted)
            slack -= self._prices.alone[scarcest] * (alike & left).bit_count()
        return False

    def _few_are_in_all(self, few: int, sets: Sequence[int], counts: Sequence[int], left: int) -> bool:
        """Whether so few people are found that each set needs one of them: no more sets than that are disjoint."""
        while sets and few > 0 and sum(sorted(counts)[-few:]) >= len(sets):
            hit = self._pool.alike[max(range(len(counts)), key=lambda bit: counts[bit])]
            few -= (hit & left).bit_count()
            sets = [some for some in sets if not some & hit]
            self._budget.spend(_STEPS_A_PLACE // 2 + len(sets))
            counts = counts_of(sets, len(counts))
        return not sets and few >= 0


def _suffice(covers: list[tuple[int, int]], people: int, parts: int) -> bool:
    total = lightest = 0
    for count, some in sorted(covers):
        if some & people:
            lightest = _WEIGHT // count
            total += lightest * (some & people).bit_count()
            people &= ~some
    return total - (0 if people else lightest) >= (parts - 1) * _WEIGHT


def _fitting(kinds: Iterable[_Kind], gone: int, refuted: Collection[int]) -> list[_Kind]:
    """The sets that have nobody who is gone, and are not refuted."""
    found = []
    for creditors, debtors, sets in kinds:
        fitting = [some for some in sets if not some & gone]
        if refuted:
            fitting = [some for some in fitting if some not in refuted]
        if fitting:
            found.append(_Kind(creditors, debtors, fitting))
    return found


def _small_enough(kinds: Iterable[_Kind], left: int, parts: int) -> list[_Kind]:
    """The sets that all parts but the largest are among, where so many people are left."""
    kinds = [kind for kind in kinds if kind.sets]
    size_max = _size_max(left, kinds[0].size, parts) if kinds else 0
    return [kind for kind in kinds if kind.size <= size_max]


def _size_max(people: int, smallest: int, parts: int) -> int:
    """No part but the largest has more people than this."""
    return (people - smallest * (parts - 2)) // 2


def _by_weight(covers: Iterable[_Cover], left: int) -> list[tuple[int, int]]:
    """Who is left by what they weigh, the heaviest first: `_WEIGHT` by the size of their smallest set."""
    weighed = []
    for cover in covers:
        if some := cover.people & left:
            weighed.append((some, _WEIGHT // (cover.creditors + cover.debtors)))
            left &= ~some
    return weighed


def _weight(some: int, weighed: Iterable[tuple[int, int]]) -> int:
    return sum((some & people).bit_count() * weight for people, weight in weighed)


def _spare(weighed: Iterable[tuple[int, int]], left: int, parts: int) -> int:
    """By how much all parts but the largest may weigh more than `_WEIGHT` each; negative: so many don't exist.

    That is the rule of `Pool.parts_bound`: no part weighs less than `_WEIGHT`. The people whom the largest part
    leaves, no more than if it were of average size, are at best the heaviest.

    Args:
        weighed: people by weight, the heaviest first.
        left: how many people are left.
        parts: to make of them.

    """
    others = left - -(-left // parts)
    spare = -(parts - 1) * _WEIGHT
    for people, weight in weighed:
        count = min(people.bit_count(), others)
        spare += count * weight
        others -= count
    return spare


def bits_of(some: int) -> Iterator[int]:
    """The places of the bits set, ascending."""
    while some:
        yield (some & -some).bit_length() - 1
        some &= some - 1
