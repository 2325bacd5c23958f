"""Both stores in MongoDB, and how to connect and what its errors mean: one document per event.

There are no transactions, but where several events come together or not at all.

The driver is motor. It has come to the end of its life; PyMongo's asynchronous client takes its place with
nearly the same calls. Only calls that both have, written alike, are used here (`aggregate` is not among them),
the contract tests run over both, and the types are those of PyMongo's, which motor's objects are taken for. The
day of the swap is a change of `connect`'s default.

Any server will do, but only a replica set or a sharded cluster (by `groupId`) keeps its promises when a
machine is lost. Every unique index of the events begins with `groupId`, as sharding demands.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, TypeAlias, TypeVar, cast

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, DESCENDING, AsyncMongoClient, IndexModel, ReplaceOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern

from persplit.adapters.breaker import Breaker
from persplit.adapters.recording import beyond, bounded, hole_before, recognise, record_of
from persplit.ledger.codec import TYPES, Json, event_from_json, event_to_document
from persplit.ledger.events import DEPARTED, Noun, RecordedEvent, is_creation, subject_of
from persplit.service.errors import StoreUnavailable
from persplit.service.ports import (
    Document,
    Documents,
    DuplicateKey,
    EventStore,
    GroupErased,
    NewEvent,
    SeqTaken,
    Snapshot,
    StoredEvent,
    TransactionsUnavailable,
    VersionChanged,
)
from persplit.service.store_faults import note_fault

Client: TypeAlias = AsyncMongoClient[Json]
Database: TypeAlias = AsyncDatabase[Json]

DATABASE_DEFAULT: Final = "persplit"
"""The database's name where the URI has none."""
SERVER_SELECTION_TIMEOUT_MS: Final = 4_000
"""How long to look for a primary. An election takes up to 12 s: clients are told to come back instead."""
CONNECT_TIMEOUT_MS: Final = 3_000
"""To open one connection: less than the selection, so that one dead host doesn't use it up."""
OPERATION_TIMEOUT_MS: Final = 6_000
"""For one operation with the driver's own retries: well under what a whole answer may take."""
DEADLINE_S: Final = 7.0
"""For one call of ours. Longer than an operation, so that the driver's bound, which knows why, comes first;
it also counts the wait for motor's threads, which the driver doesn't see."""
CONNECTIONS_MAX: Final = 50
"""Connections to each server; more requests than that wait."""
CONNECTION_WAIT_MS: Final = 2_000
"""How long a request waits for a free connection."""
ATTEMPTS_MAX: Final = 3
"""Times that an append with an unknown outcome is sent. The driver sends each once again by itself."""
RETRY_PAUSE_S: Final = 0.1
"""Between attempts: time for a connection to be found broken. Elections are waited for by the driver."""
LOOKUPS_AT_ONCE: Final = 16
"""Single look-ups that one call has under way: a third of the connections, so that others get through."""
HEADS_REMEMBERED_MAX: Final = 10_000
"""Groups whose last seen seq is remembered, to save a look-up per append. About a megabyte."""

ERASED_AT_ONCE: Final = 500
"""Events that one request turns into gravestones: well within an operation's bound."""

PLACES_AHEAD_MAX: Final = 1_024
"""How far beyond its last event a group may be ended: more than anybody writes while one request is under way."""

_GRAVESTONE: Final = "\0erased"
"""The type of what is left in an erased event's place, and the beginning of its command id; clients can't send it."""
DUPLICATE_KEY: Final = 11000
"""The code of a write that a unique index refused."""
_NO_TRANSACTIONS: Final = 20
"""What a server that stands alone says to a transaction: an illegal operation."""
_T = TypeVar("_T")
_DEPARTED: Final = frozenset(TYPES[type_] for type_ in DEPARTED)


def connect(uri: str, driver: Callable[..., Any] = AsyncIOMotorClient) -> Client:
    """A client with every option that matters stated, whatever the URI says. It connects on first use.

    A client belongs to the event loop that it is first used on.
    """
    client = driver(
        uri,
        # Acknowledged means: on disk on most of the machines, and nothing is decided on what may be rolled back.
        w="majority",
        journal=True,
        readConcernLevel="majority",
        readPreference="primary",
        retryWrites=True,
        retryReads=True,
        serverSelectionTimeoutMS=SERVER_SELECTION_TIMEOUT_MS,
        connectTimeoutMS=CONNECT_TIMEOUT_MS,
        timeoutMS=OPERATION_TIMEOUT_MS,
        maxPoolSize=CONNECTIONS_MAX,
        waitQueueTimeoutMS=CONNECTION_WAIT_MS,
        appName="persplit",
    )
    return cast("Client", client)


