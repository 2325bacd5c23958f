"""Signing up, in and out; profiles; who a token speaks for."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import uuid_utils

from persplit.ledger.errors import FieldError, Invalid, NotFound
from persplit.service.common_passwords import COMMON_PASSWORDS
from persplit.service.errors import (
    AccountDisabled,
    CredentialsInvalid,
    ServiceError,
    StoreUnavailable,
    TokenInvalid,
    TokenMissing,
)
from persplit.service.handler import rfc3339
from persplit.service.metrics import SIGN_INS, outcome_of
from persplit.service.people import People
from persplit.service.personal_tokens import PREFIX, PersonalTokens
from persplit.service.ports import AccessClaims, AccessTokens, Clock, PasswordHasher
from persplit.service.sessions import Grant, Session, Sessions
from persplit.service.suspensions import Suspensions
from persplit.service.throttle import SignInThrottle
from persplit.service.users import Credentials, ProfileChanges, User, Users

PASSWORD_LENGTH_MIN: Final = 8
PASSWORD_LENGTH_MAX: Final = 128
"""In code points as received: long enough for any passphrase, short enough to hash at once."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a device gets when it signs in or refreshes; `expires_in` is the access token's rest in seconds."""

    user: User
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


def password_fault(password: str, name: str, email: str) -> str | None:
    """What is wrong with a new password of this person, or None."""
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        return f"use {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters"
    folded = password.casefold()
    if folded in COMMON_PASSWORDS:
        return "this is one of the first passwords that anybody would try: choose another one"
    if folded.strip() in {name.casefold().strip(), email.casefold().strip()}:
        return "choose something other than your name or your e-mail address"
    return None


