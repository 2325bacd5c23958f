"""What the server answers about comments, reminders and categories."""

from pydantic import Field

from persplit.transport.result import Result
from persplit.transport.results import Comment, Reminder, Written


class CommentWritten(Written):
    """The comment after the write."""

    comment: Comment


class Comments(Result):
    """An expense's comments, oldest first; deleted ones are left out."""

    comments: list[Comment]


class ReminderWritten(Written):
    """The reminder that was sent."""

    reminder: Reminder


class Category(Result):
    """What an expense can be for. `key` is what to send as `category`, and never changes."""

    key: str
    name: str
    icon: str = Field(description="one emoji")


class Categories(Result):
    """The fixed list, in the order in which to show it. Any other text is a category, too, with no icon."""

    categories: list[Category]
