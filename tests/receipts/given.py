"""Rows of receipts without a picture: words on a grid, as they stand on paper, perhaps held askew."""

from collections.abc import Sequence
from typing import Final

from persplit.receipts.page import Row, Word, rows_of
from persplit.receipts.reading import read
from persplit.receipts.receipt import Receipt

LINE_PX: Final = 30.0
LETTER_PX: Final = 10.0
WIDTH_PX: Final = 600.0


def words_of(text: str, *, slope: float = 0.0, change: float = 0.0) -> list[Word]:
    """The words of lines, whose cells stand between `|`: the first at the left, the last at the right."""
    found = []
    lines = [line.strip() for line in text.strip().splitlines()]
    for number, line in enumerate(lines):
        cells = [cell.strip() for cell in line.split("|")]
        for place, cell in enumerate(cells):
            width = LETTER_PX * len(cell)
            left = 0.0 if place == 0 else (WIDTH_PX - width) * (0.4 + 0.6 * place / (len(cells) - 1))
            fall = slope + change * (number / len(lines) - 0.5)
            middle = number * LINE_PX + fall * (left + width / 2)
            found.append(Word(cell, left, middle - 10, left + width, middle + 10, fall, 0.99))
    return [word for word in found if word.text]


def rows(text: str) -> list[Row]:
    """The rows of the lines."""
    return rows_of(words_of(text))


def reading(text: str, digits: int = 2) -> Receipt:
    """What is read of the lines."""
    return read(rows(text), digits)


def amounts(receipt: Receipt) -> Sequence[tuple[str, int]]:
    """The items by name."""
    return [(item.name, item.amount) for item in receipt.items]
