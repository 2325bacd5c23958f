"""What a file of another product says, in one shape whatever the product: people, entries, and what can't be read.

A parser makes a `Book` of a text. It refuses entries, never the whole, unless nothing can be made of the text at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Final

from persplit.ledger.codec import Json
from persplit.ledger.expense import Posting, SplitType, SplitValue

ROWS_MAX: Final = 2_000
"""Entries of one file. Each is an event or two, and all are written in one transaction while the group waits."""
PEOPLE_MAX: Final = 256
"""People of one file: as many as a group may have."""
FILE_CHARACTERS_MAX: Final = 8_000_000
"""Length of a file: as many events of ours as are taken, or the most rows with a column for hundreds of people."""


class Format(StrEnum):
    """Whose file it is."""

    PERSPLIT = "persplit"
    PERSPLIT_CSV = "persplit-csv"
    SPLITWISE = "splitwise"
    SPLIIT_JSON = "spliit-json"
    SPLIIT_CSV = "spliit-csv"
    TRICOUNT = "tricount"
    IHATEMONEY = "ihatemoney"
    COSPEND = "cospend"


class Kind(StrEnum):
    """What an entry is."""

    EXPENSE = "expense"
    PAYMENT = "payment"
    REFUND = "refund"
    """Money that came back. It is booked the other way round: paid by whom it belongs to, for who received it."""


class UnreadableFile(ValueError):
    """Nothing can be made of the text; the message says why."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a file: `key` tells them apart there, `name` is what they are called."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry that could be read. People are named by their keys.

    Args:
        row: where it is: the line of a table, counted from 1, or the place in a list.
        key: what makes it this entry, the same in every later export of the same book.
        content: all of it as text, to notice that it was changed since.
        currency: None where the file doesn't say.
        payers: who paid what, minor units, positive; of a refund who it belongs to.
        shares: what fell to whom, minor units, not negative, summing to the same.
        remark: what is lost on the way, for people.

    """

    row: int
    key: str
    content: str
    kind: Kind
    description: str
    date: str
    currency: str | None
    payers: tuple[Posting, ...]
    shares: tuple[Posting, ...]
    split_type: SplitType = SplitType.EXACT
    splits: tuple[SplitValue, ...] = ()
    category: str | None = None
    notes: str | None = None
    remark: str | None = None

    @property
    def amount(self) -> int:
        """Minor units, positive."""
        return sum(posting.amount for posting in self.payers)

    def net(self) -> dict[str, int]:
        """Each person's paid less owed; sums to zero."""
        net: dict[str, int] = {}
        for posting in self.payers:
            net[posting.user_id] = net.get(posting.user_id, 0) + posting.amount
        for posting in self.shares:
            net[posting.user_id] = net.get(posting.user_id, 0) - posting.amount
        return net


@dataclass(frozen=True, slots=True)
class Unread:
    """A row and why nothing is made of it."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Total:
    """What everybody is owed in one currency by the file's own account: minor units, positive is owed to them.

    With a `row` the file states it there. Without, it is what the product makes of the entries; where it holds
    fractions of a minor unit, these are fractions, and what is booked is less than one unit off.
    """

    row: int
    currency: str | None
    amounts: Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """An event of one of our own groups, as exported: `row` is its seq there."""

    row: int
    body: Json


@dataclass(frozen=True, slots=True)
class Book:
    """All that a file says.

    `refused` are entries that could not be read, `ignored` those that mean nothing here (deleted ones, for
    instance). `history` holds the events of a file of our own, which has no entries; there `aliases` maps the ids of
    placeholders to those of who has claimed them, among `people`.
    """

    format: Format
    people: Sequence[Person]
    entries: Sequence[Entry] = ()
    refused: Sequence[Unread] = ()
    ignored: Sequence[Unread] = ()
    totals: Sequence[Total] = ()
    history: Sequence[OwnEvent] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    currency: str | None = None
    remarks: Sequence[str] = ()
