"""What the server answers about imports and whole groups as files, as models."""

from typing import Literal

from pydantic import Field

from persplit.exchange.book import Format
from persplit.exchange.matching import MatchKind
from persplit.exchange.rows import Status
from persplit.transport.result import Minor, Posting, Result, Time
from persplit.transport.results import Event, FieldError, Group, PlanRow


class ImportPerson(Result):
    """Somebody of the file. `ambiguous`: one of `candidates` is meant, and has to be told in `members` by `key`."""

    key: str
    name: str
    match: MatchKind
    user_id: str | None
    candidates: list[str]


class ImportRow(Result):
    """A row of the file and what becomes of it. `reason`: why not, or what is lost of it."""

    row: int = Field(description="the line of a table, or the place in a list, from 1")
    status: Status
    reason: str | None
    kind: str | None = Field(description="expense, payment or refund; null where it could not be read")
    description: str | None
    date: str | None
    amount: Minor | None
    currency: str | None = Field(description="null where the file names none: the group's")


class ImportDifference(Result):
    """Where what is booked for somebody isn't what the file says they are owed; `row` 0: in no row of it."""

    row: int
    key: str
    currency: str
    stated: float = Field(description="minor units; the product may hold fractions of them")
    booked: Minor


class ImportCounts(Result):
    """How many rows there are of each status."""

    new: int
    present: int
    refused: int
    skipped: int
    ignored: int


class ImportReport(Result):
    """What an import did, or with `dryRun` would do. `replayed`: all of it was imported before.

    A dry run is `possible` if it has no `errors`; carried out, those would be the refusal's.
    """

    group_id: str
    import_id: str = Field(description="to take it back with")
    format: Format
    dry_run: bool
    possible: bool
    seq: int
    replayed: bool
    counts: ImportCounts
    people: list[ImportPerson]
    rows: list[ImportRow]
    errors: list[FieldError]
    differences: list[ImportDifference]
    remarks: list[str]
    balances: list[Posting]


class PastImport(Result):
    """An import that was carried out. Where it was taken back, `undoneAt` says when, and `undoneBy` who did."""

    import_id: str
    at: Time
    by: str
    undone_at: Time | None
    undone_by: str | None


class PastImports(Result):
    """A group's imports, newest first."""

    imports: list[PastImport]
    next_cursor: str | None


class ImportUndone(Result):
    """An import was taken back. `replayed`: it was before."""

    group_id: str
    import_id: str
    seq: int
    replayed: bool


class GroupFile(Result):
    """A whole group as a file, which can be imported again: `events` is its ledger, oldest first."""

    format: Literal["persplit"]
    version: int
    exported_at: Time = Field(description="when the last event was recorded")
    group: Group
    balances: list[Posting]
    settle_up: list[PlanRow]
    events: list[Event]
