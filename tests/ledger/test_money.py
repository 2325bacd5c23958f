"""Minor units as text, exactly, in every currency."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persplit.ledger.money import AMOUNT_MAX, CURRENCIES, decimal_text, minor_digits
from tests.ledger.given import PROPERTY


@PROPERTY
@given(st.integers(-AMOUNT_MAX, AMOUNT_MAX), st.sampled_from(sorted(CURRENCIES)))
def test_text_is_exactly_the_amount(amount: int, currency: str) -> None:
    text = decimal_text(amount, currency)
    assert Decimal(text).scaleb(minor_digits(currency)) == amount
    _, _, minor = text.partition(".")
    assert len(minor) == minor_digits(currency)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (123450, "INR", "1234.50"),
        (5, "INR", "0.05"),
        (-5, "INR", "-0.05"),
        (-123450, "INR", "-1234.50"),
        (0, "INR", "0.00"),
        (500, "JPY", "500"),
        (-500, "JPY", "-500"),
        (1234, "KWD", "1.234"),
        (1, "CLF", "0.0001"),
        (AMOUNT_MAX, "INR", "100000000000.00"),
    ],
)
def test_amounts_as_people_write_them(amount: int, currency: str, text: str) -> None:
    assert decimal_text(amount, currency) == text


def test_currencies_are_codes_and_most_have_two_digits() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)
    assert {code for code in CURRENCIES if minor_digits(code) != 2} == {
        *"BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(),
        *"BHD IQD JOD KWD LYD OMR TND CLF UYW".split(),
    }


@pytest.mark.parametrize("code", ["INR", "EUR", "USD", "XCG", "ZWG", "SLE"])
def test_currencies_of_today_are_known(code: str) -> None:
    assert code in CURRENCIES


@pytest.mark.parametrize("code", ["ANG", "HRK", "DEM", "XXX", "inr", ""])
def test_currencies_of_the_past_and_of_nobody_are_not(code: str) -> None:
    assert code not in CURRENCIES


def test_the_largest_amount_is_exact_in_javascript() -> None:
    assert AMOUNT_MAX < 2**53
