"""The search of zero-sum sets for those that a division into so many parts needs, one set a part.

All sets of some size and below are known, larger ones needn't be. Parts that are no known set have more people each;
where too few people are left for all parts to be such, one of them is a known set: one of those with somebody, or none
of those. That goes on until the people, by one of several bounds, can't be cut into so many parts, or nothing speaks
against it any more. (Branch and bound, as for set packing.)
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache, reduce
from itertools import accumulate
from math import lcm
from operator import or_
from typing import Final, NamedTuple

from persplit.ledger.prices import Prices, Sets
from persplit.ledger.slices import Budget, Work

WEIGHT: Final = lcm(*range(1, 33))
"""One part, in units that every size of part divides: a person in a part of k weighs `WEIGHT // k`."""

_STEPS_A_PLACE: Final = 100
"""Weighing one place of the search."""

_STEPS_A_HIT: Final = 40
"""Looking for who is in the most sets."""

_HITS_MAX: Final = 3
"""More people who are in all sets together are seldom found, and looking costs too much."""

_FEW_SETS: Final = 3
"""So few are tried one after the other: that takes less than weighing them."""

_STEPS_A_SET: Final = 15
"""Trying one of these."""

_CHOICES_KNOWN_MAX: Final = 1024
"""A search asks for the same few dozens again and again."""


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


@lru_cache(_CHOICES_KNOWN_MAX)
def choices(division: Division, smallest: int) -> tuple[tuple[int, int], ...]:
    """How many of the parts may be known sets, and how many people those have then at most; the most sets come last.

    The largest part isn't counted: it is what is left, and no smaller than if all parts were of the same size.
    When more parts than the largest are no known set, each of those has more than `size` people.
    """
    parts, people, size = division
    rooms = [(count, people - (parts - count) * (size + 1)) for count in range(1, parts - 1)]
    possible = [(count, room) for count, room in rooms if count * smallest <= room]
    return (*possible, (parts - 1, people - -(-people // parts)))


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
    slack: int
    """What the sets to choose may cost beyond the least of all, in total."""
    chosen: tuple[int, ...]

    def of(self, fits: int, left: int) -> "_Place":
        """The same with less to choose from."""
        return _Place(self.division, fits, left, self.groups, self.slack, self.chosen)


class _Seen(NamedTuple):
    """Who is in the sets to choose from at one place."""

    groups: list[_Group]
    counts: list[int]
    """By group: of the sets that have some of them."""
    weights: list[int]
    """By person, the heaviest first: `WEIGHT` by the size of their smallest set."""
    prices: int
    """Of all these people."""


class _Fork(NamedTuple):
    """Sets to try one after the other at a place, so that none of them is left to be chosen afterwards."""

    place: _Place
    """Without the sets that cost too much."""
    tried: int
    with_tried: int
    """Who is in no set then."""


class _Choice(NamedTuple):
    """So many sets to choose, and what they may cost beyond the least of all."""

    sets: int
    slack: int


class Search:
    """Searches of sets for some that are disjoint."""

    def __init__(self, sets: Sets, budget: Budget) -> None:
        self.best: Sequence[int] = ()
        """The most disjoint sets that have come across."""
        self._sets, self._sizes = sets, [some.bit_count() for some in sets.sets]
        self._budget = budget
        self._weight_of = {1 << number: WEIGHT // size for number, size in enumerate(self._sizes)}
        self._shared = sorted({some for some in sets.alike if some.bit_count() > 1})
        self._without_them = dict[int, int]()
        """The sets that have none of these people, worked out when first asked for."""

    def run(self, division: Division, prices: Prices) -> Work[bool]:
        """Whether the search came to an end that does not refute the division.

        Then `best` is all of its parts but the largest, unless some have to be larger than the sets that are known.
        """
        self._prices = prices
        by_cost = sorted([(cost, number) for number, cost in enumerate(prices.costs)])
        self._costs = [cost for cost, _ in by_cost]
        self._cheapest = list(accumulate([1 << number for _, number in by_cost], or_, initial=0))
        lowest = {bits: _lowest(bits) for bits in self._sets.alike}
        groups = [_Group(bits, self._sets.having[bit], prices.alone[bit]) for bits, bit in lowest.items()]
        everybody, all_sets = (1 << division.people) - 1, (1 << len(self._sizes)) - 1
        return self._leads_on(_Place(division, all_sets, everybody, groups, prices.slack, ()))

    def _leads_on(self, place: _Place) -> Work[bool]:
        if len(place.chosen) > len(self.best):
            self.best = place.chosen
        if place.division.is_open:
            return True
        while fits := self._choosable(place):
            if place.division.parts == 2:
                self.best = max(self.best, (*place.chosen, self._sets.sets[_lowest(fits)]), key=len)
                return True
            if not (fork := self._fork(place, fits)):
                return False
            if self._budget.is_slice_over():
                yield
            # Either one of the tried sets is a part, perhaps more than once …
            place, fits = fork.place, fork.place.fits
            for number in sorted(bits_of(fork.tried), key=self._prices.costs.__getitem__):
                if (yield from self._leads_on(self._chosen(place, fits, number))):
                    return True
                fits ^= 1 << number  # it isn't, so it needn't be tried beside the others
            # … or none of them is.
            place = place.of(fits, place.left & ~fork.with_tried)
        return False

    def _fork(self, place: _Place, fits: int) -> _Fork | None:
        """What to try at a place where these sets fit, unless it is refuted."""
        if fits.bit_count() <= _FEW_SETS:
            self._budget.spend(_STEPS_A_SET * fits.bit_count())
            return _Fork(place.of(fits, place.left), fits, 0)
        self._budget.spend(_STEPS_A_PLACE)
        seen = self._seen(fits, place)
        choice = self._choice(place.division, seen)
        if not choice or self._few_are_in_all(choice.sets - 1, fits, place.left, seen):
            return None
        slack = min(choice.slack, place.slack)
        fits &= self._within(slack)
        scarce = [count / (group.price + 1) for count, group in zip(seen.counts, seen.groups, strict=True)]
        scarcest = seen.groups[scarce.index(min(scarce))]
        left = place.left & sum([group.bits for group in seen.groups])
        place = _Place(place.division, fits, left, seen.groups, slack, place.chosen)
        return _Fork(place, fits & scarcest.having, scarcest.bits)

    def _within(self, slack: int) -> int:
        """The sets that cost no more above the least of all."""
        return self._cheapest[bisect_right(self._costs, slack)]

    def _choosable(self, place: _Place) -> int:
        """The sets that are small enough for parts that are not the largest."""
        if not (fits := place.fits & self._within(place.slack)):
            return 0
        size_max = place.division.size_max(self._sizes[_lowest(fits)])
        return fits & ((1 << bisect_right(self._sizes, size_max)) - 1)

    def _seen(self, fits: int, place: _Place) -> _Seen:
        groups, counts, weights, prices = list[_Group](), list[int](), list[int](), 0
        weight_of, left = self._weight_of, place.left
        for group in place.groups:
            if with_them := group.having & fits:
                groups.append(group)
                counts.append(with_them.bit_count())
                weight = weight_of[with_them & -with_them]
                if (people := (group.bits & left).bit_count()) == 1:
                    weights.append(weight)
                    prices += group.price
                else:
                    weights += [weight] * people
                    prices += group.price * people
        weights.sort(reverse=True)
        return _Seen(groups, counts, weights, prices)

    def _choice(self, division: Division, seen: _Seen) -> _Choice | None:
        """How many sets have to be chosen here at least, and what they may cost above the least, as far as can be told.

        They weigh enough by the rule of `Pool.parts_bound` (who is in known sets has at best the smallest of
        theirs, and those who have room in them are at best the heaviest), and can be paid for, see `prices`.
        """
        total, people = list(accumulate(seen.weights, initial=0)), len(seen.weights)
        each, unit = self._prices.each, self._prices.unit
        fewest, most_slack = 0, -1
        for count, most in choices(division, WEIGHT // seen.weights[0]):
            room = min(most, people)
            slack = seen.prices + each * room - unit * count
            if slack >= 0 and total[room] >= count * WEIGHT:
                fewest, most_slack = fewest or count, max(most_slack, slack)
        return _Choice(fewest, most_slack) if fewest else None

    def _chosen(self, place: _Place, fits: int, number: int) -> _Place:
        """The place after this set is chosen, too, beside some of those that fit."""
        some, (parts, people, size) = self._sets.sets[number], place.division
        rest = without(some, place.left, self._shared)
        fits &= self._lacking(place.left & ~rest)
        division = Division(parts - 1, people - self._sizes[number], size)
        slack = place.slack - self._prices.costs[number]
        return _Place(division, fits, rest, place.groups, slack, (*place.chosen, some))

    def _lacking(self, people: int) -> int:
        """The sets that have none of these people."""
        if (sets := self._without_them.get(people)) is None:
            sets = ~reduce(or_, map(self._sets.having.__getitem__, bits_of(people)))
            self._without_them[people] = sets
        return sets

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
