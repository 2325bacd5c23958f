"""Telling the server what waits, and taking in what it has: the outbox up, the ledgers down."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from persplit.client.book import Book
from persplit.client.changes import Hub
from persplit.client.errors import Json, Offline, Refused
from persplit.client.one_thread import OneThread
from persplit.client.outbox import Queued
from persplit.client.replica import Position
from persplit.client.signing_in import SigningIn

PULL_EVENTS: Final = 200
"""Events of one answer: what the server gives at most."""
GROUPS_AT_ONCE: Final = 8
"""Groups that are pulled side by side."""
GROUPS_A_PAGE: Final = 200
_UNREADABLE: Final = frozenset({"malformed", "too_large", "validation_failed"})
"""Refusals of a whole push that lie in one of its commands."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """After a sync: commands that wait still (none, unless some were written meanwhile), and that were refused."""

    waiting: int
    refused: int


class Syncing:
    """One push at a time, and one pull a group at a time; every method is safe to repeat after any error.

    All raise `Offline` (so too `Busy`) and `SignedOut`; what was taken in before stays.
    """

    def __init__(self, signing_in: SigningIn, book: Book, thread: OneThread, hub: Hub) -> None:
        self._signing_in = signing_in
        self._book = book
        self._thread = thread
        self._hub = hub
        self._pushing = asyncio.Lock()
        self._at_once = asyncio.Semaphore(GROUPS_AT_ONCE)

    async def sync(self) -> SyncReport:
        """Push all that waits, then pull every group."""
        await self.push()
        known = await self._thread.run(self._book.positions)
        groups = await self._listed()
        for group in groups:
            await self._thread.run(self._book.take_people, group, group["id"])
        listed = {str(group["id"]) for group in groups}
        await self.drop(known.keys() - listed)
        await self.pull_all(listed)
        waiting = await self._thread.run(self._book.waiting)
        return SyncReport(len(waiting), len(await self._thread.run(self._book.refused)))

    async def _listed(self) -> list[Json]:
        groups: list[Json] = []
        cursor: str | None = None
        while True:
            page = await self._signing_in.ask("GET", "/groups", limit=GROUPS_A_PAGE, cursor=cursor)
            groups += page["groups"]
            cursor = page["nextCursor"]
            if cursor is None:
                return groups

    async def drop(self, group_ids: Iterable[str]) -> None:
        """The user isn't in these any more."""
        for group_id in sorted(group_ids):
            self._hub.publish(await self._thread.run(self._book.gone, group_id))

    # --- up

    async def push(self) -> None:
        """Send what waits, oldest first, until nothing does; pull the groups that it touched."""
        async with self._pushing:
            while batch := await self._thread.run(self._book.to_push):
                judged = await self._thread.run(self._book.judge, batch, await self._acks(batch))
                self._hub.publish(judged.changes)
                await self.pull_all(judged.group_ids)
                if judged.busy is not None:
                    raise judged.busy

    async def _acks(self, batch: list[Queued]) -> list[Json]:
        """At least one ack, in the order of the batch."""
        try:
            body = {"commands": [queued.to_wire() for queued in batch]}
            acks: list[Json] = (await self._signing_in.ask("POST", "/sync/push", body))["results"]
        except Refused as error:
            if error.code not in _UNREADABLE:
                raise Offline(f"the server takes no outbox: {error}") from error
            if len(batch) > 1:
                # One of them is such that none is looked at: the first one alone says whether it is that one.
                return await self._acks(batch[:1])
            problem = {"code": error.code, "detail": error.detail, "errors": []}
            return [{"ok": False, "error": problem}]
        if not acks:
            raise Offline("the server answered a push with nothing")
        return acks

    # --- down

    async def pull_all(self, group_ids: Iterable[str]) -> None:
        """Pull these groups, some at a time; one that fails doesn't keep the others from it."""
        pulls = (self.pull(group_id) for group_id in sorted(group_ids))
        for outcome in await asyncio.gather(*pulls, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def follow(self, group_id: str, seq: int) -> None:
        """Pull the group unless it is held up to `seq`, as when another process has pulled it."""
        position = await self._thread.run(self._book.position, group_id)
        if position.seq < seq:
            await self.pull(group_id)
        else:
            self._hub.publish(await self._thread.run(self._book.news, group_id))

    async def pull(self, group_id: str) -> None:
        """Take in all that the server has of the group."""
        async with self._at_once:
            have = before = await self._position(group_id)
            while True:
                pulled = await self._pulled(group_id, have)
                if pulled is None:
                    return
                more = await self.take(group_id, have, pulled)
                now = await self._position(group_id)
                if not more:
                    break
                if now == have:
                    raise Offline("the server sends events that don't follow on those before")
                have = now
            if now != before and "snapshot" not in pulled:
                await self._learn_links(group_id)

    async def _position(self, group_id: str) -> Position:
        return await self._thread.run(self._book.position, group_id)

    async def _pulled(self, group_id: str, have: Position) -> Json | None:
        """The server's answer; None where the user isn't in the group."""
        try:
            return await self._signing_in.ask(
                "GET", f"/groups/{group_id}/sync", after=have.seq, epoch=have.epoch, limit=PULL_EVENTS
            )
        except Refused as error:
            if error.code != "not_found":
                raise Offline(f"the server doesn't hand out the group: {error}") from error
            if have.seq:
                await self.drop([group_id])
            return None

    async def take(self, group_id: str, have: Position, pulled: Json) -> bool:
        """Take in one answer to what was held; returns whether there is more."""
        taken = await self._thread.run(self._book.take, group_id, have, pulled)
        self._hub.publish(taken.changes)
        return taken.more

    async def _learn_links(self, group_id: str) -> None:
        """Ask for the payment links, which are no part of the ledger."""
        try:
            standing = await self._signing_in.ask("GET", f"/groups/{group_id}/balances")
        except Refused:
            return
        await self._thread.run(self._book.take_people, None, group_id, standing["settleUp"])

    async def complete(self, group_id: str) -> None:
        """Fetch the group's events from before a snapshot. Raises `Offline`, `Refused`."""
        while True:
            have = await self._position(group_id)
            after = await self._thread.run(self._book.first_gap, group_id)
            if after is None:
                return
            page = await self._signing_in.ask(
                "GET", f"/groups/{group_id}/events", after=after, limit=PULL_EVENTS
            )
            await self._thread.run(self._book.add_old_events, group_id, have, page["events"])
            if await self._thread.run(self._book.first_gap, group_id) == after:
                raise Offline("the server's events don't fit what is here: sync first")
