"""Receipts of filling stations: one product, with labels beside its rate, its volume and what it came to."""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from persplit.receipts.entries import Entry
from persplit.receipts.page import Row
from persplit.receipts.receipt import ReadItem

_SIGNS: Final = re.compile(
    r"nozzle|pump|litre|/ltr|\(ltr|volume|\(l\)|petrol|diesel|fuel|cng|speed|xp95|density", re.IGNORECASE
)
_SIGNS_MIN: Final = 3
_PRODUCT: Final = re.compile(r"produ\w*|fuel|item", re.IGNORECASE)
_PRODUCTS: Final = re.compile(
    r"\b(petrol|diesel|cng|lpg|xp ?95|xp ?100|speed(?: ?97)?|power(?: ?95)?|ms|hsd|turbojet|v-power)\b",
    re.IGNORECASE,
)
_RATE: Final = re.compile(r"rate|price|/ltr|/l\b", re.IGNORECASE)
_VOLUME: Final = re.compile(r"vol|qty|quantity|litres", re.IGNORECASE)
_AMOUNT: Final = re.compile(r"amount|amt|sale|total|presets?", re.IGNORECASE)
_TOLERANCE: Final = Fraction(1, 50)
"""The volume has two places: of a litre for a thousand rupees that is five."""


def is_from_a_pump(rows: Sequence[Row]) -> bool:
    """Whether enough of it says so."""
    return sum(bool(_SIGNS.search(row.text)) for row in rows) >= _SIGNS_MIN


def product_of(rows: Sequence[Row], entries: Sequence[Entry], digits: int) -> ReadItem | None:
    """What was filled in; None if no amount was found. Volume times rate tells whether the amount was read right."""
    rate = _number(entries, _RATE)
    volume = _number(entries, _VOLUME)
    amount = _number(entries, _AMOUNT)
    if amount is None:
        return None
    price = None if rate is None else _minor(rate[0], digits)
    paid = _minor(amount[0], digits)
    if paid is None or paid <= 0:
        return None
    quantity = None if volume is None else volume[0]
    confidence = amount[1]
    if price and quantity:
        paid, confidence = _checked(paid, confidence, quantity * price)
    return ReadItem(_name(rows), paid, confidence, quantity, price)


def _checked(paid: int, confidence: float, expected: Fraction) -> tuple[int, float]:
    """The amount if it fits; without its first digit if that does: a rupee sign looks like a 2 or a 7."""
    if abs(paid - expected) <= expected * _TOLERANCE:
        return paid, confidence
    shorter = int(str(paid)[1:] or "0")
    if abs(shorter - expected) <= expected * _TOLERANCE:
        return shorter, confidence * 0.9
    return paid, confidence * 0.5


def _number(entries: Sequence[Entry], label: re.Pattern[str]) -> tuple[Fraction, float] | None:
    for entry in entries:
        if label.search(entry.name) and entry.last is not None:
            return entry.last.value, entry.score
    return None


def _minor(value: Fraction, digits: int) -> int | None:
    amount = value * 10**digits
    return int(amount) if amount.denominator == 1 else None


def _name(rows: Sequence[Row]) -> str:
    """The product beside its label, else the first word that is one."""
    for row in rows:
        if len(row.words) > 1 and _PRODUCT.match(row.words[0].text.strip()):
            return row.words[-1].text.strip(" .:")
    found = next((it for row in rows if (it := _PRODUCTS.search(row.text))), None)
    return found[1] if found else "Fuel"
