"""Clients that write, read and listen as people's phones do, hard and at random, and note down everything.

They use REST and sockets, any of several nodes, and change between them; they lose answers, send again, send the same
command to several nodes at once, and use a key for something else. Each keeps a replica as the documentation says.
"""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import aiohttp
import socketio
import socketio.exceptions

from tests.torture.history import (
    Attempt,
    Heard,
    Json,
    Outcome,
    Quiet,
    Read,
    Ready,
    Recorder,
    balances_of,
    digest,
    now,
    seen,
    thing_in,
    told,
)
from tests.torture.replica import Replica

PASSWORD: Final = "a long walk by the sea"
ANSWER_SECONDS_MAX: Final = 15.0
"""Longer than the server takes to give up on its store."""
SETTLE_SECONDS_MAX: Final = 60.0
"""To get an answer to everything in the end: a store that was away may take its time."""
PATIENCE_SECONDS: Final = 60.0
"""For everybody to hear everything in the end: several sweeps of a node that gets no hints."""
TOKEN_SECONDS: Final = 400.0
"""Access tokens last ten minutes: renewed in good time."""
LOOKS_ELSEWHERE_SHARE: Final = 0.2
"""Of the acknowledged writes: looked for at once, at any node."""
PAUSE_SECONDS: Final = 0.02
"""Before a server that isn't there is tried again."""
TEMPORARY: Final = frozenset({"internal_error", "rate_limited", "server_restarting", "store_unavailable"})
"""Codes that don't say that the command is not carried out."""
PAGE: Final = 200

_ROUTES: Final[Mapping[str, tuple[str, str]]] = {
    "group:create": ("POST", "/groups"),
    "group:join": ("POST", "/groups/join"),
    "group:leave": ("DELETE", "/groups/{groupId}/leave"),
    "expense:create": ("POST", "/groups/{groupId}/expenses"),
    "expense:update": ("PUT", "/groups/{groupId}/expenses/{expenseId}"),
    "expense:delete": ("DELETE", "/groups/{groupId}/expenses/{expenseId}"),
    "expense:restore": ("POST", "/groups/{groupId}/expenses/{expenseId}/restore"),
    "settlement:create": ("POST", "/groups/{groupId}/settlements"),
    "settlement:confirm": ("POST", "/groups/{groupId}/settlements/{settlementId}/confirm"),
    "settlement:decline": ("POST", "/groups/{groupId}/settlements/{settlementId}/decline"),
    "settlement:cancel": ("POST", "/groups/{groupId}/settlements/{settlementId}/cancel"),
}
_keys = itertools.count(1)


class NoAnswerError(Exception):
    """The server is gone, or didn't answer: the outcome is unknown."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A command: what is sent, and of that what its event must show."""

    group_id: str
    command_id: str
    command: str
    body: Json
    asked: Json


@dataclass(slots=True)
class Person:
    """An account."""

    user_id: str
    email: str
    token: str
    signed_in_at: float
    wanders: bool = False
    """Takes part in no expense, and so can leave and come back at any time."""


@dataclass(slots=True)
class Group:
    """What is commonly known of a group: its invite, who shares its expenses, and things to edit."""

    group_id: str
    invite: str
    core: tuple[str, ...]
    things: dict[str, Json] = field(default_factory=dict)
    """The newest version of each that anybody saw, by id; only as many as are of use."""
    replaced: dict[str, int] = field(default_factory=dict)
    """By id: the seq of the version before."""

    def note(self, thing: Json | None) -> None:
        """Somebody saw this version."""
        if thing is not None and thing["seq"] >= self.things.get(thing["id"], thing)["seq"]:
            before = self.things.pop(thing["id"], thing)
            if before["seq"] < thing["seq"]:
                self.replaced[thing["id"]] = before["seq"]
            self.things[thing["id"]] = thing
            if len(self.things) > THINGS_KNOWN_MAX:
                del self.things[next(iter(self.things))]


THINGS_KNOWN_MAX: Final = 12
"""Few, so that many clients edit the same."""


