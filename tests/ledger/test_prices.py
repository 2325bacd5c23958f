"""What prices refute is impossible, whatever the sets."""

from itertools import combinations_with_replacement

from hypothesis import assume, given
from hypothesis import strategies as st

from persplit.ledger.prices import having, priced
from persplit.ledger.slices import Budget, at_once

Runs = list[int]
"""How many people there are of each kind; who is alike has neighbouring bits."""


def alike_of(runs: Runs) -> list[int]:
    alike = list[int]()
    for count in runs:
        alike += [((1 << count) - 1) << len(alike)] * count
    return alike


def set_of(runs: Runs, counts: tuple[int, ...]) -> int:
    """So many people of each kind: the lowest bits of theirs."""
    some = start = 0
    for run, count in zip(runs, counts, strict=True):
        some |= ((1 << count) - 1) << start
        start += run
    return some


@st.composite
def crowds(draw: st.DrawFn) -> tuple[Runs, list[tuple[int, ...]]]:
    """Some people, and sets of two or more of them."""
    runs = draw(st.lists(st.integers(1, 3), min_size=2, max_size=6))
    one = st.tuples(*(st.integers(0, run) for run in runs)).filter(lambda counts: sum(counts) > 1)
    return runs, draw(st.lists(one, min_size=1, max_size=8, unique=True))


@given(crowds(), st.integers(2, 4))
def test_who_can_be_chosen_can_be_paid_for(crowd: tuple[Runs, list[tuple[int, ...]]], parts: int) -> None:
    """As many disjoint sets as parts but one, so small that the largest part can be one more."""
    runs, sets = crowd
    people = sum(runs)
    assume(people >= parts)
    choices = [(parts - 1, people - -(-people // parts))]
    prices = at_once(priced)(
        [set_of(runs, counts) for counts in sets], alike_of(runs), choices, Budget(10**6)
    )
    for choice in combinations_with_replacement(sets, parts - 1):
        taken = [sum(some) for some in zip(*choice, strict=True)]
        if all(count <= run for count, run in zip(taken, runs, strict=True)):
            left = people - sum(taken)
            if left * parts >= people:
                assert sum(prices.costs[set_of(runs, counts)] for counts in choice) <= prices.slack


def test_prices_refute_what_counting_does_not() -> None:
    """Five pairs in a ring: everybody is in a pair, two and a half parts' worth, but two parts is all."""
    ring = [1 << place | 1 << (place + 1) % 5 for place in range(5)]
    prices = at_once(priced)(ring, [1 << place for place in range(5)], [(3, 3)], Budget(10**6))
    assert prices.slack < 0


def test_prices_of_many_sets_come_in_slices() -> None:
    sets = [0b111 << place for place in range(20)] * 100
    assert list(priced(sets, [1 << place for place in range(24)], [(3, 18)], Budget(10**6)))


@given(st.lists(st.integers(1, 2**24 - 1), max_size=300))
def test_each_person_knows_their_sets(sets: list[int]) -> None:
    by_person = having(sets, 24)
    assert all(
        by_person[bit] >> number & 1 == some >> bit & 1
        for number, some in enumerate(sets)
        for bit in range(24)
    )
