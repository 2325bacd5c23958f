"""Coming into a group by an invite: somebody with an account, or a guest who has none."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, TypeAlias
from uuid import UUID

from persplit.ledger.errors import Conflict, LedgerError
from persplit.service.accounts import Accounts, SignedIn
from persplit.service.command_request import Outcome
from persplit.service.errors import AccountNeeded, EmailTaken, IdempotencyKeyReused
from persplit.service.groups import Groups
from persplit.service.handler import rfc3339
from persplit.service.invites import GroupPasswords, Invite, Invites
from persplit.service.overview import Overview
from persplit.service.ports import Clock
from persplit.service.users import User, Users

GUEST_RETRY_MINUTES: Final = 10
"""How long a guest whose answer got lost may ask again with the same key: it stands for a password meanwhile."""

Join: TypeAlias = Callable[[str], Awaitable[Outcome]]
"""Carries the joining out, in the group with this id."""
_REFUSED: Final = (LedgerError, IdempotencyKeyReused, AccountNeeded)
"""Nothing was written then."""


class Joining:
    """Opens invites for who comes in by them, and counts their uses."""

    def __init__(
        self, invites: Invites, passwords: GroupPasswords, groups: Groups, overview: Overview
    ) -> None:
        self._invites = invites
        self._passwords = passwords
        self._groups = groups
        self._overview = overview

    async def join(
        self, code: str, user_id: str, password: str | None, join: Join, *, tried_by: str | None = None
    ) -> Outcome:
        """Let somebody in by the code. Who is in the group already just hears so, from `join`.

        `tried_by`: who is slowed down by wrong passwords, the joiner unless told.

        Raises:
            NotFound: no such invite, or it has run out, is used up or was taken back.
            Invalid, Forbidden, RateLimited: about the group's password.
            LimitReached: they are in as many groups as they may.
            LedgerError: the group's rules refuse them; the use isn't counted.

        """
        invite = await self._invites.find(code)
        is_counted = await self._is_counted(invite, user_id, password, tried_by or user_id)
        try:
            outcome = await join(invite.group_id)
        except _REFUSED:
            if is_counted:
                await self._invites.give_back(invite)
            raise
        if is_counted and outcome.replayed:
            await self._invites.give_back(invite)
        return outcome

    async def _is_counted(self, invite: Invite, user_id: str, password: str | None, tried_by: str) -> bool:
        """Count a use, if they come in anew and may."""
        state = await self._groups.peek(invite.group_id)
        if state is None or state.is_member(user_id):
            return False
        if state.settings.has_password:
            await self._passwords.check(invite.group_id, tried_by, password)
        await self._overview.check_room(user_id)
        await self._invites.take(invite)
        return True


class Guests:
    """Lets people in who have no account: a name, and a place in one group."""

    def __init__(self, users: Users, accounts: Accounts, joining: Joining, clock: Clock) -> None:
        self._users = users
        self._accounts = accounts
        self._joining = joining
        self._clock = clock

    async def join(
        self,
        name: str,
        code: str,
        key: str,
        password: str | None,
        join: Callable[[str, str, str], Awaitable[Outcome]],
        *,
        tried_by: str,
        device: str | None = None,
    ) -> tuple[SignedIn, Outcome]:
        """Make a guest, let them in by the code, and sign their device in.

        Args:
            name: what others see.
            code: the invite's.
            key: the device's secret, a new UUID: with the same one the same guest asks again.
            password: the group's, where it has one.
            join: carries the joining out, given the group's, the guest's and the command's id.
            tried_by: who is slowed down by wrong passwords: an address.
            device: its label in the list of signed-in devices.

        Raises:
            Conflict: the key was used too long ago, or its guest has an account by now.
            NotFound, Invalid, Forbidden, RateLimited, LedgerError: as `Joining.join`; no guest is made.

        """
        # 1 the same key: the same guest, and the same command. Members see the command's id, which mustn't tell the
        # key: that lets a device in
        guest_id, command_id = _derived("guest", code, key), _derived("joining", code, key)
        guest = await self._known(guest_id)
        is_made = False

        async def enter(group_id: str) -> Outcome:
            nonlocal guest, is_made
            # 2 first the guest, then their place: members without a profile pass for deleted people
            if guest is None:
                guest, is_made = await self._made(guest_id, name, group_id)
            return await join(group_id, guest_id, command_id)

        # 3 come in, as anybody does
        try:
            outcome = await self._joining.join(code, guest_id, password, enter, tried_by=tried_by)
        except _REFUSED:
            # Else the same request came twice at once, and the other one, which made them, has let them in.
            if is_made:
                await self._users.delete(guest_id)
            raise
        # 4 sign in
        assert guest is not None, "they have entered"  # noqa: S101 - for the type checker
        return await self._accounts.admit_guest(guest, device=device), outcome

    async def _known(self, guest_id: str) -> User | None:
        guest = await self._users.get(guest_id)
        if guest is None:
            return None
        made_at = datetime.fromisoformat(guest.created_at)
        if guest.guest_of is None or self._clock() - made_at > timedelta(minutes=GUEST_RETRY_MINUTES):
            raise Conflict("this key was used before: join again with a new one")
        return guest

    async def _made(self, guest_id: str, name: str, group_id: str) -> tuple[User, bool]:
        """The guest, and whether it was made here and now."""
        guest = User(
            id=guest_id,
            name=name,
            email=None,
            phone=None,
            vpa=None,
            locale=None,
            created_at=rfc3339(self._clock()),
            guest_of=group_id,
        )
        try:
            await self._users.insert(guest, None)
        except EmailTaken:  # the id is: the same request came twice at once
            return guest, False
        return guest, True


def _derived(purpose: str, code: str, key: str) -> str:
    """An id that is always the same for the same device and invite, and doesn't tell them."""
    digest = hashlib.sha256(f"{purpose}\0{code}\0{key}".encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))
