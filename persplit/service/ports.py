"""What the service needs from outside, as protocols. Adapters implement them; bootstrap chooses."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from persplit.ledger.codec import TYPES
from persplit.ledger.events import Event, Noun, RecordedEvent, is_creation, subject_of
from persplit.receipts.page import Word
from persplit.service.errors import StoreUnavailable

if TYPE_CHECKING:
    from persplit.service.statements import Statement
    from persplit.service.tallies import Tallies

FILE_BYTES_MAX: Final = 10 * 1024 * 1024
"""An attachment. A photo of a phone has three to five megabytes."""
PIXELS_MAX: Final = 40_000_000
"""Phones make 12 million unless told otherwise. Decoded, so many take 160 MB; one picture is decoded at a time."""
READ_LIMIT_MAX: Final = 1_000
"""Events or documents that one read of a store returns at most."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event on its way into a store, with the place in the group's ledger that it was decided for."""

    group_id: str
    seq: int
    at: str
    by: str
    command_id: str
    content_hash: str
    event: Event


class SeqTaken(Exception):
    """`append` lost the race for the place: read the tail and decide again. Nothing was written."""


class CommandKnown(Exception):
    """`append` found an event with this group and command id; it is `recorded`. Nothing was written."""

    def __init__(self, recorded: RecordedEvent) -> None:
        super().__init__(recorded.command_id)
        self.recorded = recorded


class TransactionsUnavailable(Exception):
    """`append_all` needs a transaction, and this store has none. Nothing was written."""


class GroupErased(Exception):
    """The group was erased: nothing is read of it, and nothing will ever be recorded under its id again."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it lies in a store, with nothing taken for granted: for whoever looks for damage.

    `body` is None where it isn't a JSON object. `fields` is what the store looks events up by, beside the body, by
    the names `groupId, seq, commandId, type, noun, subjectId, creation, at`; a store has only those that it keeps.
    """

    seq: Any
    body: "Body | None"
    fields: Mapping[str, Any]


def fields_of(recorded: RecordedEvent) -> Mapping[str, Any]:
    """What stores look an event up by, under the names that `StoredEvent` has for them."""
    noun, subject_id = subject_of(recorded.event)
    return {
        "groupId": recorded.group_id,
        "seq": recorded.seq,
        "commandId": recorded.command_id,
        "type": TYPES[type(recorded.event)],
        "noun": noun.value,
        "subjectId": subject_id,
        "creation": is_creation(recorded.event),
        "at": recorded.at,
    }


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A group's state at `seq`, encoded. Disposable: `version` says which code can read `body`."""

    group_id: str
    seq: int
    version: int
    body: bytes


