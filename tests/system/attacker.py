"""Somebody who sends what no client of ours would: any bytes over HTTP, any text on a socket."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp

from persplit.bootstrap import Node
from persplit.config import Settings
from persplit.transport import results
from persplit.transport.table import COMMANDS
from tests.system import documented
from tests.system.conftest import serving
from tests.system.phone import PATIENCE_SECONDS, Json, Phone, key

TEA: Json = {"description": "Tea", "amount": 1000, "splitType": "EQUAL"}
_NO_PINGS = {"ping_interval_seconds": 600}
"""A socket by hand answers a ping only while it is asked something, and a test of something else may take longer."""
SOCKET_PATH = "/socket.io/?EIO=4&transport=websocket"


class Raw(str):
    """Stands in a body for its own text: a number that no JSON library writes, half an emoji."""

    __slots__ = ()


def text_of(value: object) -> str:
    """The value as JSON, each `Raw` as it is."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{text_of(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(text_of(part) for part in value) + "]"
    return json.dumps(value)


class Ended(Exception):
    """The server ended the connection."""


class RawSocket:
    """A Socket.IO connection by hand, signed in. Everything that it hears is checked against the documents."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)

    @classmethod
    async def open(cls, url: str, http: aiohttp.ClientSession, token: str) -> "RawSocket":
        """Connect and sign in."""
        socket = cls(await http.ws_connect(url + SOCKET_PATH, max_msg_size=0))
        await socket.send(f"40{json.dumps({'token': token})}")
        while not (await socket.receive()).startswith("40"):
            pass
        return socket

    @property
    def is_open(self) -> bool:
        """Whether it can be sent on."""
        return not self._connection.closed

    async def send(self, frame: str) -> None:
        """Send any text."""
        await self._connection.send_str(frame)

    async def receive(self) -> str:
        """The next frame that isn't a ping. Raises `Ended`."""
        while True:
            async with asyncio.timeout(PATIENCE_SECONDS):
                message = await self._connection.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise Ended
            frame: str = message.data
            if frame.startswith("42"):
                documented.check_message(*json.loads(frame[2:]))
            if frame != "2":
                return frame
            await self.send("3")

    async def call(self, arguments: str) -> Json:
        """Send an event, given as the text between the brackets, and return its ack. Raises `Ended`."""
        number = next(self._numbers)
        await self.send(f"42{number}[{arguments}]")
        answer = f"43{number}["
        while True:
            frame = await self.receive()
            if frame.startswith(answer):
                (ack,) = json.loads(frame.removeprefix(answer[:-1]))
                assert isinstance(ack, dict), "an ack is one object"
                return ack

    async def ends(self) -> None:
        """Return when the server has ended the connection."""
        try:
            while True:
                await self.receive()
        except Ended:
            return

    async def close(self) -> None:
        """End it from this side."""
        await self._connection.close()


@dataclass
class Answer:
    """What came back over HTTP; `body` is {} where it isn't JSON."""

    status: int
    headers: Mapping[str, str]
    body: Json
    content: bytes

    @property
    def code(self) -> str:
        """The problem's code, or nothing."""
        return str(self.body.get("code", ""))

    @property
    def paths(self) -> list[str]:
        """The bad fields."""
        return [error["path"] for error in self.body.get("errors", [])]


