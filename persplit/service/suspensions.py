"""Accounts that an admin has disabled: they can't sign in. Their data, and everybody else's groups, stay as they are."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from persplit.service.errors import AccountDisabled
from persplit.service.handler import rfc3339
from persplit.service.ports import READ_LIMIT_MAX, Clock, Document, Documents, DuplicateKey


class Suspensions:
    """The disabled accounts. Every method raises `StoreUnavailable` when the store doesn't answer."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def check(self, user_id: str) -> None:
        """Return if the account isn't disabled. Raises `AccountDisabled`."""
        if await self.is_disabled(user_id):
            raise AccountDisabled("an admin of this server has disabled this account")

    async def is_disabled(self, user_id: str) -> bool:
        """Whether the account is disabled."""
        return bool(await self._documents.get([user_id]))

    async def since(self, user_ids: Sequence[str]) -> Mapping[str, str]:
        """Since when those of these accounts are disabled that are, RFC 3339 UTC."""
        found: dict[str, str] = {}
        for start in range(0, len(user_ids), READ_LIMIT_MAX):
            some = await self._documents.get(user_ids[start : start + READ_LIMIT_MAX])
            found.update((id_, str(one.body["at"])) for id_, one in some.items())
        return found

    async def disable(self, user_id: str) -> None:
        """Let the account not sign in any more. Nothing happens if it can't."""
        with suppress(DuplicateKey):
            await self._documents.insert(Document(user_id, {"at": rfc3339(self._clock())}))

    async def enable(self, user_id: str) -> None:
        """Let it sign in again. Nothing happens if it can."""
        await self._documents.delete(user_id)
