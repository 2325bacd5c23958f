"""Tells people of what happened while they weren't looking, at least once, whatever is killed in between.

The ledger is the outbox: an event is in it before anybody could be told. Beside it stands, for each channel and group,
up to which seq the channel was told (a document in `deliveries`). Who sends holds a lease on that document, taken and
moved on by compare-and-set: so one node sends a thing at a time, and another goes on where it was if that one dies.
What was sent and not noted before a kill is sent once more, under the same id.

A channel is looked at when this node has recorded something in one of its groups, when a retry is due, and, a page of
owners at a time, in a sweep: that finds what a killed node has left.
"""

import asyncio
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol
from weakref import WeakValueDictionary

import structlog

from persplit.ledger.events import RecordedEvent
from persplit.ledger.notices import Notice, asks_for, notice_of
from persplit.ledger.state import GroupState
from persplit.service import channels as owners
from persplit.service.absentees import Absentees
from persplit.service.channels import Channel, Channels, Kind, Owned
from persplit.service.errors import StoreUnavailable
from persplit.service.groups import Groups
from persplit.service.handler import rfc3339
from persplit.service.metrics import NOTICES
from persplit.service.people import Remembered
from persplit.service.ports import (
    Clock,
    Document,
    Documents,
    DuplicateKey,
    EventStore,
    GroupErased,
    Hint,
    Hints,
    VersionChanged,
)

LEASE_SECONDS: Final = 60
"""How long a node may be silent before another goes on in its place: longer than one attempt takes."""
SEND_SECONDS_MAX: Final = 10.0
"""For one attempt of an adapter."""
BACKOFF_SECONDS_FIRST: Final = 5.0
BACKOFF_SECONDS_MAX: Final = 3_600.0
ATTEMPTS_MAX: Final = 12
"""Attempts at one notice, over some three hours; then it is given up, with all that waits behind it."""
EVENTS_AT_ONCE: Final = 50
SENDING_AT_ONCE: Final = 24
"""Webhooks that are being told at the same time."""
SENDING_AT_ONCE_OF_ONE: Final = 2
"""Of those, webhooks that one person made: receivers that are slow, or mean to be, hold up none but theirs."""
SLOW_AT_ONCE: Final = 8
"""Besides, webhooks of people whose receivers were slow: however many people that are, they wait for each other alone."""
MAILS_AT_ONCE: Final = 8
"""Besides, people who are being written to: one mail server that is slow holds up no webhook."""
SLOW_SECONDS: Final = 1.0
"""A receiver that takes longer is slow; most take a tenth of it."""
SLOW_FOR_SECONDS: Final = 3_600.0
"""How long somebody counts as slow after that: for each first attempt it can take `SEND_SECONDS_MAX` from the quick."""
TURN_SECONDS_MAX: Final = 2.0
"""After so long a channel with more to be told goes to the end of the line."""
WAITING_MAX: Final = 10_000
"""Groups and retries that wait in memory; what is beyond is found by a sweep."""
WAITING_OF_ONE_MAX: Final = 200
"""Of the channels that wait for their turn, those that one person made: in hundreds of groups they have thousands."""
SWEEP_SECONDS: Final = 30.0
OWNERS_PER_SWEEP: Final = 100
COALESCE_SECONDS: Final = 0.1
"""After a group has something new: a burst of events costs one look."""

_log = structlog.get_logger(__name__)


class NotSent(Exception):
    """The adapter could not hand a notice over; it may be tried again."""


class Sender(Protocol):
    """An adapter: hands one notice over, or raises `NotSent`. It takes `SEND_SECONDS_MAX` at most."""

    async def send(self, channel: Channel, notice: Notice) -> None:
        """Return once the other side has it."""
        ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """Up to which seq a channel was told of a group; `attempts` at the next one have failed.

    `next_at`: not before then; `leased_until`: whoever wrote it sends until then. RFC 3339 UTC, or "".
    """

    seq: int
    attempts: int = 0
    next_at: str = ""
    leased_until: str = ""
    node: str = ""

    def body(self) -> dict[str, object]:
        """As it is kept."""
        return {
            "seq": self.seq,
            "attempts": self.attempts,
            "nextAt": self.next_at,
            "leasedUntil": self.leased_until,
            "node": self.node,
        }

    @classmethod
    def of(cls, document: Document) -> "Delivery":
        """What the document says."""
        body = document.body
        return cls(body["seq"], body["attempts"], body["nextAt"], body["leasedUntil"], body["node"])


