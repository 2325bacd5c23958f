"""Zero-sum sets to choose parts from: which are kept, how many disjoint ones there may be, and how many are at hand.

A set is an int with a bit for each person. People who are alike are interchangeable: their bits are next to each
other, and a set with n of them has the lowest n of the bits.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from persplit.ledger.prices import Prices, Sets, priced
from persplit.ledger.search import WEIGHT, Division, Search, choices, without
from persplit.ledger.slices import Budget, BudgetSpent, Work

_STEPS_A_SET: Final = 10
"""Filing one set."""

_QUICK_STEPS: Final = 1_000
"""A search that is over so soon does without prices."""

_EARLY_STEPS: Final = 18_000
"""A search that can only refute ends here: with larger sets another one follows."""


class Pool:
    """Zero-sum sets to choose parts from. Only sets that contain no smaller one are kept."""

    def __init__(self, alike: Sequence[int]) -> None:
        """By bit: all people who are like that one."""
        self.alike = alike
        self._shared = sorted({some for some in alike if some.bit_count() > 1})
        self._everybody = (1 << len(alike)) - 1
        self._sets: list[int] = []  # smaller ones first
        self._sizes: list[int] = []  # of these
        self._parts_hard = 0
        self.best: Sequence[int] = ()

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
                    self._sets.append(some)
                    self._sizes.append(size)
            if budget.is_slice_over():
                yield
        self.pack()

    def parts_bound(self, size: int) -> int:
        """No more parts than this, where all sets up to `size` are known.

        A part of k people gives each 1/k, in total one part. Nobody gets more than in their smallest set, and who
        is in no set so far gets less than 1/size.
        """
        uncovered, weights = self._everybody, 0
        for some, people in zip(self._sets, self._sizes, strict=True):
            if some & uncovered:
                covered = self._with_alike(some) & uncovered
                weights += covered.bit_count() * (WEIGHT // people)
                uncovered ^= covered
        return (weights + uncovered.bit_count() * (WEIGHT // (size + 1))) // WEIGHT

    def _with_alike(self, some: int) -> int:
        """The people of a set, together with who is alike."""
        for alike in self._shared:
            if some & alike:
                some |= alike
        return some

    def pack(self) -> None:
        """Let `best` be no worse than taking the first set that still fits each time, so smaller ones first."""
        left, chosen = self._everybody, tuple[int, ...]()
        for some in self._sets:
            while not some & ~left:
                left = without(some, left, self._shared)
                chosen = (*chosen, some)
        self.best = max(self.best, chosen if left else chosen[:-1], key=len)

    def search(self, parts: int, size: int, budget: Budget) -> Work[bool]:
        """Whether a division into so many parts is not refuted, where one part more is known to be impossible.

        All sets up to `size` have to be known. `best` becomes all parts but the largest if a division was found,
        or the most disjoint sets that have come across. Where a division may need larger sets, it can be refuted or
        found, and otherwise stays open.
        """
        division = Division(parts, len(self.alike), size)
        size_max = division.size_max(self._sizes[0]) if self._sets else 0
        sets = Sets.of(self._sets[: bisect_right(self._sizes, size_max)], self.alike)
        search = Search(sets, budget)
        if parts != self._parts_hard:
            with suppress(BudgetSpent), budget.only(_QUICK_STEPS):
                return (yield from self._run(search, division, Prices.none(sets)))
            self._parts_hard = parts  # and with larger sets it isn't easier
        prices = yield from priced(sets, choices(division, self._sizes[0]), budget)
        if size_max <= size:
            return (yield from self._run(search, division, prices))
        with suppress(BudgetSpent), budget.only(_EARLY_STEPS):
            return (yield from self._run(search, division, prices))
        return True

    def _run(self, search: Search, division: Division, prices: Prices) -> Work[bool]:
        try:
            return (yield from search.run(division, prices))
        finally:
            self.best = max(self.best, search.best, key=len)
