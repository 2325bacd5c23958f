"""What happens while somebody watches: the library's changes as sentences and as JSON."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from persplit.client import (
    Change,
    CommandDoubted,
    CommandRefused,
    ConnectionChanged,
    GroupGone,
    GroupRead,
    GroupReplaced,
    Happened,
    Missed,
    Subscription,
)
from persplit.client_cli import shapes
from persplit.client_cli.sentences import how_you_stand, sentence
from persplit.client_cli.session import Session
from persplit.ledger import codec
from persplit.ledger.errors import NotFound

Show: TypeAlias = Callable[[Change], Awaitable[None]]


async def follow(session: Session, show: Show, *, until: Awaitable[None]) -> None:
    """Stay connected and show every change, until `until` is done, or going on is no use.

    Raises:
        ClientError: the library gives up, the session having ended for instance.

    """
    changes = session.client.changes()
    running = asyncio.ensure_future(session.client.run())
    tasks = {running, asyncio.ensure_future(_show_all(changes, show)), asyncio.ensure_future(until)}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        changes.close()


async def _show_all(changes: Subscription, show: Show) -> None:
    async for change in changes:
        await show(change)


async def words(session: Session, change: Change) -> str | None:
    """The change in a sentence; None where there is nothing to say, as of what the user did here."""
    match change:
        case ConnectionChanged(is_live=is_live, reason=reason):
            return "Connected." if is_live else f"Offline: {reason}".rstrip(": ") + "."
        case GroupGone():
            return "You are no longer in one of your groups."
        case Missed():
            return "A lot has happened: look again."
        case CommandRefused(error=error):
            return f"The server refused something: {error.detail}. See `refused`."
        case CommandDoubted(doubt=doubt):
            return f"Something that waits doesn't fit any more: {doubt}" if doubt else None
        case _:
            return await _of_group(session, change)


async def _of_group(session: Session, change: Change) -> str | None:
    if not isinstance(change, Happened | GroupReplaced):
        return None
    try:
        view = await session.view_of(change.group_id)
    except NotFound:
        return None  # left meanwhile
    if isinstance(change, GroupReplaced):
        return f"{view.title} was loaded; {how_you_stand(view.my_balance, view.currency)}."
    happened = sentence(view, change.event)
    return f"{view.title} #{change.event.seq}: {happened}; {how_you_stand(view.my_balance, view.currency)}."


def to_json(change: Change) -> shapes.Json:
    """`{change, groupId?, seq?, event?, commandId?, live?, reason?, error?, doubt?}`."""
    told: shapes.Json = {"change": _kind(change)}
    for field, name in (("group_id", "groupId"), ("command_id", "commandId"), ("doubt", "doubt")):
        if hasattr(change, field):
            told[name] = getattr(change, field)
    match change:
        case Happened(event=event):
            told["event"] = codec.event_to_json(event)
        case GroupRead(seq=seq):
            told["seq"] = seq
        case CommandRefused(error=error):
            told["error"] = {"code": error.code, "detail": error.detail}
        case ConnectionChanged(is_live=is_live, reason=reason):
            told |= {"live": is_live, "reason": reason}
        case _:
            pass
    return told


def _kind(change: Change) -> str:
    """`CommandRefused` → `commandRefused`."""
    name = type(change).__name__
    return name[0].lower() + name[1:]
