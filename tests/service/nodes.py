"""Nodes for the service's tests: handlers with their own memory and listeners, over stores that may fail."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from persplit.adapters.memory_store import MemoryDocuments
from persplit.ledger.commands import AddMember, Command, CreateExpense, CreateGroup
from persplit.ledger.events import GroupCreated, MemberJoined, MemberLeft, Noun, RecordedEvent
from persplit.ledger.expense import ExpenseDraft, SplitType
from persplit.ledger.state import GroupState, apply
from persplit.service.command_request import CommandRequest, Outcome
from persplit.service.errors import StoreUnavailable
from persplit.service.groups import Groups
from persplit.service.handler import Handler
from persplit.service.people import People
from persplit.service.ports import EventStore, Hint, Hints, NewEvent, Snapshot, StoredEvent
from persplit.service.qr_tokens import QrTokens
from persplit.service.snapshots import fold
from persplit.service.standing import Standing, Standings
from persplit.service.users import UNIQUE_KEYS, Users

T = TypeVar("T")

BEFORE = "the store fails before it writes"
AFTER = "the store writes and then fails to say so"
LATE = "the store fails, and writes afterwards"
FINE = "nothing happens"


class Clock:
    """A clock that goes where it is told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Wire(EventStore):
    """A node's way to a store that others use as well. It is slow, fails as planned, and counts what it carries.

    `faults` are for the next appends, `read_faults` for the next reads; `ticks` says how many turns of the event
    loop each way takes. A call waits while `hold` is there and not set.
    """

    def __init__(self, store: EventStore, ticks: Callable[[], int] = lambda: 0) -> None:
        self.store = store
        self.ticks = ticks
        self.faults: deque[str] = deque()
        self.read_faults: deque[str] = deque()
        self.appends = 0
        self.reads: list[str] = []
        self.hold: asyncio.Event | None = None
        self.reached = asyncio.Event()
        self.late: list[asyncio.Task[object]] = []

    async def _travel(self) -> None:
        for _ in range(self.ticks()):
            await asyncio.sleep(0)
        self.reached.set()
        if self.hold is not None:
            await self.hold.wait()

    async def _read(self, name: str, reading: Callable[[], Awaitable[T]]) -> T:
        self.reads.append(name)
        await self._travel()
        if self.read_faults and self.read_faults.popleft() != FINE:
            raise StoreUnavailable("the store did not answer")
        return await reading()

    async def append_all(self, events: Sequence[NewEvent]) -> Sequence[RecordedEvent]:
        self.appends += 1
        fault = self.faults.popleft() if self.faults else FINE
        await self._travel()
        if fault == BEFORE:
            raise StoreUnavailable("the store did not answer")
        recorded = await self.store.append_all(events)
        if fault != FINE:
            raise StoreUnavailable("the store did not answer")
        return recorded

    async def append(self, new: NewEvent) -> RecordedEvent:
        self.appends += 1
        fault = self.faults.popleft() if self.faults else FINE
        await self._travel()
        if fault == LATE:
            self.late.append(asyncio.create_task(self._append_late(new)))
        if fault in (BEFORE, LATE):
            raise StoreUnavailable("the store did not answer")
        recorded = await self.store.append(new)
        await self._travel()
        if fault == AFTER:
            raise StoreUnavailable("the store did not answer")
        return recorded

    async def _append_late(self, new: NewEvent) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        # Somebody else may have been quicker: then it has come to nothing.
        await asyncio.gather(self.store.append(new), return_exceptions=True)

    async def read(self, group_id: str, after: int, limit: int) -> Sequence[RecordedEvent]:
        return await self._read("read", lambda: self.store.read(group_id, after, limit))

    async def read_creations(
        self, group_id: str, noun: Noun, before: int, limit: int
    ) -> Sequence[RecordedEvent]:
        return await self._read(
            "read_creations", lambda: self.store.read_creations(group_id, noun, before, limit)
        )

    async def find_command(self, group_id: str, command_id: str) -> RecordedEvent | None:
        return await self._read("find_command", lambda: self.store.find_command(group_id, command_id))

    async def of_commands(
        self, group_id: str, prefix: str, after: str, limit: int
    ) -> Sequence[RecordedEvent]:
        return await self._read("of_commands", lambda: self.store.of_commands(group_id, prefix, after, limit))

    async def latest(self, group_id: str, noun: Noun, ids: Sequence[str]) -> Mapping[str, RecordedEvent]:
        return await self._read("latest", lambda: self.store.latest(group_id, noun, ids))

    async def about(self, group_id: str, noun: Noun, subject_id: str, limit: int) -> Sequence[RecordedEvent]:
        return await self._read("about", lambda: self.store.about(group_id, noun, subject_id, limit))

    async def heads(self, group_ids: Sequence[str]) -> Mapping[str, int]:
        return await self._read("heads", lambda: self.store.heads(group_ids))

    async def seq_at(self, group_id: str, at: str) -> int:
        return await self._read("seq_at", lambda: self.store.seq_at(group_id, at))

    async def groups_of(self, user_id: str) -> Sequence[str]:
        return await self._read("groups_of", lambda: self.store.groups_of(user_id))

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        await self._read("save_snapshot", lambda: self.store.save_snapshot(snapshot))

    async def load_snapshot(self, group_id: str, version: int, up_to: int) -> Snapshot | None:
        return await self._read("load_snapshot", lambda: self.store.load_snapshot(group_id, version, up_to))

    async def groups(self, after: str, limit: int) -> Sequence[str]:
        return await self._read("groups", lambda: self.store.groups(after, limit))

    async def stored(self, group_id: str, after: int, limit: int) -> Sequence[StoredEvent]:
        return await self._read("stored", lambda: self.store.stored(group_id, after, limit))

    async def snapshots(self, group_id: str, after: int, limit: int) -> Sequence[Snapshot]:
        return await self._read("snapshots", lambda: self.store.snapshots(group_id, after, limit))

    async def put(self, events: Sequence[RecordedEvent]) -> None:
        await self._read("put", lambda: self.store.put(events))

    async def erase(self, group_id: str) -> None:
        await self._read("erase", lambda: self.store.erase(group_id))

    async def ping(self) -> None:
        await self._read("ping", self.store.ping)


