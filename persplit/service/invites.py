"""Invitations: a code that lets its holder into a group. Group passwords too."""

import asyncio
import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from persplit.ledger.errors import FieldError, Forbidden, Invalid, NotFound
from persplit.service.errors import ServiceError
from persplit.service.handler import rfc3339
from persplit.service.ports import Clock, Document, Documents, DuplicateKey, PasswordHasher, VersionChanged
from persplit.service.throttle import SignInThrottle

CODE_BYTES: Final = 16
"""128 bits: nobody guesses a code."""
CODE_LENGTH: Final = 22
INVITE_DAYS: Final = 7


class Invites:
    """Codes are kept only as SHA-256: who reads the store can't join with them."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def create(self, group_id: str, user_id: str) -> tuple[str, str]:
        """A new code for the group, and when it runs out (RFC 3339 UTC). Who may invite is checked by the caller."""
        code = secrets.token_urlsafe(CODE_BYTES)
        expires_at = rfc3339(self._clock() + timedelta(days=INVITE_DAYS))
        body = {
            "groupId": group_id,
            "createdBy": user_id,
            "createdAt": rfc3339(self._clock()),
            "expiresAt": expires_at,
        }
        keys = {"groupId": group_id, "createdBy": user_id}
        await self._documents.insert(Document(_hashed(code), body, keys))
        return code, expires_at

    async def group_of(self, code: str) -> str:
        """The group that the code opens.

        Raises:
            NotFound: no such invite, or it has run out.

        """
        id_ = _hashed(code)
        found = (await self._documents.get([id_])).get(id_)
        if found is None:
            raise NotFound("there is no such invite, or it has run out")
        if datetime.fromisoformat(found.body["expiresAt"]) <= self._clock():
            await self._documents.delete(id_)
            raise NotFound("there is no such invite, or it has run out")
        return str(found.body["groupId"])


class GroupPasswords:
    """The optional password of a group, hashed like those of accounts, apart from the ledger that members read."""

    def __init__(self, documents: Documents, passwords: PasswordHasher, throttle: SignInThrottle) -> None:
        self._documents = documents
        self._passwords = passwords
        self._throttle = throttle

    async def set(self, group_id: str, password: str) -> None:
        """Keep the group's password, in place of the one before."""
        body = {"hash": await self._passwords.hash(password)}
        try:
            await self._documents.insert(Document(group_id, body))
        except DuplicateKey:
            await self._replace(group_id, body["hash"])

    async def _replace(self, group_id: str, hashed: str) -> None:
        found = (await self._documents.get([group_id])).get(group_id)
        if found is None:
            return
        try:
            await self._documents.replace(Document(group_id, {"hash": hashed}, {}, found.version))
        except VersionChanged:
            # Two admins changed it at the same moment: either password is one that was just set.
            return

    async def check(self, group_id: str, user_id: str, password: str | None) -> None:
        """Return if the password is right.

        Raises:
            Invalid: none was given.
            Forbidden: it is wrong.
            RateLimited: too many wrong ones from this person; wait.

        """
        if password is None:
            raise Invalid(FieldError("password", "this group asks for a password"))
        found = (await self._documents.get([group_id])).get(group_id)
        attempt = self._throttle.begin(f"{group_id}:{user_id}")
        try:
            matches = await self._passwords.verify(password, found.body["hash"] if found else None)
        except (ServiceError, asyncio.CancelledError):
            attempt.undecided()
            raise
        if not matches:
            raise Forbidden("the group's password is another one")
        attempt.succeeded()


def _hashed(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
