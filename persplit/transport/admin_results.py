"""What admins of the platform are answered."""

from typing import Annotated

from pydantic import Field

from persplit.service.audit import AdminAction
from persplit.transport.result import Result, Time


class AdminUser(Result):
    """An account as admins see it: who it is, and nothing of its groups."""

    id: str
    name: str
    email: str
    created_at: Time
    is_admin: bool
    disabled_at: Time | None = Field(description="since when it can't sign in; null: it can")


class AdminUsers(Result):
    """Accounts. A page can be shorter than asked, or empty, though there is a next one: a search looks at so many."""

    users: list[AdminUser]
    next_cursor: str | None


class AuditEntry(Result):
    """Something that an admin did, or tried to."""

    id: str
    at: Time
    action: AdminAction
    by: Annotated[str | None, Field(description="the admin's user id; null: the server's command line")]
    on: Annotated[str | None, Field(description="the user id of whom it was done to, if anybody")]


class AuditEntries(Result):
    """What admins did, newest first."""

    entries: list[AuditEntry]
    next_cursor: str | None
