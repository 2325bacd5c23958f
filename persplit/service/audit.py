"""What admins did: append only, newest first. Nothing here changes or removes an entry.

An entry is written before what it tells of is done, so nothing is done without one. One whose action then failed
stays: that it was tried is worth knowing, too.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from persplit.service.handler import rfc3339
from persplit.service.ports import Clock, Document, Documents

_LATEST_MS: Final = 2**48 - 1
"""The year 10889. Ids count down from it, so that the newest entry is the first in order of id."""


class AdminAction(StrEnum):
    """What an admin, or whoever runs the server, can do."""

    GRANT = "admin.granted"
    REVOKE = "admin.revoked"
    DISABLE = "user.disabled"
    ENABLE = "user.enabled"
    SEARCH = "users.searched"
    REBUILD = "analytics.rebuilt"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """`by` is the admin's user id, None for the command line; `on` the user id of whom it was done to, if anybody."""

    id: str
    at: str
    action: str
    by: str | None
    on: str | None


class AuditLog:
    """The log. Every method raises `StoreUnavailable` when the store doesn't answer."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def record(self, action: AdminAction, *, by: str | None, on: str | None = None) -> None:
        """Add an entry, durably."""
        now = self._clock()
        body = {"at": rfc3339(now), "action": action.value, "by": by, "on": on}
        await self._documents.insert(Document(_id_at(now), body))

    async def page(self, after: str, limit: int) -> Sequence[AuditEntry]:
        """At most `limit` entries, newest first, that are older than the one with the id `after` ("": the newest)."""
        return [read_entry(document) for document in await self._documents.scan(after, limit)]


def read_entry(document: Document) -> AuditEntry:
    """The entry that is kept in the document."""
    body = document.body
    return AuditEntry(document.id, body["at"], body["action"], body["by"], body["on"])


def _id_at(now: datetime) -> str:
    ms = int(now.replace(tzinfo=UTC).timestamp() * 1000)
    return f"{_LATEST_MS - ms:012x}-{secrets.token_hex(8)}"
