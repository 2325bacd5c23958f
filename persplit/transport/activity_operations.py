"""What happened in all of one person's groups, and what of it they haven't read."""

from typing import Final

from persplit.service.activity import Place
from persplit.transport import fields as f
from persplit.transport import views
from persplit.transport.fields import cursor_of
from persplit.transport.limits import Budget
from persplit.transport.operations import Answers, Call, Operation, Services
from persplit.transport.requests import Nothing, OneGroup, Page
from persplit.transport.views import Json

results: Final = Answers("activity_results")


class ListActivity(Page):
    """A page of the feed."""

    cursor: f.FeedCursor | None = None


class MarkRead(OneGroup):
    """Up to where the caller has read the group. `commandId` is taken and ignored: marks only ever move on."""

    command_id: f.CommandId | None = None
    seq: f.Seq


async def _feed(services: Services, call: Call, request: ListActivity) -> Json:
    page = await services.activity.feed(call.user_id, _place(request.cursor), request.limit)
    events = [entry.event for entry in page.entries]
    people = await services.people.get(views.people_in(events))
    entries = [
        {
            "groupId": entry.state.group_id,
            "groupName": entry.state.settings.name,
            "currency": entry.state.settings.currency,
            "unread": entry.is_unread,
            "event": told,
        }
        for entry, told in zip(page.entries, views.events(events, people), strict=True)
    ]
    return {"entries": entries, "nextCursor": _cursor(page.next_before)}


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    at, seq, group_id = cursor.split(" ")
    return at, group_id, int(seq)


def _cursor(place: Place | None) -> str | None:
    return None if place is None else cursor_of(f"{place[0]} {place[2]} {place[1]}")


async def _unread(services: Services, call: Call, _: Nothing) -> Json:
    found = await services.activity.unread(call.user_id)
    return {
        "unread": sum(it.count for it in found),
        "more": any(it.is_more for it in found),
        "groups": [
            {
                "groupId": it.state.group_id,
                "name": it.state.settings.name,
                "seq": it.state.seq,
                "readSeq": it.mark,
                "unread": it.count,
                "more": it.is_more,
            }
            for it in found
        ],
    }


async def _mark(services: Services, call: Call, request: MarkRead) -> Json:
    return {
        "groupId": request.group_id,
        "seq": await services.read_marks.move(call.user_id, request.group_id, request.seq),
    }


OPERATIONS: Final = (
    Operation(
        "listActivity",
        "What happened in all of my groups, newest first",
        ListActivity,
        results.Feed,
        _feed,
        "GET /activity",
        budget=Budget.SYNC_PAGES,
    ),
    Operation(
        "countUnread",
        "What I haven't read, overall and by group",
        Nothing,
        results.UnreadCounts,
        _unread,
        "GET /activity/unread",
        budget=Budget.SYNC_PAGES,
    ),
    Operation(
        "markRead",
        "Say up to where I have read a group; my other devices are told",
        MarkRead,
        results.Mark,
        _mark,
        "POST /groups/{groupId}/read",
        "group:read",
    ),
)
