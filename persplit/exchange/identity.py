"""What the things of an import are called: the same file makes the same ids, so a second time changes nothing.

Command ids have a space in them, which clients can't send: what an import made can be told by nobody else's command.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from persplit.ledger.events import ExpenseDeleted, LoanDeleted, RecordedEvent, SettlementEvent

IMPORT: Final = "import "
UNDO: Final = "undo "
_IMPORT_ID: Final = re.compile("[0-9a-f]{16}")
GENERATIONS_MAX: Final = 20
"""Times that the same entry can be imported and undone."""


def derived_id(group_id: str, what: str, key: str, generation: int) -> str:
    """A UUID that follows from the arguments."""
    text = f"import\0{group_id}\0{what}\0{key}\0{generation}"
    return str(UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4))


def reversal_id(settlement_id: str) -> str:
    """Of the payment that takes an imported one back."""
    return str(UUID(bytes=hashlib.sha256(f"reversal\0{settlement_id}".encode()).digest()[:16], version=4))


def import_id_of(ids: Iterable[str]) -> str:
    """Of the import of these things."""
    return hashlib.sha256("\0".join(sorted(ids)).encode()).hexdigest()[:16]


def import_prefix(import_id: str, content: str) -> str:
    """What an import's command ids begin with, before the seq; it tells the content of the entry, too."""
    return f"{IMPORT}{import_id} {content[:16]}"


def undo_prefix(import_id: str) -> str:
    """What the command ids begin with, before the seq, that take an import back."""
    return f"{UNDO}{import_id}"


def of_import(import_id: str) -> str:
    """What the command ids of all that the import recorded begin with, and no others."""
    return f"{IMPORT}{import_id} "


def of_undoing(import_id: str) -> str:
    """The same of what took the import back."""
    return f"{undo_prefix(import_id)} "


def beyond_import(import_id: str) -> str:
    """Above all that the import recorded, and below what any other one did that comes after it."""
    return f"{IMPORT}{import_id}!"  # which comes next after the space


def is_import_id(text: str) -> bool:
    """Whether it can be one."""
    return _IMPORT_ID.fullmatch(text) is not None


def import_of(recorded: RecordedEvent) -> str:
    """The id of the import that recorded it."""
    return recorded.command_id.split(" ")[1]


def content_in(recorded: RecordedEvent) -> str | None:
    """The content of the entry that the event was imported from; None for an event of people's own."""
    parts = recorded.command_id.split(" ")
    return parts[2] if len(parts) == 4 and recorded.command_id.startswith(IMPORT) else None


def is_undone(recorded: RecordedEvent) -> bool:
    """Whether the event took an imported expense or loan back."""
    return isinstance(recorded.event, ExpenseDeleted | LoanDeleted) and recorded.command_id.startswith(UNDO)


def was_taken_back(id_: str, found: Mapping[str, RecordedEvent]) -> bool:
    """Whether what was imported under this id was taken back; `found` has the last event about each thing by id."""
    last = found.get(id_)
    if last is None:
        return False
    # A payment that only repaid a loan goes with it: there is nothing to pay back.
    loan = found.get(last.event.settlement.loan_id or "") if isinstance(last.event, SettlementEvent) else None
    return is_undone(last) or reversal_id(id_) in found or (loan is not None and is_undone(loan))


@dataclass(frozen=True, slots=True)
class Known:
    """An entry's id in the group, and the last event about it if it is there already."""

    id: str
    last: RecordedEvent | None = None
