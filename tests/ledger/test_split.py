"""Shares: exact to the last paisa, fair, and the same whoever works them out."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from persplit.ledger.commands import AddMember, CreateExpense, CreateGroup
from persplit.ledger.errors import Invalid
from persplit.ledger.expense import VALUE_SCALE, Expense, ExpenseDraft, Item, SplitType, SplitValue
from persplit.ledger.money import AMOUNT_MAX
from persplit.ledger.split import largest_remainder, shares_of
from tests.ledger.given import (
    PROPERTY,
    amounts,
    bill,
    crowds,
    cut,
    divided,
    drafts,
    expense_ids,
    ledger_of,
    postings,
    shared,
    values,
)
from tests.ledger.given import shares as shares_by_person


def recorded(people: list[str], draft: ExpenseDraft, expense_id: str = "e1") -> Expense:
    """The draft as an expense of a group of these people, the first of whom asks."""
    founder, *others = people
    ledger = ledger_of((founder, CreateGroup(founder, "Goa")))
    for user_id in others:
        ledger.do(founder, AddMember(user_id, user_id))
    ledger.do(founder, CreateExpense(expense_id, draft))
    return ledger.expenses[expense_id]


def exact_parts(draft: ExpenseDraft, sharers: list[str]) -> dict[str, Fraction]:
    """Each person's part before any rounding."""
    asked = {split.user_id: split.value for split in draft.splits}
    match draft.split_type:
        case SplitType.EQUAL:
            return {user: Fraction(draft.amount, len(sharers)) for user in sharers}
        case SplitType.ADJUSTMENT:
            rest = draft.amount - sum(asked.values())
            return {user: Fraction(rest, len(sharers)) + asked.get(user, 0) for user in sharers}
        case SplitType.ITEMIZED:
            had: Counter[str] = Counter()
            for item in draft.items:
                for user in item.participants:
                    had[user] += Fraction(item.amount, len(item.participants))  # type: ignore[assignment]
            return {user: draft.amount * Fraction(part, sum(had.values())) for user, part in had.items()}
        case _:
            return {
                user: Fraction(draft.amount * value, sum(asked.values())) for user, value in asked.items()
            }


crowds_and_drafts = crowds().flatmap(lambda people: st.tuples(st.just(people), drafts(people)))


@PROPERTY
@given(crowds_and_drafts, expense_ids)
def test_shares_sum_to_the_amount_and_none_is_negative(
    asked: tuple[list[str], ExpenseDraft], expense_id: str
) -> None:
    people, draft = asked
    paying = {payer.user_id for payer in draft.payers or postings({people[0]: draft.amount})}
    assume(draft.include_payer or not paying.issuperset(draft.participants or ()))
    expense = recorded(people, draft, expense_id)
    assert sum(posting.amount for posting in expense.shares) == draft.amount
    assert all(posting.amount >= 0 for posting in expense.shares)
    assert len(shares_by_person(expense)) == len(expense.shares)


@PROPERTY
@given(crowds_and_drafts, expense_ids)
def test_nobody_is_a_whole_minor_unit_away_from_their_exact_part(
    asked: tuple[list[str], ExpenseDraft], expense_id: str
) -> None:
    people, draft = asked
    sharers = list(draft.participants or people)
    made = shares_of(expense_id, draft.amount, draft.split_type, sharers, draft.splits, draft.items)
    exact = exact_parts(draft, sharers)
    assert {posting.user_id for posting in made} == set(exact)
    for posting in made:
        assert abs(posting.amount - exact[posting.user_id]) < 1


@PROPERTY
@given(amounts, st.dictionaries(st.text(max_size=3), st.integers(0, 10**10), min_size=1), expense_ids)
def test_what_is_left_over_goes_to_the_largest_remainders(
    amount: int, weights: dict[str, int], expense_id: str
) -> None:
    if not sum(weights.values()):
        weights["one"] = 1
    parts = largest_remainder(amount, weights, expense_id)
    total = sum(weights.values())
    exact = {user: Fraction(amount * weight, total) for user, weight in weights.items()}
    lucky = {exact[user] % 1 for user in parts if parts[user] < exact[user]}
    unlucky = {exact[user] % 1 for user in parts if parts[user] > exact[user]}
    assert not lucky or not unlucky or max(lucky) <= min(unlucky)
    assert all(parts[user] == 0 for user, weight in weights.items() if weight == 0)