@dataclass(slots=True)
class Ground:
    """Where the clients meet: the nodes and the groups. `urls` may change while they work."""

    urls: list[str]
    groups: list[Group] = field(default_factory=list)
    registered: list[Person] = field(default_factory=list)
    """Accounts that were acknowledged while the clients worked."""


class Device:
    """One client: at most one operation at a time, besides deliberate duplicates."""

    def __init__(
        self,
        ground: Ground,
        person: Person,
        recorder: Recorder,
        http: aiohttp.ClientSession,
        chance: random.Random,
        url: str,
    ) -> None:
        self.ground = ground
        self.person = person
        self.recorder = recorder
        self.name = recorder.client
        self._http = http
        self._chance = chance
        self._url = url
        self._session = f"{self.name}/rest"
        self._sessions = itertools.count(1)
        self._socket: socketio.AsyncClient | None = None
        self._gone = asyncio.Event()
        self._lost: list[Wish] = []
        self._answered: list[Wish] = []
        self._replicas: dict[str, Replica] = {}
        self._coming: list[Json] = []
        self._behind: set[str] = set()
        self.attempts = 0

    # --- life

    async def live(self, is_over: asyncio.Event) -> None:
        """One thing after the other, until told."""
        while not is_over.is_set():
            try:
                await self._turn()
            except NoAnswerError:
                await self._hang_up()
                self._url = self._chance.choice(self.ground.urls)
                await asyncio.sleep(PAUSE_SECONDS)

    async def try_to_connect(self) -> None:
        """Open a socket, if the server is there."""
        with suppress(NoAnswerError):
            await self.connect()

    async def _turn(self) -> None:
        await self._stay_signed_in()
        await self._catch_up()
        if self._lost and self._chance.random() < 0.5:
            await self._write(self._lost.pop(0))
            return
        turns: Sequence[tuple[int, Callable[[Group], Awaitable[object]]]] = (
            (50, self._new_thing),
            (40, self._edit),
            (6, self._again),
            (3, self._again_everywhere),
            (2, self._same_key_for_something_else),
            (25, self._read),
            (4, self._reconnect),
            (1, self._register),
        )
        if self.person.wanders:
            turns = ((2, self._come_or_go), (6, self._read), (2, self._reconnect))
        (chosen,) = self._chance.choices([t for _, t in turns], [weight for weight, _ in turns])
        await chosen(self._chance.choice(self.ground.groups))

    async def settle(self) -> None:
        """At the end: get an answer to everything, and be connected."""
        async with asyncio.timeout(SETTLE_SECONDS_MAX):
            while self._lost or self._socket is None or self._gone.is_set():
                try:
                    await self._stay_signed_in()
                    if self._socket is None or self._gone.is_set():
                        await self._reconnect_somewhere()
                    if self._lost:
                        await self._write(self._lost.pop(0))
                except NoAnswerError:
                    await asyncio.sleep(PAUSE_SECONDS)

    async def stand(self, heads: Mapping[str, int], patience_seconds: float) -> None:
        """Wait until everything was heard, or long enough, and note where this client stands.

        `heads` has the groups that the person is in.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_seconds):
                while not self._is_level(heads):
                    with suppress(NoAnswerError):
                        await self._catch_up()
                    await asyncio.sleep(0.05)
        self.recorder.note(Quiet(self._session))
        for group_id in heads:
            replica = self._replicas.get(group_id, Replica())
            last = Read(self.name, self._session, group_id, now(), now(), replica.seq, is_final=True)
            self.recorder.note(replace(last, balances=replica.balances, things=replica.things))

    def _is_level(self, heads: Mapping[str, int]) -> bool:
        return not self._behind and all(
            self._replicas.get(group_id, Replica()).seq >= head for group_id, head in heads.items()
        )

    async def _stay_signed_in(self) -> None:
        """Sign in again before the token runs out."""
        if asyncio.get_running_loop().time() - self.person.signed_in_at > TOKEN_SECONDS:
            body = {"email": self.person.email, "password": PASSWORD}
            answer = await self._request(self._url, "POST", "/auth/login", body)
            if "accessToken" in answer:
                self.person.token = answer["accessToken"]
                self.person.signed_in_at = asyncio.get_running_loop().time()

    # --- writing

    async def _new_thing(self, group: Group) -> None:
        if self._chance.random() < 0.8:
            await self._write(self.expense(group))
        else:
            others = [user for user in group.core if user != self.person.user_id]
            body = {"toUserId": self._chance.choice(others), "amount": self._chance.randrange(1, 5_000)}
            await self._write(self._wish(group, "settlement:create", body, body))

    def expense(self, group: Group) -> Wish:
        """A new expense."""
        body = self._spent(group)
        return self._wish(group, "expense:create", body, _shown(body))

    def _spent(self, group: Group) -> Json:
        return {
            "description": f"{self.name} {next(_keys)}",
            "amount": self._chance.randrange(1, 100_000),
            "splitType": "EQUAL",
            "participants": list(group.core),
        }

    def _wish(self, group: Group, command: str, body: Json, asked: Json) -> Wish:
        return Wish(group.group_id, f"{self.name}-{next(_keys)}", command, body, asked)

    async def _edit(self, group: Group) -> None:
        """Change, delete, bring back, or answer something that anybody made."""
        if not group.things:
            return
        thing = self._chance.choice(list(group.things.values()))
        # Some know the newest version, some only the one before, and some don't care.
        known = [thing["seq"], group.replaced.get(thing["id"], thing["seq"]), None]
        seen_at = {"expectedSeq": seq} if (seq := self._chance.choice(known)) else {}
        asked = {"id": thing["id"], **seen_at}
        if "shares" in thing:
            command = self._chance.choice(["expense:update"] * 4 + ["expense:delete", "expense:restore"])
            body = {"expenseId": thing["id"], **seen_at}
            if command == "expense:update":
                body |= self._spent(group)
                asked |= _shown(body)
        else:
            is_payer = thing["fromUserId"] == self.person.user_id
            answers = ["cancel"] if is_payer else ["confirm", "confirm", "decline"]
            command = f"settlement:{self._chance.choice(answers)}"
            body = {"settlementId": thing["id"], **seen_at}
        await self._write(self._wish(group, command, body, asked))

    async def _again(self, group: Group) -> None:
        """As after an answer that came and was forgotten."""
        if self._answered:
            await self._write(self._chance.choice(self._answered))

    async def _again_everywhere(self, group: Group) -> None:
        """A new command, to every node at once."""
        wish = self.expense(group)
        urls = self._chance.sample(self.ground.urls, len(self.ground.urls)) * 2
        await asyncio.gather(*(self._attempt(wish, url) for url in urls[:3]))

    async def _same_key_for_something_else(self, group: Group) -> None:
        made = [wish for wish in self._answered if wish.command == "expense:create"]
        if made:
            wish = self._chance.choice(made)
            body = {**wish.body, "description": f"{self.name} else {next(_keys)}"}
            await self._attempt(replace(wish, body=body, asked=_shown(body)), self._url)

    async def _come_or_go(self, group: Group) -> None:
        if group.group_id in self._replicas:
            await self._write(self._wish(group, "group:leave", {}, {"userId": self.person.user_id}))
        else:
            await self.join(group)

    async def join(self, group: Group) -> Attempt:
        """Come into the group."""
        asked = {"userId": self.person.user_id}
        return await self._write(self._wish(group, "group:join", {"code": group.invite}, asked))

    async def create_group(self, group_id: str) -> Attempt:
        """Make a group of this id."""
        body = {"name": "Goa trip", "id": group_id}
        wish = Wish(group_id, f"{self.name}-{next(_keys)}", "group:create", body, {})
        return await self._write(wish)

    async def _write(self, wish: Wish) -> Attempt:
        """Send a command; one without an answer is sent again later."""
        attempt = await self._attempt(wish, None if self._socket else self._url)
        if attempt.outcome is Outcome.UNKNOWN:
            self._lost.append(wish)
            raise NoAnswerError
        self._answered = [*self._answered[-20:], wish]
        if attempt.outcome is Outcome.OK and wish.command in ("group:join", "group:leave"):
            await self._moved(wish.group_id, is_in=wish.command == "group:join")
        elif attempt.outcome is Outcome.OK and self._chance.random() < LOOKS_ELSEWHERE_SHARE:
            await self._read_balances_at(self._chance.choice(self.ground.urls), wish.group_id)
        return attempt

    async def _moved(self, group_id: str, *, is_in: bool) -> None:
        self._replicas.pop(group_id, None)
        if is_in:
            await self._pull(group_id)

    async def _attempt(self, wish: Wish, url: str | None) -> Attempt:
        """Send it over the socket (no `url`) or to this node, and note how it ended."""
        self.attempts += 1
        attempt = self.recorder.begin(
            self._session, wish.group_id, wish.command_id, wish.command, self.person.user_id, wish.asked
        )
        body = {**wish.body, "commandId": wish.command_id}
        if wish.command not in ("group:create", "group:join"):
            body["groupId"] = wish.group_id
        try:
            if url is None:
                answer = await self._call(wish.command, body)
            else:
                method, path = _ROUTES[wish.command]
                answer = await self._request(url, method, path.format(**body), _without_path(path, body))
        except NoAnswerError:
            return self.recorder.end(attempt, Outcome.UNKNOWN)
        if "error" in answer:
            return self._refused(attempt, answer["error"])
        thing = thing_in(answer)
        self._group(wish.group_id).note(thing)
        shown = "" if thing is None else digest(thing)
        return self.recorder.end(
            attempt, Outcome.OK, seq=answer["seq"], is_replayed=answer["replayed"], thing=shown
        )

    def _refused(self, attempt: Attempt, error: Json) -> Attempt:
        is_final = error["code"] not in TEMPORARY and error["status"] != 401
        if error["status"] == 401:
            self.person.signed_in_at = -TOKEN_SECONDS
        return self.recorder.end(
            attempt, Outcome.REFUSED if is_final else Outcome.UNKNOWN, code=error["code"]
        )

    def _group(self, group_id: str) -> Group:
        for group in self.ground.groups:
            if group.group_id == group_id:
                return group
        return Group(group_id, "", ())

    async def _register(self, _: Group) -> None:
        """Somebody new makes an account; once that is acknowledged it has to stay."""
        self.ground.registered.append(await register(self._http, self._url, f"new-{self.name}"))

    # --- reading

    async def _read(self, group: Group) -> None:
        if group.group_id in self._replicas:
            reads = (self._read_balances, self._read_balances, self._read_events, self._read_tail)
            await self._chance.choice(reads)(group)

    async def _read_balances(self, group: Group) -> None:
        """Here, or at another node, which is to know as much."""
        url = None if self._chance.random() < 0.5 else self._chance.choice(self.ground.urls)
        await self._read_balances_at(url, group.group_id)

    async def _read_balances_at(self, url: str | None, group_id: str) -> None:
        begun = now()
        path = f"/groups/{group_id}/balances"
        if url is None:
            answer = await self._ask("balances:get", path, {"groupId": group_id})
        else:
            answer = await self._request(url, "GET", path)
        if "seq" in answer:
            self._note_read(group_id, begun, answer["seq"], balances=balances_of(answer["balances"]))

    async def _read_events(self, group: Group) -> None:
        """The ledger from somewhere to its end; how new it is, the last page tells."""
        after = self._chance.randrange(self._replicas[group.group_id].seq + 1)
        events: list[Json] = []
        path = f"/groups/{group.group_id}/events?limit={PAGE}"
        cursor = f"&after={after}"
        while True:
            begun = now()
            answer = await self._request(self._url, "GET", path + cursor)
            if "events" not in answer:
                return
            events += answer["events"]
            if answer["nextCursor"] is None:
                break
            cursor = f"&cursor={answer['nextCursor']}"
        head = after + len(events)
        self._note_read(group.group_id, begun, head, after=after, events=tuple(map(seen, events)))

    async def _read_tail(self, group: Group) -> None:
        after = self._chance.randrange(self._replicas[group.group_id].seq + 1)
        await self._pull_once(group.group_id, after, None)

    async def _pull_once(self, group_id: str, after: int, epoch: str | None) -> Json:
        """One `sync:pull`, noted down."""
        begun = now()
        body = {"groupId": group_id, "after": after, **({"epoch": epoch} if epoch else {})}
        query = "&".join(f"{name}={value}" for name, value in body.items() if name != "groupId")
        answer = await self._ask("sync:pull", f"/groups/{group_id}/sync?{query}", body)
        if "snapshot" in answer:
            whole = answer["snapshot"]
            things = {it["id"]: digest(it) for it in (*whole["expenses"], *whole["settlements"])}
            balances = balances_of(whole["balances"])
            self._note_read(group_id, begun, answer["seq"], balances=balances, things=things)
        elif "events" in answer:
            start = 0 if answer["reset"] else after
            events = tuple(map(seen, answer["events"]))
            self._note_read(group_id, begun, answer["seq"], after=start, events=events)
        return answer

    def _note_read(self, group_id: str, begun: int, seq: int, **what: Any) -> None:
        self.recorder.note(Read(self.name, self._session, group_id, begun, now(), seq, **what))

    # --- hearing

    async def _reconnect(self, _: Group) -> None:
        """Somewhere else, by a socket or for a while without."""
        if self._chance.random() < 0.8:
            await self._reconnect_somewhere()
        else:
            await self._hang_up()

    async def _reconnect_somewhere(self) -> None:
        self._url = self._chance.choice(self.ground.urls)
        await self.connect()

    async def connect(self) -> None:
        """Open a socket and wait for the greeting. Raises `NoAnswerError` where there is none."""
        await self._hang_up()
        self._session = f"{self.name}/{next(self._sessions)}"
        begun, greeting = now(), asyncio.Event()
        client = socketio.AsyncClient(reconnection=False)
        gone = self._gone = asyncio.Event()
        client.on("disconnect", lambda *_: gone.set())
        client.on("*", partial(self._hear, self._session))

        def ready(it: Json) -> None:
            self._ready(it, begun)
            greeting.set()

        client.on("session:ready", ready)
        try:
            auth = {"token": self.person.token}
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                await client.connect(
                    self._url, auth=auth, transports=["websocket"], wait_timeout=ANSWER_SECONDS_MAX
                )
                await _either(greeting.wait(), gone)
        except (socketio.exceptions.SocketIOError, aiohttp.ClientError, OSError, TimeoutError) as error:
            self.person.signed_in_at -= TOKEN_SECONDS / 10  # perhaps the token was the reason
            with suppress(Exception):
                await client.disconnect()
            raise NoAnswerError from error
        self._socket = client

    def _ready(self, greeting: Json, begun: int) -> None:
        seqs = {group["id"]: group["seq"] for group in greeting["groups"]}
        self.recorder.note(Ready(self.name, self._session, self.person.user_id, now(), seqs))
        for group_id, seq in seqs.items():
            self.recorder.note(Read(self.name, self._session, group_id, begun, now(), seq))
            self._replicas.setdefault(group_id, Replica())
            self._coming.append({"groupId": group_id, "seq": seq})
        for group_id in set(self._replicas) - set(seqs):
            del self._replicas[group_id]

    def _hear(self, session: str, name: str, payload: Json) -> None:
        """Note it as it comes; it is taken in between two operations."""
        if "updatedBalances" not in payload:
            return
        self.recorder.note(
            Heard(
                self.name,
                session,
                self.person.user_id,
                payload["groupId"],
                now(),
                payload["seq"],
                payload["commandId"],
                name,
                told(name, payload),
                balances_of(payload["updatedBalances"]),
            )
        )
        self._group(payload["groupId"]).note(thing_in(payload))
        if session == self._session:
            self._coming.append(payload)

    async def _catch_up(self) -> None:
        """Take in what was heard, and pull where something is missing: again, until there is an answer."""
        while self._coming:
            payload = self._coming.pop(0)
            replica = self._replicas.get(payload["groupId"])
            if replica is not None and "updatedBalances" in payload:
                is_missing = replica.hear(payload)
            else:
                is_missing = replica is None or replica.seq < payload["seq"]
            if is_missing:
                self._behind.add(payload["groupId"])
        for group_id in sorted(self._behind):
            await self._pull(group_id)

    async def _pull(self, group_id: str) -> None:
        """Everything that the replica lacks, and the balances after it; what fails is left for later."""
        self._behind.add(group_id)
        replica = self._replicas.get(group_id) or Replica()
        more = True
        while more:
            answer = await self._pull_once(group_id, replica.seq, replica.epoch)
            if "error" in answer:
                if answer["error"]["code"] == "not_found":
                    self._replicas.pop(group_id, None)
                    self._behind.discard(group_id)
                return
            replica.pull(answer)
            more = answer.get("more", False)
        if "events" in answer:
            body = {"groupId": group_id, "seq": replica.seq}
            path = f"/groups/{group_id}/balances?seq={replica.seq}"
            standing = await self._ask("balances:get", path, body)
            if "balances" not in standing:
                return
            replica.balances = balances_of(standing["balances"])
        self._replicas[group_id] = replica
        self._behind.discard(group_id)

    async def _hang_up(self) -> None:
        """Close the socket, if there is one."""
        client, self._socket = self._socket, None
        self._coming.clear()
        if client is not None:
            self._session = f"{self.name}/rest-{next(self._sessions)}"
            with suppress(Exception):
                await client.disconnect()

    async def close(self) -> None:
        """The end of this client."""
        await self._hang_up()
        self.recorder.close()

    # --- the wire

    async def _ask(self, event: str, path: str, body: Json) -> Json:
        """A read, over the socket where there is one."""
        if self._socket is not None:
            return await self._call(event, body)
        return await self._request(self._url, "GET", path)

    async def _call(self, event: str, body: Json) -> Json:
        """Over the socket: the ack."""
        assert self._socket is not None
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                call = self._socket.call(event, body, timeout=ANSWER_SECONDS_MAX)
                answer: Json = await _either(call, self._gone)
        except (socketio.exceptions.SocketIOError, aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NoAnswerError from error
        return answer

    async def _request(self, url: str, method: str, path: str, body: Json | None = None) -> Json:
        return await request(self._http, url, method, path, body, self.person.token)


async def request(
    http: aiohttp.ClientSession, url: str, method: str, path: str, body: Json | None, token: str = ""
) -> Json:
    """Over REST: the answer, or `{"error": …}` as in an ack. Raises `NoAnswerError`."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with http.request(method, f"{url}/api/v1{path}", json=body, headers=headers) as response:
            answer: Json = await response.json(content_type=None)
            return answer if response.status < 400 else {"error": answer}
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise NoAnswerError from error


async def register(http: aiohttp.ClientSession, url: str, name: str) -> Person:
    """Make an account. Raises `NoAnswerError`."""
    email = f"{name}-{next(_keys)}@example.org"
    answer = await request(
        http, url, "POST", "/auth/register", {"name": name, "email": email, "password": PASSWORD}
    )
    if "error" in answer:
        raise NoAnswerError(answer)
    return Person(answer["user"]["id"], email, answer["accessToken"], asyncio.get_running_loop().time())


async def _either(work: Awaitable[Any], gone: asyncio.Event) -> Any:
    """The work's result. Raises `NoAnswerError` as soon as the connection is gone."""
    working = asyncio.ensure_future(work)
    ending = asyncio.ensure_future(gone.wait())
    try:
        await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise NoAnswerError
        return working.result()
    finally:
        working.cancel()
        ending.cancel()


def _shown(body: Json) -> Json:
    return {"description": body["description"], "amount": body["amount"]}


def _without_path(path: str, body: Json) -> Json:
    return {name: value for name, value in body.items() if f"{{{name}}}" not in path}
