"""Personal tokens: for a person's own scripts, with a scope and an end, instead of their password.

A token is shown once, when it is made; kept is its SHA-256. It opens what its scope says, perhaps in one group alone,
and never the account itself, so that one that leaks can't make others.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import uuid_utils

from persplit.ledger.errors import LimitReached, NotFound
from persplit.service.errors import StoreUnavailable, TokenExpired, TokenInvalid
from persplit.service.handler import rfc3339
from persplit.service.people import Remembered
from persplit.service.ports import READ_LIMIT_MAX, AccessClaims, Clock, Document, Documents, TokenScope

PREFIX: Final = "pst_"
"""By it a token is told from an access token, and found by those who look for leaked ones."""
TOKENS_PER_USER_MAX: Final = 20
"""One for each script of a busy person; beyond, some are taken back first."""
DAYS_DEFAULT: Final = 90
DAYS_MAX: Final = 366
SECRET_BYTES: Final = 32
LIVE_SECONDS: Final = 5.0
"""How long a token that was taken back on another node may still work on this one."""
REMEMBERED_MAX: Final = 10_000
"""Tokens that are remembered: some 4 MB."""
_TOKEN: Final = re.compile(r"pst_([0-9a-f-]{36})_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """What is known of a token. `group_id` is the only group that it opens; None: all of its owner's."""

    id: str
    user_id: str
    name: str
    scope: TokenScope
    group_id: str | None
    created_at: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class _Kept:
    """A token as it is kept."""

    token: PersonalToken
    hashed: str


class PersonalTokens:
    """Everybody's tokens. Each method raises `StoreUnavailable` when the store doesn't answer.

    `on_ended` is told the ids of tokens as this node learns that they were taken back; listeners must not raise.
    """

    def __init__(
        self, documents: Documents, clock: Clock, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._documents = documents
        self._clock = clock
        # An empty tuple remembers that there is no such token.
        self._known: Remembered[tuple[_Kept, ...]] = Remembered(LIVE_SECONDS, REMEMBERED_MAX, monotonic)
        self.on_ended: list[Callable[[str], None]] = []

    async def create(
        self,
        user_id: str,
        name: str,
        scope: TokenScope,
        *,
        group_id: str | None = None,
        days: int = DAYS_DEFAULT,
    ) -> tuple[str, PersonalToken]:
        """A new token, which nobody can be told again, and what is known of it.

        Raises:
            LimitReached: they have `TOKENS_PER_USER_MAX`.

        """
        if len(await self.list_of(user_id)) >= TOKENS_PER_USER_MAX:
            raise LimitReached(f"a person has at most {TOKENS_PER_USER_MAX} tokens: take some back first")
        now = self._clock()
        expires_at = rfc3339(now + timedelta(days=days))
        id_ = str(uuid_utils.uuid7())
        token = PersonalToken(id_, user_id, name, scope, group_id, rfc3339(now), expires_at)
        text = f"{PREFIX}{id_}_{secrets.token_urlsafe(SECRET_BYTES)}"
        await self._documents.insert(_document(_Kept(token, _hashed(text))))
        return text, token

    async def list_of(self, user_id: str) -> Sequence[PersonalToken]:
        """The user's tokens that have not run out, in the order of their making."""
        documents = await self._documents.find("userId", user_id, READ_LIMIT_MAX)
        found = [_read(document).token for document in documents if not await self._is_cleared(document)]
        return sorted(found, key=lambda token: token.id)

    async def revoke(self, user_id: str, token_id: str) -> None:
        """Take one of the user's tokens back.

        Raises:
            NotFound: no such token, or another user's.

        """
        if token_id not in {token.id for token in await self.list_of(user_id)}:
            raise NotFound("there is no such token")
        await self._documents.delete(token_id)
        self._ended(token_id)

    async def claims_of(self, text: str) -> AccessClaims:
        """Who the token speaks for, and for what.

        Raises:
            TokenInvalid: not one of ours, or it was taken back.
            TokenExpired: it has run out.

        """
        matched = _TOKEN.fullmatch(text)
        kept = await self._kept(matched[1]) if matched else None
        if kept is None or not hmac.compare_digest(kept.hashed, _hashed(text)):
            raise _invalid()
        token = kept.token
        expires_at = datetime.fromisoformat(token.expires_at)
        if expires_at <= self._clock():
            raise TokenExpired("the personal token has run out: make another one")
        return AccessClaims(token.user_id, token.id, int(expires_at.timestamp()), token.group_id, token.scope)

    async def check(self, token_id: str) -> None:
        """Return if the token wasn't taken back, as known at most `LIVE_SECONDS` ago. Raises `TokenInvalid`."""
        if await self._kept(token_id) is None:
            raise _invalid()

    async def look_again(self, token_ids: Sequence[str]) -> None:
        """Tell the listeners which of these, at most `READ_LIMIT_MAX`, were taken back, wherever that was."""
        found = await self._documents.get(token_ids)
        for token_id in token_ids:
            if token_id not in found:
                self._ended(token_id)

    async def _kept(self, token_id: str) -> _Kept | None:
        """The token, as remembered; while the store doesn't answer as it was minutes ago."""
        known = self._known.get(token_id)
        if known is None:
            try:
                document = (await self._documents.get([token_id])).get(token_id)
                known = () if document is None else (_read(document),)
                self._known.put(token_id, known)
            except StoreUnavailable:
                known = self._known.last(token_id)
                if known is None:
                    raise
        return known[0] if known else None

    async def _is_cleared(self, document: Document) -> bool:
        """Whether the token has run out; then it leaves the store."""
        if datetime.fromisoformat(document.body["expiresAt"]) > self._clock():
            return False
        await self._documents.delete(document.id)
        return True

    def _ended(self, token_id: str) -> None:
        self._known.put(token_id, ())
        for listener in self.on_ended:
            listener(token_id)


def _hashed(text: str) -> str:
    # A plain hash will do: nobody guesses 256 random bits.
    return hashlib.sha256(text.encode()).hexdigest()


def _invalid() -> TokenInvalid:
    return TokenInvalid("the personal token is not one of ours, or was taken back")


def _document(kept: _Kept) -> Document:
    token = kept.token
    body = {
        "userId": token.user_id,
        "name": token.name,
        "scope": token.scope.value,
        "groupId": token.group_id,
        "createdAt": token.created_at,
        "expiresAt": token.expires_at,
        "hash": kept.hashed,
    }
    return Document(token.id, body, {"userId": token.user_id})


def _read(document: Document) -> _Kept:
    body = document.body
    token = PersonalToken(
        id=document.id,
        user_id=body["userId"],
        name=body["name"],
        scope=TokenScope(body["scope"]),
        group_id=body["groupId"],
        created_at=body["createdAt"],
        expires_at=body["expiresAt"],
    )
    return _Kept(token, body["hash"])


def token_owner(document: Document) -> str:
    """Whose the token in the document is. Raises `KeyError`, `ValueError` where it isn't one."""
    return _read(document).token.user_id
