"""What somebody wants done: a closed union of imperatives, already parsed and typed.

`expected_seq` is a `seq` of the group at which the caller saw the thing: if it has changed since, the command is
refused. None means that the last writer wins.
"""

from dataclasses import dataclass
from typing import TypeAlias

from persplit.ledger.attachment import Attachment
from persplit.ledger.expense import ExpenseDraft
from persplit.ledger.group import GroupKind, Role
from persplit.ledger.loan import LoanDraft
from persplit.ledger.preset import PresetDraft
from persplit.ledger.recurrence import UTC_ZONE, Schedule


@dataclass(frozen=True, slots=True)
class CreateGroup:
    """Found a group; the actor becomes its admin under the name `actor_name`."""

    actor_name: str
    name: str
    description: str | None = None
    currency: str = "INR"
    simplify: bool = True
    has_password: bool = False
    time_zone: str = UTC_ZONE
    kind: GroupKind = GroupKind.GROUP


@dataclass(frozen=True, slots=True)
class UpdateGroup:
    """Change settings (admin). None leaves a setting as it is; an empty description removes it."""

    name: str | None = None
    description: str | None = None
    currency: str | None = None
    simplify: bool | None = None
    has_password: bool | None = None
    archived: bool | None = None
    time_zone: str | None = None
    expected_seq: int | None = None


@dataclass(frozen=True, slots=True)
class AddMember:
    """Take in a registered person, or a placeholder (admin)."""

    user_id: str
    name: str
    placeholder: bool = False


@dataclass(frozen=True, slots=True)
class JoinGroup:
    """The actor comes in by an invite, taking over the placeholder `claim` if given."""

    actor_name: str
    claim: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeRole:
    """Make a member an admin, or an admin a member (admin)."""

    user_id: str
    role: Role


@dataclass(frozen=True, slots=True)
class RemoveMember:
    """Put somebody out at zero balance (admin). With `block` for good; somebody who has left is only blocked."""

    user_id: str
    block: bool = False


@dataclass(frozen=True, slots=True)
class UnblockMember:
    """Let somebody who was blocked come in again, by an invite or when they are added (admin)."""

    user_id: str


@dataclass(frozen=True, slots=True)
class ChangeUnit:
    """Let a member settle together with those of the unit of this name, or with None for themself alone.

    By an admin; to leave their unit is everybody's own right.
    """

    user_id: str
    unit: str | None


@dataclass(frozen=True, slots=True)
class BecomePlaceholder:
    """The actor gives their account up: they stay as a placeholder of this name, with their balance."""

    name: str


@dataclass(frozen=True, slots=True)
class LeaveGroup:
    """The actor goes, at zero balance."""


@dataclass(frozen=True, slots=True)
class CreateExpense:
    """Add an expense under an id that is new to the group."""

    expense_id: str
    draft: ExpenseDraft


@dataclass(frozen=True, slots=True)
class UpdateExpense:
    """Put another version in place of an expense."""

    expense_id: str
    draft: ExpenseDraft
    expected_seq: int | None = None


@dataclass(frozen=True, slots=True)
class DeleteExpense:
    """Make an expense no longer count."""

    expense_id: str
    expected_seq: int | None = None


@dataclass(frozen=True, slots=True)
class RestoreExpense:
    """Make a deleted expense count again."""

    expense_id: str
    expected_seq: int | None = None


@dataclass(frozen=True, slots=True)
class AddAttachment:
    """Attach to an expense what was uploaded to the group; `attachment` is None where nothing like that was."""

    expense_id: str
    attachment: Attachment | None


@dataclass(frozen=True, slots=True)
class RemoveAttachment:
    """Take something off an expense."""

    expense_id: str
    attachment_id: str


@dataclass(frozen=True, slots=True)
class CreateSettlement:
    """Say that `amount` minor units went from `from_id` (None: the actor) to `to_id`.

    Where it repays a loan, that was `paid_on` the day, today unless told.
    """

    settlement_id: str
    to_id: str
    amount: int
    from_id: str | None = None
    note: str | None = None
    utr: str | None = None
    loan_id: str | None = None
    paid_on: str | None = None


@dataclass(frozen=True, slots=True)
class ConfirmSettlement:
    """The receiver says that the payment arrived."""

    settlement_id: str
    expected_seq: int | None = None


@dataclass(frozen=True, slots=True)
class DeclineSettlement:
    """The receiver says that the payment did not arrive."""

    settlement_id: str
    expected_seq: int | None = None