def database_of(client: Client) -> Database:
    """The database that the client's URI names."""
    return client.get_default_database(DATABASE_DEFAULT)


async def close(client: Client) -> None:
    """Close the client's connections. motor's `close` is a plain call, PyMongo's is awaited."""
    closing: object = client.close()
    if inspect.isawaitable(closing):
        await closing


class Calls:
    """What errors of the driver's, or no answer before the deadline, mean to a caller; the only place that knows.

    All calls of a node to one database go through one of these, so that it notices when none is answered.
    """

    def __init__(self) -> None:
        self.breaker = Breaker()

    @asynccontextmanager
    async def answered(self) -> AsyncIterator[None]:
        """One call, or some that belong together.

        Raises:
            DuplicateKey: a unique index refused the write.
            StoreUnavailable: anything else. Of a write that was sent the outcome is unknown.

        """
        self.breaker.admit()
        try:
            async with asyncio.timeout(DEADLINE_S):
                yield
        except DuplicateKeyError:
            self.breaker.answered()
            raise DuplicateKey from None
        except (PyMongoError, TimeoutError) as error:
            note_fault(_kind_of(error), error)
            if _is_answer(error):
                self.breaker.answered()
            else:
                self.breaker.failed()
            raise StoreUnavailable("the database did not answer") from error
        except BaseException:
            self.breaker.undecided()
            raise
        self.breaker.answered()


def _is_answer(error: Exception) -> bool:
    """Whether the database is there and said no: it takes no writes just now, perhaps, but can be read."""
    return isinstance(error, NotPrimaryError | OperationFailure) and not isinstance(error, ExecutionTimeout)


def _kind_of(error: PyMongoError | TimeoutError) -> str:
    match error:
        case TimeoutError() | NetworkTimeout() | ExecutionTimeout() | WTimeoutError():
            return "timeout"
        case ServerSelectionTimeoutError() | NotPrimaryError():
            return "no_primary"
        case ConnectionFailure():
            return "connection"
        case _:
            return "other"


_EVENT_INDEXES: Final = (
    IndexModel([("groupId", ASCENDING), ("seq", ASCENDING)], name="seq", unique=True),
    IndexModel([("groupId", ASCENDING), ("commandId", ASCENDING)], name="command", unique=True),
    IndexModel(
        [("groupId", ASCENDING), ("noun", ASCENDING), ("subjectId", ASCENDING), ("seq", ASCENDING)],
        name="latest",
    ),
    IndexModel(
        [("subjectId", ASCENDING), ("groupId", ASCENDING), ("seq", ASCENDING)],
        name="membership",
        partialFilterExpression={"noun": Noun.MEMBER.value},
    ),
    IndexModel(
        [("groupId", ASCENDING), ("noun", ASCENDING), ("seq", ASCENDING)],
        name="creations",
        partialFilterExpression={"creation": True},
    ),
    IndexModel([("groupId", ASCENDING), ("at", ASCENDING), ("seq", ASCENDING)], name="at"),
)
_IN_ORDER: Final = [("groupId", ASCENDING), ("seq", ASCENDING)]
_SNAPSHOT_INDEXES: Final = (
    IndexModel([("groupId", ASCENDING), ("seq", ASCENDING)], name="seq", unique=True),
)


