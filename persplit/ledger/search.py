"""The search of zero-sum sets for those that a division into so many parts needs, one set a part.

All sets of some size and below are known, the larger ones are not. So a division is refuted without those: parts that
are no known set have more people each, and where too few people are left for that, one of them is a known set.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import lcm
from operator import or_
from typing import Final, NamedTuple

from persplit.ledger.prices import Prices, having
from persplit.ledger.slices import Budget, Work

WEIGHT: Final = lcm(*range(1, 33))
"""One part, in units that every size of part divides: a person in a part of k weighs `WEIGHT // k`."""

_STEPS_A_PLACE: Final = 60
"""Weighing one place of the search."""

_STEPS_A_HIT: Final = 20
"""Looking for who is in the most sets."""

_HITS_MAX: Final = 3
"""More people who are in all sets together are seldom found, and looking costs too much."""


class Division(NamedTuple):
    """What is to be cut up, where all zero-sum sets of `size` people and below are known."""

    parts: int
    people: int
    size: int

    @property
    def is_open(self) -> bool:
        """Whether it may do without a known set: there is one part left, or all may be larger than what is known."""
        return self.parts == 1 or self.parts * (self.size + 1) <= self.people

    def size_max(self, smallest: int) -> int:
        """No part but the largest has more people than this, where no part has fewer than `smallest`."""
        return (self.people - smallest * (self.parts - 2)) // 2

    def choices(self, smallest: int) -> Iterator[tuple[int, int]]:
        """How many of the parts may be known sets, and how many people those have then at most.

        The largest part isn't counted: it is what is left, and no smaller than if all parts were of the same size.
        When more parts than the largest are no known set, each of those has more than `size` people.
        """
        for count in range(1, self.parts - 1):
            room = self.people - (self.parts - count) * (self.size + 1)
            if count * smallest <= room:
                yield count, room
        yield self.parts - 1, self.people - -(-self.people // self.parts)


class _Group(NamedTuple):
    """People who are alike."""

    bits: int
    having: int
    """The sets that have some of them."""


class _Place(NamedTuple):
    """One place of the search."""

    division: Division
    fits: int
    """The sets to choose from."""
    left: int
    """Who may be in them. Others, too, may be in the parts that are not chosen here."""
    slack: int
    """What the sets to choose may cost beyond the least of all."""
    chosen: tuple[int, ...]


class _Seen(NamedTuple):
    """Who is in the sets to choose from at one place."""

    groups: list[_Group]
    counts: list[int]
    """By group: of the sets that have some of them."""
    weights: list[int]
    """By person, the heaviest first: `WEIGHT` by the size of their smallest set."""


class Search:
    """One search of sets, which stand side by side, smaller ones first: an int has a bit for each."""

    def __init__(self, sets: Sequence[int], alike: Sequence[int], prices: Prices, budget: Budget) -> None:
        """`sets`: as `packing` has them, by size. `alike`: by bit, all people who are like that one."""
        self.best: Sequence[int] = ()
        """The most disjoint sets that have come across."""
        self._sets, self._sizes = sets, [some.bit_count() for some in sets]
        self._weights = [WEIGHT // size for size in self._sizes]
        self._prices, self._budget = prices, budget
        self._shared = sorted({some for some in alike if some.bit_count() > 1})
        with_them, all_sets = having(sets, len(alike)), (1 << len(sets)) - 1
        self._lacking = [all_sets ^ some for some in with_them]
        self._groups = [_Group(bits, with_them[_lowest(bits)]) for bits in dict.fromkeys(alike)]
        self._excess = [prices.costs.get(some, 0) for some in sets]
        by_cost = sorted(zip(self._excess, range(len(sets)), strict=True))
        self._costs = [cost for cost, _ in by_cost]
        self._cheapest = list(accumulate((1 << number for _, number in by_cost), or_, initial=0))

    def run(self, division: Division) -> Work[bool]:
        """Whether the search came to an end that does not refute the division.

        Then `best` is all of its parts but the largest, unless some have to be larger than the sets that are known.
        """
        everybody, all_sets = (1 << division.people) - 1, (1 << len(self._sets)) - 1
        return self._leads_on(_Place(division, all_sets, everybody, self._prices.slack, ()))

    def _leads_on(self, place: _Place) -> Work[bool]:
        self.best = max(self.best, place.chosen, key=len)
        if place.division.is_open:
            return True
        while fits := self._choosable(place):
            if place.division.parts == 2:
                self.best = max(self.best, (*place.chosen, self._sets[_lowest(fits)]), key=len)
                return True
            self._budget.spend(_STEPS_A_PLACE)
            if self._budget.is_slice_over():
                yield
            seen = self._seen(fits, place.left)
            place = self._with_only(sum([group.bits for group in seen.groups]), fits, place)
            if place.slack < 0 or not self._suffices(place, seen):
                return False
            # Either one of the sets with the scarcest person is a part, perhaps more than once …
            scarcest = seen.groups[seen.counts.index(min(seen.counts))]
            for number in bits_of(fits & scarcest.having):
                if (yield from self._leads_on(self._chosen(place, fits, number))):
                    return True
                fits ^= 1 << number  # it isn't, so it needn't be tried beside the others
            # … or all who are alike are in parts that are not chosen.
            place = self._with_only(~scarcest.bits, fits, place)
        return False

    def _choosable(self, place: _Place) -> int:
        """The sets that are cheap enough, and small enough for parts that are not the largest."""
        if place.slack < 0:
            return 0
        fits = place.fits & self._cheapest[bisect_right(self._costs, place.slack)]
        if not fits:
            return 0
        size_max = place.division.size_max(self._sizes[_lowest(fits)])
        return fits & ((1 << bisect_right(self._sizes, size_max)) - 1)

    def _seen(self, fits: int, left: int) -> _Seen:
        seen = _Seen([], [], [])
        groups, counts, weights = seen
        for group in self._groups:
            bits, with_them = group.bits & left, group.having & fits
            if bits and with_them:
                groups.append(group)
                counts.append(with_them.bit_count())
                first = (with_them & -with_them).bit_length() - 1
                weights += [self._weights[first]] * bits.bit_count()
        weights.sort(reverse=True)
        return seen

    def _with_only(self, some: int, fits: int, place: _Place) -> _Place:
        """The place when the others are in parts that are not chosen, and only these sets are to choose from."""
        slack = place.slack - sum([self._prices.alone[bit] for bit in bits_of(place.left & ~some)])
        return _Place(place.division, fits, place.left & some, slack, place.chosen)

    def _chosen(self, place: _Place, fits: int, number: int) -> _Place:
        """The place after this set is chosen, too, beside some of those that fit."""
        some, (parts, people, size) = self._sets[number], place.division
        rest = without(some, place.left, self._shared)
        for bit in bits_of(place.left & ~rest):
            fits &= self._lacking[bit]
        division = Division(parts - 1, people - self._sizes[number], size)
        return _Place(division, fits, rest, place.slack - self._excess[number], (*place.chosen, some))

    def _suffices(self, place: _Place, seen: Sequence[_Seen]) -> bool:
        """Whether there may be so many disjoint sets as a division needs at least.

        That is the rule of `Pool.parts_bound`: no part weighs less than `WEIGHT`. Who is in known sets has at best
        the smallest of theirs, and those who have room in them are at best the heaviest.
        """
        total = list(accumulate(seen.weights, initial=0))
        smallest = WEIGHT // seen.weights[0]
        for count, room in place.division.choices(smallest):
            if total[min(room, len(seen.weights))] >= count * WEIGHT:
                return count > _HITS_MAX + 1 or not self._few_are_in_all(count - 1, place, seen)
        return False

    def _few_are_in_all(self, few: int, place: _Place, seen: _Seen) -> bool:
        """Whether so few people are found that each set needs one of them: no more sets than that are disjoint."""
        fits, counts = place.fits, seen.counts
        while fits and few > 0:
            if sum(sorted(counts)[-few:]) < fits.bit_count():
                return False
            self._budget.spend(_STEPS_A_HIT)
            hit = seen.groups[counts.index(max(counts))]
            few -= (hit.bits & place.left).bit_count()
            fits &= ~hit.having
            counts = [(fits & group.having).bit_count() for group in seen.groups]
        return not fits and few >= 0


def without(some: int, left: int, shared: Sequence[int]) -> int:
    """Who is left when the set's people are gone: of who is alike (`shared`), the lowest bits again."""
    rest = left & ~some
    for alike in shared:
        if taken := (some & alike).bit_count():
            rest = rest & ~alike | (left & alike) >> taken & alike
    return rest


def bits_of(some: int) -> Iterator[int]:
    """The places of the bits set, ascending."""
    while some:
        yield _lowest(some)
        some &= some - 1


def _lowest(some: int) -> int:
    return (some & -some).bit_length() - 1
