"""What people attach to expenses: taken in, kept once by its hash, handed out to members, and collected.

A document per group and content says that somebody uploaded it there, which is what lets the group's members read it;
the content itself is kept once for all groups. Before the ledger gets an `attachment:added`, the expense is noted in
that document. So what no expense has any more is found by looking at a few expenses, never by reading ledgers; it is
collected when a day has passed. Events of the past go on naming it.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from persplit.ledger.attachment import Attachment
from persplit.ledger.errors import GroupArchived, LimitReached, NotFound
from persplit.ledger.events import Noun
from persplit.ledger.expense import Expense
from persplit.service.errors import StoreUnavailable
from persplit.service.groups import Groups
from persplit.service.handler import rfc3339
from persplit.service.ports import (
    READ_LIMIT_MAX,
    Clock,
    Document,
    Documents,
    DuplicateKey,
    EventStore,
    Files,
    Picture,
    Pictures,
    VersionChanged,
)
from persplit.service.subjects import thing_of
from persplit.service.walking import PAGE, file_ids, scanned

GRACE: Final = timedelta(days=1)
"""From an upload, or from the last change of an expense that had it: time to finish an expense, or to take back."""
FILES_MAX: Final = READ_LIMIT_MAX
"""Files of a group, and of a person over all groups: as many as are counted with one read."""
GROUP_BYTES_MAX: Final = 1024**3
PERSON_BYTES_MAX: Final = 1024**3
"""A thousand photos of a phone, at a megabyte each."""
EXPENSES_MAX: Final = 50
"""Expenses of a group that one and the same file was ever attached to."""
ATTEMPTS_MAX: Final = 8
"""Times that a document is changed anew after another node has changed it."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A content with what is known of it."""

    attachment: Attachment
    body: bytes


