"""Invitations: a code that lets its holder into a group, a while long, so many times. Group passwords too."""

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from persplit.ledger.errors import FieldError, Forbidden, Invalid, LimitReached, NotFound
from persplit.service.errors import ServiceError, StoreUnavailable, TokenInvalid
from persplit.service.handler import rfc3339
from persplit.service.personal_tokens import PersonalTokens
from persplit.service.ports import (
    READ_LIMIT_MAX,
    AccessClaims,
    Clock,
    Document,
    Documents,
    DuplicateKey,
    PasswordHasher,
    VersionChanged,
)
from persplit.service.throttle import SignInThrottle

CODE_BYTES: Final = 16
"""128 bits: nobody guesses a code."""
CODE_LENGTH: Final = 22
INVITE_HOURS: Final = 7 * 24
INVITE_HOURS_MAX: Final = 365 * 24
USES_MAX: Final = 1_000
INVITES_PER_GROUP_MAX: Final = 200
"""That have not run out. Beyond, some are taken back first: a list of them stays one page."""
ATTEMPTS_MAX: Final = 8
"""Times that a use is counted anew after another one of the same invite came between."""


@dataclass(frozen=True, slots=True)
class Invite:
    """A way into a group; `id` lets nobody in. `uses_max` is None where it may be used without end.

    `token_id`: the personal token that made it, without which it is no good.
    """

    id: str
    group_id: str
    created_by: str
    created_at: str
    expires_at: str
    uses: int
    uses_max: int | None
    token_id: str | None = None

    @property
    def is_used_up(self) -> bool:
        """Whether nobody comes in by it any more."""
        return self.uses_max is not None and self.uses >= self.uses_max


class Invites:
    """Codes are kept only as SHA-256: who reads the store can't join with them."""

    def __init__(self, documents: Documents, tokens: PersonalTokens, clock: Clock) -> None:
        self._documents = documents
        self._tokens = tokens
        self._clock = clock

    async def create(
        self,
        group_id: str,
        user_id: str,
        *,
        hours: int = INVITE_HOURS,
        uses_max: int | None = None,
        token: AccessClaims | None = None,
    ) -> tuple[str, Invite]:
        """A new code for the group, and what is known of it. Who may invite is checked by the caller.

        `token`: the personal token with which it was asked for, if it was with one. The invite ends when that does, or
        is taken back: else it would let in whoever had the token, long after.

        Raises:
            LimitReached: the group has `INVITES_PER_GROUP_MAX` that have not run out.

        """
        if len(await self.list_of(group_id)) >= INVITES_PER_GROUP_MAX:
            raise LimitReached(f"a group has at most {INVITES_PER_GROUP_MAX} invites: take some back first")
        code = secrets.token_urlsafe(CODE_BYTES)
        now = self._clock()
        until = now + timedelta(hours=hours)
        if token is not None:
            until = min(until, datetime.fromtimestamp(token.expires_at, UTC))
        token_id = None if token is None else token.session_id
        invite = Invite(_hashed(code), group_id, user_id, rfc3339(now), rfc3339(until), 0, uses_max, token_id)
        await self._documents.insert(_document(invite))
        return code, invite

    async def find(self, code: str) -> Invite:
        """The invite behind the code, used up or not.

        Raises:
            NotFound: no such invite, or it has run out, or was taken back.

        """
        id_ = _hashed(code)
        found = (await self._documents.get([id_])).get(id_)
        if found is None or await self._is_cleared(found):
            raise _gone()
        return _read(found)

    async def list_of(self, group_id: str) -> Sequence[Invite]:
        """The group's invites that have not run out, oldest first."""
        documents = await self._documents.find("groupId", group_id, READ_LIMIT_MAX)
        found = [_read(document) for document in documents if not await self._is_cleared(document)]
        return sorted(found, key=lambda invite: (invite.created_at, invite.id))

    async def revoke(self, invite: Invite) -> None:
        """Let nobody in by it any more."""
        await self._documents.delete(invite.id)

    async def take(self, invite: Invite) -> None:
        """Count a use of it.

        Raises:
            NotFound: it is used up, or was taken back.
            StoreUnavailable: so many use it at this moment that there was no place to count.

        """
        await self._count(invite, 1)

    async def give_back(self, invite: Invite) -> None:
        """A use that was counted came to nothing."""
        try:
            await self._count(invite, -1)
        except (NotFound, StoreUnavailable):
            return  # one use fewer than there could be does no harm

    async def _count(self, invite: Invite, uses: int) -> None:
        for _ in range(ATTEMPTS_MAX):
            document = (await self._documents.get([invite.id])).get(invite.id)
            if document is None or (uses > 0 and _read(document).is_used_up):
                raise _gone()
            body = {**document.body, "uses": document.body.get("uses", 0) + uses}
            try:
                await self._documents.replace(Document(invite.id, body, document.keys, document.version))
            except VersionChanged:
                continue
            return
        raise StoreUnavailable("too many are joining by this invite at once: try again")

    async def _is_cleared(self, document: Document) -> bool:
        """Whether the invite has run out, or its token was taken back; then it leaves the store."""
        invite = _read(document)
        if datetime.fromisoformat(invite.expires_at) > self._clock() and await self._has_token(invite):
            return False
        await self._documents.delete(document.id)
        return True

    async def _has_token(self, invite: Invite) -> bool:
        """Whether the personal token that made it is there, if it was one."""
        try:
            if invite.token_id is not None:
                await self._tokens.check(invite.token_id)
        except TokenInvalid:
            return False
        return True


def _gone() -> NotFound:
    return NotFound("there is no such invite, or it has run out")


def _document(invite: Invite) -> Document:
    body = {
        "groupId": invite.group_id,
        "createdBy": invite.created_by,
        "createdAt": invite.created_at,
        "expiresAt": invite.expires_at,
        "uses": invite.uses,
        "usesMax": invite.uses_max,
        "tokenId": invite.token_id,
    }
    return Document(invite.id, body, {"groupId": invite.group_id, "createdBy": invite.created_by})


def _read(document: Document) -> Invite:
    body = document.body
    return Invite(
        id=document.id,
        group_id=body["groupId"],
        created_by=body["createdBy"],
        created_at=body["createdAt"],
        expires_at=body["expiresAt"],
        # Invites from before uses were counted have neither.
        uses=body.get("uses", 0),
        uses_max=body.get("usesMax"),
        # Nor those from before this was asked.
        token_id=body.get("tokenId"),
    )


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

    async def check(self, group_id: str, tried_by: str, password: str | None) -> None:
        """Return if the password is right. `tried_by`: whose wrong ones are counted together.

        Raises:
            Invalid: none was given.
            Forbidden: it is wrong.
            RateLimited: too many wrong ones from there; wait.

        """
        if password is None:
            raise Invalid(FieldError("password", "this group asks for a password"))
        found = (await self._documents.get([group_id])).get(group_id)
        attempt = self._throttle.begin(f"{group_id}:{tried_by}")
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
