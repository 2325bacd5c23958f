"""Dividing row by row, so that everybody's total stays what it is exactly."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from persplit.exchange.division import Divider
from tests.ledger.given import PROPERTY

PEOPLE = ["a", "b", "c", "d"]
weights = st.dictionaries(
    st.sampled_from(PEOPLE), st.fractions(0, 5, max_denominator=4), min_size=1, max_size=4
).filter(lambda found: any(found.values()))
rows = st.lists(st.tuples(st.integers(0, 100_000), weights, st.sampled_from([1, -1])), max_size=20)


@given(rows)
@PROPERTY
def test_shares_are_whole_not_negative_and_sum_to_the_amount(
    found: list[tuple[int, dict[str, Fraction], int]],
) -> None:
    divider = Divider()
    for amount, parts, sign in found:
        shares = divider.divide(amount, parts, sign)
        assert sum(shares.values()) == amount
        assert min(shares.values()) >= 0
        assert shares.keys() == parts.keys()
        assert all(shares[person] == 0 for person, weight in parts.items() if not weight)


@given(rows)
@PROPERTY
def test_nobodys_total_drifts_away_where_all_take_part(
    found: list[tuple[int, dict[str, Fraction], int]],
) -> None:
    divider = Divider()
    exact = dict.fromkeys(PEOPLE, Fraction(0))
    booked = dict.fromkeys(PEOPLE, 0)
    for small, parts, sign in found:
        everybody = {person: parts.get(person, Fraction(1)) or Fraction(1) for person in PEOPLE}
        amount = small + 1_000  # so that there is always room for what has to be made up for
        for person, share in divider.divide(amount, everybody, sign).items():
            booked[person] += sign * share
            exact[person] += sign * amount * everybody[person] / sum(everybody.values())
        assert all(abs(booked[person] - exact[person]) < 1 for person in PEOPLE)


def test_what_is_left_over_goes_to_whoever_has_been_given_least() -> None:
    divider = Divider()
    thirds = dict.fromkeys(["a", "b", "c"], Fraction(1))
    got = dict.fromkeys(thirds, 0)
    for _ in range(3):
        for person, share in divider.divide(100, thirds).items():
            got[person] += share
    assert got == {"a": 100, "b": 100, "c": 100}
