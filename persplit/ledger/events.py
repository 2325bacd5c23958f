"""What happened: a closed union of past-tense facts, and the record that a store makes of one.

One command makes exactly one event. An event carries all that `apply` needs, the version before included, so
that balances follow from the events alone.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from persplit.ledger.attachment import Attachment
from persplit.ledger.comment import Comment
from persplit.ledger.expense import Expense
from persplit.ledger.group import GroupSettings, Member
from persplit.ledger.loan import Loan
from persplit.ledger.preset import Preset
from persplit.ledger.recurrence import Recurrence
from persplit.ledger.reminder import Reminder, pair_key
from persplit.ledger.settlement import Settlement


@dataclass(frozen=True, slots=True)
class GroupCreated:
    """The first event of every group; its maker is its first admin."""

    settings: GroupSettings
    member: Member


@dataclass(frozen=True, slots=True)
class GroupUpdated:
    """Settings changed, archiving and bringing back included."""

    before: GroupSettings
    after: GroupSettings


@dataclass(frozen=True, slots=True)
class MemberJoined:
    """Somebody was added, joined by an invite, came back, or claimed a placeholder (`member.claimed`)."""

    member: Member


@dataclass(frozen=True, slots=True)
class MemberUpdated:
    """A member's role or unit changed, or they gave their account up and are a placeholder now."""

    before: Member
    after: Member


@dataclass(frozen=True, slots=True)
class MemberLeft:
    """Somebody left or was removed; the actor of the record tells which. Or who had left was blocked."""

    member: Member


@dataclass(frozen=True, slots=True)
class MemberUnblocked:
    """Somebody who has left may come in again."""

    member: Member


@dataclass(frozen=True, slots=True)
class ExpenseCreated:
    """An expense was added."""

    expense: Expense


@dataclass(frozen=True, slots=True)
class ExpenseUpdated:
    """An expense was changed; both versions stay."""

    before: Expense
    after: Expense


@dataclass(frozen=True, slots=True)
class ExpenseDeleted:
    """An expense no longer counts; `expense` is as it was, with `deleted_at`."""

    expense: Expense


@dataclass(frozen=True, slots=True)
class ExpenseRestored:
    """A deleted expense counts again, with the shares it had."""

    expense: Expense


@dataclass(frozen=True, slots=True)
class AttachmentAdded:
    """Something was attached to an expense, which is as it is with it. No balance moves."""

    expense: Expense
    attachment: Attachment


@dataclass(frozen=True, slots=True)
class AttachmentRemoved:
    """Something was taken off an expense, which is as it is without it. No balance moves."""

    expense: Expense
    attachment: Attachment


@dataclass(frozen=True, slots=True)
class SettlementCreated:
    """Somebody says that a payment was made."""

    settlement: Settlement


@dataclass(frozen=True, slots=True)
class SettlementCompleted:
    """The receiver confirmed it: balances move. `loan` is the one that it repaid, as it stands after that."""

    settlement: Settlement
    loan: Loan | None = None


@dataclass(frozen=True, slots=True)
class SettlementDeclined:
    """The receiver says that it did not arrive."""

    settlement: Settlement


@dataclass(frozen=True, slots=True)
class SettlementCancelled:
    """The payer took it back."""

    settlement: Settlement


@dataclass(frozen=True, slots=True)
class LoanCreated:
    """Somebody lent somebody something."""

    loan: Loan


@dataclass(frozen=True, slots=True)
class LoanUpdated:
    """A loan has other terms."""

    before: Loan
    after: Loan


@dataclass(frozen=True, slots=True)
class LoanDeleted:
    """A loan no longer counts; it is as it was, with `deleted_at`."""

    loan: Loan


@dataclass(frozen=True, slots=True)
class LoanRestored:
    """A deleted loan counts again."""

    loan: Loan


@dataclass(frozen=True, slots=True)
class CommentAdded:
    """Somebody said something about an expense."""

    comment: Comment


@dataclass(frozen=True, slots=True)
class CommentDeleted:
    """A comment no longer shows; it is as it was, with `deleted_at`."""

    comment: Comment


@dataclass(frozen=True, slots=True)
class ReminderSent:
    """Somebody was asked to pay."""

    reminder: Reminder


@dataclass(frozen=True, slots=True)
class PresetSaved:
    """A way to divide was named, or has another version."""

    preset: Preset


@dataclass(frozen=True, slots=True)
class PresetDeleted:
    """A named way to divide is gone."""

    preset: Preset


@dataclass(frozen=True, slots=True)
class RecurrenceSaved:
    """A template of recurring expenses was made, changed, paused, or goes on."""

    recurrence: Recurrence


