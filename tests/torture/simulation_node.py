"""A node of the simulated world: the server's own code from the sockets down, on a wire that may fail.

Below `Sockets` stands a switchboard in place of python-socketio: it keeps what `transport.guard` promises (one
client's messages one at a time and in order, the disconnect handler once and after the others) over cables that
delay, cut and fall silent.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, cast

from socketio.exceptions import ConnectionRefusedError as Refused

from persplit import bootstrap
from persplit.adapters.memory_store import MemoryDocuments, MemoryEvents, MemoryFiles
from persplit.adapters.memory_tallies import MemoryTallies
from persplit.adapters.pictures import PillowPictures
from persplit.adapters.receipt_reader import ReceiptReader
from persplit.adapters.statement_pdf import PdfStatements
from persplit.service import users
from persplit.service.absentees import Absentees
from persplit.service.accounts import Accounts
from persplit.service.activity import Activity
from persplit.service.administration import Administration
from persplit.service.admins import Admins
from persplit.service.analytics import Analytics
from persplit.service.attachments import Attachments
from persplit.service.audit import AuditLog
from persplit.service.batches import Batches
from persplit.service.channels import Channels
from persplit.service.direct_ledgers import DirectLedgers
from persplit.service.epochs import Epochs
from persplit.service.errors import ServerRestarting, StoreUnavailable
from persplit.service.expense_books import ExpenseBooks
from persplit.service.exporting import Exporting
from persplit.service.follower import Follower
from persplit.service.groups import Groups
from persplit.service.handler import Handler
from persplit.service.history import History
from persplit.service.importing import Importing
from persplit.service.invites import GroupPasswords, Invites
from persplit.service.joining import Guests, Joining
from persplit.service.overview import Overview
from persplit.service.people import People
from persplit.service.personal_tokens import PersonalTokens
from persplit.service.ports import AccessClaims, AccessTokens, PasswordHasher, QrRenderer
from persplit.service.projecting import Projector
from persplit.service.qr_tokens import QrTokens
from persplit.service.rates import Rates
from persplit.service.read_marks import ReadMarks
from persplit.service.receipts import Receipts
from persplit.service.recurring import Recurring
from persplit.service.sessions import Sessions
from persplit.service.standing import Standings
from persplit.service.suspensions import Suspensions
from persplit.service.sync import Known, Missing, Sync
from persplit.service.tally_progress import TallyProgress
from persplit.service.throttle import SignInThrottle
from persplit.transport.answers import ack_of
from persplit.transport.fanout import SocketFanOut
from persplit.transport.lifetime import Lifetime
from persplit.transport.limits import Limits
from persplit.transport.operations import Call, Services
from persplit.transport.sockets import Sockets
from persplit.transport.table import COMMANDS, OPERATIONS
from persplit.transport.views import Json
from tests.torture.simulation_faults import Bus, BusHints, Weather, Wire, WiredDocuments, WiredEvents
from tests.torture.simulation_loop import Actor, VirtualLoop
from tests.torture.simulation_trace import Trace

PING_SECONDS: Final = (10.0, 30.0)
"""When the end of a silent connection is noticed: an interval of 20 s and a timeout of 10 s."""
REFUSED_SECONDS: Final = 1.0
SKEW_SECONDS_MAX: Final = 5.0
"""How far a node's clock is off."""
EVENTS_AT_ONCE: Final = 12
"""Events that a client gets in one go: few, so that pages and resets are as common as in years of use."""
KEY: Final = b"a key of the simulated world: no secret"

_BY_ID: Final = {operation.id: operation for operation in OPERATIONS}