@dataclass
class Span:
    """What one person heard of one group, from when they began to hear it. `ready_at` is what they had read by then."""

    group_id: str
    user_id: str
    ready_at: int | None = None
    heard: list[tuple[RecordedEvent, Standing]] = field(default_factory=list)

    def news(self) -> list[tuple[RecordedEvent, Standing]]:
        """What a client makes use of: it drops what it has."""
        return [(r, s) for r, s in self.heard if self.ready_at is None or r.seq > self.ready_at]

    def seqs(self) -> list[int]:
        return [recorded.seq for recorded, _ in self.heard]


class Listeners:
    """A fan-out whose clients remember all that they hear."""

    def __init__(self) -> None:
        self.connected: set[str] = set()
        self.open: dict[tuple[str, str], Span] = {}
        self.spans: list[Span] = []
        self.announced: list[tuple[str, int]] = []
        self.fails_next = False
        self.hold: asyncio.Event | None = None
        self.reached = asyncio.Event()

    def listen(self, group_id: str, user_id: str) -> Span:
        """A device of the user enters the group's room."""
        self.connected.add(user_id)
        if (group_id, user_id) not in self.open:
            span = self.open[group_id, user_id] = Span(group_id, user_id)
            self.spans.append(span)
        return self.open[group_id, user_id]

    def disconnect(self, user_id: str) -> None:
        self.connected.discard(user_id)
        for key in [key for key in self.open if key[1] == user_id]:
            del self.open[key]

    async def follow_membership(self, recorded: RecordedEvent) -> None:
        if self.fails_next:
            self.fails_next = False
            raise RuntimeError("the fan-out broke")
        match recorded.event:
            case GroupCreated(member=member) | MemberJoined(member=member):
                if member.user_id in self.connected:
                    self.listen(recorded.group_id, member.user_id)
            case MemberLeft(member=member):
                self.open.pop((recorded.group_id, member.user_id), None)
            case _:
                pass

    async def dismiss(self, group_id: str) -> None:
        for key in [key for key in self.open if key[0] == group_id]:
            del self.open[key]

    def has_listeners(self, group_id: str) -> bool:
        return any(key[0] == group_id for key in self.open)

    def heard_groups(self) -> Sequence[str]:
        return sorted({group_id for group_id, _ in self.open})

    def is_connected(self, user_id: str) -> bool:
        return user_id in self.connected

    def connected_users(self) -> Sequence[str]:
        return sorted(self.connected)

    async def admit(self, user_id: str, recorded: RecordedEvent, standing: Standing) -> None:
        if self.lacks(recorded.group_id, user_id):
            self.listen(recorded.group_id, user_id).heard.append((recorded, standing))

    def lacks(self, group_id: str, user_id: str) -> bool:
        return user_id in self.connected and not self.hears(group_id, user_id)

    def hears(self, group_id: str, user_id: str) -> bool:
        return (group_id, user_id) in self.open

    async def announce(self, recorded: RecordedEvent, standing: Standing) -> None:
        self.reached.set()
        if self.hold is not None:
            await self.hold.wait()
        self.announced.append((recorded.group_id, recorded.seq))
        for (group_id, _), span in self.open.items():
            if group_id == recorded.group_id:
                span.heard.append((recorded, standing))


class ToldHints(Hints):
    """Hints that are written down, and handed to other nodes' listeners if there are any."""

    def __init__(self) -> None:
        self.published: list[Hint] = []
        self.listeners: list[Callable[[Hint | None], None]] = []

    async def publish(self, hint: Hint) -> None:
        self.published.append(hint)

    def subscribe(self, listener: Callable[[Hint | None], None]) -> None:
        self.listeners.append(listener)

    def tell(self, hint: Hint | None) -> None:
        for listener in self.listeners:
            listener(hint)


