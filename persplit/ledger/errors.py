"""Why a command was refused: one tree, one code each.

PerSplitError
├── LedgerError               what the rules of a group say
│   ├── Invalid               validation_failed    a field is wrong; `errors` names each
│   ├── NotFound              not_found            no such thing, or not for you
│   ├── Forbidden             forbidden            you are in the group, but may not do this
│   ├── Blocked               blocked              an admin doesn't want the person back in the group
│   ├── Conflict              conflict             it changed since you saw it; `current` has it
│   ├── BalanceNotZero        balance_not_zero
│   ├── SettlementPending     settlement_pending
│   ├── AlreadyMember         already_member
│   ├── AlreadySettled        already_settled
│   ├── GroupArchived         group_archived
│   ├── LimitReached          limit_reached
│   ├── NothingOwed           nothing_owed
│   ├── RateUnknown           rate_unknown         another currency, and no rate of exchange for it
│   └── RemindedRecently      reminded_recently
└── (service/errors.py)       sign-in, rates, idempotency, the store
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from persplit.ledger.expense import Expense
    from persplit.ledger.group import GroupSettings
    from persplit.ledger.loan import Loan
    from persplit.ledger.settlement import Settlement


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field: `path` as on the wire with dots (`splits.0.userId`), and what is wrong with it."""

    path: str
    message: str


class PerSplitError(Exception):
    """An answer that isn't the wished one. `code` is stable; `detail` is for people."""

    code: ClassVar[str]

    def __init__(self, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)


class LedgerError(PerSplitError):
    """A command that the rules of the group refuse. Nothing was written."""


class Invalid(LedgerError):
    """One or more fields break a rule."""

    code = "validation_failed"

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{e.path}: {e.message}" for e in errors), errors)


class NotFound(LedgerError):
    """There is no such thing, or it isn't the caller's to see: the two answer alike."""

    code = "not_found"


class Forbidden(LedgerError):
    """The caller is in the group, but this takes another role or another person."""

    code = "forbidden"


class Blocked(LedgerError):
    """The person was blocked: they come in again once an admin has unblocked them."""

    code = "blocked"


class Conflict(LedgerError):
    """The thing is no longer as the caller saw it; `current` is its present version."""

    code = "conflict"

    def __init__(
        self, detail: str, current: "Expense | Settlement | Loan | GroupSettings | None" = None
    ) -> None:
        super().__init__(detail)
        self.current = current
        self.group_id = ""
        """Set by the handler, which knows it: the current version is shown with its group."""


class BalanceNotZero(LedgerError):
    """Somebody would be out of the group while owing or being owed money."""

    code = "balance_not_zero"


class SettlementPending(LedgerError):
    """Somebody would be out of the group while a payment of theirs awaits an answer.

    Or a payment for a loan would be confirmed while one that was made earlier awaits an answer.
    """

    code = "settlement_pending"


class AlreadyMember(LedgerError):
    """The person is in the group."""

    code = "already_member"


class AlreadySettled(LedgerError):
    """The settlement was completed, declined or cancelled before."""

    code = "already_settled"


class GroupArchived(LedgerError):
    """The group is archived: it can be read, and brought back by an admin."""

    code = "group_archived"


class LimitReached(LedgerError):
    """The group holds as many of these as it may."""

    code = "limit_reached"


class NothingOwed(LedgerError):
    """Somebody is reminded of a debt that the plan doesn't have."""

    code = "nothing_owed"


class RemindedRecently(LedgerError):
    """The same person reminded the same person less than a day ago."""

    code = "reminded_recently"


class RateUnknown(LedgerError):
    """An expense is in another currency than the group's, and nobody says what that is worth."""

    code = "rate_unknown"
