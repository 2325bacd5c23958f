"""From a text to a book: which product's it is, and its parser."""

from collections.abc import Sequence
from typing import Any

from persplit.exchange import (
    cospend,
    ihatemoney,
    own,
    own_table,
    spliit_csv,
    spliit_json,
    splitwise,
    tricount,
)
from persplit.exchange.book import (
    FILE_CHARACTERS_MAX,
    PEOPLE_MAX,
    ROWS_MAX,
    Book,
    Format,
    UnreadableFile,
)
from persplit.exchange.cells import Line, delimiter_of, lines_of
from persplit.exchange.json_text import parsed


def read_book(text: str, currency: str, format_: Format | None = None) -> Book:
    """What the text says.

    Args:
        text: the file.
        currency: that of the group, for files that name none.
        format_: whose file it is; None: found out.

    Raises:
        UnreadableFile: it is none of these products', or beyond the bounds.

    """
    if len(text) > FILE_CHARACTERS_MAX:
        raise UnreadableFile(f"a file has at most {FILE_CHARACTERS_MAX} characters")
    book = _read(text, currency, format_ or format_of(text))
    if len(book.entries) + len(book.refused) + len(book.ignored) > ROWS_MAX:
        raise UnreadableFile(f"a file has at most {ROWS_MAX} rows")
    if book.format is not Format.PERSPLIT and len(book.people) > PEOPLE_MAX:
        raise UnreadableFile(f"a file has at most {PEOPLE_MAX} people")
    return book


def _read(text: str, currency: str, format_: Format) -> Book:
    match format_:
        case Format.PERSPLIT:
            return own.read(text)
        case Format.PERSPLIT_CSV:
            return own_table.read(text)
        case Format.SPLITWISE:
            return splitwise.read(text)
        case Format.SPLIIT_JSON:
            return spliit_json.read(text)
        case Format.SPLIIT_CSV:
            return spliit_csv.read(text)
        case Format.TRICOUNT:
            return tricount.read(text)
        case Format.IHATEMONEY:
            return ihatemoney.read(text, currency)
        case Format.COSPEND:
            return cospend.read(text, currency)


def format_of(text: str) -> Format:
    """Whose file it is. Raises `UnreadableFile` where that can't be told."""
    if text.lstrip("\ufeff \r\n\t")[:1] in ("{", "["):
        found = _format_of_json(parsed(text))
    else:
        found = _format_of_table(lines_of(text, delimiter_of(text)))
    if found is None:
        raise UnreadableFile("this is no file of a product that is known here")
    return found


def _format_of_json(value: Any) -> Format | None:
    looks = (
        (Format.PERSPLIT, own.looks_like),
        (Format.SPLIIT_JSON, spliit_json.looks_like),
        (Format.TRICOUNT, tricount.looks_like),
        (Format.IHATEMONEY, ihatemoney.looks_like_list),
    )
    return next((format_ for format_, looks_like in looks if looks_like(value)), None)


def _format_of_table(lines: Sequence[Line]) -> Format | None:
    looks = (
        (Format.PERSPLIT_CSV, own_table.looks_like),
        (Format.SPLIIT_CSV, spliit_csv.looks_like),
        (Format.COSPEND, cospend.looks_like),
        (Format.IHATEMONEY, ihatemoney.looks_like),
        (Format.SPLITWISE, splitwise.looks_like),
    )
    return next((format_ for format_, looks_like in looks if looks_like(lines)), None)
