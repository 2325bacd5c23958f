"""Rows of a bill as what they may be: an item, an amount under a label, or only words."""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import permutations
from typing import Final

from persplit.receipts.labels import Label, label_of
from persplit.receipts.numbers import Number, number_of
from persplit.receipts.page import Row, Word
from persplit.receipts.receipt import NAME_LENGTH_MAX, ReadItem

QUANTITY_MAX: Final = 10_000
_LETTERS: Final = re.compile(r"[^\W\d_]{2,}")
_TIMES: Final = re.compile(r"(?<=[0-9])\s*[x×X*@]\s*(?=[₹Rr0-9])|\s[x×X*@]\s|^[x×X*@]\s*(?=[0-9])")
_UNIT: Final = re.compile(r"\s*(?:nos?|pcs?|kgs?|gms?|ltrs?|l|ea|pkt)\.?\Z", re.IGNORECASE)
_PERCENT: Final = re.compile(
    r"@?\s*\(?\s*[0-9OolI]{1,2}(?:[.,\s]\s?[0-9]{1,3})?\s*%\s*\)?|@\s*[0-9]{1,2}(?:[. ][0-9]{1,2})?(?=\s|\Z)"
)
_COUNTER: Final = re.compile(r"^\s*[0-9]{1,2}[.):]?\s+(?=[^\W\d_]{2})")
"""The number of a line at its beginning."""
_RATE_TOLERANCE: Final = Fraction(1, 100)
"""Of an amount: weights are printed with three places, prices with two."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row: its words before the numbers, what those say, and the numbers in columns, the amount last."""

    name: str
    label: Label | None
    numbers: tuple[Number, ...]
    score: float
    height: float

    @property
    def last(self) -> Number | None:
        """The number at the right."""
        return self.numbers[-1] if self.numbers else None


def entry_of(row: Row) -> Entry:
    """What the row is. Percentages are no amounts, and nothing in the name is."""
    parts = [(word, _PERCENT.sub(" ", word.text)) for word in row.words]
    at = len(parts)
    while at > 0 and _is_numeric(parts[at - 1][1]):
        at -= 1
    numbers = [number for _, text in parts[at:] for number in _numbers(text)]
    words = [(word, text) for word, text in parts[:at]]
    if words and not numbers:
        words, numbers = _with_numbers_at_its_end(words)
    name = _COUNTER.sub("", " ".join(text for _, text in words)).strip(" .:-*@|_=~")
    return Entry(name[:NAME_LENGTH_MAX].strip(), label_of(name), tuple(numbers), row.score, row.height)


def _is_numeric(text: str) -> bool:
    """Whether there is nothing in it but numbers, a quantity times a price, or dust."""
    return all(number_of(part) is not None or not any(c.isalnum() for c in part) for part in _pieces(text))


def _pieces(text: str) -> list[str]:
    return [_UNIT.sub("", part) for part in _TIMES.split(text) if part.strip()]


def _numbers(text: str) -> list[Number]:
    return [number for number in map(number_of, _pieces(text)) if number is not None]


def _with_numbers_at_its_end(
    words: list[tuple[Word, str]],
) -> tuple[list[tuple[Word, str]], list[Number]]:
    """A name and its numbers that were read in one go: `Gross Amt 5,713.47`."""
    word, text = words[-1]
    left = re.split(r"\s+|(?<=[a-zA-Z]{3})[:.](?=[0-9₹])", text.strip())
    numbers: list[Number] = []
    while len(left) > 1:
        number = number_of(left[-1])
        if number is None:
            break
        numbers.insert(0, number)
        left.pop()
    if not numbers or numbers[-1].places == 0:
        return words, []  # `Chicken 65`, `Table 21`
    return [*words[:-1], (word, " ".join(left))], numbers


def has_name(entry: Entry) -> bool:
    """Whether there are words in it that could be a thing's."""
    return _LETTERS.search(entry.name) is not None


def item_of(entry: Entry, digits: int) -> ReadItem | None:
    """The item that the row would be; None if it has no amount. Surer where quantity times rate is the amount."""
    amount = entry.last.minor(digits) if entry.last is not None else None
    if amount is None or amount <= 0:
        return None
    bare = ReadItem(entry.name, amount, entry.score)
    quantity, rate = _factors(entry.numbers[:-1], amount, digits)
    return replace(bare, quantity=quantity, rate=rate)


def is_consistent(item: ReadItem) -> bool:
    """Whether quantity times rate is the amount."""
    return (
        item.quantity is not None
        and item.rate is not None
        and abs(item.quantity * item.rate - item.amount) <= max(Fraction(1), item.amount * _RATE_TOLERANCE)
    )


def _factors(columns: tuple[Number, ...], amount: int, digits: int) -> tuple[Fraction | None, int | None]:
    """Which of the columns are quantity and rate: those whose product is the amount, else what one of them tells."""
    # Prices have the places of the currency; a quantity has none, or those of a weight.
    likeliest = sorted(columns, key=lambda number: (number.places == digits, number.places))
    for quantity, rate in permutations(likeliest, 2):
        price = rate.minor(digits)
        if price and 0 < quantity.value <= QUANTITY_MAX and abs(quantity.value * price - amount) <= 1:
            return quantity.value, price
    told = [_one_factor(column, amount, digits) for column in reversed(columns)]
    both = [pair for pair in told if None not in pair]
    if both:
        return both[0]
    quantities = [quantity for quantity, _ in told if quantity is not None]
    rates = [rate for _, rate in told if rate is not None]
    return (quantities[0] if quantities else None), (rates[0] if rates else None)


def _one_factor(column: Number, amount: int, digits: int) -> tuple[Fraction | None, int | None]:
    price = column.minor(digits)
    if price and price > 0 and column.places == digits:
        count = Fraction(amount, price)
        return (count if count.denominator == 1 and count <= QUANTITY_MAX else None), price
    if column.places == 0 and 0 < column.value <= QUANTITY_MAX:
        return column.value, None
    return None, None


def detail_of(entry: Entry, digits: int) -> ReadItem | None:
    """Quantity times rate in a row of its own, without the amount: `2 x 531.50`; the name is in the row before."""
    if len(entry.numbers) < 2:
        return None
    quantity, rate = entry.numbers[:2]
    price = rate.minor(digits)
    if not price or price <= 0 or quantity.places == digits or not 0 < quantity.value <= QUANTITY_MAX:
        return None
    amount = quantity.value * price
    return ReadItem("", round(amount), entry.score, quantity.value, price)
