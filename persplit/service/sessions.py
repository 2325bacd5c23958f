"""Signed-in devices, and the refresh tokens that keep them signed in.

A session is a family of refresh tokens, one after the other, of which at most two work at any moment:

    active   the last one that its holder has proved to have
    child    made when the active one was used, but not yet seen from the client

Using the child confirms it: it becomes active and its parent is spent. Until then the active one still works for
a short grace, and gives the very same child: a client that lost the answer just asks again. Any other token of
the family is spent, and somebody who uses a spent one has a copy or was copied from; which of the two can't be
told, so the family ends.

A family is one document, so each step is one compare-and-set, whatever the nodes.
"""

import base64
import enum
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import structlog
import uuid_utils

from persplit.ledger.errors import NotFound
from persplit.service.errors import StoreUnavailable, TokenExpired, TokenInvalid, TokenReused
from persplit.service.handler import rfc3339
from persplit.service.people import Remembered
from persplit.service.ports import READ_LIMIT_MAX, Clock, Document, Documents, VersionChanged

REFRESH_GRACE_SECONDS: Final = 30
"""How long a client that lost an answer may ask again: a request's time-out and one retry."""
IDLE_DAYS: Final = 30
ABSOLUTE_DAYS: Final = 90
"""Even somebody who never puts the phone down signs in once a quarter."""
SESSIONS_PER_USER_MAX: Final = 50
"""More devices than anybody has; a script that signs in every time only ends its own old sessions."""
DEVICE_LENGTH_MAX: Final = 100
LIVE_SECONDS: Final = 5.0
"""How long a session that ended on another node may still work on this one."""
LIVE_REMEMBERED_MAX: Final = 50_000
"""Sessions whose being alive is remembered: about 10 MB."""
PEPPER_BYTES_MIN: Final = 32
ATTEMPTS_MAX: Final = 8
"""Times that a refresh is looked at anew after another one of the same session came between."""

_GRACE: Final = timedelta(seconds=REFRESH_GRACE_SECONDS)
_SALT_BYTES: Final = 16
_TOKEN: Final = re.compile(r"([0-9a-f-]{36})\.[1-9][0-9]{0,8}\.[A-Za-z0-9_-]{43}")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in device. `device` is what it calls itself, if anything; times are RFC 3339 UTC."""

    id: str
    user_id: str
    device: str | None
    created_at: str
    last_used_at: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A session with the refresh token that continues it."""

    session: Session
    refresh_token: str = field(repr=False)


class _Use(enum.Enum):
    """What presenting a token of a family amounts to."""

    FIRST = enum.auto()
    CONFIRMING = enum.auto()
    AGAIN = enum.auto()
    SPENT = enum.auto()


@dataclass(frozen=True, slots=True)
class _Family:
    """A session as it is kept: tokens only as SHA-256, `generation` is that of the active one."""

    session: Session
    salt: str = field(repr=False)
    generation: int
    active: str
    child: str | None
    child_at: str | None
    revoked_at: str | None
    version: int

    def is_expired(self, now: datetime) -> bool:
        """Whether it was unused too long, or is too old."""
        idle_until = datetime.fromisoformat(self.session.last_used_at) + timedelta(days=IDLE_DAYS)
        valid_until = datetime.fromisoformat(self.session.created_at) + timedelta(days=ABSOLUTE_DAYS)
        return now >= min(idle_until, valid_until)

    def confirmed(self, child: str) -> "_Family":
        """With the child in the place of its parent."""
        return replace(self, generation=self.generation + 1, active=child, child=None, child_at=None)

    def with_child(self, child: str, now: datetime) -> "_Family":
        """With a child of the active token, made now."""
        at = rfc3339(now)
        return replace(self, session=replace(self.session, last_used_at=at), child=child, child_at=at)