class Attachments:
    """See the module."""

    def __init__(
        self,
        documents: Documents,
        files: Files,
        events: EventStore,
        groups: Groups,
        pictures: Pictures,
        clock: Clock,
    ) -> None:
        self._documents = documents
        self._files = files
        self._events = events
        self._groups = groups
        self._pictures = pictures
        self._clock = clock
        # What is counted, kept and collected on this node happens one at a time.
        self._turn = asyncio.Lock()

    async def upload(self, group_id: str, user_id: str, body: bytes) -> Attachment:
        """Keep a file for a group; the same content again is the same attachment, with the time starting anew.

        Raises:
            NotFound: no such group, or not the caller's.
            UnsupportedMedia, TooLarge: it isn't taken.
            LimitReached: the group, or the person, has as much as they may.
            StorageFull: there is no room. Nothing is kept.

        """
        state = await self._groups.state_for(group_id, user_id)
        if state.settings.archived_at:
            raise GroupArchived("the group is archived; an admin can bring it back")
        picture = await self._pictures.cleaned(body)
        id_ = hashlib.sha256(picture.body).hexdigest()
        async with self._turn:
            if await self._document(group_id, id_) is None:
                await self._check_room(group_id, user_id, len(picture.body))
            # The file first: whoever finds the document finds the file.
            await self._files.put(id_, picture.body, self._clock())
            await self._note(group_id, user_id, id_, picture)
        return Attachment(id_, picture.type, len(picture.body), picture.width, picture.height)

    async def _check_room(self, group_id: str, user_id: str, size: int) -> None:
        whose = (
            ("groupId", group_id, GROUP_BYTES_MAX, "the group"),
            ("userId", user_id, PERSON_BYTES_MAX, "you"),
        )
        for key, value, bytes_max, who in whose:
            found = await self._documents.find(key, value, FILES_MAX)
            kept = sum(int(document.body["bytes"]) for document in found)
            if len(found) >= FILES_MAX or kept + size > bytes_max:
                raise LimitReached(
                    f"at most {FILES_MAX} files and {bytes_max // 1024**2} MiB: for {who} there is no room left"
                )

    async def _note(self, group_id: str, user_id: str, id_: str, picture: Picture) -> None:
        body = {
            "groupId": group_id,
            "userId": user_id,
            "hash": id_,
            "type": picture.type,
            "bytes": len(picture.body),
            "width": picture.width,
            "height": picture.height,
            "touchedAt": rfc3339(self._clock()),
            "expenses": [],
        }
        keys = {"groupId": group_id, "userId": user_id, "hash": id_}
        try:
            await self._documents.insert(Document(document_id(group_id, id_), body, keys))
        except DuplicateKey:
            await self._touch(group_id, id_, None)

    async def _touch(self, group_id: str, id_: str, expense_id: str | None) -> Document | None:
        """Note that the time starts anew, and perhaps an expense; None if there is no such document."""
        for _ in range(ATTEMPTS_MAX):
            document = await self._document(group_id, id_)
            if document is None:
                return None
            expenses = list(document.body["expenses"])
            if expense_id is not None and expense_id not in expenses:
                if len(expenses) >= EXPENSES_MAX:
                    raise LimitReached(f"one file is attached to at most {EXPENSES_MAX} expenses")
                expenses.append(expense_id)
            body = {**document.body, "expenses": expenses, "touchedAt": rfc3339(self._clock())}
            try:
                return await self._documents.replace(replace(document, body=body))
            except VersionChanged:
                continue
        raise StoreUnavailable("the attachment is being changed from too many sides")

    async def claim(
        self, group_id: str, user_id: str, attachment_id: str, expense_id: str
    ) -> Attachment | None:
        """What an expense is about to get, from now on kept for it; None if the group has no such file.

        A stranger to the group gets None as well: the ledger's rules tell them what they may know.
        """
        try:
            await self._groups.state_for(group_id, user_id)
        except NotFound:
            return None
        async with self._turn:
            document = await self._touch(group_id, attachment_id, expense_id)
        return None if document is None else attachment_of(document)

    async def fetch(self, group_id: str, user_id: str, attachment_id: str) -> Fetched:
        """A file of the group, for a member. Raises `NotFound`."""
        await self._groups.state_for(group_id, user_id, for_sure=True)
        document = await self._document(group_id, attachment_id)
        body = await self._files.get(attachment_id) if document is not None else None
        if document is None or body is None:
            raise NotFound("there is no such attachment in this group")
        return Fetched(attachment_of(document), body)

    async def thumbnail(self, group_id: str, user_id: str, attachment_id: str) -> bytes:
        """A small JPEG of a picture of the group. Raises `NotFound`, also for a document."""
        fetched = await self.fetch(group_id, user_id, attachment_id)
        if fetched.attachment.width is None:
            raise NotFound("a document has no thumbnail")
        return await self._pictures.thumbnail(fetched.body)

    async def _document(self, group_id: str, id_: str) -> Document | None:
        name = document_id(group_id, id_)
        return (await self._documents.get([name])).get(name)

    # --- collecting

    async def sweep(self) -> int:
        """Collect what no expense has, and contents that no group has; how many documents went."""
        until = self._clock() - GRACE
        count = 0
        async for document in scanned(self._documents):
            if not await self._is_wanted(document, rfc3339(until)):
                count += await self._drop(document)
        async for id_ in file_ids(self._files):
            async with self._turn:
                if not await self._documents.find("hash", id_, 1):
                    await self._files.delete(id_, until)
        await self._files.tidy(until)
        return count

    async def _is_wanted(self, document: Document, until: str) -> bool:
        body = document.body
        if body["touchedAt"] > until:
            return True
        expenses: Sequence[str] = body["expenses"]
        latest = await self._events.latest(body["groupId"], Noun.EXPENSE, expenses) if expenses else {}
        for recorded in latest.values():
            thing = thing_of(recorded.event)
            assert isinstance(thing, Expense), "it was asked for as one"  # noqa: S101 - for the type checker
            if recorded.at > until or any(one.id == body["hash"] for one in thing.attachments):
                return True
        return False

    async def _drop(self, document: Document) -> bool:
        async with self._turn:
            present = (await self._documents.get([document.id])).get(document.id)
            if present is None or present.version != document.version:
                return False
            await self._documents.delete(document.id)
        return True


def document_id(group_id: str, id_: str) -> str:
    """Of the document that says that the group has the content."""
    return f"{group_id}:{id_}"


def attachment_of(document: Document) -> Attachment:
    """What a document says."""
    body = document.body
    return Attachment(body["hash"], body["type"], body["bytes"], body["width"], body["height"])


async def forget_group(documents: Documents, files: Files, group_id: str, now: datetime) -> None:
    """Delete all that the group has, and the contents that no other group has. Can be done again."""
    while found := await documents.find("groupId", group_id, PAGE):
        for document in found:
            hash_ = document.body["hash"]
            await documents.delete(document.id)
            if not await documents.find("hash", hash_, 1):
                await files.delete(hash_, now)
