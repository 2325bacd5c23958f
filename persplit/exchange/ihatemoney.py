"""ihatemoney's bills, as CSV or JSON: `what, bill_type, amount, currency, date, payer_name, payer_weight, owers`.

Columns are found by name. `XXX` is no currency; before 7.0 there is no `bill_type`. A person's weight shows only
where they paid: who never did counts once.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from persplit.exchange.book import ROWS_MAX, Book, Format, Unread, UnreadableFile
from persplit.exchange.cells import BadCell, Line, day_of, decimal_of, lines_of, plain, records_of
from persplit.exchange.entries import People, unread
from persplit.exchange.json_text import parsed
from persplit.exchange.weighted import Bill, Bills
from persplit.ledger.money import CURRENCIES

_COLUMNS: Final = frozenset({"what", "amount", "date", "payer_name", "payer_weight", "owers"})
_NO_CURRENCY: Final = ("", "XXX")


def looks_like(lines: Sequence[Line]) -> bool:
    """Whether a table is one of these."""
    return bool(lines) and set(lines[0].cells) >= _COLUMNS and "timestamp" not in lines[0].cells


def looks_like_list(value: Any) -> bool:
    """Whether a JSON value is one of these."""
    return (
        isinstance(value, list) and bool(value) and isinstance(value[0], dict) and value[0].keys() >= _COLUMNS
    )


def read(text: str, currency: str) -> Book:
    """The book of the text; `currency` is that of bills with none. Raises `UnreadableFile`."""
    records = list(_listed(text) if text.lstrip("\ufeff \r\n\t").startswith("[") else _tabled(text))
    if len(records) > ROWS_MAX:
        raise UnreadableFile(f"there are more than {ROWS_MAX} bills")
    people = People()
    weights: dict[str, Fraction] = {}
    refused: list[Unread] = []
    bills: list[Bill] = []
    for row, record in records:
        try:
            bills.append(_bill(row, record, people, weights))
        except BadCell as error:
            refused.append(unread(row, error))
    guessed = [person.name for person in people.list() if person.key not in weights]
    made = Bills({person.key: weights.get(person.key, Fraction(1)) for person in people.list()}, currency)
    for bill in sorted(bills, key=lambda bill: (bill.date, -bill.row)):  # the file has the newest first
        made.take(bill)
    return Book(
        Format.IHATEMONEY,
        people.list(),
        entries=made.entries,
        refused=[*refused, *made.refused],
        ignored=made.ignored,
        totals=made.totals(),
        remarks=[f"the file has no weight for {', '.join(guessed)}: each counts once"] if guessed else (),
    )


def _tabled(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    lines = lines_of(text)
    if not looks_like(lines):
        raise UnreadableFile("there is no header with what, amount, date, payer_name, payer_weight and owers")
    return records_of(lines, lines[0])


def _listed(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    value = parsed(text)
    if not looks_like_list(value) or not all(isinstance(bill, dict) for bill in value):
        raise UnreadableFile(
            "it is no list of bills with what, amount, date, payer_name, payer_weight and owers"
        )
    return enumerate(value, 1)


def _bill(row: int, record: Mapping[str, Any], people: People, weights: dict[str, Fraction]) -> Bill:
    if not record.keys() >= _COLUMNS:
        raise BadCell(f"it lacks {', '.join(sorted(_COLUMNS - record.keys()))}")
    currency = str(record.get("currency") or "")
    if currency not in _NO_CURRENCY and currency not in CURRENCIES:
        raise BadCell("its currency is not an ISO 4217 code")
    payer = people.add(_name(record["payer_name"]))
    weight = Fraction(decimal_of(str(record["payer_weight"])))
    if weight < 0:
        raise BadCell("a weight is negative")
    if weights.setdefault(payer, weight) != weight:
        raise BadCell("its payer has another weight than in a bill before")
    owers = record["owers"]
    listed = owers if isinstance(owers, list) else [name for name in str(owers).split(",") if name.strip()]
    return Bill(
        row=row,
        what=str(record["what"]),
        amount=decimal_of(str(record["amount"])),
        currency=None if currency in _NO_CURRENCY else currency,
        date=day_of(str(record["date"])),
        payer=payer,
        owers=[people.add(_name(name)) for name in listed],
        is_payment=str(record.get("bill_type") or "") == "Reimbursement",
    )


def _name(value: Any) -> str:
    name = plain(value) if isinstance(value, str) else ""
    if not name:
        raise BadCell("somebody in it has no name")
    return name