class MongoEvents(EventStore):
    """The collections `events` and `snapshots` of a database. `open` before use."""

    def __init__(self, database: Database, calls: Calls | None = None) -> None:
        """`calls`: those of the node; of its own unless given."""
        self._database = database
        self._answered = (calls or Calls()).answered
        self._events: AsyncCollection[Json] = database.get_collection("events")
        self._snapshots: AsyncCollection[Json] = database.get_collection("snapshots")
        self._resolving = self._events
        self._seen: dict[str, int] = {}

    async def open(self, *, makes_indexes: bool = True) -> None:
        """Make the indexes that are missing, unless told otherwise; several nodes may do so at once.

        Raises:
            StoreUnavailable: no server answered, or building an index takes longer than the bound.

        """
        async with self._answered():
            hello = await self._database.command("hello")
            if makes_indexes:
                await self._events.create_indexes(list(_EVENT_INDEXES))
                await self._snapshots.create_indexes(list(_SNAPSHOT_INDEXES))
        if "setName" in hello or hello.get("msg") == "isdbgrid":
            # A duplicate key may come from an event that most machines don't have yet, which a majority read
            # would miss. A linearizable one waits for it. A server that stands alone has no such reads or need.
            self._resolving = self._events.with_options(read_concern=ReadConcern("linearizable"))

    async def inspect(self) -> Sequence[str]:
        """Which indexes are missing: without the unique ones nothing keeps two nodes out of one place."""
        missing: list[str] = []
        for collection, indexes in ((self._events, _EVENT_INDEXES), (self._snapshots, _SNAPSHOT_INDEXES)):
            async with self._answered():
                there = await collection.index_information()
            names = (str(index.document["name"]) for index in indexes)
            missing += [
                f"{collection.name}: the index {name!r} is missing" for name in names if name not in there
            ]
        return missing

    async def append(self, new: NewEvent) -> RecordedEvent:
        """See the port.

        When the outcome is unknown, the very same document is sent again: the unique indexes make that safe,
        and if the first one had arrived they say so. Failure is never concluded from silence.
        """
        recorded = record_of(new)
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._refuse_hole(new)
                appended = await self._insert(recorded)
        except TimeoutError as error:
            raise StoreUnavailable("the database did not answer") from error
        self._remember(appended)
        return appended

    async def append_all(self, events: Sequence[NewEvent]) -> Sequence[RecordedEvent]:
        """See the port. It is one transaction, which takes a replica set or a sharded cluster.

        Where the outcome of a commit was lost and the driver tried it all again, the events that are there are taken
        for others': whoever reads them sees that they are their own.
        """
        recorded = [record_of(new) for new in events]
        documents = [_document_of(one) for one in recorded]

        async def insert(session: Any) -> None:
            await self._events.insert_many(documents, session=session)

        await self._refuse_hole(events[0])
        try:
            async with self._answered():
                await self._in_transaction(insert)
        except DuplicateKey:
            await self._refuse_erased(events[0].group_id)
            raise SeqTaken from None
        self._remember(recorded[-1])
        return recorded

    async def _in_transaction(self, work: Callable[[Any], Awaitable[None]]) -> None:
        """Raises `DuplicateKey`, or `TransactionsUnavailable` where the server stands alone."""
        opening: Any = self._database.client.start_session()
        # motor's is awaited, PyMongo's is a plain call.
        session = await opening if inspect.isawaitable(opening) else opening
        async with session:
            try:
                await session.with_transaction(work)
            except BulkWriteError as error:
                if any(one["code"] == DUPLICATE_KEY for one in error.details["writeErrors"]):
                    raise DuplicateKey from None
                raise
            except OperationFailure as error:
                if error.code == _NO_TRANSACTIONS:
                    raise TransactionsUnavailable from None
                raise

    async def read(self, group_id: str, after: int, limit: int) -> Sequence[RecordedEvent]:
        """See the port."""
        # The end of an erased group is marked before its events go: who begins at the first looks there.
        if after <= 0:
            await self._refuse_erased(group_id)
        events = await self._find({"groupId": group_id, "seq": {"$gt": after}}, ASCENDING, limit)
        if events:
            self._remember(events[-1])
        return events

    async def read_creations(
        self, group_id: str, noun: Noun, before: int, limit: int
    ) -> Sequence[RecordedEvent]:
        """See the port."""
        wanted = {"groupId": group_id, "noun": noun.value, "creation": True, "seq": {"$lt": before}}
        return await self._find(wanted, DESCENDING, limit)

    async def find_command(self, group_id: str, command_id: str) -> RecordedEvent | None:
        """See the port."""
        async with self._answered():
            return _decoded(await self._events.find_one({"groupId": group_id, "commandId": command_id}))

    async def of_commands(
        self, group_id: str, prefix: str, after: str, limit: int
    ) -> Sequence[RecordedEvent]:
        """See the port."""
        if (at_most := bounded(limit)) == 0:
            return []  # MongoDB takes 0 for "no limit"
        wanted = {"groupId": group_id, "commandId": {"$gt": max(prefix, after), "$lt": beyond(prefix)}}
        async with self._answered():
            cursor = self._events.find(wanted).sort([("commandId", ASCENDING)]).limit(at_most)
            return [event_from_json(document) for document in await cursor.to_list(at_most)]

    async def latest(self, group_id: str, noun: Noun, ids: Sequence[str]) -> Mapping[str, RecordedEvent]:
        """See the port."""

        async def last_about(id_: str) -> RecordedEvent | None:
            wanted = {"groupId": group_id, "noun": noun.value, "subjectId": id_}
            return _decoded(await self._events.find_one(wanted, sort=[("seq", DESCENDING)]))

        async with self._answered():
            return await _each(ids, last_about)

    async def about(self, group_id: str, noun: Noun, subject_id: str, limit: int) -> Sequence[RecordedEvent]:
        """See the port."""
        wanted = {"groupId": group_id, "noun": noun.value, "subjectId": subject_id}
        return await self._find(wanted, ASCENDING, limit)

    async def heads(self, group_ids: Sequence[str]) -> Mapping[str, int]:
        """See the port."""

        async def head_of(group_id: str) -> int | None:
            last = await self._last_of(group_id)
            return last["seq"] if last and last["type"] != _GRAVESTONE else None

        async with self._answered():
            return await _each(group_ids, head_of)

    async def seq_at(self, group_id: str, at: str) -> int:
        """See the port."""
        # One before the first event after the instant: seqs have no gaps and `at` never goes back. Asking for
        # the last one up to it would do for MongoDB; SecantusDB leaves out what lies right at such a bound.
        later = {"groupId": group_id, "at": {"$gt": at}}
        oldest_first = [("at", ASCENDING), ("seq", ASCENDING)]
        async with self._answered():
            first_later = await self._events.find_one(later, {"seq": True}, sort=oldest_first)
        if first_later:
            return int(first_later["seq"]) - 1
        return (await self.heads([group_id])).get(group_id, 0)

    async def groups_of(self, user_id: str) -> Sequence[str]:
        """See the port."""
        wanted = {"noun": Noun.MEMBER.value, "subjectId": user_id}
        in_order = [("groupId", ASCENDING), ("seq", ASCENDING)]
        last_type: dict[str, str] = {}
        async with self._answered():
            cursor = self._events.find(wanted, {"groupId": True, "type": True}).sort(in_order)
            async for event in cursor:
                last_type[event["groupId"]] = event["type"]
        return [group_id for group_id, type_ in last_type.items() if type_ not in _DEPARTED]

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """See the port."""
        place = {"groupId": snapshot.group_id, "seq": snapshot.seq}
        document = {**place, "version": snapshot.version, "body": snapshot.body}
        try:
            async with self._answered():
                await self._snapshots.replace_one(place, document, upsert=True)
        except DuplicateKey:
            return  # another node saved one at this seq at this very moment
        try:
            await self._refuse_erased(snapshot.group_id)
        except GroupErased:
            async with self._answered():
                await self._snapshots.delete_many({"groupId": snapshot.group_id})

    async def load_snapshot(self, group_id: str, version: int, up_to: int) -> Snapshot | None:
        """See the port."""
        wanted = {"groupId": group_id, "version": version, "seq": {"$lte": up_to}}
        async with self._answered():
            found = await self._snapshots.find_one(wanted, sort=[("seq", DESCENDING)])
        return Snapshot(group_id, found["seq"], version, found["body"]) if found else None

    async def groups(self, after: str, limit: int) -> Sequence[str]:
        """See the port. A look-up per group: the server would walk through all of their events."""
        found: list[str] = []
        while len(found) < bounded(limit):
            async with self._answered():
                above = {"groupId": {"$gt": after}}
                first = await self._events.find_one(above, {"groupId": True}, sort=_IN_ORDER)
            if first is None:
                break
            after = first["groupId"]
            found += await self.heads([after])
        return found

    async def stored(self, group_id: str, after: int, limit: int) -> Sequence[StoredEvent]:
        """See the port."""
        documents = await self._read({"groupId": group_id, "seq": {"$gt": after}}, ASCENDING, limit)
        if any(document.get("type") == _GRAVESTONE for document in documents):
            return []
        return [_stored(document) for document in documents]

    async def snapshots(self, group_id: str, after: int, limit: int) -> Sequence[Snapshot]:
        """See the port."""
        if (at_most := bounded(limit)) == 0:
            return []  # MongoDB takes 0 for "no limit"
        async with self._answered():
            cursor = self._snapshots.find({"groupId": group_id, "seq": {"$gt": after}}).sort(_IN_ORDER)
            found = await cursor.limit(at_most).to_list(at_most)
        return [Snapshot(group_id, one["seq"], one["version"], one["body"]) for one in found]

    async def put(self, events: Sequence[RecordedEvent]) -> None:
        """See the port."""
        await _insert_missing(self._answered, self._events, [_document_of(recorded) for recorded in events])

    async def erase(self, group_id: str) -> None:
        """See the port.

        Each event's place stays taken, by a gravestone that says nothing, and so does the place after the last:
        so no node, however far behind, can ever write into the group, without a look-up that all appends would pay
        for. The place after the last is the first to be taken; from then on no append succeeds.
        """
        await self._mark_the_end(group_id)
        async with self._answered():
            await self._snapshots.delete_many({"groupId": group_id})
        after = 0
        while events := await self._places(group_id, after):
            after = events[-1]["seq"]
            graves = [
                ReplaceOne({"_id": event["_id"]}, _gravestone(group_id, event["seq"]))
                for event in events
                if event["type"] != _GRAVESTONE
            ]
            if graves:
                async with self._answered():
                    await self._events.bulk_write(graves)
        self._seen.pop(group_id, None)

    async def _mark_the_end(self, group_id: str) -> None:
        """Take every place at which the next event could come.

        Somebody who writes without a pause is always quicker to the next place. So each time that it is taken, one
        twice as far ahead is; the places before that are taken afterwards, and whoever writes comes to the first.
        """
        ahead = 1
        while not await self._has_ended(group_id, ahead):
            ahead = min(2 * ahead, PLACES_AHEAD_MAX)
        async with self._answered():
            end = await self._last_of(group_id)
            not_a_grave = {"groupId": group_id, "type": {"$ne": _GRAVESTONE}}
            last = await self._events.find_one(not_a_grave, {"seq": True}, sort=[("seq", DESCENDING)])
        for seq in range(end["seq"] - 1 if end and last else 0, last["seq"] if last else 0, -1):
            await self._bury(group_id, seq)

    async def _has_ended(self, group_id: str, ahead: int) -> bool:
        async with self._answered():
            last = await self._last_of(group_id)
        if last and last["type"] == _GRAVESTONE:
            return True
        return await self._bury(group_id, (last["seq"] if last else 0) + ahead)

    async def _bury(self, group_id: str, seq: int) -> bool:
        """Put a gravestone at a place; whether it was free."""
        try:
            async with self._answered():
                await self._events.insert_one(_gravestone(group_id, seq))
        except DuplicateKey:
            return False
        return True

    async def _places(self, group_id: str, after: int) -> list[Json]:
        wanted = {"groupId": group_id, "seq": {"$gt": after}}
        async with self._answered():
            cursor = self._events.find(wanted, {"seq": True, "type": True}).sort([("seq", ASCENDING)])
            return await cursor.limit(ERASED_AT_ONCE).to_list(ERASED_AT_ONCE)

    async def _last_of(self, group_id: str) -> Json | None:
        fields = {"_id": False, "seq": True, "type": True}
        return await self._events.find_one({"groupId": group_id}, fields, sort=[("seq", DESCENDING)])

    async def _refuse_erased(self, group_id: str) -> None:
        async with self._answered():
            last = await self._last_of(group_id)
        if last and last["type"] == _GRAVESTONE:
            raise GroupErased

    async def ping(self) -> None:
        """See the port."""
        async with self._answered():
            await self._database.command("ping")

    async def _insert(self, recorded: RecordedEvent) -> RecordedEvent:
        document = _document_of(recorded)  # the driver adds an _id: the attempts are one document
        unknown: StoreUnavailable | None = None
        for attempt in range(ATTEMPTS_MAX):
            await asyncio.sleep(RETRY_PAUSE_S * attempt)
            try:
                async with self._answered():
                    await self._events.insert_one(document)
            except DuplicateKey:
                return await self._resolve(recorded)
            except StoreUnavailable as error:
                # The first says it best: a later one may not have been sent, and this one was.
                unknown = unknown or error
            else:
                return recorded
        raise unknown or StoreUnavailable("the database was not asked")

    async def _resolve(self, recorded: RecordedEvent) -> RecordedEvent:
        """The outcome after a duplicate key. Which index it was is not asked: if both, only one is named."""
        await self._refuse_erased(recorded.group_id)
        wanted = {"groupId": recorded.group_id, "commandId": recorded.command_id}
        async with self._answered():
            known = _decoded(await self._resolving.find_one(wanted))
        if known is None:
            raise SeqTaken
        return recognise(known, recorded)

    async def _refuse_hole(self, new: NewEvent) -> None:
        """Look whether there is an event before, unless this node has seen it: no place is ever free again."""
        before = new.seq - 1
        if before <= self._seen.get(new.group_id, 0):
            return
        async with self._answered():
            place = {"groupId": new.group_id, "seq": before}
            found = await self._events.find_one(place, {"type": True})
        if found and found["type"] == _GRAVESTONE:
            raise GroupErased
        if found:
            return
        if await self.find_command(new.group_id, new.command_id) is None:
            raise hole_before(new)

    def _remember(self, recorded: RecordedEvent) -> None:
        """Note how far the group has come, forgetting the group that was noted longest ago."""
        seen = self._seen.pop(recorded.group_id, 0)
        self._seen[recorded.group_id] = max(seen, recorded.seq)
        if len(self._seen) > HEADS_REMEMBERED_MAX:
            del self._seen[next(iter(self._seen))]

    async def _find(self, wanted: Json, order: int, limit: int) -> list[RecordedEvent]:
        documents = await self._read(wanted, order, limit)
        if any(document["type"] == _GRAVESTONE for document in documents):
            raise GroupErased
        return [event_from_json(document) for document in documents]

    async def _read(self, wanted: Json, order: int, limit: int) -> list[Json]:
        if (at_most := bounded(limit)) == 0:
            return []  # MongoDB takes 0 for "no limit"
        async with self._answered():
            cursor = self._events.find(wanted).sort([("seq", order)]).limit(at_most)
            return await cursor.to_list(at_most)