class Cable:
    """One TCP connection between a phone and a node: in order each way, until it is cut or falls silent."""

    def __init__(self, weather: Weather, phone: Actor, node: Actor) -> None:
        self._weather = weather
        self._ends = {"up": node, "down": phone}
        self._arrives = {"up": 0.0, "down": 0.0}
        self._silent: set[str] = set()
        self._noticed: set[str] = set()
        self.is_cut = False
        self.takes: dict[str, Callable[[Json], None]] = {}
        self.ends: dict[str, Callable[[], None]] = {"up": _nothing, "down": _nothing}

    def open(self, accept: Callable[[], None]) -> None:
        """Have the node take it, before anything that travels `up`."""
        end = self._ends["up"]
        delay = self._weather.delay()
        self._arrives["up"] = end.loop.time() + delay
        end.soon(delay, accept)

    def send(self, way: str, message: Json) -> None:
        """Let the message travel `up` to the node or `down` to the phone; whether it arrives is uncertain."""
        end = self._ends[way]
        at = self._arrives[way] = max(self._arrives[way], end.loop.time() + self._weather.delay())

        def arrive() -> None:
            if not self.is_cut and way not in self._silent:
                self.takes[way](message)

        end.soon(at - end.loop.time(), arrive)

    def hang_up(self, way: str) -> None:
        """Close in the orderly way: what was sent before arrives before the end does."""
        end = self._ends[way]
        at = max(self._arrives[way], end.loop.time() + self._weather.delay())
        end.soon(at - end.loop.time(), lambda: self._notice(way))

    def cut(self) -> None:
        """What is under way is lost; both sides soon notice."""
        self.is_cut = True
        for way in ("up", "down"):
            self._ends[way].soon(self._weather.chance.uniform(0, 0.3), lambda way=way: self._notice(way))  # type: ignore[misc]

    def fall_silent(self, way: str) -> None:
        """One direction is dead, and nobody says so: pings find it out."""
        self._silent.add(way)
        first = self._weather.chance.uniform(*PING_SECONDS)
        second = first + self._weather.chance.uniform(0, PING_SECONDS[1])
        up, down = (first, second) if self._weather.chance.random() < 0.5 else (second, first)
        self._ends["up"].soon(up, lambda: self._notice("up"))
        self._ends["down"].soon(down, lambda: self._notice("down"))

    def lose_node(self) -> None:
        """The node died: the phone hears it from its system, or from the silence."""
        self.is_cut = True
        slow = self._weather.happens(self._weather.half_open)
        low, high = PING_SECONDS if slow else (0.0, 0.3)
        self._ends["down"].soon(self._weather.chance.uniform(low, high), lambda: self._notice("down"))

    def lose_phone(self) -> None:
        """The phone died: the same the other way round."""
        self.is_cut = True
        slow = self._weather.happens(self._weather.half_open)
        low, high = PING_SECONDS if slow else (0.0, 0.3)
        self._ends["up"].soon(self._weather.chance.uniform(low, high), lambda: self._notice("up"))

    def _notice(self, way: str) -> None:
        """The end that hears `way` learns that the connection is over, once."""
        if way not in self._noticed:
            self._noticed.add(way)
            self.is_cut = self.is_cut or len(self._noticed) == 2
            self.ends[way]()


def _nothing() -> None:
    """Nobody is there yet to be told."""


@dataclass(eq=False)
class Link:
    """The node's end of a connection, with what the oracle remembers of it."""

    sid: str
    user_id: str
    cable: Cable
    inbox: deque[Json] = field(default_factory=deque)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    rooms: set[str] = field(default_factory=set)
    is_closing: bool = False
    is_gone: bool = False
    ready_at: float | None = None
    first: dict[str, int] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    ready_seqs: dict[str, int] = field(default_factory=dict)


class Watcher(Protocol):
    """What the oracle wants to see of a node."""

    def emitted(self, node: "Node", link: Link, event: str, data: Json) -> None:
        """The node sends this to the socket."""
        ...

    def asked(self, node: "Node", user_id: str, event: str, body: Json) -> object:
        """A request begins; returns what `answered` is to be given."""
        ...

    def answered(self, node: "Node", asked: Any, ack: Json) -> None:
        """The request's answer goes out."""
        ...

    def entered(self, link: Link, room: str, *, is_in: bool) -> None:
        """The socket enters or leaves a room."""
        ...