@dataclass(frozen=True, slots=True)
class Target:
    """A channel of an owner, and the group that it is to be told of."""

    owner: str
    channel: Channel
    group_id: str

    @property
    def id(self) -> str:
        """Its document's."""
        return f"{self.channel.id} {self.group_id}"


class NoticingHints(Hints):
    """Hints that also tell the notifier of this node's own commits."""

    def __init__(self, hints: Hints) -> None:
        self._hints = hints
        self.notifier: Notifier | None = None

    async def publish(self, hint: Hint) -> None:
        """See the port."""
        if self.notifier is not None and hint.seq:
            self.notifier.noticed(hint.group_id)
        await self._hints.publish(hint)

    def subscribe(self, listener: Callable[[Hint | None], None]) -> None:
        """See the port."""
        self._hints.subscribe(listener)

    def are_connected(self) -> bool | None:
        """See the port."""
        return self._hints.are_connected()


class Notifier:
    """One node's part in telling. `run` it."""

    def __init__(
        self,
        events: EventStore,
        groups: Groups,
        channels: Channels,
        deliveries: Documents,
        senders: Mapping[Kind, Sender],
        absentees: Absentees,
        clock: Clock,
    ) -> None:
        self._events = events
        self._groups = groups
        self._channels = channels
        self._deliveries = deliveries
        self._senders = senders
        self._absentees = absentees
        self._clock = clock
        self._node = secrets.token_hex(8)
        self._dirty: dict[str, None] = {}
        self._due: dict[Target, float] = {}
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        # By who made them: channels that are being told, or wait for it.
        self._waiting: Counter[str] = Counter()
        self._slots = {
            Kind.WEBHOOK: asyncio.Semaphore(SENDING_AT_ONCE),
            Kind.EMAIL: asyncio.Semaphore(MAILS_AT_ONCE),
        }
        self._slow_slots = asyncio.Semaphore(SLOW_AT_ONCE)
        # Whose webhooks were slow, with the last that was.
        self._slow: Remembered[str] = Remembered(SLOW_FOR_SECONDS, WAITING_MAX, time.monotonic)
        # By who made the channel; each lives as long as somebody waits for it or has it.
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._woken = asyncio.Event()
        self._sweep_at = 0.0
        self._swept = ""
        self._is_used = True
        channels.on_added.append(self._used)

    def noticed(self, group_id: str) -> None:
        """This node has recorded something in the group."""
        if self._is_used and len(self._dirty) < WAITING_MAX:
            self._dirty[group_id] = None
            self._woken.set()

    def _used(self) -> None:
        """There are channels. While there are none, nothing is looked up for each event."""
        self._is_used = True

    async def run(self) -> None:
        """Go on until cancelled."""
        try:
            while True:
                try:
                    await self._turn()
                except StoreUnavailable:
                    _log.warning("notifier_waits_for_the_store")
                    await asyncio.sleep(BACKOFF_SECONDS_FIRST)
                except Exception:  # noqa: BLE001 - nobody else would tell them
                    _log.exception("notifier_failed")
                    await asyncio.sleep(BACKOFF_SECONDS_FIRST)
        finally:
            tasks = list(self._busy.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _turn(self) -> None:
        now = asyncio.get_running_loop().time
        wait = min([self._sweep_at, *self._due.values()]) - now()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, wait)):
                await self._woken.wait()
        if self._woken.is_set():
            await asyncio.sleep(COALESCE_SECONDS)
        self._woken.clear()
        # 1 what this node has recorded
        dirty, self._dirty = self._dirty, {}
        for group_id in dirty:
            for target in await self._targets_of(group_id):
                self._begin(target)
        # 2 retries that are due
        for target in [target for target, at in self._due.items() if at <= now()]:
            del self._due[target]
            self._begin(target)
        # 3 what nobody has seen to
        if now() >= self._sweep_at:
            self._sweep_at = now() + SWEEP_SECONDS * random.uniform(0.8, 1.0)  # noqa: S311 - no secret
            await self.sweep()

    async def sweep(self) -> None:
        """Look at the next page of owners: at all of their groups in which something is new."""
        page = await self._channels.page(self._swept, OWNERS_PER_SWEEP)
        self._is_used = bool(page or self._swept)
        self._swept = page[-1].owner if len(page) == OWNERS_PER_SWEEP else ""
        absent = await self._absentees.among([it.by for owned in page for it in owned.channels])
        for owned in page:
            heard = tuple(channel for channel in owned.channels if channel.by not in absent)
            if heard:
                for target in await self._behind(replace(owned, channels=heard)):
                    self._begin(target)

    async def settled(self) -> None:
        """Wait until nothing is being sent."""
        while self._busy:
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _targets_of(self, group_id: str) -> Sequence[Target]:
        """The channels that are to be told of the group."""
        state = await self._groups.peek(group_id)
        if state is None:
            return []
        people = [owners.person(member.user_id) for member in state.active()]
        found = await self._channels.of_all([owners.group(group_id), *people])
        return [Target(owned.owner, it, group_id) for owned in found.values() for it in owned.channels]

    async def _behind(self, owned: Owned) -> Sequence[Target]:
        """The owner's channels with something to be told, by group."""
        kind, _, id_ = owned.owner.partition(":")
        group_ids = [id_] if kind == "g" else await self._events.groups_of(id_)
        targets = [Target(owned.owner, channel, it) for channel in owned.channels for it in group_ids]
        heads = await self._events.heads(group_ids)
        told = await self._deliveries.get([target.id for target in targets])
        return [
            target
            for target in targets
            if target.id not in told or Delivery.of(told[target.id]).seq < heads.get(target.group_id, 0)
        ]

    def _begin(self, target: Target) -> None:
        """Tell the channel what is new, in a task of its own; one a target."""
        by = target.channel.by
        if target.id in self._busy:
            self._again.add(target.id)
        elif target.channel.kind not in self._senders:
            return
        elif len(self._busy) < WAITING_MAX and self._waiting[by] < WAITING_OF_ONE_MAX:
            self._waiting[by] += 1
            self._busy[target.id] = asyncio.create_task(self._tell(target))

    async def _tell(self, target: Target) -> None:
        try:
            async with self._turn_of(target.channel.by), self._slot_of(target.channel):
                self._again.discard(target.id)
                await self._deliver(target)
        except VersionChanged:
            return  # another node has taken it over
        except (StoreUnavailable, GroupErased):
            self._later(target, BACKOFF_SECONDS_FIRST)
        except Exception:  # noqa: BLE001 - nobody waits for this task; a sweep looks again
            _log.exception("notices_not_sent", channel_id=target.channel.id, group_id=target.group_id)
        finally:
            del self._busy[target.id]
            self._waiting[target.channel.by] -= 1
            if not self._waiting[target.channel.by]:
                del self._waiting[target.channel.by]
            if target.id in self._again:
                self._again.discard(target.id)
                self._begin(target)

    @asynccontextmanager
    async def _turn_of(self, user_id: str) -> AsyncIterator[None]:
        turn = self._turns.setdefault(user_id, asyncio.Semaphore(SENDING_AT_ONCE_OF_ONE))
        async with turn:
            yield

    def _slot_of(self, channel: Channel) -> asyncio.Semaphore:
        """Where the channel waits for its turn: the slow, and mail, are apart from the rest."""
        if channel.kind is Kind.WEBHOOK and self._slow.get(channel.by) is not None:
            return self._slow_slots
        return self._slots[channel.kind]

    def _later(self, target: Target, seconds: float) -> None:
        if len(self._due) < WAITING_MAX:
            self._due[target] = asyncio.get_running_loop().time() + seconds
            self._woken.set()

    async def _deliver(self, target: Target) -> None:
        """Send what is new, oldest first, holding the lease."""
        state = await self._groups.peek(target.group_id)
        owned = await self._channels.of(target.owner)
        if state is None or not _may_hear(state, target) or target.channel not in owned.channels:
            return
        if await self._absentees.among([target.channel.by]):
            return  # a sweep goes on from here once the account is enabled
        held = await self._leased(target, state)
        if held is None:
            return
        until = time.monotonic() + TURN_SECONDS_MAX
        # No further than to where the owner is known to be in the group.
        while (seq := Delivery.of(held).seq) < state.seq:
            events = await self._events.read(target.group_id, seq, min(EVENTS_AT_ONCE, state.seq - seq))
            if not events:
                break
            for recorded in events:
                kept = await self._send(target, held, recorded)
                if kept is None:
                    return
                held = kept
                if time.monotonic() >= until and Delivery.of(held).seq == recorded.seq < state.seq:
                    self._again.add(target.id)
                    await self._keep(held, Delivery.of(held), with_lease=False)
                    return
            held = await self._keep(held, replace(Delivery.of(held), seq=events[-1].seq))
        await self._keep(held, Delivery.of(held), with_lease=False)

    async def _leased(self, target: Target, state: GroupState) -> Document | None:
        """The target's document with this node's lease on it; None if it isn't its turn, or nothing is new."""
        found = (await self._deliveries.get([target.id])).get(target.id)
        if found is None:
            found = await self._first(target)
            if found is None:
                return None
        delivery, now = Delivery.of(found), rfc3339(self._clock())
        if delivery.seq >= state.seq:
            return None
        if delivery.node != self._node and delivery.leased_until > now:
            self._later(target, LEASE_SECONDS)
            return None
        if delivery.next_at > now:
            self._later(target, self._until(delivery.next_at))
            return None
        try:
            return await self._keep(found, delivery)
        except VersionChanged:
            return None  # another node was faster

    async def _first(self, target: Target) -> Document | None:
        """The document of a channel that has not been told anything of the group yet.

        It is made where nothing is new, too: by it a sweep knows that, without looking into the group each time.
        """
        since = await self._events.seq_at(target.group_id, target.channel.created_at)
        keys = {"groupId": target.group_id, "owner": target.owner, "channel": target.channel.id}
        with suppress(DuplicateKey):
            await self._deliveries.insert(Document(target.id, Delivery(since).body(), keys))
        return (await self._deliveries.get([target.id])).get(target.id)

    async def _send(self, target: Target, held: Document, recorded: RecordedEvent) -> Document | None:
        """Send one, if it is for the channel, and note it; None where it failed and is tried again later."""
        delivery = Delivery.of(held)
        if not _is_for(target, recorded):
            return held
        kind = target.channel.kind
        started = time.monotonic()
        try:
            async with asyncio.timeout(SEND_SECONDS_MAX):
                await self._senders[kind].send(target.channel, notice_of(recorded, target.channel.id))
        except (NotSent, TimeoutError) as error:
            await self._failed(target, held, delivery, error)
            return None
        finally:
            if time.monotonic() - started > SLOW_SECONDS:
                self._slow.put(target.channel.by, target.channel.id)
        NOTICES.labels(kind.value, "sent").inc()
        return await self._keep(held, replace(delivery, seq=recorded.seq, attempts=0, next_at=""))

    async def _failed(self, target: Target, held: Document, delivery: Delivery, error: Exception) -> None:
        attempts = delivery.attempts + 1
        kind = target.channel.kind.value
        told = {"channel_id": target.channel.id, "group_id": target.group_id, "error": type(error).__name__}
        if attempts >= ATTEMPTS_MAX:
            NOTICES.labels(kind, "given_up").inc()
            _log.warning("notices_given_up", **told)
            head = (await self._events.heads([target.group_id])).get(target.group_id, delivery.seq)
            await self._keep(held, Delivery(head), with_lease=False)
            return
        NOTICES.labels(kind, "failed").inc()
        wait = backoff_seconds(attempts)
        next_at = rfc3339(self._clock() + timedelta(seconds=wait))
        await self._keep(held, replace(delivery, attempts=attempts, next_at=next_at), with_lease=False)
        self._later(target, wait)

    async def _keep(self, held: Document, delivery: Delivery, *, with_lease: bool = True) -> Document:
        """Move the document on. Raises `VersionChanged` if another node has taken it over."""
        until = rfc3339(self._clock() + timedelta(seconds=LEASE_SECONDS)) if with_lease else ""
        kept = replace(delivery, leased_until=until, node=self._node if with_lease else "")
        return await self._deliveries.replace(replace(held, body=kept.body()))

    def _until(self, at: str) -> float:
        """Seconds to an instant."""
        wait: timedelta = datetime.fromisoformat(at) - self._clock()
        return max(0.0, wait.total_seconds())


def backoff_seconds(attempts: int) -> float:
    """How long to wait after so many failed attempts: doubled each time, and not the same for all."""
    most = min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS_FIRST * 2.0 ** (attempts - 1))
    return most * random.uniform(0.75, 1.0)  # noqa: S311 - no secret


def _may_hear(state: GroupState, target: Target) -> bool:
    """Whether the owner is still in the group; for the group's own channel, who made it, as an admin."""
    kind, _, id_ = target.owner.partition(":")
    return state.is_admin(target.channel.by) if kind == "g" else state.is_member(id_)


def _is_for(target: Target, recorded: RecordedEvent) -> bool:
    """Programs get all of a group; people are written to when something is asked of them."""
    if target.channel.kind is Kind.WEBHOOK:
        return True
    return asks_for(recorded, target.owner.partition(":")[2])
