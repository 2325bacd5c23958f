"""Splitwise's CSV of a group: `Date,Description,Category,Cost,Currency` and a column for everybody.

A cell is what that person is owed on net, so who paid follows only where one person is owed. The header comes in
twelve languages, so columns count, not names; rows with no cost are the totals that each currency ends with.
"""

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from persplit.exchange.book import Book, Entry, Format, Kind, Person, Total, Unread, UnreadableFile
from persplit.exchange.cells import (
    BadCell,
    Line,
    category_of,
    day_of,
    decimal_of,
    delimiter_of,
    description_of,
    lines_of,
    minor_units,
    plain,
)
from persplit.exchange.entries import Keys, content_of, is_payment, of_net, plainest_split, turned, unread
from persplit.ledger.money import CURRENCIES

_FIXED: Final = 5
_DATE, _DESCRIPTION, _CATEGORY, _COST, _CURRENCY = range(_FIXED)
_HEADERS_LOOKED_AT: Final = 20
"""Lines before which the header comes; there is at most a note before it."""
_PAYMENT_CATEGORIES: Final = frozenset(
    "payment zahlung paiement pago pagamento betaling betalning płatność pembayaran оплата платёж 支払い 付款".split()
)
_PAYMENT: Final = re.compile(r".+ paid .+", re.IGNORECASE)


def looks_like(lines: Sequence[Line]) -> bool:
    """Whether a table is one of these: a header, and below it a known currency in the fifth column."""
    return _header_at(lines) is not None


def read(text: str) -> Book:
    """The book of the text. Raises `UnreadableFile`."""
    lines = lines_of(text, delimiter_of(text))
    at = _header_at(lines)
    if at is None:
        raise UnreadableFile("there is no header with date, description, category, cost, currency and people")
    people = _people(lines[at].cells[_FIXED:])
    reading = _Reading(people)
    for line in lines[at + 1 :]:
        if not line.is_blank:
            reading.take(line)
    return Book(
        Format.SPLITWISE,
        people,
        entries=reading.entries,
        refused=reading.refused,
        ignored=reading.ignored,
        totals=reading.totals,
    )


def _header_at(lines: Sequence[Line]) -> int | None:
    for index, line in enumerate(lines[:_HEADERS_LOOKED_AT]):
        if len(line.cells) > _FIXED and all(line.cells[:_FIXED]) and not _is_data(line):
            rows = [row for row in lines[index + 1 :] if not row.is_blank]
            return index if not rows or any(_is_data(row) for row in rows) else None
    return None


def _is_data(line: Line) -> bool:
    return len(line.cells) > _FIXED and line.cells[_CURRENCY] in CURRENCIES


def _people(cells: Sequence[str]) -> tuple[Person, ...]:
    """One person a column. Names may repeat: then the key tells which of them."""
    names = [plain(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not all(names):
        raise UnreadableFile("a column of the header has no name")
    counted: Counter[str] = Counter()
    people = []
    for name in names:
        counted[name] += 1
        people.append(Person(name if counted[name] == 1 else f"{name} #{counted[name]}", name))
    return tuple(people)


class _Reading:
    def __init__(self, people: Sequence[Person]) -> None:
        self.entries: list[Entry] = []
        self.refused: list[Unread] = []
        self.ignored: list[Unread] = []
        self.totals: list[Total] = []
        self._people = people
        self._keys = Keys()

    def take(self, line: Line) -> None:
        try:
            if len(line.cells) <= _CURRENCY:
                raise BadCell(f"it has {len(line.cells)} columns, not one for each of the header's")
            currency = line.cells[_CURRENCY]
            if currency not in CURRENCIES:
                raise BadCell("its currency is not an ISO 4217 code")
            net = self._net(line, currency)
            if line.cells[_COST]:
                self._entry(line, currency, net)
            else:
                self.totals.append(
                    Total(line.number, currency, {p: Fraction(amount) for p, amount in net.items()})
                )
        except BadCell as error:
            self.refused.append(unread(line.number, error))

    def _net(self, line: Line, currency: str) -> dict[str, int]:
        cells = line.cells[_FIXED:]
        if len(cells) < len(self._people) or any(cells[len(self._people) :]):
            raise BadCell(f"it has {len(cells)} people's columns, the header has {len(self._people)}")
        return {
            person.key: minor_units(decimal_of(cell or "0"), currency)
            for person, cell in zip(self._people, cells, strict=False)
        }

    def _entry(self, line: Line, currency: str, net: dict[str, int]) -> None:
        cost = minor_units(decimal_of(line.cells[_COST]), currency)
        if sum(net.values()):
            raise BadCell(f"its columns sum to {sum(net.values())} minor units, not to zero")
        if not any(net.values()):
            self.ignored.append(Unread(line.number, "nobody owes anybody for it"))
            return
        date = day_of(line.cells[_DATE])
        is_refund = cost < 0
        paid, shares, is_sure = of_net(
            {person: -amount if is_refund else amount for person, amount in net.items()}, abs(cost)
        )
        kind = Kind.REFUND if is_refund else Kind.EXPENSE
        if kind is Kind.EXPENSE and is_payment(paid, shares) and _says_payment(line):
            kind = Kind.PAYMENT
        payers, borne = turned(paid, shares, is_refund=is_refund)
        split_type, splits = plainest_split(borne)
        # Only those with a part in it: a later export may have a column more.
        said = (date, *line.cells[_DESCRIPTION:_FIXED], *sorted((p, a) for p, a in net.items() if a))
        self.entries.append(
            Entry(
                row=line.number,
                key=self._keys.of(*said),
                content=content_of(*said),
                kind=kind,
                description=description_of(line.cells[_DESCRIPTION]),
                date=date,
                currency=currency,
                split_type=split_type,
                splits=splits,
                category=category_of(line.cells[_CATEGORY]),
                remark=None
                if is_sure
                else "the file doesn't say what each of several paid, only what they are owed",
                payers=payers,
                shares=borne,
            )
        )


def _says_payment(line: Line) -> bool:
    is_named = line.cells[_CATEGORY].casefold() in _PAYMENT_CATEGORIES
    return is_named or (
        not line.cells[_CATEGORY] and _PAYMENT.fullmatch(line.cells[_DESCRIPTION]) is not None
    )
