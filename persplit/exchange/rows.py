"""What becomes of each row of a file."""

from dataclasses import dataclass
from enum import StrEnum

from persplit.exchange.book import Entry, Kind, Unread


class Status(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    PRESENT = "present"
    """It was imported before: nothing is done again."""
    REFUSED = "refused"
    """The group can't hold it, so nothing of the file is imported unless the row is left out."""
    SKIPPED = "skipped"
    """It is left out, as asked."""
    IGNORED = "ignored"
    """It means nothing here: it was deleted, or nobody owes anything for it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `reason` says why it is refused or ignored, or what is lost of it. Amounts in minor units."""

    row: int
    status: Status
    reason: str | None = None
    kind: Kind | None = None
    description: str | None = None
    date: str | None = None
    amount: int | None = None
    currency: str | None = None


def of_entry(entry: Entry, status: Status, reason: str | None = None) -> Row:
    """The row of an entry that could be read."""
    return Row(
        entry.row,
        status,
        reason or entry.remark,
        entry.kind,
        entry.description,
        entry.date,
        entry.amount,
        entry.currency,
    )


def of_unread(found: Unread, status: Status) -> Row:
    """The row of one that could not."""
    return Row(found.row, status, found.reason)
