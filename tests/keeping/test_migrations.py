"""Migrations: forward, resumable, by one node at a time; files and data of older releases come up to date."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from persplit import admin
from persplit.adapters import sqlite_schema
from persplit.adapters.sqlite_database import SqliteDatabase
from persplit.adapters.sqlite_schema import SCHEMA_VERSION, STEPS, Step
from persplit.bootstrap import DATABASE_FILE, open_stores, prepare
from persplit.config import Settings
from persplit.service import migrations as migrations_module
from persplit.service.errors import SchemaMismatch, StoreUnavailable
from persplit.service.migrations import Migrations
from persplit.service.migrations import Step as DataStep
from persplit.service.ports import Document, Stores
from tests.keeping.conftest import SqliteDamage
from tests.keeping.given import a_store, contents, findings, memory_stores
from tests.service.nodes import Clock, Node

SCHEMA_1 = """
CREATE TABLE events (
    group_id TEXT NOT NULL, seq INTEGER NOT NULL, command_id TEXT NOT NULL, type TEXT NOT NULL, noun TEXT NOT NULL,
    subject_id TEXT NOT NULL, creation INTEGER NOT NULL, at TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (group_id, seq), UNIQUE (group_id, command_id)
);
CREATE INDEX events_latest ON events (group_id, noun, subject_id, seq);
CREATE INDEX events_membership ON events (subject_id, group_id, seq, type) WHERE noun = 'member';
CREATE INDEX events_creations ON events (group_id, noun, seq) WHERE creation;
CREATE INDEX events_at ON events (group_id, at, seq);
CREATE TABLE snapshots (
    group_id TEXT NOT NULL, seq INTEGER NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (group_id, seq)
);
CREATE TABLE documents (
    collection TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, keys BLOB NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (collection, id)
);
CREATE TABLE document_keys (
    collection TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL, is_unique INTEGER NOT NULL,
    PRIMARY KEY (collection, key, value, id),
    FOREIGN KEY (collection, id) REFERENCES documents ON DELETE CASCADE
) WITHOUT ROWID;
CREATE UNIQUE INDEX document_keys_unique ON document_keys (collection, key, value) WHERE is_unique;
CREATE INDEX document_keys_of ON document_keys (collection, id);
PRAGMA user_version = 1;
"""
"""The tables as the first release made them."""
TABLES = ("events", "snapshots", "documents", "document_keys")


async def file_of_the_first_release(path: Path) -> dict[str, object]:
    """A file as the first release left it, with a store's content in it; returns that content."""
    path.parent.mkdir()
    async with open_stores(Settings(port=0, data_dir=path.parent / "today")) as stores:
        await a_store(stores)
        (invite,) = await stores.invites.scan("", 9)
        await stores.invites.replace(replace(invite, keys={"groupId": "goa"}))
        kept = await contents(stores)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(SCHEMA_1)
        connection.execute("ATTACH ? AS today", (str(path.parent / "today" / DATABASE_FILE),))
        for table in TABLES:
            connection.execute(f"INSERT INTO {table} SELECT * FROM today.{table}")  # noqa: S608 - a fixed name
        connection.execute("DELETE FROM documents WHERE collection = 'meta'")
    return kept


# --- the tables of a file


async def test_a_file_of_the_first_release_is_brought_up_at_the_start_with_all_that_is_in_it(
    tmp_path: Path,
) -> None:
    kept = await file_of_the_first_release(tmp_path / "data" / DATABASE_FILE)
    async with open_stores(Settings(port=0, data_dir=tmp_path / "data")) as stores:
        assert await contents(stores) == kept
        await prepare(stores)
        assert [found.body["createdBy"] for found in await stores.invites.find("createdBy", "asha", 9)] == [
            "asha"
        ]
        assert await findings(stores) == []
        await stores.events.erase("goa")
        await Node(stores.events).spends("dinner", group_id="pune")
    version = SqliteDamage(tmp_path / "data" / DATABASE_FILE).run("PRAGMA user_version")
    assert version == [(SCHEMA_VERSION,)]


async def test_a_migrated_file_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    await file_of_the_first_release(tmp_path / "old" / DATABASE_FILE)
    shapes = []
    for name in ("old", "new"):
        async with open_stores(Settings(port=0, data_dir=tmp_path / name)):
            sql = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"
            rows = SqliteDamage(tmp_path / name / DATABASE_FILE).run(sql)
            shapes.append([(*row[:3], "".join((row[3] or "").split())) for row in rows])
    assert shapes[0] == shapes[1]


