"""Comments on expenses, reminders, and the list of categories."""

from typing import Final

from persplit.ledger.categories import CATEGORIES
from persplit.ledger.codec import comment_to_json, reminder_to_json
from persplit.ledger.commands import AddComment, DeleteComment, SendReminder
from persplit.ledger.events import CommentEvent, ReminderSent
from persplit.service.command_request import Outcome
from persplit.transport import fields as f
from persplit.transport.operations import Answers, Call, Operation, Services, command, new_id
from persplit.transport.requests import GroupWrite, Nothing, OneExpense
from persplit.transport.views import Json

results: Final = Answers("comment_results")

# --- what clients send


class CommentIn(GroupWrite):
    """Something to say about an expense. `id` may be chosen by the client: a new UUID."""

    id: f.NewId | None = None
    expense_id: f.Id
    text: f.CommentText


class CommentMeant(GroupWrite):
    """Which comment to delete."""

    expense_id: f.Id
    comment_id: f.Id


class ReminderIn(GroupWrite):
    """Who is to be reminded."""

    to_user_id: f.Id


# --- what they are answered


# --- how


async def _add(services: Services, call: Call, request: CommentIn) -> Json:
    wanted = AddComment(request.id or new_id(), request.expense_id, request.text)
    return _comment(await command(services, call, request, wanted, group_id=request.group_id))


async def _delete(services: Services, call: Call, request: CommentMeant) -> Json:
    wanted = DeleteComment(request.comment_id, request.expense_id)
    return _comment(await command(services, call, request, wanted, group_id=request.group_id))


def _comment(outcome: Outcome) -> Json:
    event = outcome.recorded.event
    assert isinstance(event, CommentEvent), "events of these commands hold one"  # noqa: S101 - for the type checker
    return {
        "seq": outcome.recorded.seq,
        "replayed": outcome.replayed,
        "comment": comment_to_json(event.comment, outcome.recorded.group_id),
    }


async def _comments(services: Services, call: Call, request: OneExpense) -> Json:
    found = await services.history.comments(request.group_id, call.user_id, request.expense_id)
    return {"comments": [comment_to_json(comment, request.group_id) for comment in found]}


async def _remind(services: Services, call: Call, request: ReminderIn) -> Json:
    standing = await services.groups.standing_for(request.group_id, call.user_id)
    state = standing.state
    to_id = state.canonical(request.to_user_id)
    rows = [p.transfer for p in standing.plan if p.transfer.from_id == to_id]
    amount = sum(row.amount for row in rows if row.to_id == call.user_id)
    if not amount and state.is_admin(call.user_id):
        amount = sum(row.amount for row in rows)
    # With nothing owed it goes on to the ledger all the same: it may be a retry of one that was sent.
    wanted = SendReminder(call.user_id, to_id, amount)
    outcome = await command(services, call, request, wanted, group_id=request.group_id)
    event = outcome.recorded.event
    assert isinstance(event, ReminderSent), "the command makes one"  # noqa: S101 - for the type checker
    return {
        "seq": outcome.recorded.seq,
        "replayed": outcome.replayed,
        "reminder": reminder_to_json(event.reminder, request.group_id),
    }


async def _categories(services: Services, call: Call, _: Nothing) -> Json:  # noqa: ARG001 - one shape for all operations
    return {"categories": [{"key": it.key, "name": it.name, "icon": it.icon} for it in CATEGORIES]}


_COMMENTS: Final = "/groups/{groupId}/expenses/{expenseId}/comments"

OPERATIONS: Final = (
    Operation(
        "addComment",
        "Say something about an expense",
        CommentIn,
        results.CommentWritten,
        _add,
        f"POST {_COMMENTS}",
        "comment:add",
        status=201,
    ),
    Operation(
        "listComments",
        "What was said about an expense, oldest first",
        OneExpense,
        results.Comments,
        _comments,
        f"GET {_COMMENTS}",
    ),
    Operation(
        "deleteComment",
        "Delete a comment (who wrote it, or an admin)",
        CommentMeant,
        results.CommentWritten,
        _delete,
        f"DELETE {_COMMENTS}/{{commentId}}",
        "comment:delete",
    ),
    Operation(
        "sendReminder",
        "Remind somebody to pay (whom the plan says to be owed, or an admin)",
        ReminderIn,
        results.ReminderWritten,
        _remind,
        "POST /groups/{groupId}/reminders",
        "reminder:send",
        status=201,
    ),
    Operation(
        "listCategories",
        "What expenses can be for, with an icon each",
        Nothing,
        results.Categories,
        _categories,
        "GET /categories",
        is_public=True,
    ),
)
