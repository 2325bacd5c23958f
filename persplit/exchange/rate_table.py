"""A table of rates of exchange, as an operator writes it.

    date,currency,into,rate
    2026-11-25,EUR,INR,97.25

One rupee amount for one euro, from that day on until a later day has another.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from persplit.exchange.book import UnreadableFile
from persplit.exchange.cells import BadCell, day_of
from persplit.ledger.conversion import canonical_rate
from persplit.ledger.money import CURRENCIES

COLUMNS: Final = ("date", "currency", "into", "rate")
ROWS_MAX: Final = 200_000
"""All pairs of a central bank's thirty currencies for twenty years of one of them."""
FAULTS_MAX: Final = 20
"""Bad rows that are told."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`rate` major units of `into` for one of `currency`, from the day `date` on."""

    date: str
    currency: str
    into: str
    rate: str


def read(text: str) -> Sequence[Rate]:
    """The rates of the table.

    Raises:
        UnreadableFile: it names the rows that are wrong; a table counts as a whole or not at all.

    """
    lines = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    try:
        if tuple(lines.fieldnames or ()) != COLUMNS:
            raise UnreadableFile(f"its first line has to be {','.join(COLUMNS)}")
        rates, faults = [], []
        for line in lines:
            try:
                rates.append(_rate(line))
            except BadCell as fault:
                faults.append(f"row {lines.line_num}: {fault}")
            if len(faults) == FAULTS_MAX or len(rates) > ROWS_MAX:
                break
    except csv.Error as error:
        raise UnreadableFile(f"it is no table: {error}") from None
    if faults:
        raise UnreadableFile("; ".join(faults))
    if not 0 < len(rates) <= ROWS_MAX:
        raise UnreadableFile(f"it has no row, or more than {ROWS_MAX}")
    return rates


def _rate(line: Mapping[str, str | None]) -> Rate:
    date, currency, into, rate = (line[column] or "" for column in COLUMNS)
    if None in line.values() or len(line) != len(COLUMNS):
        raise BadCell(f"it has to have {len(COLUMNS)} columns")
    if day_of(date) != date:
        raise BadCell(f"{date!r} is not a day, YYYY-MM-DD")
    for code in (currency, into):
        if code not in CURRENCIES:
            raise BadCell(f"{code!r} is not an ISO 4217 code")
    if currency == into:
        raise BadCell("both currencies are the same")
    try:
        return Rate(date, currency, into, canonical_rate(rate))
    except ValueError as error:
        raise BadCell(f"{rate!r} is not a rate: {error}") from None
