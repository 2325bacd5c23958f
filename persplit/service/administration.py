"""What admins of the platform do, each step of it in the audit log; and the same for whoever runs the server.

`by` is the admin's user id, None for the command line, which may do all of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from persplit.ledger.errors import Forbidden, NotFound
from persplit.service.admins import Admins
from persplit.service.audit import AdminAction, AuditEntry, AuditLog
from persplit.service.sessions import Sessions
from persplit.service.suspensions import Suspensions
from persplit.service.users import User, Users

LOOKED_AT_MAX: Final = 5_000
"""Accounts that one page of a search looks at: some 50 ms. With more, the page ends early and says where to go on."""
LOOKED_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class UserEntry:
    """An account as admins see it. `disabled_at` is RFC 3339 UTC, None where it isn't."""

    user: User
    is_admin: bool
    disabled_at: str | None


@dataclass(frozen=True, slots=True)
class UserPage:
    """Accounts in order of id, and the id to go on after; None where there are no more."""

    entries: Sequence[UserEntry]
    next_after: str | None


class Administration:
    """Every method raises `StoreUnavailable` when the store doesn't answer. Who may is asked before."""

    def __init__(
        self, users: Users, admins: Admins, suspensions: Suspensions, sessions: Sessions, audit: AuditLog
    ) -> None:
        self._users = users
        self._admins = admins
        self._suspensions = suspensions
        self._sessions = sessions
        self._audit = audit

    async def grant(self, account: str) -> UserEntry:
        """Make the account with this id or e-mail address an admin. Raises `NotFound`."""
        user = await self._account(account)
        await self._audit.record(AdminAction.GRANT, by=None, on=user.id)
        await self._admins.grant(user.id)
        return await self._entry(user)

    async def revoke(self, account: str) -> UserEntry:
        """Take the role away. Raises `NotFound`."""
        user = await self._account(account)
        await self._audit.record(AdminAction.REVOKE, by=None, on=user.id)
        await self._admins.revoke(user.id)
        return await self._entry(user)

    async def admins(self) -> Sequence[UserEntry]:
        """All admins that have an account, in order of id."""
        ids = list(await self._admins.all())
        users = await self._users.get_many(ids)
        return await self._entries([users[id_] for id_ in ids if id_ in users])

    async def disable(self, account: str, *, by: str | None) -> UserEntry:
        """End all sessions of the account, and let it not sign in any more.

        The server does nothing in its name any more, either: see `Absentees`. Nothing else of it changes.

        Raises:
            NotFound: no such account.
            Forbidden: it is an admin's, and the caller is one, too: the role has to be taken away first.

        """
        user = await self._account(account)
        if by is not None and await self._admins.has(user.id):
            raise Forbidden("an admin's account can't be disabled by an admin")
        await self._audit.record(AdminAction.DISABLE, by=by, on=user.id)
        # In this order: who signs in between the two is looked at again after that, and finds this.
        await self._suspensions.disable(user.id)
        await self._sessions.end_all(user.id)
        return await self._entry(user)

    async def enable(self, account: str, *, by: str | None) -> UserEntry:
        """Let the account sign in again. Raises `NotFound`."""
        user = await self._account(account)
        await self._audit.record(AdminAction.ENABLE, by=by, on=user.id)
        await self._suspensions.enable(user.id)
        return await self._entry(user)

    async def search(self, words: str, after: str, limit: int, *, by: str | None) -> UserPage:
        """At most `limit` accounts with ids above `after` whose name or e-mail address has the words in it.

        Looks at `LOOKED_AT_MAX` accounts at most, so a page may be shorter, or empty, and not the last. The log says
        that somebody searched, not for what.
        """
        await self._audit.record(AdminAction.SEARCH, by=by)
        wanted = words.casefold()
        found: list[User] = []
        for _ in range(LOOKED_AT_MAX // LOOKED_AT_ONCE):
            page = await self._users.page(after, LOOKED_AT_ONCE)
            for user in page:
                if wanted in user.name.casefold() or wanted in (user.email or "").casefold():
                    if len(found) == limit:
                        return UserPage(await self._entries(found), found[-1].id)
                    found.append(user)
            if len(page) < LOOKED_AT_ONCE:
                return UserPage(await self._entries(found), None)
            after = page[-1].id
        return UserPage(await self._entries(found), after)

    async def audit(self, after: str, limit: int) -> Sequence[AuditEntry]:
        """What was done, newest first; see `AuditLog.page`."""
        return await self._audit.page(after, limit)

    async def _account(self, account: str) -> User:
        user = await self._users.by_email(account) or await self._users.get(account)
        if user is None:
            raise NotFound("there is no such account")
        return user

    async def _entry(self, user: User) -> UserEntry:
        return (await self._entries([user]))[0]

    async def _entries(self, users: Sequence[User]) -> Sequence[UserEntry]:
        ids = [user.id for user in users]
        admins, disabled = await self._admins.which(ids), await self._suspensions.since(ids)
        return [UserEntry(user, user.id in admins, disabled.get(user.id)) for user in users]
