"""What files are made of: tables, amounts, days and texts, as strangers write them."""

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from persplit.exchange.book import UnreadableFile
from persplit.ledger.expense import CATEGORY_LENGTH_MAX, DESCRIPTION_LENGTH_MAX, NOTES_LENGTH_MAX
from persplit.ledger.money import AMOUNT_MAX, minor_digits

COLUMNS_MAX: Final = 300
"""Columns of a table: one for everybody in the largest group, and those before."""
CELL_LENGTH_MAX: Final = 20_000
LINES_MAX: Final = 20_000
"""Lines of a table, blank ones and notes of several lines included."""

_SPACES: Final = str.maketrans("", "", " \t\u00a0\u2007\u2009\u202f'’")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_HIDDEN: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class BadCell(ValueError):
    """A cell that doesn't hold what it should; the message says so, for people."""


@dataclass(frozen=True, slots=True)
class Line:
    """One record of a table and the line, counted from 1, on which it begins. Cells have no spaces around them."""

    number: int
    cells: Sequence[str]

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing in it."""
        return not any(self.cells)


def lines_of(text: str, delimiter: str = ",") -> list[Line]:
    """The records of a table.

    Raises:
        UnreadableFile: it isn't a table, or is beyond the bounds.

    """
    # Without a limit of its own the module has one for the whole process.
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter)
    found = []
    begins = 1
    try:
        for cells in reader:
            if reader.line_num > LINES_MAX:
                raise UnreadableFile(f"a table has at most {LINES_MAX} lines")
            if len(cells) > COLUMNS_MAX:
                raise UnreadableFile(f"line {begins} has more than {COLUMNS_MAX} columns")
            if any(len(cell) > CELL_LENGTH_MAX for cell in cells):
                raise UnreadableFile(f"line {begins} has a cell of more than {CELL_LENGTH_MAX} characters")
            found.append(Line(begins, [cell.strip() for cell in cells]))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFile(f"line {begins} isn't of a table: {error}") from None
    return found


def delimiter_of(text: str) -> str:
    """What separates the cells: of the first line with any of them, the one that comes most often."""
    for line in text.splitlines()[:20]:
        found = max(",;\t", key=line.count)
        if line.count(found) >= 3:
            return found
    return ","


def records_of(lines: Sequence[Line], header: Line) -> Iterator[tuple[int, dict[str, str]]]:
    """Each record after a header, by its names, up to a blank line. Missing cells are empty."""
    for line in lines[lines.index(header) + 1 :]:
        if line.is_blank:
            return
        cells = [*line.cells, *[""] * (len(header.cells) - len(line.cells))]
        yield line.number, dict(zip(header.cells, cells, strict=False))


def decimal_of(text: str) -> Decimal:
    """A number with a decimal point or comma, perhaps with separators of thousands.

    The last separator is the decimal one unless three digits follow: that may mean either, and isn't guessed.

    Raises:
        BadCell: it isn't a number, or could be two.

    """
    bare = text.translate(_SPACES).replace("−", "-")
    last = max(bare.rfind("."), bare.rfind(","))
    if last >= 0:
        sign = bare[last]
        whole, rest = bare[:last], bare[last + 1 :]
        if (
            len(rest) == 3
            and sign not in whole
            and not (set(".,") & set(whole))
            and whole.lstrip("-+") != "0"
        ):
            raise BadCell(f"{_shown(text)} may be a thousand times another number: write two decimal places")
        if sign in whole:  # the same one twice: it separates thousands
            whole, rest = bare.replace(sign, ""), ""
        bare = f"{whole.replace('.', '').replace(',', '')}.{rest}"
    try:
        number = Decimal(bare)
    except InvalidOperation:
        raise BadCell(f"{_shown(text)} is not a number") from None
    if not number.is_finite():
        raise BadCell(f"{_shown(text)} is not a number")
    return number


def minor_units(number: Decimal, currency: str) -> int:
    """The number as minor units of the currency.

    Raises:
        BadCell: it has more decimal places than the currency, or is beyond the bounds.

    """
    if abs(number.adjusted()) > 30:
        raise BadCell("an amount beyond all bounds") if number else BadCell("not an amount")
    scaled = number.scaleb(minor_digits(currency))
    if scaled != scaled.to_integral_value():
        raise BadCell(f"{number:f} is finer than {currency} has units")
    if abs(scaled) > AMOUNT_MAX:
        raise BadCell("an amount is larger than can be held")
    return int(scaled)


def day_of(text: str) -> str:
    """The day of a date, with or without a time after it, as YYYY-MM-DD. Raises `BadCell`."""
    try:
        return date.fromisoformat(text.strip()[:10].replace("/", "-")).isoformat()
    except ValueError:
        raise BadCell(f"{_shown(text)} is not a date that begins with year, month and day") from None


def plain(text: str) -> str:
    """The text on one line, with nothing that can't be seen or turns other text, and no escape before a formula."""
    if text.startswith("'") and text[1:2] in _FORMULA:
        text = text[1:]
    if text.isprintable():
        return " ".join(text.split())
    return " ".join("".join(_visible(character) for character in text).split())


def description_of(text: str) -> str:
    """A description of an expense: on one line, not empty, not too long."""
    return plain(text)[:DESCRIPTION_LENGTH_MAX].strip() or "(no description)"


def category_of(text: str | None) -> str | None:
    """A category, or None."""
    return plain(text or "")[:CATEGORY_LENGTH_MAX].strip() or None


def notes_of(text: str | None) -> str | None:
    """Notes, which may have several lines, or None."""
    kept = "\n".join(plain(line) for line in (text or "").splitlines())
    return kept.strip()[:NOTES_LENGTH_MAX].strip() or None


def _visible(character: str) -> str:
    if unicodedata.category(character) in _HIDDEN:
        return " "
    return "" if character in _TURNING else character


def _shown(text: str) -> str:
    return repr(plain(text)[:40])