@PROPERTY
@given(st.data(), crowds_and_drafts, expense_ids)
def test_shares_do_not_depend_on_the_order_in_which_people_are_named(
    data: st.DataObject, asked: tuple[list[str], ExpenseDraft], expense_id: str
) -> None:
    people, draft = asked
    sharers = list(draft.participants or people)
    items = [
        Item(item.name, item.amount, tuple(data.draw(st.permutations(item.participants))))
        for item in data.draw(st.permutations(draft.items))
    ]
    one = shares_of(expense_id, draft.amount, draft.split_type, sharers, draft.splits, draft.items)
    other = shares_of(
        expense_id,
        draft.amount,
        draft.split_type,
        data.draw(st.permutations(sharers)),
        data.draw(st.permutations(draft.splits)),
        items,
    )
    assert set(one) == set(other)


@PROPERTY
@given(amounts, crowds(), st.data())
def test_exact_values_are_taken_as_they_are(amount: int, people: list[str], data: st.DataObject) -> None:
    asked = data.draw(cut(amount, people))
    assert shares_by_person(recorded(people, divided(SplitType.EXACT, amount, asked))) == asked


@pytest.mark.parametrize(("people", "amount"), [(3, 100), (3, 101), (7, 1000), (2, 1)])
def test_the_odd_paisa_goes_round(people: int, amount: int) -> None:
    # A fair draw, 3000 times: each person's count is binomial, and five standard deviations are never passed.
    draws = 3000
    crowd = [f"member-{number}" for number in range(people)]
    floor, left = divmod(amount, people)
    extra: Counter[str] = Counter()
    for number in range(draws):
        parts = largest_remainder(amount, dict.fromkeys(crowd, 1), f"expense-{number}")
        extra.update({user: part - floor for user, part in parts.items()})
    chance = left / people
    deviation = (draws * chance * (1 - chance)) ** 0.5
    for user in crowd:
        assert abs(extra[user] - draws * chance) < 5 * deviation


def test_two_odd_paise_go_to_every_pair_of_people() -> None:
    crowd = ["a", "b", "c", "d"]
    pairs = Counter(
        tuple(
            user
            for user, part in largest_remainder(102, dict.fromkeys(crowd, 1), str(number)).items()
            if part == 26
        )
        for number in range(600)
    )
    assert len(pairs) == 6
    assert min(pairs.values()) > 60


def test_who_gets_the_odd_paisa_is_the_same_for_ever() -> None:
    # Recorded shares are facts, but clients that work them out ahead must come to the same: SHA-256 of `id:user`.
    crowd = dict.fromkeys(["asha", "meera", "ravi"], 1)
    assert largest_remainder(100, crowd, "e1") == {"asha": 33, "meera": 33, "ravi": 34}
    assert largest_remainder(101, crowd, "e1") == {"asha": 33, "meera": 34, "ravi": 34}


@pytest.mark.parametrize(
    ("draft", "wanted"),
    [
        (shared(90, "a", "b", "c"), {"a": 30, "b": 30, "c": 30}),
        (
            divided(SplitType.PERCENTAGE, 1000, {"a": 50, "b": 25, "c": 25}, scale=VALUE_SCALE),
            {"a": 500, "b": 250, "c": 250},
        ),
        (divided(SplitType.PERCENTAGE, 10, {"a": 100, "b": 0}, scale=VALUE_SCALE), {"a": 10, "b": 0}),
        (
            divided(SplitType.SHARES, 700, {"a": 1, "b": 2, "c": 4}, scale=VALUE_SCALE),
            {"a": 100, "b": 200, "c": 400},
        ),
        (divided(SplitType.SHARES, 10, {"a": 3333, "b": 6667}), {"a": 3, "b": 7}),
        (
            divided(SplitType.ADJUSTMENT, 100, {"a": 10}, participants=("a", "b", "c")),
            {"a": 40, "b": 30, "c": 30},
        ),
        (
            divided(SplitType.ADJUSTMENT, 100, {"a": -10, "b": 50}, participants=("a", "b")),
            {"a": 20, "b": 80},
        ),
        (divided(SplitType.ADJUSTMENT, 100, {"a": 100}, participants=("a", "b")), {"a": 100, "b": 0}),
        (bill(330, Item("thali", 200, ("a",)), Item("dosa", 100, ("b",))), {"a": 220, "b": 110}),
        (bill(120, Item("thali", 100, ("a", "b")), Item("tea", 20, ("a",))), {"a": 70, "b": 50}),
    ],
)
def test_each_split_type_divides_as_it_says(draft: ExpenseDraft, wanted: dict[str, int]) -> None:
    assert shares_by_person(recorded(["a", "b", "c"], draft)) == wanted