async def test_who_may_not_migrate_says_what_to_do(tmp_path: Path) -> None:
    await file_of_the_first_release(tmp_path / "data" / DATABASE_FILE)
    old = Settings(port=0, data_dir=tmp_path / "data")
    with pytest.raises(SchemaMismatch, match="run `persplit migrate`"):
        await admin.check(old, lambda _: None, lambda *_: None)
    assert await admin.migrate(old, lambda _: None) == (1, 2)
    assert (await admin.check(old, lambda _: None, lambda *_: None)).faults == 0


class Killed(Exception):
    """The process ends here."""


def counting(until: int, kills_at: int | None = None) -> Step:
    """A big step: it counts up in a table, one a batch; killed once in the middle if it is to be."""

    def batch(connection: sqlite3.Connection) -> bool:
        connection.execute("CREATE TABLE IF NOT EXISTS counted (number INTEGER PRIMARY KEY)")
        (so_far,) = connection.execute("SELECT count(*) FROM counted").fetchone()
        connection.execute("INSERT INTO counted VALUES (?)", (so_far + 1,))
        if so_far + 1 == kills_at:
            raise Killed
        return bool(so_far + 1 == until)

    return Step("counting", batch)


async def test_a_big_step_that_is_killed_goes_on_where_its_last_batch_ended(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with pytest.raises(Killed):
        await SqliteDatabase(file, steps=(*STEPS, counting(10, kills_at=7))).open()
    damage = SqliteDamage(file)
    assert damage.run("SELECT count(*) FROM counted") == [(6,)]
    assert damage.run("PRAGMA user_version") == [(len(STEPS),)]
    database = SqliteDatabase(file, steps=(*STEPS, counting(10)))
    await database.open()
    await database.close()
    assert damage.run("SELECT max(number), count(*) FROM counted") == [(10, 10)]
    assert damage.run("PRAGMA user_version") == [(len(STEPS) + 1,)]


async def test_many_that_open_a_file_at_once_take_each_step_once(tmp_path: Path) -> None:
    databases = [SqliteDatabase(tmp_path / "file", steps=(*STEPS, counting(20))) for _ in range(4)]
    await asyncio.gather(*(database.open() for database in databases))
    for database in databases:
        await database.close()
    assert SqliteDamage(tmp_path / "file").run("SELECT max(number), count(*) FROM counted") == [(20, 20)]


async def test_a_new_file_that_somebody_else_writes_to_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        database = SqliteDatabase(file)
        opening = asyncio.create_task(database.open())
        done, _ = await asyncio.wait([opening], timeout=0.05)
        assert not done
        other.execute("ROLLBACK")
        await opening
    await database.close()


async def test_a_step_that_fails_leaves_nothing_of_its_batch(tmp_path: Path) -> None:
    broken = sqlite_schema.statements("broken", "CREATE TABLE half (a)", "CREATE NONSENSE")
    with pytest.raises(StoreUnavailable):
        await SqliteDatabase(tmp_path / "file", steps=(*STEPS, broken)).open()
    damage = SqliteDamage(tmp_path / "file")
    assert damage.run("SELECT name FROM sqlite_master WHERE name = 'half'") == []
    assert damage.run("PRAGMA user_version") == [(len(STEPS),)]


# --- the data, in any store


def numbering(batches: int, seen: list[str], dies_at: str = "") -> DataStep:
    """A step of so many batches that notes each; it dies once, after the batch and before that is noted down."""

    async def batch(stores: Stores, after: str) -> str | None:
        seen.append(after)
        await asyncio.sleep(0)
        if dies_at and after == dies_at:
            raise Killed
        number = int(after or 0) + 1
        return f"{number}" if number < batches else None

    return DataStep(f"step of {batches}", batch)


async def old(stores: Stores) -> Stores:
    """A store with something in it, from before versions were kept."""
    await stores.users.insert(Document("asha", {}))
    return stores


async def test_an_empty_store_is_as_new_as_can_be_and_one_with_data_is_old(stores: Stores) -> None:
    assert await Migrations(stores, Clock()).pending() == ()
    assert await Migrations(stores, Clock()).version() == Migrations(stores, Clock()).newest
    assert await Migrations(await old(memory_stores()), Clock()).version() == 1
    assert [step.name for step in await Migrations(await old(memory_stores()), Clock()).pending()] == [
        "invites are found by who made them"
    ]


async def test_steps_are_taken_in_order_and_once(stores: Stores) -> None:
    seen: list[str] = []
    told: list[str] = []
    steps = (numbering(3, seen), numbering(2, seen))
    migrations = Migrations(await old(stores), Clock(), steps=steps)
    assert await migrations.run(told.append) == 2
    assert await migrations.run(told.append) == 0
    assert seen == ["", "1", "2", "", "1"]
    assert told == ["step of 3", "step of 2"]
    assert await migrations.version() == 3


async def test_a_killed_migration_is_taken_over_when_its_lock_has_run_out_and_goes_on(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations_module, "POLL_SECONDS", 0.001)
    clock, seen = Clock(), list[str]()
    await old(stores)
    with pytest.raises(Killed):
        await Migrations(stores, clock, steps=(numbering(5, seen, dies_at="3"),)).run()
    other = Migrations(stores, clock, steps=(numbering(5, seen),))
    waiting = asyncio.create_task(other.run())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    clock.now += timedelta(seconds=migrations_module.LOCK_SECONDS)
    assert await waiting == 1
    assert seen == ["", "1", "2", "3", "3", "4"]


async def test_of_many_nodes_one_migrates_and_the_others_wait_for_it(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations_module, "POLL_SECONDS", 0.001)
    await old(stores)
    seen: list[str] = []
    nodes = [Migrations(stores, Clock(), steps=(numbering(6, seen),)) for _ in range(4)]
    assert sorted(await asyncio.gather(*(node.run() for node in nodes))) == [0, 0, 0, 1]
    assert seen == ["", "1", "2", "3", "4", "5"]


async def test_a_node_that_was_stopped_for_longer_than_its_lock_holds_notices_and_stops(
    stores: Stores,
) -> None:
    clock, seen = Clock(), list[str]()
    await old(stores)

    async def stopped(stores: Stores, after: str) -> str | None:
        if after == "":
            return "1"
        clock.now += timedelta(seconds=migrations_module.LOCK_SECONDS + 1)
        await Migrations(stores, clock, steps=(numbering(3, seen),)).run()
        return None

    with pytest.raises(StoreUnavailable, match="another node"):
        await Migrations(stores, clock, steps=(DataStep("slow", stopped),)).run()
    assert await Migrations(stores, clock, steps=(numbering(3, seen),)).version() == 2


async def test_a_store_of_a_newer_release_is_not_touched(stores: Stores) -> None:
    await Migrations(stores, Clock()).begin_at(99)
    for refused in (Migrations(stores, Clock()).run, Migrations(stores, Clock()).at_start):
        with pytest.raises(SchemaMismatch, match="knows up to"):
            await refused()


@pytest.mark.parametrize("kind", ["mongodb"], indirect=True)
async def test_a_shared_store_is_only_migrated_by_itself_where_the_step_says_so(stores: Stores) -> None:
    await old(stores)
    seen: list[str] = []
    asks = numbering(2, seen)
    with pytest.raises(SchemaMismatch, match="stop all servers and run `persplit migrate`"):
        await Migrations(stores, Clock(), steps=(asks,)).at_start()
    assert seen == []
    await Migrations(stores, Clock(), steps=(replace(asks, is_automatic=True),)).at_start()
    assert seen == ["", "1"]


async def test_a_server_does_not_serve_a_store_that_is_not_ready(
    stores: Stores, store_settings: Settings
) -> None:
    await a_store(stores)
    await Migrations(stores, Clock()).begin_at(1)
    if stores.is_shared:
        with pytest.raises(SchemaMismatch):
            await prepare(stores)
        await admin.migrate(store_settings, lambda _: None)
    await prepare(stores)
    assert await Migrations(stores, Clock()).version() == 2


async def test_an_invite_that_is_changed_or_goes_meanwhile_is_migrated_or_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stores = memory_stores()
    for id_ in ("changed", "gone", "left"):
        await stores.invites.insert(
            Document(id_, {"createdBy": "asha", "groupId": "goa"}, {"groupId": "goa"})
        )
    scan = stores.invites.scan

    async def scan_too_early(after: str, limit: int) -> object:
        page = await scan(after, limit)
        if page:
            await stores.invites.delete("gone")
            await stores.invites.replace(page[0])
        return page

    monkeypatch.setattr(stores.invites, "scan", scan_too_early)
    await Migrations(stores, Clock()).run()
    assert [one.id for one in await stores.invites.find("createdBy", "asha", 9)] == ["changed", "left"]