class Sessions:
    """Every user's sessions. Each method raises `StoreUnavailable` when the store doesn't answer.

    `on_ended` is told the ids of sessions as this node learns that they ended; listeners must not raise.
    """

    def __init__(
        self,
        documents: Documents,
        *,
        pepper: bytes,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
        remembered_max: int = LIVE_REMEMBERED_MAX,
    ) -> None:
        """`pepper` is the secret key that tokens are made with: the store alone doesn't yield one.

        Raises:
            ValueError: the pepper has under `PEPPER_BYTES_MIN` bytes.

        """
        if len(pepper) < PEPPER_BYTES_MIN:
            raise ValueError(f"the pepper needs at least {PEPPER_BYTES_MIN} bytes")
        self._documents = documents
        self._pepper = pepper
        self._clock = clock
        self._live: Remembered[bool] = Remembered(LIVE_SECONDS, remembered_max, monotonic)
        self.on_ended: list[Callable[[str], None]] = []

    async def start(self, user_id: str, device: str | None = None) -> Grant:
        """Sign a device in. Beyond `SESSIONS_PER_USER_MAX` the session that was unused longest ends."""
        now = rfc3339(self._clock())
        session = Session(str(uuid_utils.uuid7()), user_id, _label(device), now, now)
        salt = secrets.token_urlsafe(_SALT_BYTES)
        token = self._token(session.id, 1, salt)
        family = _Family(session, salt, 1, _hashed(token), None, None, None, 1)
        await self._documents.insert(_document(family))
        await self._end_excess(session)
        return Grant(session, token)

    async def refresh(self, token: str) -> Grant:
        """Exchange a refresh token for the next; the same one again, if this one's answer may have got lost.

        Raises:
            TokenInvalid: not one of ours, or its session has ended.
            TokenExpired: unused too long, or signed in too long ago.
            TokenReused: it was spent before; its session has ended now, whoever this is.

        """
        matched = _TOKEN.fullmatch(token)
        if matched is None:
            raise _invalid()
        for _ in range(ATTEMPTS_MAX):
            # 1 whose token is it, and which of the family's
            family = await self._family(matched[1])
            use = self._use_of(family, token)
            # 2 has the session ended
            await self._check_going_on(family, use)
            # 3 one step, unless another request of the session was faster: then look again
            try:
                return await self._step(family, use, _hashed(token))
            except VersionChanged:
                continue
        raise StoreUnavailable("the session is being refreshed from too many sides")

    async def list_of(self, user_id: str) -> Sequence[Session]:
        """The user's sessions that go on, the last used first."""
        families = await self._families_of(user_id)
        sessions = [family.session for family in families if family.revoked_at is None]
        return sorted(sessions, key=lambda session: (session.last_used_at, session.id), reverse=True)

    async def end(self, session_id: str) -> None:
        """Sign the device out. Nothing happens if it is."""
        await self._documents.delete(session_id)
        self._ended(session_id)

    async def end_of(self, user_id: str, session_id: str) -> None:
        """Sign one of the user's devices out.

        Raises:
            NotFound: no such session goes on, or it is another user's.

        """
        if session_id not in {session.id for session in await self.list_of(user_id)}:
            raise NotFound("there is no such session")
        await self.end(session_id)

    async def end_all(self, user_id: str, but: str | None = None) -> None:
        """Sign the user's devices out, except the session `but`."""
        for family in await self._families_of(user_id):
            if family.session.id != but:
                await self.end(family.session.id)

    async def is_live(self, session_id: str) -> bool:
        """Whether the session goes on, as known at most `LIVE_SECONDS` ago; waits only if that isn't remembered.

        While the store doesn't answer it is what was known minutes ago (`OUTAGE_SECONDS_MAX`), so that its holder can
        read what this node has in memory. One that ended here stays ended.
        """
        known = self._live.get(session_id)
        if known is not None:
            return known
        try:
            live = await self._is_live_in_store(session_id)
        except StoreUnavailable:
            known = self._live.last(session_id)
            if known is None:
                raise
            return known
        if self._live.get(session_id) is False:
            # It ended here while we were reading.
            return False
        if live:
            self._live.put(session_id, True)  # noqa: FBT003 - the value that is remembered
        else:
            self._ended(session_id)
        return live

    async def look_again(self, session_ids: Sequence[str]) -> None:
        """Tell the listeners which of these, at most `READ_LIMIT_MAX`, have ended, wherever that was."""
        found = await self._documents.get(session_ids)
        for session_id in session_ids:
            document = found.get(session_id)
            if document is None or _family(document).revoked_at is not None:
                self._ended(session_id)

    async def _is_live_in_store(self, session_id: str) -> bool:
        document = (await self._documents.get([session_id])).get(session_id)
        if document is None:
            return False
        family = _family(document)
        return family.revoked_at is None and not await self._is_cleared(family)

    async def _family(self, session_id: str) -> _Family:
        document = (await self._documents.get([session_id])).get(session_id)
        if document is None:
            raise _invalid()
        return _family(document)

    async def _families_of(self, user_id: str) -> list[_Family]:
        """All that haven't expired: under `READ_LIMIT_MAX`, because `start` keeps them few."""
        documents = await self._documents.find("userId", user_id, READ_LIMIT_MAX)
        families = [_family(document) for document in documents]
        return [family for family in families if not await self._is_cleared(family)]

    async def _is_cleared(self, family: _Family) -> bool:
        """Whether the session has expired; then it leaves the store."""
        if not family.is_expired(self._clock()):
            return False
        await self.end(family.session.id)
        return True

    async def _end_excess(self, newest: Session) -> None:
        families = await self._families_of(newest.user_id)
        others = [family for family in families if family.session.id != newest.id]
        # Those kept only to recognise their spent tokens go first.
        others.sort(key=lambda family: (family.revoked_at is None, family.session.last_used_at))
        for family in others[: max(0, len(families) - SESSIONS_PER_USER_MAX)]:
            await self.end(family.session.id)

    def _use_of(self, family: _Family, token: str) -> _Use:
        """What presenting the token amounts to. Raises `TokenInvalid` for one that we never made."""
        hashed = _hashed(token)
        if hashed == family.child:
            return _Use.CONFIRMING
        if hashed == family.active:
            if family.child_at is None:
                return _Use.FIRST
            child_age = self._clock() - datetime.fromisoformat(family.child_at)
            return _Use.AGAIN if child_age <= _GRACE else _Use.SPENT
        generation = int(token.split(".")[1])
        if hmac.compare_digest(token, self._token(family.session.id, generation, family.salt)):
            return _Use.SPENT
        raise _invalid()

    async def _check_going_on(self, family: _Family, use: _Use) -> None:
        if await self._is_cleared(family):
            raise TokenExpired("the session has run out: sign in again")
        if family.revoked_at is not None:
            raise _reused() if use is _Use.SPENT else _invalid()

    async def _step(self, family: _Family, use: _Use, presented: str) -> Grant:
        """Do what the use asks for. Raises `VersionChanged` if the family has moved on since it was read."""
        if use is _Use.SPENT:
            await self._revoke(family)
            raise _reused()
        parent = family.confirmed(presented) if use is _Use.CONFIRMING else family
        token = self._token(parent.session.id, parent.generation + 1, parent.salt)
        # The two differ only if the pepper was changed since: then this child takes the other's place.
        if use is _Use.AGAIN and _hashed(token) == family.child:
            return Grant(family.session, token)
        made = parent.with_child(_hashed(token), self._clock())
        await self._documents.replace(_document(made))
        return Grant(made.session, token)

    async def _revoke(self, family: _Family) -> None:
        """End the family for good before anybody is answered; its document stays, to know its spent tokens."""
        await self._documents.replace(_document(replace(family, revoked_at=rfc3339(self._clock()))))
        _log.warning("refresh_token_reused", session_id=family.session.id, user_id=family.session.user_id)
        self._ended(family.session.id)

    def _ended(self, session_id: str) -> None:
        self._live.put(session_id, False)  # noqa: FBT003 - the value that is remembered
        for listener in self.on_ended:
            listener(session_id)

    def _token(self, session_id: str, generation: int, salt: str) -> str:
        """Always the same for the same generation, so that an answer that got lost can be given again."""
        message = f"{session_id}|{generation}|{salt}".encode()
        secret = base64.urlsafe_b64encode(hmac.digest(self._pepper, message, hashlib.sha256))
        return f"{session_id}.{generation}.{secret.rstrip(b'=').decode()}"


