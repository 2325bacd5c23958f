"""Stores that are looked after: opened as the server opens them, damaged behind its back."""

import contextlib
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import orjson
import pymongo
import pytest
from pydantic import SecretStr

from persplit.adapters.sqlite_events import _FIELDS
from persplit.bootstrap import DATABASE_FILE, open_stores
from persplit.config import Settings
from persplit.ledger.codec import event_from_json
from persplit.service.ports import Stores, fields_of
from tests.servers import with_database
from tests.system.conftest import SECRET

Json = dict[str, Any]
KINDS = ["sqlite", "mongodb"]


class Damage(Protocol):
    """Writes into a store of the group goa as no code of ours would."""

    def body(self, seq: int) -> Json:
        """The event as it is stored."""
        ...

    def put(self, seq: int, body: Json, fields: Mapping[str, Any]) -> None:
        """Put the body in the place of the event at `seq`, looked up by these fields."""
        ...

    def add(self, body: Json, fields: Mapping[str, Any]) -> None:
        """Add an event, whatever its place."""
        ...

    def remove(self, seq: int) -> None:
        """Take the event away."""
        ...

    def loosen(self) -> None:
        """Let unique things be there twice."""
        ...

    def snapshot(self, seq: int, body: bytes, at: int | None = None) -> None:
        """Give the snapshot at `seq` another body, and move it."""
        ...

    def document(self, collection: str, id_: str, body: Json, keys: Mapping[str, str]) -> None:
        """Keep a document in the place of one with this id, unique keys or not."""
        ...


def rewrite(damage: Damage, seq: int, change: Callable[[Json], None]) -> None:
    """Change what an event says, and what it is looked up by with it."""
    body = damage.body(seq)
    change(body)
    damage.put(seq, body, fields_of(event_from_json(body)))


class SqliteDamage:
    """Raw SQL."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, sql: str, *values: object) -> list[Any]:
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            return connection.execute(sql, values).fetchall()

    def body(self, seq: int) -> Json:
        ((body,),) = self.run("SELECT body FROM events WHERE group_id = 'goa' AND seq = ?", seq)
        return dict(orjson.loads(body))

    def put(self, seq: int, body: Json, fields: Mapping[str, Any]) -> None:
        self.remove(seq)
        self.add(body, fields)

    def add(self, body: Json, fields: Mapping[str, Any]) -> None:
        columns = [fields[name] for name in _FIELDS]
        marks = ", ".join("?" * len(columns))
        names = "group_id, seq, command_id, type, noun, subject_id, creation, at"
        self.run(f"INSERT INTO events ({names}, body) VALUES ({marks}, ?)", *columns, orjson.dumps(body))  # noqa: S608 - ours

    def remove(self, seq: int) -> None:
        self.run("DELETE FROM events WHERE group_id = 'goa' AND seq = ?", seq)

    def loosen(self) -> None:
        self.run("ALTER TABLE events RENAME TO old")
        self.run("CREATE TABLE events AS SELECT * FROM old")
        self.run("DROP TABLE old")

    def snapshot(self, seq: int, body: bytes, at: int | None = None) -> None:
        there = "group_id = 'goa' AND seq = ?"
        self.run(f"UPDATE snapshots SET body = ?, seq = ? WHERE {there}", body, at or seq, seq)  # noqa: S608 - ours

    def document(self, collection: str, id_: str, body: Json, keys: Mapping[str, str]) -> None:
        self.run("DELETE FROM document_keys WHERE collection = ? AND id = ?", collection, id_)
        values = (collection, id_, orjson.dumps(dict(keys)), orjson.dumps(body))
        self.run(
            "REPLACE INTO documents (collection, id, version, keys, body) VALUES (?, ?, 1, ?, ?)", *values
        )
        for key, value in keys.items():
            self.run("INSERT INTO document_keys VALUES (?, ?, ?, ?, 0)", collection, key, value, id_)


class MongoDamage:
    """Raw writes by another client."""

    def __init__(self, uri: str) -> None:
        self.client: pymongo.MongoClient[Json] = pymongo.MongoClient(uri)
        self.database = self.client.get_default_database()
        self.events = self.database["events"]

    def body(self, seq: int) -> Json:
        found = self.events.find_one({"groupId": "goa", "seq": seq}, {"_id": False})
        assert found is not None
        return found

    def put(self, seq: int, body: Json, fields: Mapping[str, Any]) -> None:
        self.remove(seq)
        self.add(body, fields)

    def add(self, body: Json, fields: Mapping[str, Any]) -> None:
        beside = {key: fields[key] for key in ("noun", "subjectId", "creation")}
        self.events.insert_one({**body, **beside})

    def remove(self, seq: int) -> None:
        self.events.delete_one({"groupId": "goa", "seq": seq})

    def loosen(self) -> None:
        for name in ("command", "seq"):
            self.events.drop_index(name)

    def snapshot(self, seq: int, body: bytes, at: int | None = None) -> None:
        place = {"groupId": "goa", "seq": seq}
        self.database["snapshots"].update_one(place, {"$set": {"body": body, "seq": at or seq}})

    def document(self, collection: str, id_: str, body: Json, keys: Mapping[str, str]) -> None:
        listed = [f"{key}={value}" for key, value in keys.items()]
        stored = {"_id": id_, "version": 1, "keys": listed, "body": body}
        self.database[collection].replace_one({"_id": id_}, stored, upsert=True)


def mongo_settings(home: Path, mongodb_uri: str) -> Settings:
    """Settings of a database of the test's own."""
    uri = SecretStr(with_database(mongodb_uri, f"test-{uuid.uuid4().hex}"))
    return Settings(port=0, data_dir=home, mongodb_uri=uri, jwt_secret=SECRET, rate_limits=False)


def sqlite_settings(home: Path) -> Settings:
    """Settings of a file of the test's own."""
    return Settings(port=0, data_dir=home, rate_limits=False)


def settings_of(kind: str, home: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings of a store of the kind with nothing in it."""
    if kind == "sqlite":
        return sqlite_settings(home)
    return mongo_settings(home, request.getfixturevalue("mongodb_uri"))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store_settings(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """The settings of a store of each kind with nothing in it."""
    return settings_of(kind, tmp_path / "data", request)


@pytest.fixture
async def stores(store_settings: Settings) -> AsyncIterator[Stores]:
    """A store of each kind with nothing in it, open."""
    async with open_stores(store_settings) as opened:
        yield opened


@pytest.fixture
def damage(store_settings: Settings, stores: Stores) -> Damage:
    """A way into the store."""
    if store_settings.mongodb_uri is None:
        return SqliteDamage(store_settings.data_dir / DATABASE_FILE)
    return MongoDamage(store_settings.mongodb_uri.get_secret_value())
