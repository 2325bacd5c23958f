"""What people say about an expense. It moves no money."""

from dataclasses import dataclass
from typing import Final

from persplit.ledger.expense import Expense

TEXT_LENGTH_MAX: Final = 1_000
"""Characters: a few sentences. A longer story fits into the expense's notes."""
COMMENTS_MAX: Final = 200
"""Comments that one expense ever gets, deleted ones included: so whoever shows one reads a bounded history."""


@dataclass(frozen=True, slots=True)
class Comment:
    """One remark. `seq` is that of the event that made this version. Times are RFC 3339 UTC."""

    id: str
    expense_id: str
    seq: int
    text: str
    created_by: str
    created_at: str
    deleted_at: str | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """An expense (None: there is no such) and all comments that it ever had, in their present versions, oldest first."""

    expense: Expense | None
    comments: tuple[Comment, ...] = ()

    def find(self, comment_id: str) -> Comment | None:
        """The comment with this id, deleted or not."""
        return next((comment for comment in self.comments if comment.id == comment_id), None)

    def standing(self) -> tuple[Comment, ...]:
        """Those that were not deleted."""
        return tuple(comment for comment in self.comments if comment.deleted_at is None)
