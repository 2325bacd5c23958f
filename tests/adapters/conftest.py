"""The same stores for every contract test: in memory, in SQLite, in MongoDB over both drivers.

What a test gets is a door to fresh data: every call opens a further handle on the same data, as another node
would have one.
"""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient

from persplit.adapters import mongo_store
from persplit.adapters.memory_store import MemoryDocuments, MemoryEvents
from persplit.adapters.memory_tallies import MemoryTallies
from persplit.adapters.mongo_store import MongoDocuments, MongoEvents
from persplit.adapters.mongo_tallies import MongoTallies
from persplit.adapters.sqlite_database import SqliteDatabase
from persplit.adapters.sqlite_documents import SqliteDocuments
from persplit.adapters.sqlite_events import SqliteEvents
from persplit.adapters.sqlite_tallies import SqliteTallies
from persplit.service.ports import Documents, EventStore
from persplit.service.tallies import Tallies
from tests.servers import with_database

OpenEvents: TypeAlias = Callable[[], Awaitable[EventStore]]
OpenDocuments: TypeAlias = Callable[[], Awaitable[Documents]]

STORES = ["memory", "sqlite", "mongo-motor", "mongo-pymongo"]
DRIVERS: dict[str, Callable[..., Any]] = {
    "mongo-motor": AsyncIOMotorClient,
    "mongo-pymongo": AsyncMongoClient,
}
UNIQUE_KEYS = ("email",)


class Backend:
    """Fresh data of one kind of store, and the handles on it that a test has opened."""

    def __init__(self, kind: str, directory: Path, mongodb_uri: str) -> None:
        self._kind = kind
        self._file = directory / "persplit.db"
        self._mongodb_uri = mongodb_uri
        self._memory = MemoryEvents(), MemoryDocuments(UNIQUE_KEYS), MemoryTallies()
        self._opened = AsyncExitStack()

    async def events(self) -> EventStore:
        if self._kind == "memory":
            return self._memory[0]
        if self._kind == "sqlite":
            return SqliteEvents(await self._sqlite())
        events = MongoEvents(self._mongo())
        await events.open()
        return events

    async def documents(self) -> Documents:
        if self._kind == "memory":
            return self._memory[1]
        if self._kind == "sqlite":
            return SqliteDocuments(await self._sqlite(), "accounts", UNIQUE_KEYS)
        documents = MongoDocuments(self._mongo(), "accounts", UNIQUE_KEYS)
        await documents.open()
        return documents

    async def tallies(self) -> Tallies:
        if self._kind == "memory":
            return self._memory[2]
        if self._kind == "sqlite":
            return SqliteTallies(await self._sqlite())
        tallies = MongoTallies(self._mongo())
        await tallies.open()
        return tallies

    async def close(self) -> None:
        if self._mongodb_uri:
            client = mongo_store.connect(self._mongodb_uri)
            await client.drop_database(mongo_store.database_of(client).name)
            await mongo_store.close(client)
        await self._opened.aclose()

    async def _sqlite(self) -> SqliteDatabase:
        database = SqliteDatabase(self._file)
        await database.open()
        self._opened.push_async_callback(database.close)
        return database

    def _mongo(self) -> mongo_store.Database:
        client = mongo_store.connect(self._mongodb_uri, driver=DRIVERS[self._kind])
        self._opened.push_async_callback(mongo_store.close, client)
        return mongo_store.database_of(client)


@pytest.fixture(params=STORES)
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    """A store of each kind, with nothing in it."""
    kind = cast("str", request.param)
    uri = ""
    if kind in DRIVERS:
        uri = with_database(request.getfixturevalue("mongodb_uri"), f"test-{uuid.uuid4().hex}")
    backend = Backend(kind, tmp_path, uri)
    yield backend
    await backend.close()


@pytest.fixture
def open_events(backend: Backend) -> OpenEvents:
    """Opens one more handle on the same events."""
    return backend.events


@pytest.fixture
def open_documents(backend: Backend) -> OpenDocuments:
    """Opens one more handle on the same documents."""
    return backend.documents


@pytest.fixture
async def events(backend: Backend) -> EventStore:
    """An event store with nothing in it."""
    return await backend.events()


@pytest.fixture
async def documents(backend: Backend) -> Documents:
    """A collection with nothing in it, whose key `email` is unique."""
    return await backend.documents()


@pytest.fixture
async def tallies(backend: Backend) -> Tallies:
    """A handle on fresh tallies."""
    return await backend.tallies()