def test_a_discount_is_spread_in_proportion_like_a_tax() -> None:
    made = recorded(["a", "b"], bill(270, Item("thali", 200, ("a",)), Item("dosa", 100, ("b",))))
    assert shares_by_person(made) == {"a": 180, "b": 90}


@pytest.mark.parametrize(
    ("splits", "said"),
    [
        ({"a": 500_000, "b": 499_900}, "percentages sum to 99.99, not 100"),
        ({"a": 333_333, "b": 333_333, "c": 333_333}, "percentages sum to 99.9999, not 100"),
        ({"a": 1_000_000, "b": 1}, "percentages sum to 100.0001, not 100"),
        ({"a": 1_010_000}, "percentages sum to 101, not 100"),
        ({"a": 0}, "percentages sum to 0, not 100"),
    ],
)
def test_percentages_have_to_sum_to_a_hundred(splits: dict[str, int], said: str) -> None:
    with pytest.raises(Invalid) as refusal:
        shares_of("e1", 1000, SplitType.PERCENTAGE, list(splits), values(splits), ())
    assert [(error.path, error.message) for error in refusal.value.errors] == [("splits", said)]


@pytest.mark.parametrize("sum_off", [-1, 1])
def test_exact_values_have_to_sum_to_the_amount(sum_off: int) -> None:
    with pytest.raises(Invalid, match=f"splits: the values sum to {100 + sum_off}, not to the amount 100"):
        shares_of("e1", 100, SplitType.EXACT, ["a", "b"], values({"a": 40, "b": 60 + sum_off}), ())


def test_adjustments_cannot_exceed_the_amount() -> None:
    with pytest.raises(Invalid, match="splits: the adjustments exceed the amount by 1"):
        shares_of("e1", 100, SplitType.ADJUSTMENT, ["a", "b"], [SplitValue("a", 101)], ())


def test_an_adjustment_cannot_take_a_share_below_zero() -> None:
    exactly_zero = shares_of("e1", 100, SplitType.ADJUSTMENT, ["a", "b"], [SplitValue("a", -100)], ())
    assert [posting.amount for posting in exactly_zero] == [0, 100]
    with pytest.raises(Invalid, match="below zero"):
        shares_of("e1", 100, SplitType.ADJUSTMENT, ["a", "b"], [SplitValue("a", -102)], ())


@PROPERTY
@given(st.integers(1, 60), expense_ids)
@example(60, "e1")
def test_a_bill_of_awkward_fractions_rounds_once(lines: int, expense_id: str) -> None:
    # Sixty lines shared by 1 to 7 people each: rounding every line could be off by many paise, one rounding by none.
    crowd = list("abcdefg")
    items = [Item(f"line {n}", 100, tuple(crowd[: n % 7 + 1])) for n in range(lines)]
    made = shares_of(expense_id, 100 * lines, SplitType.ITEMIZED, crowd, (), items)
    exact = exact_parts(bill(100 * lines, *items), crowd)
    assert sum(posting.amount for posting in made) == 100 * lines
    assert all(abs(posting.amount - exact[posting.user_id]) < 1 for posting in made)


def test_the_largest_amount_is_divided_exactly() -> None:
    made = recorded(["a", "b", "c"], shared(AMOUNT_MAX))
    assert sorted(posting.amount for posting in made.shares) == [AMOUNT_MAX // 3] * 2 + [AMOUNT_MAX // 3 + 1]
