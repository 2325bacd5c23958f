"""What a command is about: under which noun and id its events are found."""

from persplit.ledger.commands import (
    AddAttachment,
    AddComment,
    CancelSettlement,
    Command,
    ConfirmSettlement,
    CreateExpense,
    CreateLoan,
    CreateSettlement,
    DeclineSettlement,
    DeleteComment,
    DeleteExpense,
    MakeInstance,
    RemoveAttachment,
    RestoreExpense,
    SaveRecurrence,
    SendReminder,
    UpdateExpense,
)
from persplit.ledger.events import Noun
from persplit.ledger.reminder import pair_key


def subject_of_command(command: Command) -> tuple[Noun, str] | None:
    """What `Asked.subject` has to be of; None: nothing beyond the group's state."""
    match command:
        case (
            CreateExpense(expense_id=id_)
            | UpdateExpense(expense_id=id_)
            | DeleteExpense(expense_id=id_)
            | RestoreExpense(expense_id=id_)
            | AddAttachment(expense_id=id_)
            | RemoveAttachment(expense_id=id_)
            | MakeInstance(expense_id=id_)
        ):
            return Noun.EXPENSE, id_
        case (
            CreateSettlement(settlement_id=id_)
            | ConfirmSettlement(settlement_id=id_)
            | DeclineSettlement(settlement_id=id_)
            | CancelSettlement(settlement_id=id_)
        ):
            return Noun.SETTLEMENT, id_
        case CreateLoan(loan_id=id_):
            return Noun.LOAN, id_
        case AddComment(expense_id=id_) | DeleteComment(expense_id=id_):
            return Noun.COMMENT, id_
        case SaveRecurrence(recurrence_id=id_):
            return Noun.RECURRENCE, id_
        case SendReminder(from_id=from_id, to_id=to_id):
            return Noun.REMINDER, pair_key(from_id, to_id)
        case _:
            return None
