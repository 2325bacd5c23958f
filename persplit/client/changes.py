"""What a client tells of as it happens: typed changes, and the streams that carry them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from persplit.client.errors import Refused
from persplit.ledger.events import RecordedEvent

CHANGES_MAX: Final = 1_000
"""Changes that wait for one reader; who reads more slowly is told that it missed some."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of the server, anybody's, is in the replica now."""

    group_id: str
    event: RecordedEvent


@dataclass(frozen=True, slots=True)
class Pending:
    """A command of this device shows already, and waits for the server."""

    group_id: str
    command_id: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A command of this device is part of the ledger, up to `seq` at the latest."""

    group_id: str
    command_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """The server refused a command for good: it no longer counts here, and waits to be mended or dropped."""

    group_id: str
    command_id: str
    error: Refused


@dataclass(frozen=True, slots=True)
class CommandDoubted:
    """A pending command doesn't fit any more and doesn't count for now; None: it fits again."""

    group_id: str
    command_id: str
    doubt: str | None


@dataclass(frozen=True, slots=True)
class CommandDropped:
    """A command was taken out of the outbox by the user, dropped or mended under another id."""

    group_id: str
    command_id: str


@dataclass(frozen=True, slots=True)
class GroupReplaced:
    """The group came as a whole: read it anew."""

    group_id: str


@dataclass(frozen=True, slots=True)
class GroupGone:
    """The user isn't in the group any more; what was held of it is forgotten, commands excepted."""

    group_id: str


@dataclass(frozen=True, slots=True)
class GroupRead:
    """The user has read the group up to `seq`, on whichever device: what is unread there is less now.

    Told while the connection stands; after it was away, ask for what is unread.
    """

    group_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """News come by themselves from now on, or no longer; `reason` says why not."""

    is_live: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Missed:
    """The reader was too slow, and the oldest changes were dropped: read everything anew."""


Change: TypeAlias = (
    Happened
    | Pending
    | Confirmed
    | CommandRefused
    | CommandDoubted
    | CommandDropped
    | GroupReplaced
    | GroupGone
    | GroupRead
    | ConnectionChanged
    | Missed
)


class Subscription(AsyncIterator[Change]):
    """One reader's changes, from the moment at which it was made. Ends when it, or the client, is closed."""

    def __init__(self, hub: "Hub") -> None:
        self._hub = hub
        self._waiting: deque[Change] = deque()
        self._news = asyncio.Event()
        self._is_closed = False

    def close(self) -> None:
        """No more changes: an iteration that waits ends."""
        self._is_closed = True
        self._hub.forget(self)
        self._news.set()

    def put(self, change: Change) -> None:
        """Add a change for the reader."""
        if len(self._waiting) >= CHANGES_MAX:
            self._waiting.clear()
            self._waiting.append(Missed())
        self._waiting.append(change)
        self._news.set()

    async def __anext__(self) -> Change:
        """The next change, as soon as there is one."""
        while not self._waiting:
            if self._is_closed:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()


class Hub:
    """Hands each change to every reader."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []

    def subscribe(self) -> Subscription:
        """A new reader."""
        subscription = Subscription(self)
        self._subscriptions.append(subscription)
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """The reader is gone."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def publish(self, changes: Iterable[Change]) -> None:
        """Tell every reader."""
        for change in changes:
            for subscription in self._subscriptions:
                subscription.put(change)

    def close(self) -> None:
        """End every reader's iteration."""
        for subscription in list(self._subscriptions):
            subscription.close()