class Switchboard:
    """What `Sockets` and the fan-out need of a Socket.IO server."""

    def __init__(self, node: "Node", watcher: Watcher) -> None:
        self._node = node
        self._watcher = watcher
        self.links: dict[str, Link] = {}
        self._rooms: dict[str, dict[str, Link]] = {}
        self._handlers: dict[str, Callable[..., Awaitable[Any]]] = {}
        self.on_connected: Callable[[str], Awaitable[None]] | None = None

    def on(self, event: str, handler: Callable[..., Awaitable[Any]]) -> None:
        """Take a handler."""
        self._handlers[event] = handler

    def refusal_at_opening(self, sid: str) -> None:
        """No limit on connections in the simulated world."""

    def address_at_opening(self, sid: str) -> str:
        """They all come from one place."""
        return "192.0.2.1"

    def turn_away(self, refuse: object) -> None:
        """Nobody is turned away here before they connect."""

    async def emit(self, event: str, data: Json, *, to: str) -> None:
        """Send to everybody who is in the room now; like the library's, it yields once before anything goes out."""
        there = [self.links[to]] if to in self.links else list(self._rooms.get(to, {}).values())
        await asyncio.sleep(0)
        for link in there:
            if not (link.is_closing or link.is_gone):
                self._watcher.emitted(self._node, link, event, data)
                link.cable.send("down", {"event": event, "data": data})

    async def enter_room(self, sid: str, room: str) -> None:
        """Put a socket into a room; one that has gone may not."""
        if sid not in self.links:
            raise ValueError("sid is not connected to requested namespace")
        self._watcher.entered(self.links[sid], room, is_in=True)
        self._rooms.setdefault(room, {})[sid] = self.links[sid]
        self.links[sid].rooms.add(room)

    async def leave_room(self, sid: str, room: str) -> None:
        """Take it out."""
        self._rooms.get(room, {}).pop(sid, None)
        if sid in self.links:
            self._watcher.entered(self.links[sid], room, is_in=False)
            self.links[sid].rooms.discard(room)

    async def close(self, sid: str, code: int = 0) -> None:
        """Take nothing more from it; what waits still goes out, then the connection ends."""
        link = self.links.get(sid)
        if link is not None and not link.is_closing:
            link.is_closing = True
            link.cable.hang_up("down")
            self._node.actor.soon(1.0, lambda: self._end(link))

    def accept(self, link: Link, auth: Json) -> None:
        """A phone has opened a connection, unless it broke meanwhile."""
        if link.cable.is_cut:
            return
        link.cable.takes["up"] = lambda message: self._take(link, message)
        link.cable.ends["up"] = lambda: self._end(link)
        self.links[link.sid] = link
        self._node.actor.spawn(self._serve(link, auth))

    def _take(self, link: Link, message: Json) -> None:
        link.inbox.append(message)
        link.woken.set()

    def _end(self, link: Link) -> None:
        link.is_gone = True
        link.woken.set()

    async def _serve(self, link: Link, auth: Json) -> None:
        try:
            await self._handlers["connect"](link.sid, {"aiohttp.request": None}, auth)
        except Refused as error:
            link.cable.send("down", {"refused": error.error_args})
            link.cable.hang_up("down")
        else:
            if not link.is_gone:
                link.cable.send("down", {"connected": link.sid})
            if self.on_connected is not None and not link.is_gone:
                await self.on_connected(link.sid)
            await self._serve_messages(link)
        finally:
            await self._handlers["disconnect"](link.sid, "gone")
            for room in sorted(link.rooms):
                self._rooms[room].pop(link.sid, None)
            self.links.pop(link.sid, None)

    async def _serve_messages(self, link: Link) -> None:
        while True:
            while link.inbox and not link.is_gone:
                message = link.inbox.popleft()
                if not link.is_closing:
                    await self._answer(link, message)
            if link.is_gone:
                return
            link.woken.clear()
            await link.woken.wait()

    async def _answer(self, link: Link, message: Json) -> None:
        asked = self._watcher.asked(self._node, link.user_id, message["event"], message["data"])
        ack = await self._handlers[message["event"]](link.sid, message["data"])
        self._watcher.answered(self._node, asked, ack)
        if not link.is_closing:
            link.cable.send("down", {"ack": message["id"], "data": ack})


class SmallSync(Sync):
    """Sync with smaller pages: the limit is a client's to choose, so the server must work with any."""

    async def missing(
        self, group_id: str, user_id: str, known: Known, limit: int = EVENTS_AT_ONCE
    ) -> Missing:
        """See `Sync`."""
        return await super().missing(group_id, user_id, known, min(limit, EVENTS_AT_ONCE))


