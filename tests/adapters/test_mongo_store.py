"""What only the MongoDB adapter has to cope with: no answer, half an answer, and indexes."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import AutoReconnect, DuplicateKeyError, NotPrimaryError, WTimeoutError

from persplit.adapters import mongo_store
from persplit.adapters.mongo_store import MongoDocuments, MongoEvents, close, connect, database_of
from persplit.adapters.recording import record_of
from persplit.ledger.events import Noun
from persplit.service.errors import StoreUnavailable
from persplit.service.ports import CommandKnown, Document, GroupErased, NewEvent, SeqTaken, Snapshot
from tests.adapters.conftest import DRIVERS
from tests.adapters.examples import added, fill, founded, new, seqs
from tests.servers import free_port, mongodb_command, running, with_database


@pytest.fixture(params=list(DRIVERS))
def driver(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return DRIVERS[request.param]


@pytest.fixture
async def database(driver: Callable[..., Any], mongodb_uri: str) -> AsyncIterator[mongo_store.Database]:
    client = connect(with_database(mongodb_uri, f"test-{uuid.uuid4().hex}"), driver)
    yield database_of(client)
    await client.drop_database(database_of(client).name)
    await close(client)


@pytest.fixture
async def events(database: mongo_store.Database) -> MongoEvents:
    events = MongoEvents(database)
    await events.open()
    return events


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that a test can wait for."""
    monkeypatch.setattr(mongo_store, "SERVER_SELECTION_TIMEOUT_MS", 300)
    monkeypatch.setattr(mongo_store, "CONNECT_TIMEOUT_MS", 200)
    monkeypatch.setattr(mongo_store, "OPERATION_TIMEOUT_MS", 500)
    monkeypatch.setattr(mongo_store, "DEADLINE_S", 0.6)


async def within_the_bound(call: Awaitable[object]) -> None:
    """The call gives up by itself, and not much later than it may."""
    async with asyncio.timeout(mongo_store.DEADLINE_S + 5):
        with pytest.raises(StoreUnavailable):
            await call


def stored(wished: NewEvent) -> dict[str, Any]:
    return mongo_store._document_of(record_of(wished))


class Unlucky:
    """A collection whose `insert_one` ends in an error, before or after the document is there."""

    def __init__(self, collection: Any, *errors: Exception, arrives: bool) -> None:
        self._collection = collection
        self._errors = list(errors)
        self._arrives = arrives
        self.sent: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    async def insert_one(self, document: Any) -> None:
        self.sent.append(dict(document))
        error = self._errors.pop(0) if self._errors else None
        if error is None or self._arrives:
            await self._collection.insert_one(document)
        if error is not None:
            raise error


async def test_an_unreachable_server_is_unavailable_within_the_bound(
    driver: Callable[..., Any], impatient: None
) -> None:
    client = connect(f"mongodb://127.0.0.1:{free_port()}/", driver)
    events, documents = MongoEvents(database_of(client)), MongoDocuments(database_of(client), "accounts")
    await asyncio.gather(
        within_the_bound(events.open()),
        within_the_bound(events.append(new(1))),
        within_the_bound(events.append(new(2))),
        within_the_bound(events.read("goa", 0, 1)),
        within_the_bound(events.latest("goa", Noun.EXPENSE, ["a", "b"])),
        within_the_bound(events.groups_of("asha")),
        within_the_bound(events.ping()),
        within_the_bound(documents.insert(Document("a", {}))),
        within_the_bound(documents.find("email", "a", 1)),
    )
    await close(client)


async def test_a_server_that_accepts_and_says_nothing_is_unavailable_within_the_bound(
    driver: Callable[..., Any], impatient: None
) -> None:
    hung_up = asyncio.Event()

    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hung_up.wait()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    client = connect(f"mongodb://127.0.0.1:{silent.sockets[0].getsockname()[1]}/", driver)
    await within_the_bound(MongoEvents(database_of(client)).append(new(1)))
    hung_up.set()
    await close(client)
    silent.close()
    await silent.wait_closed()