class Accounts:
    """Accounts and sessions together. Each method raises `StoreUnavailable` when the store doesn't answer."""

    def __init__(
        self,
        *,
        users: Users,
        people: People,
        sessions: Sessions,
        personal_tokens: PersonalTokens,
        passwords: PasswordHasher,
        tokens: AccessTokens,
        throttle: SignInThrottle,
        suspensions: Suspensions,
        clock: Clock,
    ) -> None:
        self._users = users
        self._people = people
        self._sessions = sessions
        self._personal_tokens = personal_tokens
        self._passwords = passwords
        self._tokens = tokens
        self._throttle = throttle
        self._suspensions = suspensions
        self._clock = clock

    async def register(
        self,
        name: str,
        email: str,
        password: str,
        *,
        phone: str | None = None,
        vpa: str | None = None,
        locale: str | None = None,
        device: str | None = None,
    ) -> SignedIn:
        """Open an account and sign the device in.

        Raises:
            Invalid: the password is too short, too long or too easy to guess.
            EmailTaken: an account with this address exists.
            RateLimited: too many passwords are being hashed.

        """
        with outcome_of(SIGN_INS, "register"):
            fault = password_fault(password, name, email)
            if fault is not None:
                raise Invalid(FieldError("password", fault))
            password_hash = await self._passwords.hash(password)
            user = User(
                id=str(uuid_utils.uuid7()),
                name=name,
                email=email,
                phone=phone,
                vpa=vpa,
                locale=locale,
                created_at=rfc3339(self._clock()),
            )
            await self._users.insert(user, password_hash)
            return self._signed_in(user, await self._sessions.start(user.id, device))

    async def admit_guest(self, guest: User, *, device: str | None = None) -> SignedIn:
        """Sign a device of a guest in: its tokens open one group. Whoever calls sees to it that they are in it.

        Raises:
            AccountDisabled: an admin has disabled them.

        """
        return await self._let_in(guest, device)

    async def upgrade(self, guest_id: str, email: str, password: str) -> User:
        """Make a guest an account that signs in with these. Their id, and so their place in the group, stays.

        Tokens that are out open one group until they are refreshed.

        Raises:
            Conflict: it is an account already.
            EmailTaken: an account with this address exists.
            Invalid: the password is too short, too long or too easy to guess.
            RateLimited: too many passwords are being hashed.

        """
        guest = await self.profile(guest_id)
        fault = password_fault(password, guest.name, email)
        if fault is not None:
            raise Invalid(FieldError("password", fault))
        try:
            return await self._users.upgrade(guest_id, email, await self._passwords.hash(password))
        finally:
            self._people.forget(guest_id)

    async def login(self, email: str, password: str, *, device: str | None = None) -> SignedIn:
        """Sign a device in. An address with no account takes the same time and gets the same answer.

        Raises:
            CredentialsInvalid: no such account, or another password.
            AccountDisabled: an admin has disabled it.
            RateLimited: too many failures on this address, or too many passwords are being hashed.

        """
        with outcome_of(SIGN_INS, "login"):
            known = await self._verified(email, password)
            return await self._let_in(known.user, device)

    async def _let_in(self, user: User, device: str | None) -> SignedIn:
        """Start a session, if the account isn't disabled."""
        grant = await self._sessions.start(user.id, device)
        # Not before: who is disabled between the look and the start would have a session left.
        try:
            await self._suspensions.check(user.id)
        except ServiceError:
            await self._sessions.end(grant.session.id)
            raise
        return self._signed_in(user, grant)

    async def _verified(self, email: str, password: str) -> Credentials:
        attempt = self._throttle.begin(email)
        try:
            known = await self._users.credentials(email)
            matches = await self._passwords.verify(password, known.password_hash if known else None)
        except (ServiceError, asyncio.CancelledError):
            attempt.undecided()
            raise
        if known is None or not matches:
            raise CredentialsInvalid("e-mail address and password don't go together")
        attempt.succeeded()
        return known

    async def confirmed(self, user_id: str, password: str | None) -> User:
        """The person, once they have given their password again; a guest has none.

        Raises:
            NotFound: the account is gone.
            CredentialsInvalid: not their password.
            RateLimited: too many wrong ones.

        """
        user = await self.profile(user_id)
        if user.email is not None:
            await self._verified(user.email, password or "")
        return user

    def forget(self, user_id: str) -> None:
        """Their profile was erased: show them as they are from now on."""
        self._people.forget(user_id)

    async def refresh(self, token: str | None) -> SignedIn:
        """Exchange a refresh token for a new pair.

        Raises:
            TokenMissing: None or empty.
            TokenInvalid: not one of ours, or its session has ended.
            TokenExpired: unused too long, or signed in too long ago.
            TokenReused: it was spent before; its session has ended now.

        """
        with outcome_of(SIGN_INS, "refresh"):
            if not token:
                raise TokenMissing("a refresh token is needed")
            grant = await self._sessions.refresh(token)
            user = await self._users.get(grant.session.user_id)
            if user is None:
                raise TokenInvalid("the account is gone")
            return self._signed_in(user, grant)

    async def authenticate(self, token: str | None) -> AccessClaims:
        """Who the access token, or the personal one, speaks for.

        Raises:
            TokenMissing: None or empty.
            TokenExpired: it was good once.
            TokenInvalid: not one of ours, or its session has ended.
            AccountDisabled: it has, and can't begin again.

        """
        if not token:
            raise TokenMissing("an access token is needed")
        if token.startswith(PREFIX):
            return await self._personal_tokens.claims_of(token)
        claims = self._tokens.read(token)
        await self.check_session(claims)
        return claims

    async def check_session(self, claims: AccessClaims) -> None:
        """Return if the session or personal token behind the claims goes on.

        Raises:
            TokenInvalid: it has ended.
            AccountDisabled: an admin has disabled the account.

        """
        if claims.scope is not None:
            await self._personal_tokens.check(claims.session_id)
            if await self.is_disabled(claims.user_id):
                raise _disabled()
        elif not await self._sessions.is_live(claims.session_id):
            if await self.is_disabled(claims.user_id):
                raise _disabled()
            raise TokenInvalid("the session has ended: sign in again")

    async def is_disabled(self, user_id: str) -> bool:
        """Whether an admin has disabled the account; not, as long as the store doesn't say so."""
        try:
            return await self._suspensions.is_disabled(user_id)
        except StoreUnavailable:
            return False

    async def logout(self, session_id: str) -> None:
        """End the session."""
        await self._sessions.end(session_id)

    async def logout_all(self, user_id: str) -> None:
        """End all sessions of the user."""
        await self._sessions.end_all(user_id)

    async def sessions(self, user_id: str) -> Sequence[Session]:
        """The user's signed-in devices, the last used first."""
        return await self._sessions.list_of(user_id)

    async def end_session(self, user_id: str, session_id: str) -> None:
        """End one of the user's sessions.

        Raises:
            NotFound: no such session, or another user's.

        """
        await self._sessions.end_of(user_id, session_id)

    async def profile(self, user_id: str) -> User:
        """The user's own profile.

        Raises:
            NotFound: the account is gone.

        """
        user = await self._users.get(user_id)
        if user is None:
            raise NotFound("there is no such account")
        return user

    async def update_profile(self, user_id: str, changes: ProfileChanges) -> User:
        """Change the profile. Payment links on this node show it at once, on others within seconds.

        Raises:
            NotFound: the account is gone.
            EmailTaken: another account has the new address.

        """
        try:
            return await self._users.update(user_id, changes)
        finally:
            # Also when the store didn't answer: the change may have been made.
            self._people.forget(user_id)

    def _signed_in(self, user: User, grant: Grant) -> SignedIn:
        access_token, claims = self._tokens.issue(user.id, grant.session.id, user.guest_of)
        expires_in = claims.expires_at - int(self._clock().timestamp())
        return SignedIn(user, access_token, grant.refresh_token, expires_in)


def _disabled() -> AccountDisabled:
    return AccountDisabled("an admin of this server has disabled this account")
