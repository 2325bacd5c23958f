"""Prices for people, by which most choices of disjoint sets are refuted without a search.

Everybody has a price, and whoever is in a chosen set pays `each` besides, such that no set costs less than some unit.
So many disjoint sets, with so many people in all, then cost no more than everybody's price and `each` times the
people. If that is less than so many units, they don't exist; and a set that costs more above the unit than is left
over (`slack`) is not among them.

That is the dual of the linear programme for the most disjoint sets. Good prices are found by multiplicative weights:
whoever is in many of the cheapest sets becomes dearer. (Plotkin, Shmoys, Tardos, "Fast approximation algorithms for
fractional packing and covering problems", 1995.) Whatever the prices, what they refute is refuted: all are ints.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from struct import unpack
from typing import Final, NamedTuple

from persplit.ledger.slices import Budget, Work

_ROUNDS: Final = 20
"""More hardly better the prices."""

_STEPS_A_ROUND: Final = 240
"""And one for each `_SETS_A_STEP` sets."""

_SETS_A_STEP: Final = 3
"""So many costs are read in the time of one step."""

_LANE_BITS: Final = 16
_HIGHEST: Final = 1 << _LANE_BITS - 1
"""Sums are worked out for all sets at once, in an int with a lane for each."""

_COST_MAX: Final = 30_000
"""Of a set: with what rounding and `_NEARLY` add it leaves the highest bit of a lane free."""

_FIRST_PRICE: Final = 1 << 16
"""Fine enough that shares of it can be rounded."""

_NEARLY: Final = 16
"""Sets count as the cheapest up to one part in so many above."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What each set costs above the unit, what each person pays anyway, by bit, and what each who is chosen pays."""

    costs: Sequence[int]
    alone: Sequence[int]
    each: int
    unit: int
    slack: int
    """What is left over at most when all can be chosen."""

    @classmethod
    def none(cls, sets: "Sets") -> "Prices":
        """All for nothing: they refute nothing."""
        return cls([0] * len(sets.sets), [0] * len(sets.alike), 0, 0, 0)


class Sets(NamedTuple):
    """Sets to choose from, each an int with a bit for each person, as in `packing`; smaller ones first."""

    sets: Sequence[int]
    alike: Sequence[int]
    """By bit: all people who are like that one."""
    having: Sequence[int]
    """By bit: the sets that have that person, an int with a bit for each."""

    @classmethod
    def of(cls, sets: Sequence[int], alike: Sequence[int]) -> "Sets":
        """With who is in which."""
        people = len(alike)
        text = "".join([f"{some:0{people}b}" for some in reversed(sets)])
        return cls(sets, alike, [int(text[start::people] or "0", 2) for start in reversed(range(people))])


class _Offer(NamedTuple):
    """Prices with what they say: the cost of each set, and the least of these."""

    paid: Sequence[int]
    """By bit: the price and `each`."""
    each: int
    total: int
    """The costs of all sets, a lane for each."""
    costs: Sequence[int]
    unit: int

    def funds(self, room: int) -> int:
        """What all can pay, so many of them chosen."""
        return sum(self.paid) + (room - len(self.paid)) * self.each

    def slack(self, choices: Sequence[tuple[int, int]]) -> int:
        """What is left when so many sets, with so many people in all, are chosen: in the best of these cases."""
        return max([self.funds(room) - count * self.unit for count, room in choices])

    def asked(self, lanes: Sequence[int], highest: int) -> list[int]:
        """By bit: how many of the cheapest sets have that person. `highest`: the highest bit of each lane."""
        cheap = self.unit + self.unit // _NEARLY
        # What is left in a lane's highest bit when a cost is taken from `cheap` says that it isn't more.
        left = highest + cheap * (highest >> _LANE_BITS - 1) - self.total
        cheapest = (left & highest) >> _LANE_BITS - 1
        return [(cheapest & lane).bit_count() for lane in lanes]


def priced(sets: Sets, choices: Sequence[tuple[int, int]], budget: Budget) -> Work[Prices]:
    """Prices for a choice of disjoint sets. People who are alike have the same price.

    Args:
        sets: to choose from, at least one.
        choices: how many sets may be chosen, and how many people those have at most; the most sets come last.
        budget: what may be spent.

    """
    count, people, room = len(sets.sets), len(sets.alike), choices[-1][1]
    lanes, highest = [_lane(some) for some in sets.having], _HIGHEST * _lane((1 << count) - 1)
    largest = sets.sets[-1].bit_count()
    prices, each = [_FIRST_PRICE] * people, _FIRST_PRICE // room
    shared = _runs(sets.alike)
    best, slack = None, 0
    for turn in range(_ROUNDS):
        budget.spend(_STEPS_A_ROUND + count // _SETS_A_STEP)
        if budget.is_slice_over():
            yield
        offer = _offer(lanes, count, largest, prices, each, room)
        if best is None or offer.funds(room) * best.unit < best.funds(room) * offer.unit:
            best, slack = offer, offer.slack(choices)
            if slack < 0:
                break
        asked = offer.asked(lanes, highest)
        for bits in shared:
            asked[bits.start : bits.stop] = [-(-sum(asked[bits.start : bits.stop]) // len(bits))] * len(bits)
        places = -(-sum(asked) // room)
        most = max(*asked, places) * (2 + turn // 3)  # smaller changes towards the end
        prices = [price + price * some // most for price, some in zip(prices, asked, strict=True)]
        each += each * places // most
    assert best is not None, "there are rounds"  # noqa: S101 - for the type checker
    costs = [cost - best.unit for cost in best.costs]
    alone = [paid - best.each for paid in best.paid]
    return Prices(costs, alone, best.each, best.unit, slack)


def _offer(
    lanes: Sequence[int], sets: int, largest: int, prices: Sequence[int], each: int, room: int
) -> _Offer:
    """What these prices say, brought to a scale where the costs of so many sets, the `largest` too, fit their lanes."""
    dearest = (max(prices) + each) * largest
    whole = [(price + each) * _COST_MAX // dearest or 1 for price in prices]
    # Where `each` is what the last who has room pays in all, they pay the least: who is cheaper is dearer in sets for it.
    each = sorted(whole)[-room]
    paid = [price if price > each else each for price in whole]  # noqa: FURB136 - `max` takes twice the time
    total = sum(map(mul, lanes, paid))
    costs = unpack(f"<{sets}H", total.to_bytes(_LANE_BITS // 8 * sets, "little"))
    return _Offer(paid, each, total, costs, min(costs))


def _runs(alike: Sequence[int]) -> list[range]:
    """The bits of who is alike, two or more each."""
    runs = [range((some & -some).bit_length() - 1, some.bit_length()) for some in alike]
    return [run for run in dict.fromkeys(runs) if len(run) > 1]


def _lane(some: int) -> int:
    """A lane for each bit: 1 where that is set."""
    # A bit becomes four, then sixteen: what is written in base 2 is read in base 16.
    return int(f"{int(f'{some:b}', 16):b}", 16)