class EventStore(Protocol):
    """Every group's ledger: one append-only stream each.

    Every method raises `StoreUnavailable` when the store doesn't answer within its bound; after `append` that
    means that the outcome is unknown. Reads see every append that was answered before they began.
    """

    async def append(self, new: NewEvent) -> RecordedEvent:
        """Make `new` durable. (group_id, seq) and (group_id, command_id) are unique, whatever the nodes.

        Raises:
            GroupErased: the group was erased; looked at before all else.
            CommandKnown: the group has an event with this command id; looked at before the seq.
            SeqTaken: the group has an event with this seq.
            ValueError: the group has no event with the seq before: there would be a hole.

        An event that is there and equal in everything is this very append, sent again: it is returned.

        """
        ...

    async def append_run(self, events: Sequence[NewEvent]) -> Sequence[RecordedEvent]:
        """Append events of one group that follow each other; returns those at the beginning that were new.

        From the first on that isn't, none is. Whether one that isn't returned is there, `append` tells.

        Raises:
            StoreUnavailable: whether any of them is durable is unknown.

        """
        recorded: list[RecordedEvent] = []
        with suppress(CommandKnown, SeqTaken, GroupErased, ValueError):
            for new in events:
                try:
                    recorded.append(await self.append(new))
                except StoreUnavailable:
                    if not recorded:
                        raise
                    break
        return recorded

    async def append_all(self, events: Sequence[NewEvent]) -> Sequence[RecordedEvent]:
        """Make all of these durable together, or none: events of one group, with seqs that follow each other.

        Raises:
            GroupErased: the group was erased.
            SeqTaken: the group has an event with one of these seqs, or with one of the command ids.
            ValueError: the group has no event with the seq before the first: there would be a hole.
            TransactionsUnavailable: the store can't write several at once.

        """
        ...

    async def read(self, group_id: str, after: int, limit: int) -> Sequence[RecordedEvent]:
        """At most `limit` events with seq > `after`, in order.

        Raises:
            GroupErased: the group was erased. All other reads find nothing of it.

        """
        ...

    async def read_creations(
        self, group_id: str, noun: Noun, before: int, limit: int
    ) -> Sequence[RecordedEvent]:
        """The `limit` newest events with seq < `before` that created a `noun`, newest first."""
        ...

    async def find_command(self, group_id: str, command_id: str) -> RecordedEvent | None:
        """The event that the command made, if any."""
        ...

    async def of_commands(
        self, group_id: str, prefix: str, after: str, limit: int
    ) -> Sequence[RecordedEvent]:
        """At most `limit` events whose command id begins with the prefix and is above `after`, in order of command id.

        The prefix is ASCII. Looks at nothing else of the group.
        """
        ...

    async def latest(self, group_id: str, noun: Noun, ids: Sequence[str]) -> Mapping[str, RecordedEvent]:
        """For each of the things the last event about it, which holds its present version; unknown ids are left out."""
        ...

    async def about(self, group_id: str, noun: Noun, subject_id: str, limit: int) -> Sequence[RecordedEvent]:
        """The `limit` first events about one thing, in order."""
        ...

    async def heads(self, group_ids: Sequence[str]) -> Mapping[str, int]:
        """The highest seq of each group; groups with no events are left out."""
        ...

    async def seq_at(self, group_id: str, at: str) -> int:
        """The highest seq recorded at or before the instant; 0 if none."""
        ...

    async def groups_of(self, user_id: str) -> Sequence[str]:
        """Ids of the groups of which the user is a member by the last event about them, in order of id."""
        ...

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep the snapshot, in place of one at the same seq. Of an erased group none is kept."""
        ...

    async def load_snapshot(self, group_id: str, version: int, up_to: int) -> Snapshot | None:
        """The newest snapshot of this version with seq <= `up_to`."""
        ...

    async def groups(self, after: str, limit: int) -> Sequence[str]:
        """At most `limit` ids, above `after`, of groups that have any event, in order."""
        ...

    async def stored(self, group_id: str, after: int, limit: int) -> Sequence[StoredEvent]:
        """At most `limit` events with seq > `after`, in order of seq, as they lie there; none of an erased group."""
        ...

    async def snapshots(self, group_id: str, after: int, limit: int) -> Sequence[Snapshot]:
        """At most `limit` snapshots of any version with seq > `after`, in order of seq."""
        ...

    async def put(self, events: Sequence[RecordedEvent]) -> None:
        """Record events of a backup as they are, durably; those whose place is taken are left out.

        For restoring alone: whoever calls it sees to what `append` sees to, and that nobody else writes.
        """
        ...

    async def erase(self, group_id: str) -> None:
        """Take everything of the group away, for ever, an id that had no group included. Can be done again.

        Broken off in the middle it has either not begun, or the group is erased for readers and writers alike,
        and what is left goes when it is done again.
        """
        ...

    async def ping(self) -> None:
        """Return if the store answers reads."""
        ...


Body: TypeAlias = dict[str, Any]
"""A plain document: JSON values only. Its owner (accounts, invites) gives it a typed face."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document with the fields it can be found by (`keys`) and its `version`, 1 when new."""

    id: str
    body: Body
    keys: Mapping[str, str] = field(default_factory=dict)
    version: int = 1


class DuplicateKey(Exception):
    """A document with this id, or this value of a unique key, is there. Nothing was written."""


class VersionChanged(Exception):
    """The document isn't (or no longer) at the version that was read. Nothing was written."""


