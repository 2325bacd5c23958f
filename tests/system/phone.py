"""A phone for the tests: a person with an account, a REST client and a real Socket.IO client."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import aiohttp
import socketio

from tests.collected_logs import COLLECTED
from tests.system import documented

Json: TypeAlias = dict[str, Any]

PATIENCE_SECONDS = 30.0
"""How long a test waits for what must come; a noisy machine never needs it, a bug always does."""
PASSWORD = "a long walk by the sea"

_numbers = itertools.count(1)


def key() -> str:
    """A fresh command id."""
    return f"command-{next(_numbers)}"


@dataclass
class Answer:
    """A REST answer."""

    status: int
    body: Json
    headers: Any

    @property
    def code(self) -> str:
        """The problem's code, or nothing."""
        return str(self.body.get("code", ""))


@dataclass
class Phone:
    """One person's device. `heard` is everything that the server sent, oldest first."""

    url: str
    http: aiohttp.ClientSession
    name: str = ""
    user_id: str = ""
    token: str = ""
    refresh_token: str = ""
    heard: list[tuple[str, Json]] = field(default_factory=list)
    socket: socketio.AsyncClient | None = None
    _since: Json = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    # --- REST

    async def rest(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        idempotency_key: str | None = None,
        **options: Any,
    ) -> Answer:
        """One request below /api/v1; a write gets a fresh key unless told."""
        headers = dict(options.pop("headers", {}))
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if method != "GET":
            headers.setdefault("Idempotency-Key", idempotency_key or key())
        url = f"{self.url}/api/v1{path}"
        async with self.http.request(method, url, json=body, headers=headers, **options) as response:
            is_json = "json" in response.content_type
            answer = await response.json(content_type=None) if is_json else {}
            documented.check_answer(method, path, response.status, answer)
            COLLECTED.keep_secrets_of([body, answer])
            return Answer(response.status, answer, response.headers)

    async def ok(self, method: str, path: str, body: Json | None = None, **options: Any) -> Json:
        """One request that must succeed."""
        answer = await self.rest(method, path, body, **options)
        assert answer.status < 300, (method, path, answer)
        return answer.body

    async def register(self, name: str, vpa: str | None = None) -> "Phone":
        """Make an account of this name."""
        email = f"{name.lower()}{next(_numbers)}@example.org"
        body = {"name": name, "email": email, "password": PASSWORD}
        signed_in = await self.ok("POST", "/auth/register", {**body, **({"vpa": vpa} if vpa else {})})
        self.take(signed_in)
        return self

    def take(self, signed_in: Json) -> None:
        """Take over who is signed in, and the tokens."""
        self.name = signed_in["user"]["name"]
        self.user_id = signed_in["user"]["id"]
        self.token = signed_in["accessToken"]
        self.refresh_token = signed_in["refreshToken"]

    def another_device(self) -> "Phone":
        """A second device of the same person, with the same token."""
        return Phone(self.url, self.http, self.name, self.user_id, self.token)

    # --- Socket.IO

    async def connect(self, token: str | None = None) -> "Phone":
        """Connect, and wait until the server says that it is ready."""
        self.socket = socketio.AsyncClient(reconnection=False)
        self.socket.on("*", self._hear)
        auth: Json = {"token": self.token if token is None else token}
        if self._since:
            auth["since"] = self._since
        await self.socket.connect(
            self.url, auth=auth, transports=["websocket"], wait_timeout=PATIENCE_SECONDS
        )
        await self.hears("session:ready")
        return self

    async def greeted(self, since: Json) -> Json:
        """Connect as a device that has this of each group already; returns the greeting."""
        self._since = since
        await self.connect()
        return await self.hears("session:ready")

    async def _hear(self, event: str, payload: Json) -> None:
        try:
            documented.check_message(event, payload)
        except Exception as error:  # noqa: BLE001 - the library would only log it: the test is to see it
            event, payload = "undocumented", {"error": repr(error)}
        self.heard.append((event, payload))
        self._news.set()

    async def disconnect(self) -> None:
        """Go offline."""
        if self.socket is not None:
            await self.socket.disconnect()
            self.socket = None

    async def send(self, event: str, body: Json | None = None, **fields: Any) -> Json:
        """Send a command and wait for its ack; a fresh key unless told."""
        assert self.socket is not None
        payload = {**(body or {}), **fields}
        if not event.startswith(("sync:", "auth:")):
            payload.setdefault("commandId", key())
        ack = await self.socket.call(event, payload, timeout=PATIENCE_SECONDS)
        assert isinstance(ack, dict)
        documented.check_ack(event, ack)
        COLLECTED.keep_secrets_of([payload, ack])
        return ack

    async def done(self, event: str, body: Json | None = None, **fields: Any) -> Json:
        """Send a command that must succeed."""
        ack = await self.send(event, body, **fields)
        assert ack["ok"] is True, ack
        return ack

    async def refused(self, event: str, body: Json | None = None, **fields: Any) -> Json:
        """Send a command that must be refused; returns the error."""
        ack = await self.send(event, body, **fields)
        assert ack["ok"] is False, ack
        error = ack["error"]
        assert isinstance(error, dict)
        return error

    async def hears(self, event: str, matches: Callable[[Json], bool] = lambda _: True) -> Json:
        """Wait for a message, heard already or to come."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for name, payload in self.heard:
                    assert name != "undocumented", payload
                    if name == event and matches(payload):
                        return payload
                self._news.clear()
                await self._news.wait()

    async def hears_seq(self, seq: int) -> Json:
        """Wait for the broadcast with this seq, whatever it is."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for name, payload in self.heard:
                    if payload.get("seq") == seq and name != "settlement:due":
                        return payload
                self._news.clear()
                await self._news.wait()

    def broadcasts(self, group_id: str) -> list[tuple[str, Json]]:
        """The broadcasts of a group that were heard, in the order in which they came."""
        return [(n, p) for n, p in self.heard if p.get("groupId") == group_id and n != "settlement:due"]

    # --- short ways to what most tests begin with

    async def makes_group(self, *others: "Phone", **settings: Any) -> str:
        """A group with the others as members; returns its id."""
        made = await self.ok("POST", "/groups", {"name": "Goa trip", **settings})
        group_id = str(made["group"]["id"])
        for other in others:
            invite = await self.ok("POST", f"/groups/{group_id}/invites")
            await other.ok("POST", "/groups/join", {"code": invite["code"]})
        return group_id

    async def spends(self, group_id: str, amount: int, **fields: Any) -> Json:
        """An expense split equally, over REST; returns the answer."""
        body = {"description": "Dinner", "amount": amount, "splitType": "EQUAL", **fields}
        return await self.ok("POST", f"/groups/{group_id}/expenses", body)
