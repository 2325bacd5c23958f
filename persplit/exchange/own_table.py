"""Our own CSV of a group: who paid what and what fell to whom is in it to the last unit, so the balances come back.

It has what counts now and no more. How an expense was divided comes back as equal parts or exact amounts; a payment has
the day of its recording in its note. Refunds and income stand in it as expenses the other way round, and come back as
those.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from persplit.exchange.book import Book, Entry, Format, Kind, Person, Unread, UnreadableFile
from persplit.exchange.cells import (
    BadCell,
    Line,
    category_of,
    day_of,
    description_of,
    lines_of,
    minor_units,
    notes_of,
    plain,
    records_of,
)
from persplit.exchange.entries import Keys, content_of, is_payment, plainest_split, postings, unread
from persplit.exchange.table import HEADER, PAID_BY, PAID_FOR
from persplit.ledger.expense import ExpenseKind
from persplit.ledger.money import CURRENCIES

_AMOUNT: Final = re.compile(r"[0-9]+(\.[0-9]+)?")
"""As we write amounts: unlike in others' files a point is never one of thousands."""

_RECEIVED: Final = frozenset(kind.value.lower() for kind in ExpenseKind if kind is not ExpenseKind.EXPENSE)


def looks_like(lines: Sequence[Line]) -> bool:
    """Whether a table is one of these."""
    return bool(lines) and tuple(lines[0].cells[: len(HEADER)]) == HEADER


def read(text: str) -> Book:
    """The book of the text. Raises `UnreadableFile`."""
    lines = lines_of(text)
    if not looks_like(lines):
        raise UnreadableFile(f"there is no header with {', '.join(HEADER)}")
    header = lines[0]
    names = [cell.removeprefix(PAID_BY) for cell in header.cells[len(HEADER) :] if cell.startswith(PAID_BY)]
    expected = [*HEADER, *(f"{PAID_BY}{n}" for n in names), *(f"{PAID_FOR}{n}" for n in names)]
    if list(header.cells) != expected or len(set(names)) != len(names) or not all(names):
        raise UnreadableFile(
            "the columns aren't those of an export: one for what each paid, one for what was for them"
        )
    reading = _Reading(names)
    for number, record in records_of(lines, header):
        reading.take(number, record)
    return Book(
        Format.PERSPLIT_CSV,
        [Person(name, plain(name)) for name in names],
        entries=reading.entries,
        refused=reading.refused,
    )


class _Reading:
    def __init__(self, names: Sequence[str]) -> None:
        self.entries: list[Entry] = []
        self.refused: list[Unread] = []
        self._names = names
        self._keys = Keys()

    def take(self, row: int, record: dict[str, str]) -> None:
        """Make an entry, or say why not."""
        try:
            self.entries.append(self._entry(row, record))
        except BadCell as error:
            self.refused.append(unread(row, error))

    def _entry(self, row: int, record: dict[str, str]) -> Entry:
        currency = record["Currency"]
        if currency not in CURRENCIES:
            raise BadCell("its currency is not an ISO 4217 code")
        amount = _minor(record["Amount"], currency)
        paid = {name: _minor(record[f"{PAID_BY}{name}"] or "0", currency) for name in self._names}
        shares = {name: _minor(record[f"{PAID_FOR}{name}"] or "0", currency) for name in self._names}
        for what, parts in (("was paid", paid), ("it was for", shares)):
            if sum(parts.values()) != amount:
                raise BadCell(f"what {what} doesn't sum to its amount")
        if amount == 0:
            raise BadCell("its amount is zero")
        kind = _kind(record["Type"])
        if kind is Kind.PAYMENT and not is_payment(paid, shares):
            raise BadCell("a payment is from one person to one other")
        borne = postings(shares)
        split_type, splits = plainest_split(borne)
        said = tuple(record.values())
        return Entry(
            row=row,
            key=self._keys.of(*said),
            content=content_of(*said),
            kind=kind,
            description=description_of(record["Description"]),
            date=day_of(record["Date"]),
            currency=currency,
            payers=postings(paid),
            shares=borne,
            split_type=split_type,
            splits=splits,
            category=category_of(record["Category"]),
            notes=notes_of(record["Notes"]),
        )


def _kind(text: str) -> Kind:
    if text in _RECEIVED:
        return Kind.EXPENSE
    if text not in (Kind.EXPENSE, Kind.PAYMENT):
        raise BadCell("its type is neither expense nor payment")
    return Kind(text)


def _minor(text: str, currency: str) -> int:
    if not _AMOUNT.fullmatch(text):
        raise BadCell(f"{plain(text)[:40]!r} is not an amount")
    return minor_units(Decimal(text), currency)
