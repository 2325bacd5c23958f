"""Who may say what about an expense, and who may remind whom: the rules behind `decide`. Pure."""

from dataclasses import replace

from persplit.ledger.commands import AddComment, DeleteComment, SendReminder
from persplit.ledger.comment import COMMENTS_MAX, Comment, Thread
from persplit.ledger.errors import (
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    NothingOwed,
    RemindedRecently,
)
from persplit.ledger.events import CommentAdded, CommentDeleted, ReminderSent
from persplit.ledger.reminder import LastReminder, Reminder, next_allowed
from persplit.ledger.state import GroupState


def comment_added(
    state: GroupState, command: AddComment, thread: Thread, actor_id: str, now: str
) -> CommentAdded:
    """Any member may say something, also about an expense that was deleted.

    Raises:
        NotFound: no such expense.
        Conflict: the expense has a comment with this id.
        LimitReached: it had as many as it may have.

    """
    if thread.expense is None:
        raise NotFound("there is no such expense in this group")
    if thread.find(command.comment_id) is not None:
        raise Conflict("a comment with this id exists")
    if len(thread.comments) >= COMMENTS_MAX:
        raise LimitReached(f"an expense has at most {COMMENTS_MAX} comments")
    return CommentAdded(
        Comment(
            id=command.comment_id,
            expense_id=command.expense_id,
            seq=state.seq + 1,
            text=command.text,
            created_by=actor_id,
            created_at=now,
        )
    )


def comment_deleted(
    state: GroupState, command: DeleteComment, thread: Thread, actor_id: str, now: str
) -> CommentDeleted:
    """Who wrote it takes it back, or an admin takes it away.

    Raises:
        NotFound: no such comment.
        Forbidden: it is somebody else's.
        Conflict: it is deleted already.

    """
    comment = thread.find(command.comment_id)
    if comment is None:
        raise NotFound("there is no such comment on this expense")
    if state.canonical(comment.created_by) != actor_id and not state.is_admin(actor_id):
        raise Forbidden("only who wrote a comment, or an admin, can delete it")
    if comment.deleted_at is not None:
        raise Conflict("the comment is deleted already")
    return CommentDeleted(replace(comment, seq=state.seq + 1, deleted_at=now))


def reminder_sent(
    state: GroupState, command: SendReminder, last: LastReminder, actor_id: str, now: str
) -> ReminderSent:
    """Whom the plan says to be owed, or an admin, asks who owes.

    Raises:
        Invalid: that person isn't a member, or has no account that could be told.
        NothingOwed: the plan has them pay nothing to who asks (to anybody, where an admin asks).
        RemindedRecently: the last one was less than a day ago.

    """
    to_id = state.canonical(command.to_id)
    if not state.is_member(to_id):
        raise Invalid(FieldError("toUserId", "not a member of the group"))
    if state.members[to_id].placeholder:
        raise Invalid(FieldError("toUserId", "has no account yet: tell them yourself"))
    if command.amount <= 0:
        raise NothingOwed("the plan has them pay you nothing")
    if last.reminder is not None and now < (allowed := next_allowed(last.reminder)):
        raise RemindedRecently(f"they were reminded a short while ago: again from {allowed}")
    return ReminderSent(Reminder(state.seq + 1, actor_id, to_id, command.amount, now))
