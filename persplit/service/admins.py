"""Who looks after the platform: a role given by whoever runs the server, never by another admin.

It stands in the store and is read there for every request: no token says it, so whoever loses it has lost it at once.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Final

from persplit.ledger.errors import Forbidden
from persplit.service.handler import rfc3339
from persplit.service.ports import Clock, Document, Documents, DuplicateKey
from persplit.service.suspensions import Suspensions

LISTED_MAX: Final = 1_000
"""Admins that a list has at most: one read of the store, and far more than look after any server."""


class Admins:
    """The admins of the platform. Every method raises `StoreUnavailable` when the store doesn't answer."""

    def __init__(self, documents: Documents, suspensions: Suspensions, clock: Clock) -> None:
        self._documents = documents
        self._suspensions = suspensions
        self._clock = clock

    async def require(self, user_id: str) -> None:
        """Return if the user is an admin now. Raises `Forbidden`."""
        if not await self.has(user_id) or await self._suspensions.is_disabled(user_id):
            raise Forbidden("only an admin of this server may do that")

    async def has(self, user_id: str) -> bool:
        """Whether the role was given to the user."""
        return bool(await self._documents.get([user_id]))

    async def which(self, user_ids: Sequence[str]) -> Collection[str]:
        """Those of these users that have the role."""
        return (await self._documents.get(user_ids)).keys()

    async def grant(self, user_id: str) -> None:
        """Make the user an admin. Nothing happens if they are."""
        with suppress(DuplicateKey):
            await self._documents.insert(Document(user_id, {"since": rfc3339(self._clock())}))

    async def revoke(self, user_id: str) -> None:
        """Take the role away. Nothing happens if they don't have it."""
        await self._documents.delete(user_id)

    async def all(self) -> dict[str, str]:
        """User id → since when, RFC 3339 UTC, in order of id; at most `LISTED_MAX`."""
        return {
            document.id: str(document.body["since"])
            for document in await self._documents.scan("", LISTED_MAX)
        }
