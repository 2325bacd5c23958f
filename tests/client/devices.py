"""Devices of people, and whether one has exactly what the server has."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import aiohttp

from persplit.client import Change, Client, ExpenseDraft, SplitType, Subscription
from persplit.ledger import codec
from tests.collected_logs import COLLECTED
from tests.system.phone import PASSWORD, PATIENCE_SECONDS

Json: TypeAlias = dict[str, Any]


@dataclass
class Devices:
    """Makes devices."""

    url: str
    directory: Path
    stack: contextlib.AsyncExitStack
    numbers: Iterator[int]

    async def open(self, path: Path | None = None, *, url: str | None = None, **options: Any) -> Client:
        """A device with the replica at the path, a fresh one unless told."""
        path = path or self.directory / f"device-{next(self.numbers)}.db"
        return await self.stack.enter_async_context(Client.open(path, url or self.url, **options))

    async def of(self, name: str, vpa: str | None = None, **options: Any) -> Client:
        """The first device of somebody new."""
        client = await self.open(**options)
        profile = {"vpa": vpa} if vpa else {}
        email = f"{name.lower()}{next(self.numbers)}@example.org"
        account = await client.register(name, email, PASSWORD, **profile)
        COLLECTED.keep_secret(email, PASSWORD, account.access_token, account.refresh_token, *profile.values())
        return client

    async def another_of(self, client: Client, **options: Any) -> Client:
        """A further device of the same person, in sync."""
        other = await self.open(**options)
        account = await client.account()
        assert account is not None
        await other.login(account.user["email"], PASSWORD)
        await other.sync()
        return other


async def my_id(client: Client) -> str:
    account = await client.account()
    assert account is not None
    return account.user_id


async def group_of(admin: Client, *others: Client) -> str:
    """A group that all of them have in their replicas."""
    group_id = (await admin.create_group("Goa trip")).group_id
    await admin.sync()
    for other in others:
        invite = await admin.invite(group_id)
        assert await other.join(invite.code) == group_id
    for client in (admin, *others):
        await client.sync()
    return group_id


def dinner(amount: int = 90_000, description: str = "Dinner", **fields: Any) -> ExpenseDraft:
    return ExpenseDraft(description, amount, SplitType.EQUAL, **fields)


async def fetch(client: Client, path: str, **query: Any) -> Json:
    """What the server answers to the client's owner, asked without the library's own reading."""
    account = await client.account()
    assert account is not None
    headers = {"Authorization": f"Bearer {account.access_token}"}
    async with (
        aiohttp.ClientSession(client._rest.url, headers=headers) as http,
        http.get(f"/api/v1{path}", params=query) as response,
    ):
        answer: Json = await response.json()
        assert response.status == 200, answer
        return answer


async def all_of(client: Client, path: str, noun: str, **query: Any) -> list[Json]:
    found: list[Json] = []
    cursor: str | None = None
    while True:
        page = await fetch(client, path, limit=200, **query, **({"cursor": cursor} if cursor else {}))
        found += page[noun]
        cursor = page["nextCursor"]
        if cursor is None:
            return found


async def check_equals_fresh_fetch(client: Client, group_id: str) -> None:
    """The device has exactly what a fresh fetch brings, and nothing waits."""
    assert await client.pending() == []
    server = await fetch(client, f"/groups/{group_id}/balances")
    here = await client.balances(group_id)
    assert here.seq == server["seq"]
    assert here.pending == 0
    assert [{"userId": u, "amount": a} for u, a in here.balances.items()] == server["balances"]
    assert [{"from": d, "to": c, "amount": a} for d, c, a in here.debts] == server["debts"]
    plan = await client.plan(group_id)
    rows = [(row.from_id, row.to_id, row.amount, row.upi_link) for row in plan.rows]
    assert rows == [(r["from"], r["to"], r["amount"], r["upiLink"]) for r in server["settleUp"]]
    assert plan.optimal == server["optimal"]
    expenses = await all_of(client, f"/groups/{group_id}/expenses", "expenses", includeDeleted="true")
    held = await client.expenses(group_id, include_deleted=True)
    assert [codec.expense_to_json(entry.expense, group_id) for entry in held] == expenses
    settlements = await all_of(client, f"/groups/{group_id}/settlements", "settlements")
    paid = await client.settlements(group_id)
    assert [codec.settlement_to_json(entry.settlement, group_id) for entry in paid] == settlements
    group = await fetch(client, f"/groups/{group_id}")
    members = [
        codec.member_to_json(m) | {"name": (await client.group(group_id)).names[m.user_id]}
        for m in (await client.group(group_id)).members
    ]
    assert members == group["members"]


async def until(check: Callable[[], Any]) -> None:
    """Wait until an asynchronous check holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await check():  # noqa: ASYNC110 - nothing would wake it
            await asyncio.sleep(0.01)


async def next_of(changes: Subscription, kind: type[Any]) -> Any:
    """The next change of this kind; others are passed over."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for change in changes:
            if isinstance(change, kind):
                return change
    raise AssertionError("the stream of changes ended")


def drain(changes: Subscription) -> list[Change]:
    """What waits in the stream now."""
    found = list(changes._waiting)
    changes._waiting.clear()
    return found


class Proxy:
    """A TCP proxy in front of the server, as bad as the network in a valley.

    `is_down` refuses new connections and breaks those that stand; `is_deaf` carries requests to the server and
    loses every answer, ending the connection once one would come.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.url = ""
        self.is_down = False
        self.is_deaf = False
        self.lost = 0
        self._answers_left: int | None = None

    def deaf_after(self, answers: int) -> None:
        """Let so many answers through, and then be deaf."""
        self._answers_left = answers

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._writers:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, far_writer}
        await asyncio.gather(
            self._carry(reader, far_writer, is_answer=False), self._carry(far_reader, writer, is_answer=True)
        )
        self._writers -= {writer, far_writer}

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if is_answer and self._answers_left is not None:
                    self._answers_left -= 1
                    if self._answers_left < 0:
                        self._answers_left, self.is_deaf = None, True
                if is_answer and self.is_deaf:
                    self.lost += 1
                    break
                writer.write(data)
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def proxied(url: str) -> AsyncIterator[Proxy]:
    """A proxy in front of the server."""
    proxy = Proxy(url)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