class Node:
    """One node on a store."""

    def __init__(
        self,
        store: EventStore,
        *,
        is_shared: bool = False,
        clock: Clock | None = None,
        ticks: Callable[[], int] = lambda: 0,
    ) -> None:
        self.wire = Wire(store, ticks)
        self.listeners = Listeners()
        self.hints = ToldHints()
        self.users = Users(MemoryDocuments(UNIQUE_KEYS))
        self.people = People(self.users)
        self.standings = Standings(self.people, QrTokens(b"k" * 32))
        self.groups = Groups(self.wire, self.standings, self.listeners, is_shared=is_shared)
        self.clock = clock or Clock()
        self.handler = Handler(self.wire, self.groups, self.hints, self.clock)

    async def does(
        self, actor: str, command: Command, key: str = "", group_id: str = "goa", *, is_new_id: bool = False
    ) -> Outcome:
        """Send a command. The key is the command's text unless told, so sending it again is a retry."""
        return await self.handler.handle(request(actor, command, key, group_id, is_new_id=is_new_id))

    async def connects(self, user_id: str, *group_ids: str) -> list[Span]:
        """A device comes online: it enters the rooms first and reads second."""
        spans = [self.listeners.listen(group_id, user_id) for group_id in group_ids or ["goa"]]
        for span in spans:
            state = await self.groups.peek(span.group_id)
            span.ready_at = state.seq if state else 0
        return spans

    async def comes_online(self, user_id: str) -> None:
        """A device connects as the transport lets it: it hears its user's news before it reads which groups."""
        self.listeners.connected.add(user_id)
        for group_id in await self.wire.groups_of(user_id):
            span = self.listeners.listen(group_id, user_id)
            state = await self.groups.peek(group_id)
            if state is None or not state.is_member(user_id):
                self.listeners.open.pop((group_id, user_id), None)
            elif span.ready_at is None:
                span.ready_at = state.seq

    async def makes(self, *others: str, group_id: str = "goa", maker: str = "asha") -> None:
        """A group with the others in it."""
        await self.does(maker, CreateGroup(maker.title(), "Goa"), f"make {group_id}", group_id)
        for other in others:
            await self.does(maker, AddMember(other, other.title()), f"add {other} to {group_id}", group_id)

    async def spends(
        self, id_: str, amount: int = 900, actor: str = "asha", group_id: str = "goa"
    ) -> Outcome:
        """An expense of the actor's among all."""
        return await self.does(actor, spending(id_, amount), group_id=group_id)


def request(
    actor: str, command: Command, key: str = "", group_id: str = "goa", *, is_new_id: bool = False
) -> CommandRequest:
    return CommandRequest(
        actor_id=actor,
        group_id=group_id,
        command_id=key or f"{actor}: {command!r}",
        content=repr(command),
        command=command,
        is_new_id=is_new_id,
    )


def spending(id_: str, amount: int = 900, *participants: str) -> CreateExpense:
    return CreateExpense(id_, draft(amount, *participants))


def draft(amount: int, *participants: str) -> ExpenseDraft:
    return ExpenseDraft("Dinner", amount, SplitType.EQUAL, participants=participants or None)


async def ledger(store: EventStore, group_id: str = "goa") -> list[RecordedEvent]:
    """All events of the group."""
    events: list[RecordedEvent] = []
    while more := await store.read(group_id, len(events), 1_000):
        events += more
    return events


async def whole(store: EventStore, group_id: str = "goa", up_to: int | None = None) -> GroupState:
    """The fold of all events, or of the first so many."""
    state = fold(None, (await ledger(store, group_id))[:up_to])
    assert state is not None
    return state


def check_seqs(events: Sequence[RecordedEvent]) -> None:
    """Gap-free from 1, every command once, time never back."""
    assert [recorded.seq for recorded in events] == list(range(1, len(events) + 1))
    assert len({recorded.command_id for recorded in events}) == len(events)
    assert [recorded.at for recorded in events] == sorted(recorded.at for recorded in events)


def check_span(span: Span, events: Sequence[RecordedEvent]) -> None:
    """Each event once, in order, with nothing left out, and with the balances that follow from the ledger."""
    news = span.news()
    seqs = [recorded.seq for recorded, _ in news]
    if seqs:
        first = seqs[0] if span.ready_at is None else span.ready_at + 1
        assert seqs == list(range(first, first + len(seqs)))
    told = {recorded.seq: (recorded, standing) for recorded, standing in news}
    state: GroupState | None = None
    for event in events:
        state = apply(state, event)
        if event.seq in told:
            recorded, standing = told[event.seq]
            assert recorded == event
            assert standing.state.seq == event.seq
            assert dict(standing.balances()) == dict(state.balances)
            assert sum(state.balances.values()) == 0
