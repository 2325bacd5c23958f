"""Looking after the platform's accounts: for its admins, who see nothing of what is in groups."""

from typing import Final

from persplit.service.administration import UserEntry
from persplit.transport import admin_requests as r
from persplit.transport.fields import cursor_of
from persplit.transport.operations import Answers, Call, Operation, Services
from persplit.transport.views import Json

results: Final = Answers("admin_results")


async def _search(services: Services, call: Call, request: r.SearchUsers) -> Json:
    page = await services.administration.search(
        request.q, request.cursor or "", request.limit, by=call.user_id
    )
    return {
        "users": [_user(entry) for entry in page.entries],
        "nextCursor": None if page.next_after is None else cursor_of(page.next_after),
    }


async def _disable(services: Services, call: Call, request: r.OneUser) -> Json:
    return _user(await services.administration.disable(request.user_id, by=call.user_id))


async def _enable(services: Services, call: Call, request: r.OneUser) -> Json:
    return _user(await services.administration.enable(request.user_id, by=call.user_id))


async def _audit(services: Services, _: Call, request: r.ListAudit) -> Json:
    found = await services.administration.audit(request.cursor or "", request.limit + 1)
    page = found[: request.limit]
    return {
        "entries": [
            {"id": one.id, "at": one.at, "action": one.action, "by": one.by, "on": one.on} for one in page
        ],
        "nextCursor": cursor_of(page[-1].id) if len(found) > len(page) else None,
    }


def _user(entry: UserEntry) -> Json:
    user = entry.user
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "createdAt": user.created_at,
        "isAdmin": entry.is_admin,
        "disabledAt": entry.disabled_at,
    }


OPERATIONS: Final = (
    Operation(
        "searchUsers",
        "Accounts by a part of their name or e-mail address",
        r.SearchUsers,
        results.AdminUsers,
        _search,
        "GET /admin/users",
        is_for_admins=True,
    ),
    Operation(
        "disableUser",
        "End all sessions of an account, and let it not sign in any more; its data stays",
        r.OneUser,
        results.AdminUser,
        _disable,
        "POST /admin/users/{userId}/disable",
        is_for_admins=True,
    ),
    Operation(
        "enableUser",
        "Let a disabled account sign in again",
        r.OneUser,
        results.AdminUser,
        _enable,
        "POST /admin/users/{userId}/enable",
        is_for_admins=True,
    ),
    Operation(
        "listAudit",
        "What admins did, newest first",
        r.ListAudit,
        results.AuditEntries,
        _audit,
        "GET /admin/audit",
        is_for_admins=True,
    ),
)