async def over_http(url: str, request: bytes) -> Answer:
    """Send the bytes, and read one answer: all that came, if the server closes."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            length = headers.get("content-length")
            is_head = request.startswith(b"HEAD ")
            content = b"" if is_head else await (reader.readexactly(int(length)) if length else reader.read())
    finally:
        writer.close()
    body = json.loads(content) if content and "json" in headers.get("content-type", "") else {}
    return Answer(int(first.split(" ")[1]), headers, body, content)


@dataclass(repr=False)
class Stage:
    """Two groups on one server: Asha (admin) and Ben share one, Mallory has another. Mallory isn't in the first.

    `names` are what stands for ids in the bodies of attacks: "@group", "@expense", "@otherExpense" ….
    """

    url: str
    node: Node
    http: aiohttp.ClientSession
    asha: Phone
    ben: Phone
    mallory: Phone
    socket: RawSocket
    names: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def set(cls, url: str, node: Node, http: aiohttp.ClientSession) -> "Stage":
        """Everybody registered, with an expense, a deleted expense and settlements in each group."""
        asha, ben, mallory = [await Phone(url, http).register(name) for name in ("Asha", "Ben", "Mallory")]
        stage = cls(url, node, http, asha, ben, mallory, await RawSocket.open(url, http, asha.token))
        names = {"@asha": asha.user_id, "@ben": ben.user_id, "@mallory": mallory.user_id}
        group = names["@group"] = await asha.makes_group(ben)
        other = names["@otherGroup"] = await mallory.makes_group(name="Mallory's")
        names["@expense"] = (await asha.spends(group, 1000))["expense"]["id"]
        names["@deleted"] = (await asha.spends(group, 500))["expense"]["id"]
        await asha.ok("DELETE", f"/groups/{group}/expenses/{names['@deleted']}")
        paid = {"toUserId": asha.user_id, "amount": 100}
        for name in ("@settlement", "@settled"):
            made = await ben.ok("POST", f"/groups/{group}/settlements", paid)
            names[name] = made["settlement"]["id"]
        await asha.ok("POST", f"/groups/{group}/settlements/{names['@settled']}/confirm")
        names["@otherExpense"] = (await mallory.spends(other, 700))["expense"]["id"]
        uncle = await mallory.ok("POST", f"/groups/{other}/members", {"name": "Uncle"})
        names["@otherMember"] = uncle["member"]["userId"]
        paid = {"toUserId": names["@otherMember"], "amount": 100}
        made = await mallory.ok("POST", f"/groups/{other}/settlements", paid)
        names["@otherSettlement"] = made["settlement"]["id"]
        names["@code"] = (await asha.ok("POST", f"/groups/{group}/invites"))["code"]
        names["@otherCode"] = (await mallory.ok("POST", f"/groups/{other}/invites"))["code"]
        names["@nobody"] = "01890000-0000-7000-8000-000000000000"
        stage.names = names
        return stage

    def told(self, value: Any) -> Any:
        """The value with the ids in place of their names."""
        if isinstance(value, dict):
            return {name: self.told(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self.told(part) for part in value]
        return (
            value
            if isinstance(value, Raw)
            else self.names.get(value, value)
            if isinstance(value, str)
            else value
        )

    async def seqs(self) -> tuple[int, ...]:
        """Where the two ledgers stand, and how many groups there are in them."""
        states = [
            await self.node.services.groups.peek(self.names[name]) for name in ("@group", "@otherGroup")
        ]
        count = [
            len(await self.node.services.overview.group_ids(p.user_id)) for p in (self.asha, self.mallory)
        ]
        return (*(state.seq for state in states if state), *count)

    async def over_socket(self, event: str, body: object) -> Json:
        """Send the command on the socket; returns the ack."""
        if not self.socket.is_open:
            self.socket = await RawSocket.open(self.url, self.http, self.asha.token)
        ack = await self.socket.call(f"{json.dumps(event)},{text_of(body)}")
        documented.check_ack(event, ack)
        return ack

    async def over_rest(self, method: str, path: str, text: str | bytes | None, **headers: str) -> Answer:
        """One request with any body; the answer is checked against the documents."""
        sent = {"Authorization": f"Bearer {self.asha.token}", "Content-Type": "application/json", **headers}
        url = f"{self.url}/api/v1{path}"
        data = text.encode() if isinstance(text, str) else text
        async with self.http.request(method, url, data=data, headers=sent) as response:
            content = await response.read()
            body = json.loads(content) if content and "json" in response.content_type else {}
            assert response.status < 500, (method, path, text, body)
            documented.check_answer(method, path, response.status, body)
            if response.status >= 400:
                assert response.content_type == "application/problem+json"
            return Answer(response.status, response.headers, body, content)

    async def same_over_rest(self, event: str, body: Any) -> Answer | None:
        """The command as a REST request with the same body; None where it has none that takes one."""
        rest = COMMANDS[event].rest
        if rest is None or rest.startswith("GET"):
            return None
        method, _, path = rest.partition(" ")
        for name, stand_in in _IN_PATHS.items():
            given = body.get(name) if isinstance(body, dict) else None
            if not isinstance(given, str) or isinstance(given, Raw) or given in ("", ".", ".."):
                given = self.names[stand_in]
            path = path.replace(f"{{{name}}}", quote(given, safe=""))
        return await self.over_rest(method, path, text_of(body))

    async def check_refused(self, event: str, body: Any, code: str, *paths: str) -> None:
        """Refused with this code and exactly these bad fields, over both, and nothing was written."""
        before = await self.seqs()
        body = self.told(body)
        error = (await self.over_socket(event, body)).get("error", {})
        shown = (event, text_of(body)[:500], error)
        assert (error.get("code"), [e["path"] for e in error["errors"]]) == (code, [*paths]), shown
        answer = await self.same_over_rest(event, body)
        if answer is not None:
            assert (answer.code, answer.paths) == (code, [*paths]), (event, text_of(body)[:500], answer.body)
        assert await self.seqs() == before, shown

    async def check_serving(self) -> None:
        """A good command works, over both."""
        body = {**TEA, "groupId": self.names["@group"]}
        assert (await self.over_socket("expense:create", {**body, "commandId": key()}))["ok"]
        answer = await self.same_over_rest("expense:create", {**body, "commandId": key()})
        assert answer is not None
        assert answer.status == 201, answer.body


@contextlib.asynccontextmanager
async def staged(settings: Settings) -> AsyncIterator[Stage]:
    """A stage on a server of its own, which must still serve when all is over."""
    async with serving(settings, server_options=_NO_PINGS) as (node, url), aiohttp.ClientSession() as http:
        stage = await Stage.set(url, node, http)
        yield stage
        await stage.check_serving()
        await stage.socket.close()


_IN_PATHS = {
    "groupId": "@group",
    "expenseId": "@expense",
    "settlementId": "@settlement",
    "userId": "@ben",
}


def check_problem(answer: Answer, status: int, code: str, *paths: str) -> None:
    """The answer is this coded problem, about exactly these fields."""
    assert (answer.status, answer.code, answer.paths) == (status, code, [*paths]), answer
    documented.check(results.Problem, answer.body)
    assert answer.headers.get("content-type", answer.headers.get("Content-Type", "")).startswith(
        "application/problem+json"
    )