async def test_a_server_killed_and_started_again_records_a_retried_append_once(
    driver: Callable[..., Any], impatient: None, tmp_path: Path
) -> None:
    port = free_port()
    command = mongodb_command(port, tmp_path / "data", "--sync-on-commit")
    with running(command, port, tmp_path / "log") as server:
        client = connect(f"mongodb://127.0.0.1:{port}/", driver)
        events = MongoEvents(database_of(client))
        await _until_answered(events.open)
        await _until_answered(lambda: events.append(new(1, founded())))
        await asyncio.to_thread(server.kill)
        await within_the_bound(events.append(new(2)))
        await asyncio.to_thread(server.start)
        recorded = await _until_answered(lambda: events.append(new(2)))
        assert recorded.seq == 2
        assert await _until_answered(lambda: events.append(new(2))) == recorded
        assert await _until_answered(lambda: seqs(events)) == [1, 2]
        await close(client)


async def _until_answered(call: Callable[[], Awaitable[Any]]) -> Any:
    """What the service does when the outcome is unknown: the same again."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await call()
            except StoreUnavailable:
                continue


async def test_an_insert_that_had_succeeded_is_recognised(
    events: MongoEvents, database: mongo_store.Database
) -> None:
    await database.get_collection("events").insert_one(stored(new(1, founded())))
    assert await events.append(new(1, founded())) == record_of(new(1, founded()))
    assert await seqs(events) == [1]


async def test_the_same_command_with_other_content_is_not_taken_for_ours(
    events: MongoEvents, database: mongo_store.Database
) -> None:
    await database.get_collection("events").insert_one(stored(new(1, founded(), content_hash="other")))
    with pytest.raises(CommandKnown) as known:
        await events.append(new(1, founded()))
    assert known.value.recorded.content_hash == "other"


@pytest.mark.parametrize("error", [AutoReconnect(), NotPrimaryError(), WTimeoutError("slow", code=64)])
@pytest.mark.parametrize("arrives", [True, False])
async def test_an_append_that_was_not_answered_is_sent_again_as_it_was(
    events: MongoEvents, error: Exception, *, arrives: bool
) -> None:
    unlucky: Any = Unlucky(events._events, error, arrives=arrives)
    events._events = unlucky
    recorded = await events.append(new(1, founded()))
    assert recorded == record_of(new(1, founded()))
    first, second = unlucky.sent
    assert {key: value for key, value in second.items() if key != "_id"} == first
    assert await seqs(events) == [1]


async def test_an_append_that_is_never_answered_is_given_up_with_an_unknown_outcome(
    events: MongoEvents,
) -> None:
    errors = [AutoReconnect() for _ in range(mongo_store.ATTEMPTS_MAX)]
    unlucky: Any = Unlucky(events._events, *errors, arrives=False)
    events._events = unlucky
    with pytest.raises(StoreUnavailable):
        await events.append(new(1, founded()))
    assert len(unlucky.sent) == mongo_store.ATTEMPTS_MAX


async def test_an_unanswered_append_whose_place_was_taken_meanwhile_has_lost_the_race(
    events: MongoEvents, database: mongo_store.Database
) -> None:
    class Overtaken(Unlucky):
        async def insert_one(self, document: Any) -> None:
            if not self.sent:
                await self._collection.insert_one(stored(new(1, founded(), command_id="faster")))
            await super().insert_one(document)

    overtaken: Any = Overtaken(events._events, AutoReconnect(), arrives=False)
    events._events = overtaken
    with pytest.raises(SeqTaken):
        await events.append(new(1, founded()))


async def test_an_append_behind_an_event_that_was_read_costs_no_look_up(
    database: mongo_store.Database, events: MongoEvents
) -> None:
    await fill(events, founded(), added("a"))
    node = MongoEvents(database)
    await node.open()
    await node.read("goa", 0, 10)

    class NothingToAsk(Unlucky):
        async def find_one(self, *_wanted: Any, **_options: Any) -> Any:
            raise AssertionError("a look-up")

    watched: Any = NothingToAsk(node._events, arrives=True)
    node._events = watched
    await node.append(new(3))
    await node.append(new(4))
    assert len(watched.sent) == 2


async def test_a_snapshot_that_another_node_saved_at_the_same_moment_will_do(events: MongoEvents) -> None:
    class Raced(Unlucky):
        async def replace_one(self, *_words: Any, **_options: Any) -> Any:
            raise DuplicateKeyError("both found nothing to replace and inserted")

    raced: Any = Raced(events._snapshots, arrives=True)
    events._snapshots = raced
    await events.save_snapshot(Snapshot("goa", 1, 1, b""))


async def test_the_memory_of_what_was_seen_is_bounded(
    events: MongoEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo_store, "HEADS_REMEMBERED_MAX", 2)
    for group_id in ("a", "b", "a", "c"):
        seq = (await events.heads([group_id])).get(group_id, 0) + 1
        await events.append(new(seq, group_id=group_id))
    assert list(events._seen) == ["a", "c"]
    await events.read("a", 0, 1)
    assert events._seen == {"c": 1, "a": 2}


async def test_indexes_are_there_however_many_nodes_start_at_once(
    driver: Callable[..., Any], database: mongo_store.Database
) -> None:
    nodes = [MongoEvents(database) for _ in range(5)]
    collections = [MongoDocuments(database, "accounts", ["email"]) for _ in range(5)]
    await asyncio.gather(*(one.open() for one in nodes), *(one.open() for one in collections))
    events = await database.get_collection("events").index_information()
    assert set(events) == {"_id_", "seq", "command", "latest", "membership", "creations", "at"}
    assert {name for name, index in events.items() if index.get("unique")} == {"seq", "command"}
    for name in ("seq", "command"):
        assert events[name]["key"][0] == ("groupId", 1)
    snapshots = await database.get_collection("snapshots").index_information()
    assert snapshots["seq"]["unique"]
    accounts = await database.get_collection("accounts").index_information()
    assert accounts["unique"]["unique"]
    assert set(accounts) == {"_id_", "keys", "unique"}


async def test_the_options_that_durability_rests_on(database: mongo_store.Database) -> None:
    assert database.write_concern.document == {"w": "majority", "j": True}
    assert database.read_concern.level == "majority"
    assert database.read_preference.name == "Primary"


async def test_the_database_is_the_one_that_the_uri_names(driver: Callable[..., Any]) -> None:
    for uri, name in (("mongodb://127.0.0.1/", "persplit"), ("mongodb://127.0.0.1/trips", "trips")):
        client = connect(uri, driver)
        assert database_of(client).name == name
        await close(client)


async def test_duplicate_keys_are_resolved_by_a_read_that_waits_for_the_majority(events: MongoEvents) -> None:
    assert events._resolving.read_concern.level == "linearizable"


async def test_a_server_that_stands_alone_is_asked_without(tmp_path: Path) -> None:
    port = free_port()
    command = mongodb_command(port, tmp_path / "data", "--standalone")
    with running(command, port, tmp_path / "log"):
        client = connect(f"mongodb://127.0.0.1:{port}/", AsyncMongoClient)
        events = MongoEvents(database_of(client))
        await _until_answered(events.open)
        assert events._resolving.read_concern.level == "majority"
        await fill(events, founded(), added("a"))
        with pytest.raises(SeqTaken):
            await events.append(new(2, command_id="late"))
        await close(client)


async def test_a_group_is_erased_even_if_somebody_who_writes_is_always_quicker(
    database: mongo_store.Database, events: MongoEvents
) -> None:
    await fill(events, founded())
    writer = MongoEvents(database)
    await writer.open()

    class Late(MongoEvents):
        """Whenever it has looked where the group ends, the group goes on."""

        async def _last_of(self, group_id: str) -> Any:
            last = await super()._last_of(group_id)
            if last is not None and last["type"] != mongo_store._GRAVESTONE:
                await writer.append(new(last["seq"] + 1))
            return last

    late = Late(database)
    await late.open()
    async with asyncio.timeout(30):
        await late.erase("goa")
    places = [one["seq"] async for one in database.get_collection("events").find({}, {"seq": True})]
    assert sorted(places) == list(range(1, len(places) + 1)), "a place is left for somebody to write at"
    for seq in range(2, len(places) + 2):
        with pytest.raises(GroupErased):
            await writer.append(new(seq, command_id=f"again-{seq}"))
    with pytest.raises(GroupErased):
        await writer.read("goa", 0, 100)