@dataclass(frozen=True, slots=True)
class RecurrenceStopped:
    """A template of recurring expenses makes no more."""

    recurrence: Recurrence


GroupEvent: TypeAlias = GroupCreated | GroupUpdated
MemberEvent: TypeAlias = MemberJoined | MemberUpdated | MemberLeft | MemberUnblocked
ExpenseEvent: TypeAlias = ExpenseCreated | ExpenseUpdated | ExpenseDeleted | ExpenseRestored
AttachmentEvent: TypeAlias = AttachmentAdded | AttachmentRemoved
SettlementEvent: TypeAlias = (
    SettlementCreated | SettlementCompleted | SettlementDeclined | SettlementCancelled
)
LoanEvent: TypeAlias = LoanCreated | LoanUpdated | LoanDeleted | LoanRestored
CommentEvent: TypeAlias = CommentAdded | CommentDeleted
TalkEvent: TypeAlias = CommentEvent | ReminderSent
"""What is said and moves no money."""
ArrangementEvent: TypeAlias = PresetSaved | PresetDeleted | RecurrenceSaved | RecurrenceStopped
Event: TypeAlias = (
    GroupEvent
    | MemberEvent
    | ExpenseEvent
    | AttachmentEvent
    | SettlementEvent
    | LoanEvent
    | TalkEvent
    | ArrangementEvent
)


class Noun(StrEnum):
    """What kind of thing an event is about."""

    MEMBER = "member"
    GROUP = "group"
    EXPENSE = "expense"
    SETTLEMENT = "settlement"
    LOAN = "loan"
    COMMENT = "comment"
    """The comments of one expense: their subject's id is the expense's."""
    REMINDER = "reminder"
    """The reminders of one person to another: see `pair_key`."""
    PRESET = "preset"
    RECURRENCE = "recurrence"


def subject_of(event: Event) -> tuple[Noun, str]:
    """What the event is about. Its founding makes a group and its first member: there it is the member."""
    match event:
        case GroupUpdated():
            return Noun.GROUP, ""
        case (
            GroupCreated(member=member)
            | MemberJoined(member=member)
            | MemberLeft(member=member)
            | MemberUnblocked(member=member)
        ):
            return Noun.MEMBER, member.user_id
        case MemberUpdated(after=after):
            return Noun.MEMBER, after.user_id
        case ExpenseUpdated(after=after):
            return Noun.EXPENSE, after.id
        case (
            ExpenseCreated(expense=expense)
            | ExpenseDeleted(expense=expense)
            | ExpenseRestored(expense=expense)
            | AttachmentAdded(expense=expense)
            | AttachmentRemoved(expense=expense)
        ):
            return Noun.EXPENSE, expense.id
        case _:
            return _subject_beside(event)


def _subject_beside(
    event: SettlementEvent | LoanEvent | TalkEvent | ArrangementEvent,
) -> tuple[Noun, str]:
    """What an event is about that is about neither people nor expenses."""
    match event:
        case CommentAdded(comment=comment) | CommentDeleted(comment=comment):
            return Noun.COMMENT, comment.expense_id
        case ReminderSent(reminder=reminder):
            return Noun.REMINDER, pair_key(reminder.from_id, reminder.to_id)
        case PresetSaved(preset=preset) | PresetDeleted(preset=preset):
            return Noun.PRESET, preset.id
        case RecurrenceSaved(recurrence=recurrence) | RecurrenceStopped(recurrence=recurrence):
            return Noun.RECURRENCE, recurrence.id
        case _ if isinstance(event, SettlementEvent):
            return Noun.SETTLEMENT, event.settlement.id
        case _:
            return Noun.LOAN, loan_in(event).id


def loan_in(event: LoanEvent) -> Loan:
    """The loan as the event left it."""
    return event.after if isinstance(event, LoanUpdated) else event.loan


DEPARTED: Final = (MemberLeft, MemberUnblocked)
"""Of whom one of these is the last event about them, is not in the group."""


def is_creation(event: Event) -> bool:
    """Whether the event begins the life of its subject."""
    return isinstance(event, GroupCreated | MemberJoined | ExpenseCreated | SettlementCreated)


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event that is durable. Only a store makes one; only this can be announced.

    `at` is the server's clock, RFC 3339 UTC with milliseconds, never going back within a group. `by` is the
    actor's user id. `content_hash` (hex) tells a retry of `command_id` from another use of the same key.
    """

    group_id: str
    seq: int
    at: str
    by: str
    command_id: str
    content_hash: str
    event: Event
