"""What admins of a server see and do (online). Answers are as the server tells them; see `/docs` for their fields."""

from typing import Any, Final

from persplit.client.errors import Json
from persplit.client.signing_in import SigningIn

ANALYTICS: Final = ("summary", "top-spenders", "group-activity", "unsettled-debts")
"""What is known of all groups together."""


class Platform:
    """Asks as who is signed in. Every method raises `Offline`, `SignedOut`, and `Refused` with `forbidden`."""

    def __init__(self, signing_in: SigningIn) -> None:
        self._signing_in = signing_in

    async def analytics(
        self, what: str, *, since: str | None = None, until: str | None = None, limit: int | None = None
    ) -> Json:
        """One of `ANALYTICS` for the days from `since` to `until` (YYYY-MM-DD); `limit` isn't for the summary."""
        period: dict[str, Any] = {"from": since, "to": until, "limit": limit}
        return await self._signing_in.ask("GET", f"/analytics/{what}", **period)

    async def users(self, words: str = "", *, limit: int = 200) -> list[Json]:
        """The first `limit` accounts with the words in their name or e-mail address, in order of id."""
        return await self._pages("/admin/users", "users", limit, q=words)

    async def disable(self, user_id: str) -> Json:
        """End all sessions of the account, and let it not sign in any more; returns it."""
        return await self._signing_in.ask("POST", f"/admin/users/{user_id}/disable")

    async def enable(self, user_id: str) -> Json:
        """Let it sign in again; returns it."""
        return await self._signing_in.ask("POST", f"/admin/users/{user_id}/enable")

    async def audit(self, *, limit: int = 200) -> list[Json]:
        """The last `limit` entries of what admins did, newest first."""
        return await self._pages("/admin/audit", "entries", limit)

    async def _pages(self, path: str, plural: str, limit: int, **query: Any) -> list[Json]:
        found: list[Json] = []
        cursor: str | None = None
        while True:
            page = await self._signing_in.ask("GET", path, cursor=cursor, **query)
            found += page[plural]
            cursor = page["nextCursor"]
            if cursor is None or len(found) >= limit:
                return found[:limit]
