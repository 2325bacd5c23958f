"""What the server answers about what happened in all of one's groups."""

from pydantic import Field

from persplit.transport.result import Result
from persplit.transport.results import Event


class FeedEntry(Result):
    """An event of one of the caller's groups."""

    group_id: str
    group_name: str
    currency: str
    unread: bool
    event: Event


class Feed(Result):
    """What happened, newest first."""

    entries: list[FeedEntry]
    next_cursor: str | None


class GroupUnread(Result):
    """What is unread in one group: what others did since the caller joined, after `readSeq`."""

    group_id: str
    name: str
    seq: int
    read_seq: int
    unread: int = Field(description="among the group's newest 100 events")
    more: bool = Field(description="there are older ones after `readSeq`, which aren't counted")


class UnreadCounts(Result):
    """What is unread, overall and by group; groups in order of id."""

    unread: int
    more: bool
    groups: list[GroupUnread]


class Mark(Result):
    """Up to where the caller has read the group, on whichever device."""

    group_id: str
    seq: int
