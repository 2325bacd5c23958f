"""Amounts as people type them, to whole minor units. Digits are moved as text: nothing here is ever a float.

Taken: `500`, `₹500`, `Rs. 500`, `INR 500`, `1,234.50`, `1,23,456`, `12k`, `1.5 lakh`, `2 crore`, digits of any script.
Refused, because two people could read it in two ways: `1,23` and `1.234,50` (a decimal comma?), `12m` (million, or
thousand?), `5L`, another currency's symbol, more decimals than the currency has, and with three-decimal currencies a
lone `1,234`.
"""

import re
import unicodedata
from typing import Final

from persplit.client_cli.errors import UsageFault
from persplit.client_cli.money import SYMBOLS
from persplit.ledger.expense import VALUE_SCALE
from persplit.ledger.money import AMOUNT_MAX, CURRENCIES, decimal_text, minor_digits

_POWERS: Final = {
    "k": 3,
    "thousand": 3,
    "lakh": 5,
    "lakhs": 5,
    "lac": 5,
    "lacs": 5,
    "crore": 7,
    "crores": 7,
    "cr": 7,
}
"""Words after a number → by how many places they move the point."""

_WHOLE: Final = r"\d+|\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})*,\d{3}"
"""Digits, plain or grouped by thousands, or the Indian way."""
_NUMBER: Final = re.compile(rf"(?P<whole>{_WHOLE})?(?:\.(?P<part>\d+))?", re.ASCII)
_PARTS: Final = re.compile(
    r"(?P<sign>[+-]?)\s*(?P<unit>(?:[^\d.,+\s-]+\.?)?)\s*(?P<number>[\d.,]+)\s*(?P<after>.*)", re.ASCII
)
_PERCENT_PLACES: Final = 4
_TEXT_LENGTH_MAX: Final = 60


def parse_amount(text: str, currency: str, *, signed: bool = False, zero: bool = False) -> int:
    """The amount in minor units of the currency.

    Args:
        text: as typed.
        currency: the group's.
        signed: take `+50` and `-50`.
        zero: take 0.

    Raises:
        UsageFault: it isn't an amount, or could be two.

    """
    sign, number, places = _read(text, currency)
    if sign and not signed:
        raise _fault(text, "an amount has no sign here")
    _check_comma(text, number, currency, places)
    amount = _shifted(text, number, places + minor_digits(currency), _too_fine(currency))
    if amount == 0 and not zero:
        raise _fault(text, "the amount is zero")
    if amount > AMOUNT_MAX:
        raise _fault(text, f"the largest amount is {decimal_text(AMOUNT_MAX, currency)}")
    return -amount if sign == "-" else amount


def parse_scaled(text: str) -> int:
    """A percent or a weight in ten-thousandths: `33.3333` or `33.3333%` → 333333. Raises `UsageFault`."""
    number = _ascii(text).removesuffix("%").strip()
    if not number or "," in number or not _NUMBER.fullmatch(number):
        raise _fault(text, "write a number such as 2, 12.5 or 33.3333")
    return _shifted(text, number, _PERCENT_PLACES, "at most four decimal places")


def scaled_text(value: int) -> str:
    """What `parse_scaled` reads: 333333 → `33.3333`, 20000 → `2`."""
    whole, rest = divmod(value, VALUE_SCALE)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")


def _read(text: str, currency: str) -> tuple[str, str, int]:
    """The sign, the digits with their commas and point, and by how many places a word moves the point."""
    parts = _PARTS.fullmatch(_ascii(text))
    if parts is None or len(text) > _TEXT_LENGTH_MAX:
        raise _fault(text, "write it like 500, 1,234.50 or 12k")
    unit, number, after = parts["unit"], parts["number"], parts["after"].strip().lower()
    _check_unit(text, unit, currency)
    power, rest = _power_of(after)
    _check_unit(text, rest, currency)
    if unit and rest:
        raise _fault(text, "say the currency once")
    if not _NUMBER.fullmatch(number):
        raise _fault(text, _number_fault(number))
    return parts["sign"], number, power


def _ascii(text: str) -> str:
    """The text with every decimal digit as 0..9, minus signs as `-`, and odd spaces as spaces."""
    plain = (str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    return "".join("-" if c in "−–" else " " if c.isspace() else c for c in plain).strip()


def _power_of(after: str) -> tuple[int, str]:
    """The word for thousands, lakhs or crores that comes first, and what follows it."""
    word, _, rest = after.partition(" ")
    return (_POWERS[word], rest.strip()) if word in _POWERS else (0, after)


def _check_unit(text: str, unit: str, currency: str) -> None:
    """Whether what stands beside the number is the group's currency, or nothing."""
    unit = unit.strip().lower()
    known = {"", currency.lower(), SYMBOLS.get(currency, "").lower()}
    if currency == "INR":
        known |= {"rs", "rs.", "rupees", "/-", "rupee"}
    if unit in known:
        return
    if unit.upper() in CURRENCIES or unit in SYMBOLS.values():
        raise _fault(text, f"this group counts in {currency}")
    raise _fault(text, _unit_fault(unit))


def _unit_fault(unit: str) -> str:
    if unit in ("l", "m", "mn", "million"):
        return "write lakh, crore or k, or all the digits"
    return f"{unit!r} is neither the group's currency nor k, lakh or crore"


def _number_fault(number: str) -> str:
    if number.count(",") >= 1 and re.search(r",\d{1,2}$", number, re.ASCII):
        return "is the comma a decimal point? Write 1.50 for one and a half, 1,500 for fifteen hundred"
    return "the commas or points aren't where they are in 1,234.50 or 1,23,456.50"


def _check_comma(text: str, number: str, currency: str, places: int) -> None:
    """Where a currency has three decimals, a lone comma before three digits could be its point."""
    if minor_digits(currency) == 3 and not places and re.fullmatch(r"\d{1,3},\d{3}", number, re.ASCII):
        raise _fault(text, f"{number.replace(',', '')} or {number.replace(',', '.')}?")


def _too_fine(currency: str) -> str:
    digits = minor_digits(currency)
    return f"{currency} has {digits} decimal places" if digits else f"{currency} has no decimal places"


def _shifted(text: str, number: str, places: int, too_fine: str) -> int:
    """The number with its point moved right by `places`. Zeros beyond them don't pass: `1.000` is a thousand to many."""
    match = _NUMBER.fullmatch(number)
    if match is None or not (match["whole"] or match["part"]):
        raise _fault(text, "there are no digits in it")
    part = match["part"] or ""
    if len(part) > places:
        raise _fault(text, too_fine)
    return int((match["whole"] or "0").replace(",", "") + part.ljust(places, "0"))


def _fault(text: str, why: str) -> UsageFault:
    return UsageFault(f"{text.strip()!r} isn't an amount: {why}", code="bad_amount")
