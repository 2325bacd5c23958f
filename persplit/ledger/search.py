"""The search of zero-sum sets for those that a division into so many parts needs, one set a part.

All sets of some size and below are known, larger ones needn't be. Parts that are no known set have more people each;
where too few people are left for all parts to be such, one of them is a known set: one of those with somebody, or none
of those. That goes on until the people, by one of several bounds, can't be cut into so many parts, or nothing speaks
against it any more. (Branch and bound, as for set packing.)
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

_STEPS_A_PLACE: Final = 100
"""Weighing one place of the search."""

_STEPS_A_HIT: Final = 40
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
    """The sets that have some of them: those with the lowest bit."""
    price: int


class _Place(NamedTuple):
    """One place of the search."""

    division: Division
    fits: int
    """The sets to choose from."""
    left: int
    """Who may be in them. Others, too, may be in the parts that are not chosen here."""
    groups: Sequence[_Group]
    """Of these, and perhaps of others."""
    chosen: tuple[int, ...]


class _Seen(NamedTuple):
    """Who is in the sets to choose from at one place."""

    groups: list[_Group]
    counts: list[int]
    """By group: of the sets that have some of them."""
    weights: list[int]
    """By person, the heaviest first: `WEIGHT` by the size of their smallest set."""
    prices: int
    """Of all these people."""


class _Choice(NamedTuple):
    """So many sets to choose, and what they may cost beyond the least of all."""

    sets: int
    slack: int


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
        lowest = {bits: _lowest(bits) for bits in alike}
        self._groups = [_Group(bits, with_them[bit], prices.alone[bit]) for bits, bit in lowest.items()]
        by_cost = sorted((prices.costs.get(some, 0), number) for number, some in enumerate(sets))
        self._costs = [cost for cost, _ in by_cost]
        self._cheapest = list(accumulate((1 << number for _, number in by_cost), or_, initial=0))

    def run(self, division: Division) -> Work[bool]:
        """Whether the search came to an end that does not refute the division.

        Then `best` is all of its parts but the largest, unless some have to be larger than the sets that are known.
        """
        everybody, all_sets = (1 << division.people) - 1, (1 << len(self._sets)) - 1
        return self._leads_on(_Place(division, all_sets, everybody, self._groups, ()))

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
            seen = self._seen(fits, place)
            choices = list(self._choices(place.division, seen))
            if not choices or self._few_are_in_all(choices[0].sets - 1, fits, place.left, seen):
                return False
            fits &= self._within(max(choice.slack for choice in choices))
            # Either one of the sets with the scarcest person is a part, perhaps more than once …
            scarcest = seen.groups[seen.counts.index(min(seen.counts))]
            left = place.left & sum([group.bits for group in seen.groups])
            place = _Place(place.division, fits, left, seen.groups, place.chosen)
            for number in bits_of(fits & scarcest.having):
                if (yield from self._leads_on(self._chosen(place, fits, number))):
                    return True
                fits ^= 1 << number  # it isn't, so it needn't be tried beside the others
            # … or all who are alike are in parts that are not chosen.
            place = _Place(place.division, fits, left & ~scarcest.bits, seen.groups, place.chosen)
        return False

    def _within(self, slack: int) -> int:
        """The sets that cost no more above the least of all."""
        return self._cheapest[bisect_right(self._costs, slack)]

    def _choosable(self, place: _Place) -> int:
        """The sets that are small enough for parts that are not the largest."""
        if not place.fits:
            return 0
        size_max = place.division.size_max(self._sizes[_lowest(place.fits)])
        return place.fits & ((1 << bisect_right(self._sizes, size_max)) - 1)

    def _seen(self, fits: int, place: _Place) -> _Seen:
        groups, counts, weights, prices = list[_Group](), list[int](), list[int](), 0
        left = place.left
        for group in place.groups:
            bits, with_them, price = group
            bits &= left
            with_them &= fits
            if bits and with_them:
                people = bits.bit_count()
                groups.append(group)
                counts.append(with_them.bit_count())
                weights += [self._weights[(with_them & -with_them).bit_length() - 1]] * people
                prices += price * people
        weights.sort(reverse=True)
        return _Seen(groups, counts, weights, prices)

    def _choices(self, division: Division, seen: _Seen) -> Iterator[_Choice]:
        """How many sets may be chosen here, as far as can be told, and what they may cost above the least of all.

        They weigh enough by the rule of `Pool.parts_bound` (who is in known sets has at best the smallest of
        theirs, and those who have room in them are at best the heaviest), and can be paid for, see `prices`.
        """
        total = list(accumulate(seen.weights, initial=0))
        for count, most in division.choices(WEIGHT // seen.weights[0]):
            room = min(most, len(seen.weights))
            slack = seen.prices + self._prices.each * room - self._prices.unit * count
            if total[room] >= count * WEIGHT and slack >= 0:
                yield _Choice(count, slack)

    def _chosen(self, place: _Place, fits: int, number: int) -> _Place:
        """The place after this set is chosen, too, beside some of those that fit."""
        some, (parts, people, size) = self._sets[number], place.division
        rest = without(some, place.left, self._shared)
        for bit in bits_of(place.left & ~rest):
            fits &= self._lacking[bit]
        division = Division(parts - 1, people - self._sizes[number], size)
        return _Place(division, fits, rest, place.groups, (*place.chosen, some))

    def _few_are_in_all(self, few: int, fits: int, left: int, seen: _Seen) -> bool:
        """Whether so few people are found that each set needs one of them: no more sets than that are disjoint."""
        if few > _HITS_MAX:
            return False
        counts = seen.counts
        while fits and few > 0:
            if sum(sorted(counts)[-few:]) < fits.bit_count():
                return False
            self._budget.spend(_STEPS_A_HIT)
            hit = seen.groups[counts.index(max(counts))]
            few -= (hit.bits & left).bit_count()
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