class Documents(Protocol):
    """One collection of plain documents with optimistic versions. Raises `StoreUnavailable` like the events.

    Which keys are unique is fixed when the collection is opened.
    """

    async def insert(self, document: Document) -> None:
        """Keep a new document at version 1, durably.

        Raises:
            DuplicateKey: the id or a unique key is taken.

        """
        ...

    async def replace(self, document: Document) -> Document:
        """Put `document` in place of the one with its id and version; returns it with the next version.

        Raises:
            VersionChanged: somebody else was first, or it is gone.
            DuplicateKey: a unique key is taken.

        """
        ...

    async def get(self, ids: Sequence[str]) -> Mapping[str, Document]:
        """The documents with these ids; unknown ids are left out."""
        ...

    async def find(self, key: str, value: str, limit: int) -> Sequence[Document]:
        """At most `limit` documents whose `key` is `value`, in order of id."""
        ...

    async def delete(self, id_: str) -> None:
        """Remove the document, if it is there."""
        ...

    async def count(self) -> int:
        """How many documents there are, more or less: those that come and go at that moment may be missed."""
        ...

    async def scan(self, after: str, limit: int) -> Sequence[Document]:
        """At most `limit` documents whose id is above `after`, in order of id. A damaged one comes with nothing in it."""
        ...

    async def put(self, documents: Sequence[Document]) -> None:
        """Keep documents of a backup with their versions, durably; those whose id or key is taken are left out."""
        ...


class Files(Protocol):
    """Contents by their SHA-256 (64 hex digits), each kept once. Raises `StoreUnavailable` where it doesn't answer.

    Each has the time at which it was put last, by the caller's clock.
    """

    async def put(self, id_: str, body: bytes, at: datetime) -> None:
        """Keep it, durably and whole, or not at all; one that is there is put anew as of `at`.

        Raises:
            StorageFull: there is no room; nothing of it is kept.

        """
        ...

    async def get(self, id_: str) -> bytes | None:
        """The content, if it is there."""
        ...

    async def delete(self, id_: str, put_until: datetime) -> None:
        """Remove it, unless it was put after that."""
        ...

    async def scan(self, after: str, limit: int) -> Sequence[str]:
        """At most `limit` ids above `after`, in order."""
        ...

    async def tidy(self, begun_until: datetime) -> None:
        """Remove what is left of puts and deletions that were begun until then and broke off; nothing else has it."""
        ...


async def _nothing_to_inspect() -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Stores:
    """Where everything is kept. `is_shared`: other nodes write to it, too.

    `name` is for people who look after it; `inspect` says what is wrong with the medium itself, in sentences.
    """

    events: EventStore
    users: Documents
    sessions: Documents
    personal_tokens: Documents
    invites: Documents
    group_passwords: Documents
    erasures: Documents
    attachments: Documents
    files: Files
    admins: Documents
    suspensions: Documents
    audit: Documents
    read_marks: Documents
    channels: Documents
    deliveries: Documents
    rates: Documents
    schedules: Documents
    meta: Documents
    tallies: "Tallies"
    is_shared: bool
    name: str = ""
    inspect: Callable[[], Awaitable[Sequence[str]]] = _nothing_to_inspect

    def collections(self) -> Mapping[str, Documents]:
        """The collections of documents by name, but for `meta`, which is about the store and not in it.

        Neither are the tallies, which can be made anew.
        """
        return {
            "users": self.users,
            "sessions": self.sessions,
            "personal_tokens": self.personal_tokens,
            "invites": self.invites,
            "group_passwords": self.group_passwords,
            "erasures": self.erasures,
            "attachments": self.attachments,
            "admins": self.admins,
            "suspensions": self.suspensions,
            "audit": self.audit,
            "read_marks": self.read_marks,
            "channels": self.channels,
            "deliveries": self.deliveries,
            "rates": self.rates,
            "schedules": self.schedules,
        }


Clock: TypeAlias = Callable[[], datetime]
"""The time now, aware, UTC."""


