"""The list of categories: keys that never change, and an icon for what people write."""

import unicodedata

import pytest

from persplit.ledger.categories import CATEGORIES, category_key, category_of
from persplit.ledger.expense import CATEGORY_LENGTH_MAX

RELEASED = """general food groceries drinks coffee rent electricity water gas internet household furniture transport
taxi fuel car parking flights lodging travel entertainment movies music sports shopping clothing electronics gifts
health insurance education children pets subscriptions taxes donations""".split()
"""Expenses have these keys: new ones may be added to the list, none may go."""


def test_no_key_that_was_released_is_gone() -> None:
    assert [category.key for category in CATEGORIES][: len(RELEASED)] == RELEASED


def test_every_category_has_a_key_that_an_expense_can_keep_and_one_icon() -> None:
    assert len({category.key for category in CATEGORIES}) == len(CATEGORIES)
    assert len({category.icon for category in CATEGORIES}) == len(CATEGORIES)
    for category in CATEGORIES:
        assert 0 < len(category.key) <= CATEGORY_LENGTH_MAX
        assert unicodedata.category(category.icon[0]) == "So"


def test_no_word_means_two_categories() -> None:
    words = [
        word for category in CATEGORIES for word in {category.key, category.name.casefold(), *category.also}
    ]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("food", "food"),
        ("Food and drink", "food"),
        (" DINING  out ", "food"),
        ("Hotel", "lodging"),
        ("Gas/fuel", "fuel"),
    ],
)
def test_what_people_write_is_found(text: str, key: str) -> None:
    found = category_of(text)
    assert found is not None
    assert found.key == category_key(text) == key


def test_any_other_text_stays_as_it_is() -> None:
    assert category_of("Uncle's wedding") is None
    assert category_key("Uncle's wedding") == "Uncle's wedding"
    assert category_of(None) is None
    assert category_key(None) is None
