"""Prices for people, by which most choices of disjoint sets are refuted without a search.

Everybody has a price, and whoever is in a chosen set pays `each` besides, such that no set costs less than some unit.
So many disjoint sets, with so many people in all, then cost no more than everybody's price and `each` times the
people. If that is less than so many units, they don't exist; and a set that costs more above the unit than is left
over (`slack`) is not among them.

That is the dual of the linear programme for the most disjoint sets. Good prices are found by multiplicative weights:
whoever is in many of the cheapest sets becomes dearer. (Plotkin, Shmoys, Tardos, "Fast approximation algorithms for
fractional packing and covering problems", 1995.) Whatever the prices, what they refute is refuted: all are ints.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import unpack
from typing import Final

from persplit.ledger.slices import Budget, Work

_ROUNDS: Final = 24
"""More hardly better the prices."""

_STEPS_A_ROUND: Final = 160
"""And one for each set."""

_LANE_BITS: Final = 16
"""Sums are worked out for all sets at once, in an int with a lane for each."""

_COST_MAX: Final = 60_000
"""Of a set: it fits a lane, with what rounding adds."""

_FIRST_PRICE: Final = 1 << 16
"""Fine enough that shares of it can be rounded."""

_NEARLY: Final = 16
"""Sets count as the cheapest up to one part in so many above."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What sets cost above the unit, what each person costs who is in no set, by bit, and what there is to spend."""

    costs: Mapping[int, int]
    alone: Sequence[int]
    slack: int

    @classmethod
    def none(cls, people: int) -> "Prices":
        """All for nothing: they refute nothing."""
        return cls({}, (0,) * people, 0)


@dataclass(frozen=True, slots=True)
class _Offer:
    """Prices with what they say: what all can pay, the cost of each set, and the least of these."""

    prices: Sequence[int]
    costs: Sequence[int]
    unit: int
    funds: int

    def slack(self, chosen: int) -> int:
        """What is left when so many sets are chosen."""
        return self.funds - chosen * self.unit


def priced(sets: Sequence[int], alike: Sequence[int], parts: int, budget: Budget) -> Work[Prices]:
    """Prices for a division into so many parts, all but the largest of them among these sets.

    Args:
        sets: as `packing` has them, at least one.
        alike: by bit: all people who are like that one; they have the same price.
        parts: two or more.
        budget: what may be spent.

    """
    people = len(alike)
    others = people - -(-people // parts)  # who isn't in the largest part
    lanes = _lanes(sets, people)
    prices, each = [_FIRST_PRICE] * people, _FIRST_PRICE // others
    shared = _runs(alike)
    best: _Offer | None = None
    for turn in range(_ROUNDS):
        budget.spend(_STEPS_A_ROUND + len(sets))
        if budget.is_slice_over():
            yield
        offer = _offer(sets, lanes, prices, each, others)
        if best is None or offer.funds * best.unit < best.funds * offer.unit:
            best = offer
        if best.slack(parts - 1) < 0:
            break
        cheap = offer.unit + offer.unit // _NEARLY
        asked = counts_of(
            [some for some, cost in zip(sets, offer.costs, strict=True) if cost <= cheap], people
        )
        for bits in shared:
            asked[bits.start : bits.stop] = [-(-sum(asked[bits.start : bits.stop]) // len(bits))] * len(bits)
        places = -(-sum(asked) // others)
        most = max(*asked, places) * (2 + turn // 3)  # smaller changes towards the end
        prices = [price + price * some // most for price, some in zip(prices, asked, strict=True)]
        each += each * places // most
    assert best is not None, "there are rounds"  # noqa: S101 - for the type checker
    costs = {some: cost - best.unit for some, cost in zip(sets, best.costs, strict=True)}
    return Prices(costs, best.prices, best.slack(parts - 1))


def counts_of(sets: Sequence[int], people: int) -> list[int]:
    """By bit: how many sets have that person; of fewer than 65,536 sets."""
    return _read(sum(map(_spread, sets)), people)


@lru_cache(maxsize=8_192)
def _spread(some: int) -> int:
    """A lane for each person, 1 for who is in the set."""
    # A bit becomes four, then sixteen: what is written in base 2 is read in base 16.
    return int(f"{int(f'{some:b}', 16):b}", 16)


def _offer(
    sets: Sequence[int], lanes: Sequence[int], prices: Sequence[int], each: int, others: int
) -> _Offer:
    """What these prices say, brought to a scale where costs fit their lanes."""
    dearest = (max(prices) + each) * max(map(int.bit_count, sets))
    whole = [max((price + each) * _COST_MAX // dearest, 1) for price in prices]
    # Where `each` is what the last of `others` pays in all, they pay the least: who is cheaper is dearer in sets for it.
    each = sorted(whole, reverse=True)[others - 1]
    prices = [max(price - each, 0) for price in whole]
    total = sum([lane * (price + each) for lane, price in zip(lanes, prices, strict=True)])
    costs = _read(total, len(sets))
    return _Offer(prices, costs, min(costs), sum(prices) + others * each)


def _runs(alike: Sequence[int]) -> list[range]:
    """The bits of who is alike, two or more each."""
    runs = [range((some & -some).bit_length() - 1, some.bit_length()) for some in alike]
    return [run for run in dict.fromkeys(runs) if len(run) > 1]


def _lanes(sets: Sequence[int], people: int) -> list[int]:
    """By bit: a lane for each set, 1 where it has that person."""
    text = "".join([f"{some:0{people}b}" for some in reversed(sets)])
    return [int(f"{int(text[start::people], 16):b}", 16) for start in reversed(range(people))]


def _read(lanes: int, count: int) -> list[int]:
    return list(unpack(f"<{count}H", lanes.to_bytes(_LANE_BITS // 8 * count, "little")))