class Tokens(AccessTokens):
    """Access tokens that anybody can read, and that run out."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def issue(self, user_id: str, session_id: str, group_id: str | None = None) -> tuple[str, AccessClaims]:
        """See the port."""
        claims = AccessClaims(user_id, session_id, int(self._now().timestamp()) + 600, group_id)
        return f"{user_id} {session_id} {claims.expires_at}", claims

    def read(self, token: str) -> AccessClaims:
        """See the port."""
        user_id, session_id, expires_at = token.split(" ")
        return AccessClaims(user_id, session_id, int(expires_at))


class Passwords(PasswordHasher):
    """No password is set in the simulated world."""

    async def hash(self, password: str) -> str:
        """See the port."""
        return password

    async def verify(self, password: str, hashed: str | None) -> bool:
        """See the port."""
        return password == hashed


class Drawn(QrRenderer):
    """Drawing takes a moment; what is drawn is of no interest here."""

    async def png(self, text: str) -> bytes:
        """See the port."""
        await asyncio.sleep(0.01)
        return b"PNG"

    async def svg(self, text: str) -> bytes:
        """See the port."""
        return await self.png(text)


class Address:
    """Everybody comes from the same place."""

    def of(self, request: object) -> str:
        """The address."""
        return "192.0.2.1"


@dataclass
class Disk:
    """What outlives the nodes. `is_shared`: several write to it at the same time."""

    is_shared: bool
    actor: Actor
    events: MemoryEvents
    users: MemoryDocuments
    sessions: MemoryDocuments
    personal_tokens: MemoryDocuments
    invites: MemoryDocuments
    read_marks: MemoryDocuments
    meta: MemoryDocuments


class Node:
    """One server process, from its start to its death."""

    def __init__(
        self,
        loop: VirtualLoop,
        name: str,
        disk: Disk,
        bus: Bus,
        weather: Weather,
        trace: Trace,
        watcher: Watcher,
    ) -> None:
        self.loop = loop
        self.name = name
        self.actor = Actor(loop, name)
        # Alone, the store is in the process: what it still had to do dies with it.
        self.wire = Wire(loop, weather, trace, name, disk.actor if disk.is_shared else self.actor)
        self.skew = timedelta(seconds=weather.chance.uniform(-SKEW_SECONDS_MAX, SKEW_SECONDS_MAX))
        self.is_up = False
        self.is_stopping = False
        self.counts: Counter[str] = self.wire.counts
        self.is_alone = not disk.is_shared
        self._watcher = watcher
        self._weather = weather
        self._trace = trace
        self.switchboard = Switchboard(self, watcher)
        self.lifetime = Lifetime()
        self._build(disk, bus)
        self.actor.spawn(self._start())

    def now(self) -> datetime:
        """The node's clock, which is off by its skew."""
        return self.loop.wall() + self.skew

    def _build(self, disk: Disk, bus: Bus) -> None:
        events = WiredEvents(self.wire, disk.events)
        accounts_of = users.Users(WiredDocuments(self.wire, "users", disk.users))
        people = People(accounts_of, monotonic=self.loop.time)
        sessions = Sessions(
            WiredDocuments(self.wire, "sessions", disk.sessions),
            pepper=KEY,
            clock=self.now,
            monotonic=self.loop.time,
        )
        personal_tokens = PersonalTokens(
            WiredDocuments(self.wire, "personal_tokens", disk.personal_tokens),
            self.now,
            monotonic=self.loop.time,
        )
        throttle = SignInThrottle(monotonic=self.loop.time)
        suspensions = Suspensions(MemoryDocuments(), self.now)
        admins = Admins(MemoryDocuments(), suspensions, self.now)
        audit = AuditLog(MemoryDocuments(), self.now)
        tallies = MemoryTallies()
        projector = Projector(
            events, tallies, TallyProgress(MemoryDocuments()), self.now, is_shared=disk.is_shared
        )
        accounts = Accounts(
            users=accounts_of,
            people=people,
            sessions=sessions,
            personal_tokens=personal_tokens,
            passwords=Passwords(),
            tokens=Tokens(self.now),
            throttle=throttle,
            suspensions=suspensions,
            clock=self.now,
        )
        drawn = Drawn()
        qr_tokens = QrTokens(KEY)
        standings = Standings(people, qr_tokens)
        self.fan_out = SocketFanOut(self.switchboard, people, drawn)
        hints = BusHints(bus, self.actor)
        self.groups = Groups(events, standings, self.fan_out, is_shared=disk.is_shared)
        history = History(events, self.groups)
        self.epochs = Epochs(WiredDocuments(self.wire, "meta", disk.meta))
        self.handler = Handler(events, self.groups, hints, self.now)
        documents = WiredDocuments(self.wire, "invites", disk.invites)
        batches = Batches(events, self.groups, self.handler, hints, self.now)
        pictures = PillowPictures()
        attachments = Attachments(
            WiredDocuments(self.wire, "attachments", MemoryDocuments()),
            MemoryFiles(),
            events,
            self.groups,
            pictures,
            self.now,
        )
        overview = Overview(events, self.groups)
        marks = WiredDocuments(self.wire, "read_marks", disk.read_marks)
        read_marks = ReadMarks(marks, events, self.groups, self.fan_out, hints)
        invites = Invites(documents, personal_tokens, self.now)
        group_passwords = GroupPasswords(documents, Passwords(), throttle)
        exporting = Exporting(events, self.groups, people)
        joining = Joining(invites, group_passwords, self.groups, overview)
        self.services = Services(
            accounts=accounts,
            users=accounts_of,
            people=people,
            groups=self.groups,
            handler=self.handler,
            direct_ledgers=DirectLedgers(events, self.groups, self.handler, overview, accounts_of),
            history=history,
            expense_books=ExpenseBooks(events, self.groups),
            sync=SmallSync(self.groups, history, self.epochs),
            epochs=self.epochs,
            limits=Limits(is_on=False),
            overview=overview,
            channels=Channels(MemoryDocuments(), MemoryDocuments(), self.now),
            read_marks=read_marks,
            activity=Activity(events, overview, read_marks),
            invites=invites,
            group_passwords=group_passwords,
            joining=joining,
            personal_tokens=personal_tokens,
            guests=Guests(accounts_of, accounts, joining, self.now),
            standings=standings,
            rates=Rates(MemoryDocuments()),
            recurring=Recurring(
                MemoryDocuments(),
                self.groups,
                self.handler,
                Rates(MemoryDocuments()),
                Absentees(accounts_of, suspensions),
                self.now,
            ),
            importing=Importing(events, self.groups, people, batches, self.now),
            exporting=exporting,
            # Nobody gives their account up in the simulated world.
            own_data=cast("Any", None),
            statements=PdfStatements(),
            attachments=attachments,
            receipts=Receipts(self.groups, attachments, pictures, ReceiptReader(0)),
            admins=admins,
            administration=Administration(accounts_of, admins, suspensions, sessions, audit),
            analytics=Analytics(tallies, projector, accounts_of, people, self.now),
            qr_tokens=qr_tokens,
            qr_codes=drawn,
            public_url="https://persplit.example",
        )
        self.sockets = Sockets(
            cast("Any", self.switchboard),
            self.services,
            self.fan_out,
            self.services.limits,
            cast("Any", Address()),
            self.lifetime,
        )
        newcomers = self.fan_out if disk.is_shared else None
        self.follower = Follower(events, self.groups, self.fan_out, hints, newcomers)

    async def _start(self) -> None:
        while True:
            try:
                await self.epochs.open()
                break
            except StoreUnavailable:
                await asyncio.sleep(1.0)
        self.actor.spawn(self.follower.run())
        self.is_up = True
        self._trace.add(self.name, "is up")

    def kill(self) -> None:
        """End it at once: nothing of it runs again."""
        self.is_up = False
        self.actor.kill()
        for link in self.switchboard.links.values():
            link.cable.lose_node()

    async def stop(self) -> None:
        """Stop it as `persplit serve` does when it is told to."""
        self.is_stopping = True
        nothing = cast("Any", None)
        process = bootstrap.Node(nothing, nothing, self.sockets, self.services, self.lifetime)
        await process.drain(is_replaced=self._weather.happens(0.5))
        await asyncio.sleep(1.0)
        self.kill()

    async def rest(self, user_id: str, event: str, body: Json) -> Json:
        """What REST would answer: the same operation, without a socket."""
        operation = COMMANDS.get(event) or _BY_ID[event]
        claims = AccessClaims(user_id, f"session-{user_id}", 2**40)
        asked = self._watcher.asked(self, user_id, event, body)
        ack = await ack_of(self._carried_out(operation, Call(claims, "192.0.2.1"), body), event)
        self._watcher.answered(self, asked, ack)
        return ack

    async def _carried_out(self, operation: Any, call: Call, body: Json) -> Json:
        if self.lifetime.refuses_writes and operation.is_write:
            raise ServerRestarting("this server is stopping: send it again in a moment")
        await self.services.accounts.check_session(call.signed_in)
        result: Json = await operation.answer(self.services, call, operation.request.model_validate(body))
        return result
