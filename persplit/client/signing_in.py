"""Accounts and tokens: signing in, and keeping signed in."""

import asyncio
import contextlib
import uuid
from typing import Any

from persplit.client.book import Account, Book
from persplit.client.errors import ClientError, Json, OtherAccount, SignedOut
from persplit.client.one_thread import OneThread
from persplit.client.rest import Rest


class SigningIn:
    """Holds the tokens. A new pair is on the disk before it is used, so `kill -9` never costs the session."""

    def __init__(self, rest: Rest, book: Book, thread: OneThread) -> None:
        self._rest = rest
        self._book = book
        self._thread = thread
        self._renewing = asyncio.Lock()
        self._guest: tuple[Json, str] | None = None

    async def account(self) -> Account | None:
        """Who is signed in."""
        return await self._thread.run(self._book.account)

    async def register(self, fields: Json) -> Account:
        """Make an account and sign in. Raises `Offline`, `Refused`, `OtherAccount`."""
        return await self._sign_in("/auth/register", fields)

    async def login(self, email: str, password: str) -> Account:
        """Sign in. Raises `Offline`, `Refused`, `OtherAccount`."""
        return await self._sign_in("/auth/login", {"email": email, "password": password})

    async def join_as_guest(self, fields: Json) -> Account:
        """Join a group with no account, and sign in. Raises `Offline`, `Refused`, `OtherAccount`."""
        # Until there is an answer it is the same guest who asks.
        if self._guest is None or self._guest[0] != fields:
            self._guest = (fields, str(uuid.uuid4()))
        account = await self._sign_in("/guests", {**fields, "key": self._guest[1]})
        self._guest = None
        return account

    async def renewed_account(self) -> Account:
        """Who is signed in, anew from the server, with another access token. Raises `Offline`, `SignedOut`."""
        await self.renewed(await self.token())
        account = await self.account()
        assert account is not None, "they have a token"  # noqa: S101 - for the type checker
        return account

    async def _sign_in(self, path: str, fields: Json) -> Account:
        before = await self.account()
        signed_in = await self._rest.ask("POST", path, fields)
        account = _account(signed_in)
        if before is not None and before.user_id != account.user_id:
            with contextlib.suppress(ClientError):
                await self._rest.ask("POST", "/auth/logout", token=account.access_token)
            raise OtherAccount("this file holds the data of somebody else, who has to log out first")
        await self._thread.run(self._book.set_account, account)
        return account

    async def logout(self, *, discard_unsent: bool) -> None:
        """End the session on the server, if it can be reached, and forget everything.

        Raises:
            UnsentCommands: there are commands that the server doesn't have, and they aren't to be discarded.

        """
        if not discard_unsent:
            await self._thread.run(self._book.check_may_forget)
        with contextlib.suppress(ClientError):
            await self.ask("POST", "/auth/logout")
        await self._thread.run(self._book.forget)

    async def ask(self, method: str, path: str, body: Json | bytes | None = None, **query: Any) -> Json:
        """`Rest.ask` as who is signed in; a token that is over is renewed on the way.

        Raises:
            SignedOut: nobody is, or the session has ended.

        """
        token = await self.token()
        try:
            return await self._rest.ask(method, path, body, token=token, **query)
        except SignedOut:
            token = await self.renewed(token)
            return await self._rest.ask(method, path, body, token=token, **query)

    async def download(self, path: str, **query: str) -> bytes:
        """`Rest.download` as who is signed in. Raises `SignedOut`."""
        token = await self.token()
        try:
            return await self._rest.download(path, token=token, **query)
        except SignedOut:
            return await self._rest.download(path, token=await self.renewed(token), **query)

    async def token(self) -> str:
        """The access token, which may be over. Raises `SignedOut`."""
        account = await self.account()
        if account is None:
            raise SignedOut("nobody is signed in: register or log in first")
        return account.access_token

    async def renewed(self, refused: str) -> str:
        """Another access token than the one that the server refused.

        One renewal at a time: the others wait for it, and take what it brought. So do other processes that use
        the same replica: what they have stored is looked at first. If the answer is lost, the old refresh token
        is used again, which the server expects.

        Raises:
            SignedOut: the session has ended.

        """
        async with self._renewing:
            account = await self.account()
            if account is None:
                raise SignedOut("nobody is signed in: register or log in first")
            if account.access_token != refused:
                return account.access_token
            try:
                signed_in = await self._rest.ask(
                    "POST", "/auth/refresh", {"refreshToken": account.refresh_token}
                )
            except SignedOut:
                return await self._stored_by_another(refused)
            renewed = _account(signed_in)
            await self._thread.run(self._book.set_account, renewed)
            return renewed.access_token

    async def _stored_by_another(self, refused: str) -> str:
        """What another process has stored meanwhile. Raises `SignedOut`."""
        account = await self.account()
        if account is None or account.access_token == refused:
            raise SignedOut("the session has ended: log in again; nothing that is on this device is lost")
        return account.access_token


def _account(signed_in: Json) -> Account:
    return Account(signed_in["user"], signed_in["accessToken"], signed_in["refreshToken"])