class PasswordHasher(Protocol):
    """A slow hash, off the event loop."""

    async def hash(self, password: str) -> str:
        """A hash with its salt and parameters, as text."""
        ...

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether they match. With None it takes as long as ever and is false: no account shows by its time."""
        ...


class TokenScope(StrEnum):
    """What a personal token may do: look, or look and write."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """Who a token speaks for; `expires_at` in seconds since the epoch.

    `group_id` is the only group that it opens, if it is for one alone. `scope` is that of a personal token, whose id
    is `session_id` then; None for the access token of a session.
    """

    user_id: str
    session_id: str
    expires_at: int
    group_id: str | None = None
    scope: TokenScope | None = None

    @property
    def is_guest(self) -> bool:
        """Whether it is somebody's who has no account, only a place in one group."""
        return self.scope is None and self.group_id is not None


class AccessTokens(Protocol):
    """Signed, short-lived access tokens."""

    def issue(self, user_id: str, session_id: str, group_id: str | None = None) -> tuple[str, AccessClaims]:
        """A new token and what it says; with `group_id` it opens that group alone."""
        ...

    def read(self, token: str) -> AccessClaims:
        """What the token says.

        Raises:
            TokenExpired: it was good once.
            TokenInvalid: anything else.

        """
        ...


class QrRenderer(Protocol):
    """QR images of short texts, made off the event loop and cached."""

    async def png(self, text: str) -> bytes:
        """A PNG, level M, border 4, mode 1."""
        ...

    async def svg(self, text: str) -> bytes:
        """The same as SVG."""
        ...


PICTURE_TYPES: Final = ("image/jpeg", "image/png", "image/webp")
FILE_TYPES: Final = (*PICTURE_TYPES, "application/pdf")
"""Media types of what can be attached."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A file as it is kept: its media type, and its size in pixels where it is a picture."""

    body: bytes
    type: str
    width: int | None
    height: int | None


class Pictures(Protocol):
    """Looks at files of strangers, off the event loop, a bounded number at a time.

    Raises `UnsupportedMedia` for what isn't taken or can't be read, `TooLarge` for too many bytes or pixels, and
    `RateLimited` where too many wait.
    """

    async def cleaned(self, body: bytes) -> Picture:
        """The file by its content: a picture upright and with nothing in it but its pixels, a PDF as it is."""
        ...

    async def thumbnail(self, body: bytes) -> bytes:
        """A small JPEG of a picture that was cleaned."""
        ...


class WordReader(Protocol):
    """Reads the words in a picture, in processes of its own, a bounded number at a time."""

    def require(self) -> None:
        """Return if pictures are read here. Raises `ReceiptsUnavailable`."""
        ...

    async def words(self, picture: bytes) -> Sequence[Word]:
        """The words of a picture that was cleaned, with where they stand.

        Raises:
            ReceiptsUnavailable: none are read here.
            ReceiptUnreadable: it took too long, or too much memory.
            RateLimited: too many wait.

        """
        ...


class StatementPrinter(Protocol):
    """Statements as files, made off the event loop."""

    async def pdf(self, statement: "Statement") -> bytes:
        """A PDF. Raises `StatementUnavailable` where that isn't installed."""
        ...


class Hints(Protocol):
    """Between nodes: "group g is at seq n". A hint may be lost, doubled or late; the log is the truth."""

    async def publish(self, hint: "Hint") -> None:
        """Tell the other nodes, if they can be told now. Never raises, never waits long."""
        ...

    def subscribe(self, listener: Callable[["Hint | None"], None]) -> None:
        """Call `listener` with every hint from other nodes, and with None when some may have been missed."""
        ...

    def are_connected(self) -> bool | None:
        """Whether hints arrive now; None where they go through nothing that could be away."""
        return None


@dataclass(frozen=True, slots=True)
class Hint:
    """`user_id` is who joined or left with this event, so that a node that has only their sockets looks as well.

    With `seq` 0 it isn't about the ledger: the person's read mark in the group has moved.
    """

    group_id: str
    seq: int
    user_id: str = ""
