"""What prices refute is impossible, whatever the sets, and what a search refutes, too."""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations_with_replacement

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from persplit.ledger.prices import Prices, Sets, priced
from persplit.ledger.search import Division, Search, choices
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
    """Some people, and sets of two to four of them."""
    runs = draw(st.lists(st.integers(1, 3), min_size=2, max_size=9))
    everybody = [kind for kind, run in enumerate(runs) for _ in range(run)]
    some = st.permutations(everybody).flatmap(
        lambda people: st.integers(2, 4).map(lambda size: Counter(people[:size]))
    )
    one = some.map(lambda counts: tuple(counts[kind] for kind in range(len(runs))))
    return runs, sorted(draw(st.lists(one, min_size=1, max_size=12, unique=True)), key=sum)


def fitting(runs: Runs, sets: list[tuple[int, ...]], count: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Every choice of so many of the sets that has nobody twice."""
    for choice in combinations_with_replacement(sets, count):
        taken = [sum(some) for some in zip(*choice, strict=True)]
        if all(each <= run for each, run in zip(taken, runs, strict=True)):
            yield choice


def as_sets(runs: Runs, sets: list[tuple[int, ...]]) -> Sets:
    return Sets.of([set_of(runs, counts) for counts in sets], alike_of(runs))


@given(crowds(), st.integers(2, 4))
def test_who_can_be_chosen_can_be_paid_for(crowd: tuple[Runs, list[tuple[int, ...]]], parts: int) -> None:
    """As many disjoint sets as parts but one, so small that the largest part can be one more."""
    runs, sets = crowd
    people = sum(runs)
    assume(people >= parts)
    room = people - -(-people // parts)
    prices = at_once(priced)(as_sets(runs, sets), [(parts - 1, room)], Budget(10**6))
    for choice in fitting(runs, sets, parts - 1):
        if (people - sum(map(sum, choice))) * parts >= people:
            assert sum(prices.costs[sets.index(some)] for some in choice) <= prices.slack


# So many, for few of the draws have a choice without whoever is tried first.
@settings(max_examples=1_000, deadline=None)
@given(crowds(), st.integers(3, 5), st.sampled_from(["priced", "for nothing"]))
def test_a_search_finds_what_fits_with_and_without_prices(
    crowd: tuple[Runs, list[tuple[int, ...]]], parts: int, how: str
) -> None:
    """No part is larger than what the others leave, and no set is unknown."""
    runs, sets = crowd
    people, known = sum(runs), as_sets(runs, sets)
    division = Division(parts, people, people)
    prices = Prices.none(known)
    if how == "priced":
        prices = at_once(priced)(known, choices(division, sum(sets[0])), Budget(10**6))
    search = Search(known, Budget(10**6))
    is_found = at_once(search.run)(division, prices)
    if any(
        max(map(sum, choice)) <= people - sum(map(sum, choice)) for choice in fitting(runs, sets, parts - 1)
    ):
        assert is_found
    if is_found:
        found = sorted(search.best)
        assert len(found) == parts - 1
        assert any(
            found == sorted(set_of(runs, some) for some in choice)
            for choice in fitting(runs, sets, parts - 1)
        )


def test_prices_refute_what_counting_does_not() -> None:
    """Five pairs in a ring: everybody is in a pair, two and a half parts' worth, but two parts is all."""
    ring = [1 << place | 1 << (place + 1) % 5 for place in range(5)]
    people = [1 << place for place in range(5)]
    prices = at_once(priced)(Sets.of(ring, people), [(3, 3)], Budget(10**6))
    assert prices.slack < 0


def test_prices_of_many_sets_come_in_slices() -> None:
    sets = [0b111 << place for place in range(20)] * 100
    people = [1 << place for place in range(24)]
    assert list(priced(Sets.of(sets, people), [(3, 18)], Budget(10**6)))


@given(st.lists(st.integers(1, 2**24 - 1), max_size=300))
def test_each_person_knows_their_sets(sets: list[int]) -> None:
    by_person = Sets.of(sets, [1 << place for place in range(24)]).having
    assert all(
        by_person[bit] >> number & 1 == some >> bit & 1
        for number, some in enumerate(sets)
        for bit in range(24)
    )
