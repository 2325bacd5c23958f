"""What happened, in words: the same in the history, in the live view and in notifications."""

from persplit.client_cli.amounts import scaled_text
from persplit.client_cli.money import money
from persplit.client_cli.views import GroupView
from persplit.ledger.attachment import Attachment
from persplit.ledger.events import (
    ArrangementEvent,
    AttachmentAdded,
    AttachmentRemoved,
    CommentAdded,
    CommentDeleted,
    Event,
    ExpenseCreated,
    ExpenseDeleted,
    ExpenseRestored,
    ExpenseUpdated,
    GroupCreated,
    GroupUpdated,
    LoanCreated,
    LoanEvent,
    LoanUpdated,
    MemberEvent,
    MemberJoined,
    MemberLeft,
    MemberUnblocked,
    MemberUpdated,
    PresetDeleted,
    PresetSaved,
    RecordedEvent,
    RecurrenceSaved,
    ReminderSent,
    SettlementCancelled,
    SettlementCompleted,
    SettlementCreated,
    SettlementDeclined,
)
from persplit.ledger.expense import Expense
from persplit.ledger.loan import Loan
from persplit.ledger.settlement import Settlement

_DONE = {ExpenseCreated: "added", ExpenseDeleted: "deleted", ExpenseRestored: "restored"}
_SETTLED = {
    SettlementCreated: "noted",
    SettlementCompleted: "confirmed",
    SettlementDeclined: "declined",
    SettlementCancelled: "cancelled",
}


def sentence(group: GroupView, recorded: RecordedEvent) -> str:
    """`Asha added Dinner, ₹900.00`; `you` for the caller."""
    return f"{group.shown_name(recorded.by)} {_did(group, recorded.event, recorded.by)}"


def _did(group: GroupView, event: Event, by: str) -> str:
    match event:
        case GroupCreated(settings=settings):
            return f"made the group {settings.name}"
        case GroupUpdated():
            return _updated(event)
        case MemberJoined() | MemberLeft() | MemberUpdated() | MemberUnblocked():
            return _member(group, event, by)
        case ExpenseUpdated(before=before, after=after):
            return _edited(group, before, after)
        case ExpenseCreated() | ExpenseDeleted() | ExpenseRestored():
            return f"{_DONE[type(event)]} {_expense(group, event.expense)}"
        case AttachmentAdded() | AttachmentRemoved():
            return _attached(group, event)
        case CommentAdded() | CommentDeleted() | ReminderSent():
            return _said(group, event)
        case _ if isinstance(event, ArrangementEvent):
            return _arranged(event)
        case _ if isinstance(event, LoanEvent):
            return _lent(group, event)
        case _:
            return f"{_SETTLED[type(event)]} that {payment(group, event.settlement)}"


def _lent(group: GroupView, event: LoanEvent) -> str:
    if isinstance(event, LoanUpdated):
        return f"changed the loan: {loan(group, event.after)}"
    if isinstance(event, LoanCreated):
        return f"noted that {loan(group, event.loan)}"
    return f"{'restored' if event.loan.deleted_at is None else 'deleted'} the loan: {loan(group, event.loan)}"


def loan(group: GroupView, lent: Loan) -> str:
    """`Asha lent Ben ₹5,000.00`."""
    lender, borrower = group.shown_name(lent.lender_id), group.shown_name(lent.borrower_id)
    return f"{lender} lent {borrower} {money(lent.principal, group.currency)}"


def _attached(group: GroupView, event: AttachmentAdded | AttachmentRemoved) -> str:
    file, expense = _file(event.attachment), _expense(group, event.expense)
    return (
        f"attached {file} to {expense}"
        if isinstance(event, AttachmentAdded)
        else f"took {file} off {expense}"
    )


def _file(attachment: Attachment) -> str:
    return attachment.name or ("a document" if attachment.width is None else "a picture")


def _said(group: GroupView, event: CommentAdded | CommentDeleted | ReminderSent) -> str:
    match event:
        case CommentAdded(comment=comment):
            return f"said: {comment.text}"
        case CommentDeleted():
            return "deleted a comment"
        case _:
            reminder = event.reminder
            owed = money(reminder.amount, group.currency)
            return f"reminded {group.shown_name(reminder.to_id)} to pay {owed}"


def _arranged(event: ArrangementEvent) -> str:
    match event:
        case PresetSaved(preset=preset):
            return f"saved the preset {preset.name}"
        case PresetDeleted(preset=preset):
            return f"deleted the preset {preset.name}"
        case RecurrenceSaved(recurrence=recurrence) if recurrence.paused:
            return f"paused the recurring {recurrence.draft.description}"
        case RecurrenceSaved(recurrence=recurrence):
            return f"saved the recurring {recurrence.draft.description}"
        case _:
            return f"stopped the recurring {event.recurrence.draft.description}"


def _recorded_name(group: GroupView, user_id: str) -> str:
    """The placeholder's own name, though it goes by its claimer's elsewhere."""
    return group.group.names.get(user_id, user_id)


def _updated(event: GroupUpdated) -> str:
    if event.after.archived_at != event.before.archived_at:
        return "archived the group" if event.after.archived_at else "brought the group back"
    if event.after.name != event.before.name:
        return f"renamed the group to {event.after.name}"
    return "changed the group's settings"


def _member(group: GroupView, event: MemberEvent, by: str) -> str:
    if isinstance(event, MemberUpdated):
        return _member_changed(group, event)
    itself = event.member.user_id == by
    if isinstance(event, MemberUnblocked):
        return f"unblocked {group.shown_name(event.member.user_id)}"
    if isinstance(event, MemberLeft):
        did = "blocked" if event.member.blocked else "removed"
        return "left" if itself else f"{did} {group.shown_name(event.member.user_id)}"
    if itself and event.member.claimed:
        return f"joined, taking over from {_recorded_name(group, event.member.claimed)}"
    return "joined" if itself else f"added {group.shown_name(event.member.user_id)}"


def _member_changed(group: GroupView, event: MemberUpdated) -> str:
    before, after = event.before, event.after
    who = group.shown_name(after.user_id)
    if after.placeholder and not before.placeholder:
        return "gave their account up"
    if after.unit != before.unit:
        return f"let {who} settle " + (f"with {after.unit}" if after.unit else "alone")
    if after.weight != before.weight:
        return f"changed the weight of {who} to {scaled_text(after.weight)}"
    return f"made {who} {after.role.value.lower()}"


def _edited(group: GroupView, before: Expense, after: Expense) -> str:
    if before.amount != after.amount:
        return f"changed {_expense(group, after)} (was {money(before.amount, group.currency)})"
    if before.description != after.description:
        return f"changed {_expense(group, after)} (was {before.description})"
    return f"changed {_expense(group, after)}"


def _expense(group: GroupView, expense: Expense) -> str:
    return f"{expense.description}, {money(expense.amount, group.currency)}"


def payment(group: GroupView, settlement: Settlement) -> str:
    """`Ben paid Asha ₹300.00`."""
    payer, payee = group.shown_name(settlement.from_id), group.shown_name(settlement.to_id)
    return f"{payer} paid {payee} {money(settlement.amount, group.currency)}"


def how_you_stand(amount: int, currency: str) -> str:
    """`you are owed ₹300.00`."""
    if amount == 0:
        return "you are settled up"
    return f"you {'are owed' if amount > 0 else 'owe'} {money(abs(amount), currency)}"
