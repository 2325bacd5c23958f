"""People under way who do as the reference says: an outbox, the same key again, and coming back when told to."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import aiohttp
import socketio

Json: TypeAlias = dict[str, Any]

PASSWORD: Final = "a long walk by the sea"
ANSWER_SECONDS: Final = 30.0
"""How long to wait for one answer; beyond that the server counts as silent."""
AGAIN_SECONDS: Final = 0.05
"""Before the next attempt where nobody said how long to wait."""


@dataclass
class Tally:
    """What happened to one person, or added up to everybody.

    `restarting`: answers and refused connections with `server_restarting`; `unanswered`: commands whose connection
    ended before the answer; `gap_s_max`: from the first sending of a command to its `ok`. `faults` is what no user
    may ever see.
    """

    written: int = 0
    replayed: int = 0
    restarting: int = 0
    unanswered: int = 0
    connections: int = 0
    closings: int = 0
    gap_s_max: float = 0.0
    faults: list[str] = field(default_factory=list)

    def __iadd__(self, other: "Tally") -> "Tally":
        for name in ("written", "replayed", "restarting", "unanswered", "connections", "closings"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.gap_s_max = max(self.gap_s_max, other.gap_s_max)
        self.faults += other.faults
        return self


@dataclass
class Traveller:
    """A person with one device. `replica` is what it has of each group: the command behind each seq, from 1 on.

    `temporary` are the codes after which a command is sent again; any other refusal is a fault.
    """

    url: str
    http: aiohttp.ClientSession
    temporary: frozenset[str] = frozenset({"server_restarting"})
    tally: Tally = field(default_factory=Tally)
    token: str = ""
    replica: dict[str, list[str]] = field(default_factory=dict)
    acked: dict[str, dict[str, int]] = field(default_factory=dict)
    _socket: socketio.AsyncClient | None = None
    _online: asyncio.Event = field(default_factory=asyncio.Event)
    _gone: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Queue[tuple[str, Json]] = field(default_factory=asyncio.Queue)

    async def register(self, name: str) -> "Traveller":
        """Make an account."""
        email = f"{name.lower()}.{uuid.uuid4().hex}@example.org"
        body = {"name": name, "email": email, "password": PASSWORD}
        self.token = (await self.rest("POST", "/auth/register", body))["accessToken"]
        return self

    async def rest(self, method: str, path: str, body: Json | None = None) -> Json:
        """One request that must succeed, sent until it is answered; a write gets a key."""
        key = uuid.uuid4().hex
        while True:
            answer = await self._request(method, path, body, key)
            if answer is not None:
                return answer

    async def _request(self, method: str, path: str, body: Json | None, key: str) -> Json | None:
        """The answer; None if there is none yet."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if method != "GET":
            headers["Idempotency-Key"] = key
        try:
            async with self.http.request(
                method, f"{self.url}/api/v1{path}", json=body, headers=headers
            ) as response:
                answer: Json = await response.json(content_type=None)
        except aiohttp.ClientConnectorError as error:
            self.tally.faults.append(f"no connection: {error!r}")
        except (aiohttp.ClientError, OSError, TimeoutError):
            self.tally.unanswered += 1
        else:
            if response.ok:
                return answer
            await self._be_patient(answer, f"{method} {path}")
            return None
        await asyncio.sleep(AGAIN_SECONDS)
        return None

    async def _be_patient(self, refusal: Json, what: str) -> None:
        """Wait as told, if the refusal is one that passes."""
        if refusal.get("code") == "server_restarting":
            self.tally.restarting += 1
        elif refusal.get("code") not in self.temporary:
            self.tally.faults.append(f"{what}: {refusal}")
        await asyncio.sleep(refusal.get("retryAfterMs", AGAIN_SECONDS * 1000) / 1000)

    # --- writing

    async def spends(self, group_id: str, *, over_socket: bool) -> None:
        """Write an expense down and send it until it is acknowledged."""
        command_id = uuid.uuid4().hex
        spent: Json = {"description": "Tea", "amount": 100, "splitType": "EQUAL"}
        began = asyncio.get_running_loop().time()
        answer: Json | None = None
        while answer is None:
            if over_socket:
                answer = await self._ask({**spent, "groupId": group_id, "commandId": command_id})
            else:
                answer = await self._request("POST", f"/groups/{group_id}/expenses", spent, command_id)
        self.tally.gap_s_max = max(self.tally.gap_s_max, asyncio.get_running_loop().time() - began)
        self.tally.written += 1
        self.tally.replayed += bool(answer["replayed"])
        self.acked.setdefault(group_id, {})[command_id] = answer["seq"]

    async def _ask(self, command: Json) -> Json | None:
        await self._online.wait()
        ack = await self._call("expense:create", command)
        if ack is None:
            self.tally.unanswered += 1
            await asyncio.sleep(AGAIN_SECONDS)
            return None
        if ack["ok"]:
            return ack
        await self._be_patient(ack["error"], "expense:create")
        return None

    async def _call(self, event: str, body: Json) -> Json | None:
        """The ack; None if the connection ends before it comes."""
        assert self._socket is not None
        gone = self._gone
        acked: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.emit(event, body, callback=acked.set_result)
        except socketio.exceptions.SocketIOError:
            return None
        ended = asyncio.ensure_future(gone.wait())
        either: set[asyncio.Future[Any]] = {acked, ended}
        await asyncio.wait(either, timeout=ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if not acked.done() and not gone.is_set():
            self.tally.faults.append(f"{event}: no answer within {ANSWER_SECONDS:g} s")
        return acked.result() if acked.done() else None

    # --- listening

    async def stay_connected(self) -> None:
        """Until cancelled: connect, catch up, listen, and come back when told to."""
        try:
            while True:
                wait_seconds = await self._connect_once()
                await asyncio.sleep(wait_seconds)
        finally:
            if self._socket is not None:
                await self._socket.disconnect()

    async def _connect_once(self) -> float:
        """One connection from beginning to end. Returns the seconds to wait before the next one."""
        socket = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        refusals: list[Any] = []
        closing: list[Json] = []
        self._gone, self._news = asyncio.Event(), asyncio.Queue()
        gone, news = self._gone, self._news
        socket.on("connect_error", refusals.append)
        socket.on("session:closing", closing.append)
        socket.on("disconnect", lambda *_: gone.set())
        socket.on("*", lambda event, payload: news.put_nowait((event, payload)))
        since = {id_: {"seq": len(has), "epoch": None} for id_, has in self.replica.items()}
        try:
            await socket.connect(
                self.url,
                auth={"token": self.token, "since": since},
                transports=["websocket"],
                wait_timeout=ANSWER_SECONDS,
            )
        except (socketio.exceptions.SocketIOError, OSError) as error:
            return self._wait_after(refusals, error)
        self.tally.connections += 1
        self._socket = socket
        taking = asyncio.create_task(self._take_news())
        try:
            await gone.wait()
        finally:
            self._online.clear()
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)
        if not closing:
            return AGAIN_SECONDS
        self.tally.closings += 1
        return float(closing[0]["retryAfterMs"]) / 1000

    def _wait_after(self, refusals: list[Any], error: Exception) -> float:
        told: Json = next((it["data"] for it in refusals if isinstance(it, dict) and "data" in it), {})
        if told.get("code") == "server_restarting":
            self.tally.restarting += 1
        elif told.get("code") not in self.temporary:
            self.tally.faults.append(f"no socket: {told or refusals or error!r}")
        return float(told.get("retryAfterMs", AGAIN_SECONDS * 1000)) / 1000

    async def _take_news(self) -> None:
        while True:
            event, payload = await self._news.get()
            if event == "session:ready":
                for group in payload["groups"]:
                    self._put(group["id"], group.get("sync") or {"events": []})
                    await self._pull_up_to(group["id"], group["seq"])
                self._online.set()
            elif "seq" in payload and event != "settlement:due":
                has = self.replica.setdefault(payload["groupId"], [])
                if payload["seq"] == len(has) + 1:
                    has.append(payload["commandId"])
                await self._pull_up_to(payload["groupId"], payload["seq"])

    async def _pull_up_to(self, group_id: str, seq: int) -> None:
        while len(self.replica.setdefault(group_id, [])) < seq:
            pulled = await self._call(
                "sync:pull", {"groupId": group_id, "after": len(self.replica[group_id])}
            )
            if pulled is None:
                return  # the connection has ended: the next greeting makes up for it
            if pulled["ok"]:
                self._put(group_id, pulled)
            else:
                await self._be_patient(pulled["error"], "sync:pull")

    def _put(self, group_id: str, sync: Json) -> None:
        has = self.replica.setdefault(group_id, [])
        if "snapshot" in sync:
            self.tally.faults.append("a snapshot, where events were asked for: the replica can't be compared")
        for event in sync.get("events", []):
            if event["seq"] == len(has) + 1:
                has.append(event["commandId"])


