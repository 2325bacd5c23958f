"""Spliit's CSV of a group, which isn't a table of nets: the payer's cell is their own share, the others' minus theirs.

A payer with no share of their own shows nowhere. Where one person alone has no part they paid; else it can't be told,
and the entry is refused: Spliit's JSON has it.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from persplit.exchange.book import Book, Entry, Format, Kind, Person, Unread, UnreadableFile
from persplit.exchange.cells import (
    BadCell,
    Line,
    category_of,
    day_of,
    decimal_of,
    description_of,
    lines_of,
    minor_units,
    plain,
    records_of,
)
from persplit.exchange.division import Divider
from persplit.exchange.entries import Keys, content_of, is_payment, plainest_split, turned, unread
from persplit.ledger.money import CURRENCIES

_FIXED: Final = ("Date", "Description", "Category", "Currency", "Cost")
_MODE: Final = "Split mode"
_IS_PAYMENT: Final = "Is Reimbursement"


def looks_like(lines: Sequence[Line]) -> bool:
    """Whether a table is one of these."""
    return bool(lines) and tuple(lines[0].cells[: len(_FIXED)]) == _FIXED and _MODE in lines[0].cells


def read(text: str) -> Book:
    """The book of the text. Raises `UnreadableFile`."""
    lines = lines_of(text)
    if not looks_like(lines):
        raise UnreadableFile(
            "there is no header with Date, Description, Category, Currency, Cost and Split mode"
        )
    header = lines[0]
    names = list(header.cells[header.cells.index(_MODE) + 1 :])
    if _IS_PAYMENT not in header.cells:
        raise UnreadableFile(f"the header has no {_IS_PAYMENT}: is it cut off?")
    if not all(names) or len(set(header.cells)) != len(header.cells):
        raise UnreadableFile("a column of the header has no name, or two have the same: use Spliit's JSON")
    reading = _Reading(names)
    for number, record in records_of(lines, header):
        reading.take(number, record)
    return Book(
        Format.SPLIIT_CSV,
        [Person(name, plain(name)) for name in names],
        entries=reading.entries,
        refused=reading.refused,
        ignored=reading.ignored,
    )


class _Reading:
    def __init__(self, names: Sequence[str]) -> None:
        self.entries: list[Entry] = []
        self.refused: list[Unread] = []
        self.ignored: list[Unread] = []
        self._names = names
        self._keys = Keys()
        self._divider = Divider()

    def take(self, row: int, record: dict[str, str]) -> None:
        try:
            self._take(row, record)
        except BadCell as error:
            self.refused.append(unread(row, error))

    def _take(self, row: int, record: dict[str, str]) -> None:
        currency = record["Currency"]
        if currency not in CURRENCIES:
            raise BadCell("its currency is not an ISO 4217 code")
        cost = minor_units(decimal_of(record["Cost"]), currency)
        if cost == 0:
            self.ignored.append(Unread(row, "its amount is zero"))
            return
        is_refund = cost < 0
        # With a cost that is positive, as if nothing had come back.
        cells = {name: decimal_of(record[name] or "0") * (-1 if is_refund else 1) for name in self._names}
        payer = self._payer({name: int(cell.compare(0)) for name, cell in cells.items()})
        paid = {payer: abs(cost)}
        shares = self._shares(
            {name: Fraction(abs(cell)) for name, cell in cells.items()},
            abs(cost),
            -1 if is_refund else 1,
            currency,
        )
        date = day_of(record["Date"])
        is_settled = record[_IS_PAYMENT] == "Yes" and not is_refund and is_payment(paid, shares)
        payers, borne = turned(paid, shares, is_refund=is_refund)
        split_type, splits = plainest_split(borne)
        parts = sorted((name, str(cell)) for name, cell in cells.items() if cell)
        said = (date, record["Description"], record["Category"], currency, cost, *parts)
        self.entries.append(
            Entry(
                row=row,
                key=self._keys.of(*said),
                content=content_of(*said),
                kind=Kind.REFUND if is_refund else Kind.PAYMENT if is_settled else Kind.EXPENSE,
                description=description_of(record["Description"]),
                date=date,
                currency=currency,
                split_type=split_type,
                splits=splits,
                category=category_of(record["Category"]),
                payers=payers,
                shares=borne,
            )
        )

    def _payer(self, signs: dict[str, int]) -> str:
        """Who paid: the one whose cell has the sign of the cost, else the one with no part in it."""
        for sign in (1, 0):
            found = [name for name, theirs in signs.items() if theirs == sign]
            if len(found) == 1:
                return found[0]
            if found and sign == 1:
                raise BadCell("several cells have the sign of the cost: whose is the payer's?")
        raise BadCell("the file doesn't say who paid: use Spliit's JSON, which does")

    def _shares(self, cells: dict[str, Fraction], cost: int, sign: int, currency: str) -> dict[str, int]:
        """The cells, which are rounded to hundredths, as shares that sum to the cost."""
        units = {
            name: cell * Fraction(minor_units(decimal_of("1"), currency)) for name, cell in cells.items()
        }
        total = sum(units.values(), Fraction(0))
        if abs(total - cost) > len(units):
            raise BadCell(f"the cells sum to {float(total):g} minor units, the cost is {cost}")
        if total == cost and all(part.denominator == 1 for part in units.values()):
            return {name: int(part) for name, part in units.items()}
        return self._divider.divide(cost, units, sign)
