"""What `Client` does about people: invites, joining, guests. All of it needs the server."""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from persplit.client.book import Account, Book
from persplit.client.errors import Json
from persplit.client.signing_in import SigningIn
from persplit.client.syncing import Syncing

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class InviteInfo:
    """What is known of an invite; its `id` lets nobody in. Times are RFC 3339 UTC; `uses_max` None: without end."""

    id: str
    created_by: str
    created_at: str
    expires_at: str
    uses: int
    uses_max: int | None


@dataclass(frozen=True, slots=True)
class Invite(InviteInfo):
    """A new way into a group."""

    code: str
    url: str


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What is known of a personal token. `scope` is `read` or `write`; `group_id` None: all groups."""

    id: str
    name: str
    scope: str
    group_id: str | None
    created_at: str
    expires_at: str


class PeopleMethods(ABC):
    """A part of `Client`."""

    _book: Book
    _signing_in: SigningIn
    _syncing: Syncing

    @abstractmethod
    async def _do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Let the thread of the replica do it."""
        ...

    # --- guests

    async def join_as_guest(
        self, code: str, name: str, *, password: str | None = None, claim: str | None = None
    ) -> str:
        """Join by an invite's code with no account, as the placeholder `claim` if given; returns the group's id.

        Where there was no answer, asking again on the same device is the same guest.

        Raises:
            Refused: a wrong code or password.
            OtherAccount: the file holds somebody else's data.

        """
        account = await self._signing_in.join_as_guest(
            _told(code=code, name=name, password=password, claim=claim)
        )
        await self._syncing.sync()
        return str(account.user["guestOf"])

    async def upgrade(self, email: str, password: str) -> Account:
        """Make the guest who is signed in an account; everything stays. Raises `Refused`, as with `email_taken`."""
        await self._signing_in.ask("POST", "/auth/upgrade", {"email": email, "password": password})
        return await self._signing_in.renewed_account()

    # --- personal tokens

    async def create_token(
        self, name: str, scope: str, *, group_id: str | None = None, days: int | None = None
    ) -> tuple[str, TokenInfo]:
        """A token for a script, told this once, and what is known of it. `scope`: `read` or `write`. Raises `Refused`."""
        body = _told(name=name, scope=scope, groupId=group_id, days=days)
        made = await self._signing_in.ask("POST", "/auth/tokens", body)
        return str(made["token"]), _token(made)

    async def tokens(self) -> list[TokenInfo]:
        """One's tokens that have not run out. Raises `Refused`."""
        return [_token(it) for it in (await self._signing_in.ask("GET", "/auth/tokens", limit=200))["tokens"]]

    async def revoke_token(self, token_id: str) -> None:
        """Let it open nothing any more. Raises `Refused`."""
        await self._signing_in.ask("DELETE", f"/auth/tokens/{token_id}")

    # --- the account as a whole

    async def export_account(self) -> bytes:
        """All that the server keeps of the account, as a JSON file. Raises `Refused`."""
        return await self._signing_in.download("/auth/me/export.json")

    async def delete_account(self, password: str | None = None, *, discard_unsent: bool = False) -> None:
        """Give the account up for good, and forget what this device holds; a guest has no password.

        In each group its owner stays as a placeholder. Raises `Refused` with `credentials_invalid`.

        Raises:
            UnsentCommands: commands would be lost; sync first, or say `discard_unsent`.

        """
        if not discard_unsent:
            await self._do(self._book.check_may_forget)
        await self.disconnect()
        await self._signing_in.ask("DELETE", "/auth/me", _told(password=password))
        await self._do(self._book.forget)

    @abstractmethod
    async def disconnect(self) -> None:
        """End what `connect` began."""
        ...

    # --- invites

    async def invite(self, group_id: str, *, hours: int | None = None, uses_max: int | None = None) -> Invite:
        """A fresh invite, good for seven days and any number of people unless told. Raises `Refused`."""
        made = await self._signing_in.ask(
            "POST", f"/groups/{group_id}/invites", _told(hours=hours, maxUses=uses_max)
        )
        return Invite(*_known(made), made["code"], made["url"])

    async def invites(self, group_id: str) -> list[InviteInfo]:
        """The group's invites that have not run out: an admin sees all, others their own. Raises `Refused`."""
        answer = await self._signing_in.ask("GET", f"/groups/{group_id}/invites", limit=200)
        return [InviteInfo(*_known(it)) for it in answer["invites"]]

    async def revoke_invite(self, group_id: str, invite_id: str) -> None:
        """Let nobody in by it any more. Raises `Refused`."""
        await self._signing_in.ask("DELETE", f"/groups/{group_id}/invites/{invite_id}")

    async def join(self, code: str, *, password: str | None = None, claim: str | None = None) -> str:
        """Join by an invite's code, as the placeholder `claim` if given; returns the group's id.

        Raises:
            Refused: a wrong code or password, or already a member.

        """
        return await self._ask_and_pull(
            "POST", "/groups/join", _told(code=code, password=password, claim=claim)
        )

    async def _ask_and_pull(self, method: str, path: str, body: Json) -> str:
        """A write that only the server can judge. What waits goes first: it may be about what waits."""
        await self._syncing.push()
        written = await self._signing_in.ask(method, path, {"commandId": str(uuid.uuid4()), **body})
        group_id = str(written["group"]["id"])
        await self._syncing.pull(group_id)
        await self._do(self._book.take_people, written["group"], group_id)
        return group_id


def _told(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def _token(it: Json) -> TokenInfo:
    return TokenInfo(it["id"], it["name"], it["scope"], it["groupId"], it["createdAt"], it["expiresAt"])


def _known(it: Json) -> tuple[str, str, str, str, int, int | None]:
    return it["id"], it["createdBy"], it["createdAt"], it["expiresAt"], it["uses"], it["maxUses"]