class MongoDocuments(Documents):
    """The collection `collection` of a database. `open` before use.

    Keys are kept as texts `key=value` in two arrays, each with one index over its elements, so that keys need
    no index each: `keys` has all, to find by, `unique` those that no two documents may share. Names of keys have no "=".
    `unique_keys` counts for what is written from now on: a change of it doesn't reach documents that are there.
    """

    def __init__(
        self,
        database: Database,
        collection: str,
        unique_keys: Collection[str] = (),
        calls: Calls | None = None,
    ) -> None:
        """`calls`: those of the node; of its own unless given."""
        self._answered = (calls or Calls()).answered
        self._documents: AsyncCollection[Json] = database.get_collection(collection)
        self._unique_keys = frozenset(unique_keys)

    async def open(self) -> None:
        """Make the indexes that are missing; several nodes may do so at once.

        Raises:
            StoreUnavailable: no server answered, or building an index takes longer than the bound.

        """
        keys = IndexModel([("keys", ASCENDING), ("_id", ASCENDING)], name="keys")
        # Partial: else two documents with no unique key would count as equal.
        unique = IndexModel(
            [("unique", ASCENDING)],
            name="unique",
            unique=True,
            partialFilterExpression={"unique": {"$exists": True}},
        )
        async with self._answered():
            await self._documents.create_indexes([keys, unique])

    async def insert(self, document: Document) -> None:
        """See the port."""
        async with self._answered():
            await self._documents.insert_one(self._stored(document, version=1))

    async def replace(self, document: Document) -> Document:
        """See the port."""
        present = {"_id": document.id, "version": document.version}
        stored = self._stored(document, version=document.version + 1)
        async with self._answered():
            result = await self._documents.replace_one(present, stored)
        if result.matched_count == 0:
            raise VersionChanged
        return Document(document.id, document.body, document.keys, document.version + 1)

    async def get(self, ids: Sequence[str]) -> Mapping[str, Document]:
        """See the port."""
        if not ids:
            return {}
        async with self._answered():
            found = await self._documents.find({"_id": {"$in": list(ids)}}).to_list(len(ids))
        return {stored["_id"]: _document_from(stored) for stored in found}

    async def find(self, key: str, value: str, limit: int) -> Sequence[Document]:
        """See the port."""
        if (at_most := bounded(limit)) == 0:
            return []  # MongoDB takes 0 for "no limit"
        async with self._answered():
            cursor = self._documents.find({"keys": f"{key}={value}"}).sort([("_id", ASCENDING)])
            return [_document_from(stored) for stored in await cursor.limit(at_most).to_list(at_most)]

    async def delete(self, id_: str) -> None:
        """See the port."""
        async with self._answered():
            await self._documents.delete_one({"_id": id_})

    async def count(self) -> int:
        """See the port. From what the server knows of the collection, without looking at the documents."""
        async with self._answered():
            return await self._documents.estimated_document_count()

    async def scan(self, after: str, limit: int) -> Sequence[Document]:
        """See the port."""
        if (at_most := bounded(limit)) == 0:
            return []  # MongoDB takes 0 for "no limit"
        async with self._answered():
            cursor = self._documents.find({"_id": {"$gt": after}}).sort([("_id", ASCENDING)])
            return [_document_or_nothing(stored) for stored in await cursor.limit(at_most).to_list(at_most)]

    async def put(self, documents: Sequence[Document]) -> None:
        """See the port."""
        await _insert_missing(
            self._answered, self._documents, [self._stored(d, d.version) for d in documents]
        )

    def _stored(self, document: Document, version: int) -> Json:
        stored: Json = {
            "_id": document.id,
            "version": version,
            "keys": [f"{key}={value}" for key, value in document.keys.items()],
            "body": document.body,
        }
        unique = [f"{key}={value}" for key, value in document.keys.items() if key in self._unique_keys]
        return {**stored, "unique": unique} if unique else stored