@dataclass(frozen=True, slots=True)
class CancelSettlement:
    """The payer takes back what they said."""

    settlement_id: str
    expected_seq: int | None = None


@dataclass(frozen=True, slots=True)
class CreateLoan:
    """Note that `lender_id` lent `borrower_id` something, under an id that is new to the group."""

    loan_id: str
    lender_id: str
    borrower_id: str
    draft: LoanDraft


@dataclass(frozen=True, slots=True)
class UpdateLoan:
    """Put other terms in place of a loan's; once something was repaid, its due date and description alone."""

    loan_id: str
    draft: LoanDraft
    expected_seq: int | None = None


@dataclass(frozen=True, slots=True)
class DeleteLoan:
    """Make a loan no longer count: nothing more of it is owed, and what was repaid stays so."""

    loan_id: str
    expected_seq: int | None = None


@dataclass(frozen=True, slots=True)
class RestoreLoan:
    """Make a deleted loan count again."""

    loan_id: str
    expected_seq: int | None = None


@dataclass(frozen=True, slots=True)
class AddComment:
    """Say something about an expense, under an id that is new to it."""

    comment_id: str
    expense_id: str
    text: str


@dataclass(frozen=True, slots=True)
class DeleteComment:
    """Take a comment away: one's own, or as an admin."""

    comment_id: str
    expense_id: str


@dataclass(frozen=True, slots=True)
class SendReminder:
    """The actor, `from_id`, asks `to_id` to pay.

    `amount` is what the plan has them pay the actor, or anybody where an admin asks whom it owes nothing; 0: nothing.
    """

    from_id: str
    to_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class ChangeWeight:
    """Change what somebody bears unless told in what is divided by SHARES, in ten-thousandths (they, or an admin)."""

    user_id: str
    weight: int


@dataclass(frozen=True, slots=True)
class SavePreset:
    """Keep a way to divide under this id, in place of the version before; `is_new`: only if there is none."""

    preset_id: str
    draft: PresetDraft
    expected_seq: int | None = None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class DeletePreset:
    """Forget a way to divide."""

    preset_id: str
    expected_seq: int | None = None


@dataclass(frozen=True, slots=True)
class SaveRecurrence:
    """Keep a template of recurring expenses under this id, in place of the version before; `is_new` as above.

    `takes_over`: who made it has no account that works any more, so it is who saves it from now on.
    """

    recurrence_id: str
    schedule: Schedule
    draft: ExpenseDraft
    expected_seq: int | None = None
    is_new: bool = False
    takes_over: bool = False


@dataclass(frozen=True, slots=True)
class PauseRecurrence:
    """Make no more of a template for now, or go on. `problem`: why, where the server itself pauses it.

    `takes_over` as in `SaveRecurrence`.
    """

    recurrence_id: str
    paused: bool
    problem: str | None = None
    expected_seq: int | None = None
    takes_over: bool = False


@dataclass(frozen=True, slots=True)
class StopRecurrence:
    """Make no more of a template."""

    recurrence_id: str
    expected_seq: int | None = None


@dataclass(frozen=True, slots=True)
class MakeInstance:
    """The expense of a template for a day. Only the server itself asks for it, as who made the template."""

    recurrence_id: str
    day: str
    expense_id: str
    table_rate: str | None = None


GroupCommand: TypeAlias = CreateGroup | UpdateGroup
MemberCommand: TypeAlias = (
    AddMember
    | JoinGroup
    | ChangeRole
    | ChangeUnit
    | ChangeWeight
    | RemoveMember
    | UnblockMember
    | LeaveGroup
    | BecomePlaceholder
)
ArrangementCommand: TypeAlias = (
    SavePreset | DeletePreset | SaveRecurrence | PauseRecurrence | StopRecurrence | MakeInstance
)
ExpenseCommand: TypeAlias = CreateExpense | UpdateExpense | DeleteExpense | RestoreExpense
AttachmentCommand: TypeAlias = AddAttachment | RemoveAttachment
SettlementCommand: TypeAlias = CreateSettlement | ConfirmSettlement | DeclineSettlement | CancelSettlement
LoanCommand: TypeAlias = CreateLoan | UpdateLoan | DeleteLoan | RestoreLoan
TalkCommand: TypeAlias = AddComment | DeleteComment | SendReminder
Command: TypeAlias = (
    GroupCommand
    | MemberCommand
    | ExpenseCommand
    | AttachmentCommand
    | SettlementCommand
    | LoanCommand
    | TalkCommand
    | ArrangementCommand
)
