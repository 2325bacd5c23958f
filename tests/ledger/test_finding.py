"""Looking for expenses: each condition by itself, and all of them together against the plainest rule there is."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persplit.ledger.expense import Expense, Posting, SplitType
from persplit.ledger.finding import ExpenseFilter
from tests.ledger.given import PROPERTY

DINNER = Expense(
    id="e1",
    seq=1,
    description="Dinner at STRASSE",
    amount=900,
    payers=(Posting("asha", 900),),
    split_type=SplitType.EQUAL,
    participants=("ravi", "guest"),
    splits=(),
    items=(),
    include_payer=True,
    date="2026-03-10",
    category="Dining out",
    notes="with \uff37ine",
    shares=(Posting("ravi", 450), Posting("guest", 450)),
    created_by="asha",
    created_at="",
    updated_at="",
)


def same(user_id: str) -> str:
    return user_id


def claimed(user_id: str) -> str:
    """The guest is Meera now."""
    return "meera" if user_id == "guest" else user_id


@pytest.mark.parametrize(
    ("conditions", "is_found"),
    [
        ({}, True),
        ({"text": "dinner"}, True),
        ({"text": "WINE dinner"}, True),
        ({"text": "stra\u00dfe"}, True),
        ({"text": "dinner lunch"}, False),
        ({"payer": "asha"}, True),
        ({"payer": "ravi"}, False),
        ({"member": "asha"}, True),
        ({"member": "ravi"}, True),
        ({"member": "jon"}, False),
        ({"category": "food"}, True),
        ({"category": "Food and Drink"}, True),
        ({"category": "taxi"}, False),
        ({"amount_min": 900, "amount_max": 900}, True),
        ({"amount_min": 901}, False),
        ({"amount_max": 899}, False),
        ({"date_from": "2026-03-10", "date_to": "2026-03-10"}, True),
        ({"date_from": "2026-03-11"}, False),
        ({"date_to": "2026-03-09"}, False),
        ({"text": "dinner", "payer": "ravi"}, False),
    ],
)
def test_every_condition_has_to_hold(conditions: dict[str, Any], is_found: bool) -> None:  # noqa: FBT001 - a case
    assert ExpenseFilter(**conditions).matcher(same)(DINNER) is is_found


def test_who_claimed_a_placeholder_is_found_where_it_took_part() -> None:
    for name in ("guest", "meera"):
        assert ExpenseFilter(member=name).matcher(claimed)(DINNER)
    assert not ExpenseFilter(member="meera").matcher(same)(DINNER)


def test_an_expense_with_no_category_and_a_free_text_are_found_as_they_are() -> None:
    free = replace(DINNER, category="Uncle's wedding")
    assert ExpenseFilter(category="uncle's WEDDING").matcher(same)(free)
    assert not ExpenseFilter(category="food").matcher(same)(replace(DINNER, category=None))


@PROPERTY
@given(
    st.text("ab \u00df", max_size=4), st.text("ab \u00df", max_size=6), st.none() | st.text("ab", max_size=3)
)
def test_words_are_found_wherever_they_stand(words: str, description: str, notes: str | None) -> None:
    expense = replace(DINNER, description=description, notes=notes)
    text = f"{description}\n{notes or ''}".casefold()
    expected = all(word in text for word in words.casefold().split())
    assert ExpenseFilter(text=words).matcher(same)(expense) == expected