@contextlib.asynccontextmanager
async def travelling(
    url: str, names: list[str], groups: int, **options: Any
) -> AsyncIterator[tuple[list[Traveller], list[str]]]:
    """People who are in all of so many groups, connected while the block runs."""
    # One HTTP connection for each request: each may land on another node.
    connector = aiohttp.TCPConnector(force_close=options.pop("force_close", False))
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        people = [await Traveller(url, http, **options).register(name) for name in names]
        group_ids = []
        for number in range(groups):
            made = await people[0].rest("POST", "/groups", {"name": f"Trip {number}"})
            group_ids.append(made["group"]["id"])
            invite = await people[0].rest("POST", f"/groups/{group_ids[-1]}/invites")
            for person in people[1:]:
                await person.rest("POST", "/groups/join", {"code": invite["code"]})
        connected = [asyncio.create_task(person.stay_connected()) for person in people]
        try:
            yield people, group_ids
        finally:
            for task in connected:
                task.cancel()
            await asyncio.gather(*connected, return_exceptions=True)


async def until(holds: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait until it holds."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not holds():
        assert asyncio.get_running_loop().time() < deadline, f"in vain: {what}"
        await asyncio.sleep(0.05)


async def ledger_of(person: Traveller, group_id: str) -> list[str]:
    """The command behind each event of the group, in order. Fails on a hole in `seq`."""
    commands: list[str] = []
    while True:
        page = await person.rest("GET", f"/groups/{group_id}/events?after={len(commands)}&limit=200")
        for event in page["events"]:
            assert event["seq"] == len(commands) + 1, "the ledger has a hole"
            commands.append(event["commandId"])
        if not page["events"]:
            return commands


async def check(people: list[Traveller], group_ids: list[str]) -> list[str]:
    """What is wrong at the end: lost, doubled, misplaced events, and replicas that differ from the ledger."""
    wrong: list[str] = []
    for group_id in group_ids:
        ledger = await ledger_of(people[0], group_id)
        if len(set(ledger)) != len(ledger):
            wrong.append(f"{group_id}: an event is there twice")
        for number, person in enumerate(people):
            for command_id, seq in person.acked.get(group_id, {}).items():
                if ledger[seq - 1 : seq] != [command_id]:
                    wrong.append(f"{group_id}: what was acknowledged as {seq} isn't there")
            if not await _has_caught_up(person, group_id, len(ledger)):
                wrong.append(f"{group_id}: person {number} never caught up")
            if person.replica.get(group_id) != ledger:
                wrong.append(f"{group_id}: person {number} has something else than the ledger")
    return wrong


async def _has_caught_up(person: Traveller, group_id: str, seq: int) -> bool:
    try:
        await until(lambda: len(person.replica.get(group_id, [])) >= seq, "catching up")
    except AssertionError:
        return False
    return True
