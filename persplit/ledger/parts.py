"""The most disjoint zero-sum parts that balances can be cut into: the hard half of the settle-up plan.

Zero-sum sets are found here by meeting in the middle, in order of size; `packing` searches them for the most disjoint
ones. Everything counts steps, not time.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import accumulate, chain, compress, groupby
from typing import Final

from persplit.ledger.packing import Pool
from persplit.ledger.search import bits_of
from persplit.ledger.slices import Budget, BudgetSpent, Work

EXACT_PEOPLE_MAX: Final = 32
"""More people than this, exact opposites aside, are first thinned out by `plan`: halves of 16 still fit the
budget, and beyond, proofs no longer do."""

FEW_PEOPLE: Final = 10
"""Of so few people every subset is looked at first: mostly none sums to zero, and that is known before a search has
begun."""

_SMALLEST_PART: Final = 3
"""Without exact opposites, fewer people than this never sum to zero."""

_SPARSE_FROM: Final = 5
"""From sets of this size on it may pay to know first which sums both halves have …"""

_SPARSE_MAX: Final = 2
"""… where no more smaller sets than this were found: otherwise most sums are sums of both."""

_SPARSE_PEOPLE_MAX: Final = 26
"""Of more people, to know all sums costs more than it saves."""

_SUMS_A_STEP: Final = 4
"""So many half-sums are made, or looked up, in the time of one step."""

_FEW_SUMS: Final = 16
"""If no more than one sum in so many is a sum of both halves, the sets are made from the sums."""

_STEPS_A_SUM: Final = 3
"""Making the set of one of those sums."""


def parts_bound(amounts: Collection[int]) -> int:
    """No more zero-sum parts than this without exact opposites: each has three people, and both signs."""
    creditors = sum(1 for amount in amounts if amount > 0)
    return min(len(amounts) // _SMALLEST_PART, creditors, len(amounts) - creditors)


def most_parts(amounts: Sequence[int], budget: Budget) -> Work[tuple[list[tuple[int, ...]], int]]:
    """All parts but one (the rest is zero-sum by itself) of the best division found, and a bound on the parts.

    Where the search was completed, the bound is reached. Zero-sum sets are made in order of size. In a division
    into `most` parts when more are known to be impossible, no part contains a smaller zero-sum set, and all
    but the largest have few people: when the sets up to that size are known, it is found or refuted. (A set inside
    another could be a part by itself, and what it leaves of the other joins the largest part.) Mostly it is refuted
    before: as soon as not all parts can be larger than the sets that are known, some of these have to fit together.

    Args:
        amounts: balances, ascending, none zero, no exact opposites, summing to zero.
        budget: what may be spent.

    """
    if 0 < len(amounts) <= FEW_PEOPLE and not _some_sum_to_zero(amounts):
        return [], 1
    most = parts_bound(amounts)
    people = _People.of(amounts)
    pool = Pool(people.alike)
    sums = _ZeroSums(people)
    try:
        for size in range(_SMALLEST_PART, len(amounts) // 2 + 1):
            yield from pool.fill(sums.of_size(size, budget), size, most - 1, budget)
            if len(pool.best) >= most - 1:
                break
            most = min(most, pool.parts_bound(size))
            while len(pool.best) < most - 1 and most * (size + 1) > len(amounts):
                if (yield from pool.search(most, size, budget)):
                    break
                most -= 1
            if len(pool.best) >= most - 1:
                break
    except BudgetSpent:
        pool.pack()
    return [people.amounts_of(part) for part in pool.best], most


def _some_sum_to_zero(amounts: Sequence[int]) -> bool:
    """Whether some of the people, but not all, sum to zero. If so do the others, and one lot is without the first."""
    sums = [0]
    for amount in amounts[1:]:
        sums += [total + amount for total in sums]
    return sums.count(0) > 1


@dataclass(frozen=True, slots=True)
class _People:
    """Everybody with a bit each, so that a set of people is an int.

    People with equal balances stand next to each other, and a set with n of them has the first n: sets that differ
    only in which of them they have are one set.
    """

    amounts: tuple[int, ...]
    """By bit: first one half, then the other. Equal balances are in the same half."""
    middle: int
    """How many are in the first half."""
    alike: tuple[int, ...]
    """By bit: all people with the same balance."""

    @classmethod
    def of(cls, amounts: Iterable[int]) -> "_People":
        """The people with these balances, which are ascending."""
        halves: tuple[list[int], list[int]] = ([], [])
        for _, equal in groupby(amounts):
            min(halves, key=len).extend(equal)
        in_order = (*halves[0], *halves[1])
        alike = list[int]()
        for _, equal in groupby(in_order):
            count = len(list(equal))
            alike += [((1 << count) - 1) << len(alike)] * count
        return cls(in_order, len(halves[0]), tuple(alike))

    def amounts_of(self, some: int) -> tuple[int, ...]:
        """The balances of a set."""
        return tuple(self.amounts[bit] for bit in bits_of(some))


class _Half:
    """The sets over half of the people, by size, made when first asked for.

    A set is held with its sum, which is above `width` bits: one more person is one addition.
    """

    def __init__(self, ones: Sequence[int], width: int) -> None:
        """`ones`: each person alone."""
        self._ones = ones
        self._width = width
        self._runs = [list(equal) for _, equal in groupby(ones, lambda one: one >> width)]
        self._size = 0
        # Those of the largest size so far, by the place of their last person, after those with nobody. Of people
        # with equal balances a later one only follows the one before.
        self._by_last: list[list[int]] = [[0], *([] for _ in ones)]
        self._by_sum: list[Mapping[int, list[int]]] = []
        self._wanted: Set[int] | None = None

    def of_size(self, size: int, budget: Budget) -> Mapping[int, list[int]]:
        """Sum → the sets of that many people."""
        self._grow_to(size, budget)
        if size == len(self._by_sum):
            self._by_sum.append(self._summed())
        return self._by_sum[size]

    def zero_sums(self, size: int, budget: Budget) -> Sequence[int]:
        """The sets of that many people that sum to zero."""
        self._grow_to(size, budget)
        if size < len(self._by_sum):
            return self._by_sum[size].get(0, ())
        return [some for some in chain.from_iterable(self._by_last) if 0 <= some < 1 << self._width]

    def sums(self, budget: Budget) -> list[int]:
        """Of all sets."""
        sums = _all([[one >> self._width for one in run] for run in self._runs])
        budget.spend(len(sums) // _SUMS_A_STEP)
        return sums

    def keep(self, wanted: Set[int], sums: Sequence[int], budget: Budget) -> None:
        """Make no other sets than with these sums from now on; `sums` are those of all sets."""
        if len(wanted) > len(sums) // _FEW_SUMS:
            self._wanted = wanted
            return
        places = list(compress(range(len(sums)), map(wanted.__contains__, sums)))
        budget.spend(len(sums) // _SUMS_A_STEP + _STEPS_A_SUM * len(places))
        by_sum = [defaultdict[int, list[int]](list) for _ in range(self._width + 1)]
        middle, people = len(self._runs) // 2, (1 << self._width) - 1
        first, second = _all(self._runs[:middle]), _all(self._runs[middle:])
        for place in places:
            some = first[place % len(first)] + second[place // len(first)]
            by_sum[(some & people).bit_count()][some >> self._width].append(some)
        self._size, self._by_sum = self._width, [*by_sum]

    def _grow_to(self, size: int, budget: Budget) -> None:
        """Make the sizes up to this one."""
        while self._size < size:
            self.of_size(self._size, budget)
            self._grow(budget)

    def _grow(self, budget: Budget) -> None:
        """Make the next size: one more person after the last one."""
        grown: list[list[int]] = [[]]
        shorter: list[int] = []
        width, amount_before = self._width, None
        for place, one in enumerate(self._ones):
            shorter += self._by_last[place]
            before = self._by_last[place] if one >> width == amount_before else shorter
            amount_before = one >> width
            budget.spend(len(before))
            grown.append([some + one for some in before])
        self._size, self._by_last = self._size + 1, grown

    def _summed(self) -> Mapping[int, list[int]]:
        """Sum → the sets of the largest size so far."""
        made: Iterable[int] = chain.from_iterable(self._by_last)
        width, by_sum = self._width, defaultdict[int, list[int]](list)
        if (wanted := self._wanted) is not None:
            made = [some for some in made if some >> width in wanted]
        for some in made:
            by_sum[some >> width].append(some)
        return by_sum


def _all(runs: Iterable[Iterable[int]]) -> list[int]:
    """The totals of all sets that have the first few of each run."""
    totals = [0]
    for run in runs:
        totals = [total + few for few in accumulate(run, initial=0) for total in totals]
    return totals


class _ZeroSums:
    """The zero-sum sets, by meeting in the middle: one half's sum is the opposite of the other's."""

    def __init__(self, people: _People) -> None:
        width = len(people.amounts)
        # The second half with its signs turned, so that opposites are equals.
        ones = [
            ((amount if bit < people.middle else -amount) << width) + (1 << bit)
            for bit, amount in enumerate(people.amounts)
        ]
        self._found = 0
        self._people = width
        self._halves = _Half(ones[: people.middle], width), _Half(ones[people.middle :], width)

    def of_size(self, size: int, budget: Budget) -> Iterator[Iterator[int]]:
        """Each of them once, in some portions; always in the same order."""
        first, second = self._halves
        if size == _SPARSE_FROM and self._is_sparse:
            sums = first.sums(budget)
            yield iter(())  # that may have taken a while
            other_sums = second.sums(budget)
            wanted = set(sums).intersection(other_sums)
            first.keep(wanted, sums, budget)
            second.keep(wanted, other_sums, budget)
        for part in range(size + 1):
            yield self._joined(part, size - part, budget)

    @property
    def _is_sparse(self) -> bool:
        return self._people <= _SPARSE_PEOPLE_MAX and self._found <= _SPARSE_MAX

    def _joined(self, size: int, other_size: int, budget: Budget) -> Iterator[int]:
        first, second = self._halves
        if not size or not other_size:
            alone = (first if size else second).zero_sums(size + other_size, budget)
            self._found += len(alone)
            yield from alone
            return
        ours, theirs = first.of_size(size, budget), second.of_size(other_size, budget)
        budget.spend(len(ours) // _SUMS_A_STEP)
        for total in [total for total in ours if total in theirs]:
            self._found += len(ours[total]) * len(theirs[total])
            for some in ours[total]:
                yield from [some ^ other for other in theirs[total]]  # the sum goes out, the people join
