"""Cospend's project: several tables in one CSV, each with its header, a blank line between them.

`name, weight, …` are the people, `what, amount, …` the bills; then categories, payment modes and currencies.
Comments are URL-encoded; older exports carry people in bills called `deleteMeIfYouWant`.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final
from urllib.parse import unquote_plus

from persplit.exchange.book import ROWS_MAX, Book, Format, Unread, UnreadableFile
from persplit.exchange.cells import (
    BadCell,
    Line,
    category_of,
    day_of,
    decimal_of,
    lines_of,
    notes_of,
    plain,
    records_of,
)
from persplit.exchange.entries import People, unread
from persplit.exchange.weighted import Bill, Bills

_PEOPLE: Final = frozenset({"name", "weight"})
_BILLS: Final = frozenset({"what", "amount", "payer_name", "payer_weight", "owers"})
_CATEGORIES: Final = frozenset({"categoryname", "categoryid"})
_ONLY_PEOPLE: Final = "deleteMeIfYouWant"
_REIMBURSEMENT: Final = "-11"
_NAMED: Final = {
    "-1": "Groceries",
    "-2": "Bar and party",
    "-3": "Rent",
    "-4": "Bill",
    "-5": "Excursion and culture",
    "-6": "Health",
    "-10": "Shopping",
    "-12": "Restaurant",
    "-13": "Accommodation",
    "-14": "Transport",
    "-15": "Sport",
}
"""The categories that every project has; they aren't in the file."""
_REPEATS: Final = {
    "d": "daily",
    "w": "weekly",
    "b": "every two weeks",
    "s": "twice a month",
    "m": "monthly",
    "y": "yearly",
}

Record = tuple[int, Mapping[str, str]]


def looks_like(lines: Sequence[Line]) -> bool:
    """Whether a table is one of these."""
    return _header(lines, _BILLS | {"timestamp"}) is not None


def read(text: str, currency: str) -> Book:
    """The book of the text; `currency` is the group's, for the file names none for its bills. Raises `UnreadableFile`."""
    lines = lines_of(text)
    if _header(lines, _BILLS) is None:
        raise UnreadableFile("there is no header with what, amount, payer_name, payer_weight and owers")
    bills = _section(lines, _BILLS)
    if len(bills) > ROWS_MAX:
        raise UnreadableFile(f"there are more than {ROWS_MAX} bills")
    categories = {record["categoryid"]: record["categoryname"] for _, record in _section(lines, _CATEGORIES)}
    people, weights, refused = _people(lines, bills)
    made = Bills(weights, currency)
    ignored: list[Unread] = []
    read_bills: list[Bill] = []
    for row, record in bills:
        if (reason := _ignored(record)) is not None:
            ignored.append(Unread(row, reason))
            continue
        try:
            read_bills.append(_bill(row, record, weights, categories))
        except BadCell as error:
            refused.append(unread(row, error))
    for bill in sorted(read_bills, key=lambda bill: bill.date):
        made.take(bill)
    return Book(
        Format.COSPEND,
        people.list(),
        entries=made.entries,
        refused=[*refused, *made.refused],
        ignored=[*ignored, *made.ignored],
        totals=made.totals(),
    )


def _header(lines: Sequence[Line], names: frozenset[str]) -> Line | None:
    return next((line for line in lines if set(line.cells) >= names), None)


def _section(lines: Sequence[Line], names: frozenset[str]) -> list[Record]:
    header = _header(lines, names)
    return [] if header is None else list(records_of(lines, header))


def _people(
    lines: Sequence[Line], bills: Sequence[Record]
) -> tuple[People, dict[str, Fraction], list[Unread]]:
    """Everybody and their weights: of their own table, and of who paid where that has none of them."""
    people, weights, refused = People(), dict[str, Fraction](), list[Unread]()
    for row, record in _section(lines, _PEOPLE):
        _weigh(people, weights, refused, row, record["name"], record["weight"])
    for row, record in bills:
        if plain(record["payer_name"]) not in weights:
            _weigh(people, weights, refused, row, record["payer_name"], record["payer_weight"])
    return people, weights, refused


def _weigh(
    people: People, weights: dict[str, Fraction], refused: list[Unread], row: int, name: str, weight: str
) -> None:
    try:
        found = Fraction(decimal_of(weight))
        if found < 0 or not plain(name):
            raise BadCell("somebody has no name, or a negative weight")
        weights[people.add(plain(name))] = found
    except BadCell as error:
        refused.append(unread(row, error))


def _ignored(record: Mapping[str, str]) -> str | None:
    if record.get("deleted") == "1":
        return "it was deleted"
    return "it only carries people" if record["what"] == _ONLY_PEOPLE else None


def _bill(
    row: int, record: Mapping[str, str], weights: Mapping[str, Fraction], categories: Mapping[str, str]
) -> Bill:
    owers = [plain(name) for name in record["owers"].split(",") if name.strip()]
    for name in (plain(record["payer_name"]), *owers):
        if name not in weights:
            raise BadCell("it names somebody who is not among the people of the file")
    number = record.get("categoryid", "")
    return Bill(
        row=row,
        what=record["what"],
        amount=decimal_of(record["amount"]),
        currency=None,
        date=day_of(record.get("date", "")),
        payer=plain(record["payer_name"]),
        owers=owers,
        is_payment=number == _REIMBURSEMENT,
        category=category_of(categories.get(number) or _NAMED.get(number)),
        notes=notes_of(unquote_plus(record.get("comment", ""))),
        remark=_remark(record.get("repeat", "n")),
    )


def _remark(repeat: str) -> str | None:
    if repeat in ("", "n"):
        return None
    return f"it repeats ({_REPEATS.get(repeat, 'by a rule of its own')}): only this one is taken over"