async def _each(ids: Sequence[str], look_up: Callable[[str], Awaitable[_T | None]]) -> dict[str, _T]:
    """What `look_up` finds for each id, a bounded number at a time."""
    found: dict[str, _T] = {}
    for start in range(0, len(ids), LOOKUPS_AT_ONCE):
        some = ids[start : start + LOOKUPS_AT_ONCE]
        things = zip(some, await asyncio.gather(*map(look_up, some)), strict=True)
        found.update({id_: thing for id_, thing in things if thing is not None})
    return found


async def _insert_missing(
    answered: Callable[[], AbstractAsyncContextManager[None]],
    collection: AsyncCollection[Json],
    documents: list[Json],
) -> None:
    """Insert those whose unique keys are free."""
    if not documents:
        return
    async with answered():
        try:
            await collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if any(one["code"] != DUPLICATE_KEY for one in error.details["writeErrors"]):
                raise


def _gravestone(group_id: str, seq: int) -> Json:
    return {"groupId": group_id, "seq": seq, "commandId": f"{_GRAVESTONE}:{seq}", "type": _GRAVESTONE}


def _stored(document: Json) -> StoredEvent:
    """Type, seq, `at` and command id are looked up in the body itself."""
    beside = ("noun", "subjectId", "creation")
    fields = {key: document.get(key) for key in beside}
    body = {key: value for key, value in document.items() if key not in beside and key != "_id"}
    return StoredEvent(document["seq"], body, fields)


def _document_of(recorded: RecordedEvent) -> Json:
    noun, subject_id = subject_of(recorded.event)
    return {
        **event_to_document(recorded),
        "noun": noun.value,
        "subjectId": subject_id,
        "creation": is_creation(recorded.event),
    }


def _decoded(stored: Json | None) -> RecordedEvent | None:
    return event_from_json(stored) if stored else None


def _document_or_nothing(stored: Json) -> Document:
    try:
        return _document_from(stored)
    except (AttributeError, KeyError, TypeError, ValueError):
        return Document(stored["_id"], {}, {}, 0)


def _document_from(stored: Json) -> Document:
    keys = dict(key.split("=", 1) for key in stored["keys"])
    return Document(stored["_id"], stored["body"], keys, stored["version"])
