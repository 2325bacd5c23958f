"""What commands are about, as it is now: read from the store, for `decide`."""

from collections.abc import Sequence

from persplit.ledger.comment import COMMENTS_MAX, Comment, Thread
from persplit.ledger.decide import Subject
from persplit.ledger.events import (
    AttachmentAdded,
    AttachmentRemoved,
    CommentAdded,
    CommentDeleted,
    Event,
    ExpenseCreated,
    ExpenseDeleted,
    ExpenseRestored,
    ExpenseUpdated,
    LoanCreated,
    LoanDeleted,
    LoanEvent,
    LoanRestored,
    LoanUpdated,
    Noun,
    RecurrenceSaved,
    RecurrenceStopped,
    ReminderSent,
    SettlementCompleted,
    SettlementEvent,
)
from persplit.ledger.expense import Expense
from persplit.ledger.loan import Loan
from persplit.ledger.reminder import LastReminder
from persplit.ledger.settlement import Settlement
from persplit.service.ports import EventStore


def thing_of(event: Event) -> Expense | Settlement | None:
    """The expense or settlement as the event left it."""
    match event:
        case ExpenseUpdated(after=after):
            return after
        case (
            ExpenseCreated(expense=expense)
            | ExpenseDeleted(expense=expense)
            | ExpenseRestored(expense=expense)
            | AttachmentAdded(expense=expense)
            | AttachmentRemoved(expense=expense)
        ):
            return expense
        case _ if isinstance(event, SettlementEvent):
            return event.settlement
        case _:
            return None


def loan_of(event: Event) -> Loan | None:
    """The loan as the event left it, also where a payment repaid it."""
    match event:
        case LoanUpdated(after=loan) | SettlementCompleted(loan=loan):
            return loan
        case LoanCreated(loan=loan) | LoanDeleted(loan=loan) | LoanRestored(loan=loan):
            return loan
        case _:
            return None


async def subjects_of(
    store: EventStore, group_id: str, noun: Noun, ids: Sequence[str]
) -> dict[tuple[Noun, str] | None, Subject | None]:
    """The present versions of things of one kind, by noun and id; unknown ones are left out."""
    if noun is Noun.COMMENT:
        return {(noun, id_): await thread_of(store, group_id, id_) for id_ in dict.fromkeys(ids)}
    latest = await store.latest(group_id, noun, ids)
    return {(noun, id_): _subject_in(recorded.event) for id_, recorded in latest.items()}


def _subject_in(event: Event) -> Subject | None:
    match event:
        case ReminderSent(reminder=reminder):
            return LastReminder(reminder)
        case RecurrenceSaved(recurrence=recurrence) | RecurrenceStopped(recurrence=recurrence):
            return recurrence
        case _ if isinstance(event, LoanEvent):
            return loan_of(event)
        case _:
            return thing_of(event)


async def thread_of(store: EventStore, group_id: str, expense_id: str) -> Thread:
    """An expense with its comments."""
    found = await store.latest(group_id, Noun.EXPENSE, [expense_id])
    expense = thing_of(found[expense_id].event) if expense_id in found else None
    comments: dict[str, Comment] = {}
    # Each comment is added once and deleted at most once.
    for recorded in await store.about(group_id, Noun.COMMENT, expense_id, 2 * COMMENTS_MAX):
        if isinstance(recorded.event, CommentAdded | CommentDeleted):
            comments[recorded.event.comment.id] = recorded.event.comment
    return Thread(expense if isinstance(expense, Expense) else None, tuple(comments.values()))
