"""Amounts as people type them."""

import ast
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persplit.client_cli import amounts
from persplit.client_cli.amounts import parse_amount, parse_scaled, scaled_text
from persplit.client_cli.errors import UsageFault
from persplit.client_cli.money import grouped, money, signed_money
from persplit.ledger.expense import VALUE_SCALE
from persplit.ledger.money import AMOUNT_MAX, CURRENCIES, decimal_text, minor_digits

currencies = st.sampled_from(sorted(CURRENCIES))
amounts_of = st.integers(1, AMOUNT_MAX)


@given(amounts_of, currencies)
def test_what_is_shown_can_be_typed(amount: int, currency: str) -> None:
    assert parse_amount(money(amount, currency), currency) == amount
    assert parse_amount(decimal_text(amount, currency), currency) == amount


@given(st.integers(-AMOUNT_MAX, AMOUNT_MAX), currencies)
def test_so_can_what_is_shown_with_its_sign(amount: int, currency: str) -> None:
    assert parse_amount(signed_money(amount, currency), currency, signed=True, zero=True) == amount


@given(st.text(max_size=20), currencies)
def test_anything_is_an_amount_or_refused_with_a_reason(text: str, currency: str) -> None:
    try:
        amount = parse_amount(text, currency)
    except UsageFault:
        return
    assert type(amount) is int
    assert 1 <= amount <= AMOUNT_MAX


@given(st.from_regex(r"[0-9]{1,9}(\.[0-9]{1,4})?", fullmatch=True), st.sampled_from(["k", "lakh", "crore"]))
def test_words_move_the_point(number: str, word: str) -> None:
    places = {"k": 3, "lakh": 5, "crore": 7}[word] + 2
    whole, _, part = number.partition(".")
    digits = int(whole + part.ljust(places, "0"))
    if 1 <= digits <= AMOUNT_MAX:
        assert parse_amount(f"{number} {word}", "INR") == digits


@given(st.integers(0, 10**6 * VALUE_SCALE))
def test_percents_and_weights_too(value: int) -> None:
    assert parse_scaled(scaled_text(value)) == value
    assert parse_scaled(f" {scaled_text(value)}%") == value


@pytest.mark.parametrize(
    ("typed", "paise"),
    [
        ("500", 50_000),
        ("₹500", 50_000),
        ("Rs. 500", 50_000),
        ("rs 500.5", 50_050),
        ("INR 500", 50_000),
        ("500 rupees", 50_000),
        ("500/-", 50_000),
        ("1,234.5", 123_450),
        ("1,23,456.50", 12_345_650),
        ("123,456", 12_345_600),
        ("12k", 1_200_000),
        ("1.5 lakh", 15_000_000),
        ("1.5 LAKH INR", 15_000_000),
        ("2 crore", 2_000_000_000),
        (".5", 50),
        ("५००", 50_000),
        ("₹\u00a0500", 50_000),
    ],
)
def test_what_is_taken(typed: str, paise: int) -> None:
    assert parse_amount(typed, "INR") == paise


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "write it like"),
        ("dinner", "write it like"),
        ("0", "zero"),
        ("-5", "no sign"),
        ("+5", "no sign"),
        ("1,23", "decimal point"),
        ("1.234,50", "decimal point"),
        ("1.234", "INR has 2"),
        ("1.000", "INR has 2"),
        ("1.2.3", "aren't where"),
        ("1,2345,678", "aren't where"),
        ("12m", "write lakh, crore or k"),
        ("5L", "write lakh, crore or k"),
        ("12 apples", "neither"),
        ("$5", "counts in INR"),
        ("5 EUR", "counts in INR"),
        ("₹5 INR", "once"),
        ("1e5", "neither"),
        ("nan", "write it like"),
        (".", "aren.t where"),
        ("99999999999999", "largest"),
        ("1" * 61, "write it like"),
    ],
)
def test_what_is_refused(typed: str, why: str) -> None:
    with pytest.raises(UsageFault, match=why):
        parse_amount(typed, "INR")


def test_the_currency_decides() -> None:
    assert parse_amount("500", "JPY") == 500
    assert parse_amount("1.5k", "JPY") == 1500
    assert parse_amount("1.234", "KWD") == 1234
    assert parse_amount("1,234.000", "KWD") == 1_234_000
    assert parse_amount("1,234", "EUR") == 123_400
    with pytest.raises(UsageFault, match=r"1234 or 1\.234\?"):
        parse_amount("1,234", "KWD")
    with pytest.raises(UsageFault, match="JPY has no decimal places"):
        parse_amount("5.0", "JPY")


@pytest.mark.parametrize("typed", ["", "ten", "1,5", "1.23456", "-1", "%"])
def test_what_is_no_percent(typed: str) -> None:
    with pytest.raises(UsageFault):
        parse_scaled(typed)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (12_345_650, "INR", "₹1,23,456.50"),
        (1_234_567_850, "INR", "₹1,23,45,678.50"),
        (-125_050, "INR", "-₹1,250.50"),
        (5, "INR", "₹0.05"),
        (123_456_700, "EUR", "€1,234,567.00"),
        (1_234_567, "JPY", "¥1,234,567"),
        (1_234_567, "KWD", "KWD 1,234.567"),
    ],
)
def test_how_amounts_look(amount: int, currency: str, shown: str) -> None:
    assert money(amount, currency) == shown


def test_grouping_and_signs() -> None:
    assert [grouped("1" * n, "INR") for n in (1, 3, 4, 5, 6)] == ["1", "111", "1,111", "11,111", "1,11,111"]
    assert [signed_money(amount, "INR") for amount in (100, 0, -100)] == ["+₹1.00", "₹0.00", "-₹1.00"]
    assert minor_digits("INR") == 2


def test_there_is_no_float_in_it() -> None:
    tree = ast.parse(inspect.getsource(amounts))
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in ("float", "Decimal")]
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, float)]
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Div)]