def _hashed(token: str) -> str:
    # A plain hash will do: nobody guesses 256 random bits.
    return hashlib.sha256(token.encode()).hexdigest()


def _label(device: str | None) -> str | None:
    """The device's name for itself as one line of printable characters."""
    spaced = " ".join((device or "")[: 4 * DEVICE_LENGTH_MAX].split())
    return "".join(filter(str.isprintable, spaced))[:DEVICE_LENGTH_MAX].strip() or None


def _invalid() -> TokenInvalid:
    return TokenInvalid("the refresh token is not one of ours, or its session has ended: sign in again")


def _reused() -> TokenReused:
    return TokenReused("the refresh token was used before: the session has ended, sign in again")


def _document(family: _Family) -> Document:
    session = family.session
    body = {
        "userId": session.user_id,
        "device": session.device,
        "createdAt": session.created_at,
        "lastUsedAt": session.last_used_at,
        "salt": family.salt,
        "generation": family.generation,
        "active": family.active,
        "child": family.child,
        "childAt": family.child_at,
        "revokedAt": family.revoked_at,
    }
    return Document(session.id, body, {"userId": session.user_id}, family.version)


def read_session(document: Document) -> Session:
    """The session that is kept in the document."""
    return _family(document).session


def _family(document: Document) -> _Family:
    body = document.body
    session = Session(document.id, body["userId"], body["device"], body["createdAt"], body["lastUsedAt"])
    return _Family(
        session=session,
        salt=body["salt"],
        generation=body["generation"],
        active=body["active"],
        child=body["child"],
        child_at=body["childAt"],
        revoked_at=body["revokedAt"],
        version=document.version,
    )
