"""Snapshots: a shortcut that never changes what a group is."""

import asyncio
import hashlib
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persplit.adapters import sqlite_events
from persplit.adapters.memory_store import MemoryEvents
from persplit.adapters.sqlite_database import SqliteDatabase
from persplit.adapters.sqlite_events import SqliteEvents
from persplit.ledger.snapshot import STATE_VERSION
from persplit.service import snapshots
from persplit.service.ports import READ_LIMIT_MAX, Snapshot
from persplit.service.snapshots import SNAPSHOT_EVERY, decode, encode
from tests.counted import moves
from tests.service.histories import written
from tests.service.nodes import BEFORE, FINE, Node, Wire, ledger, spending, whole

LONG = 8_000
"""Events of the long history: enough to show that opening it takes the snapshot and the tail, and no more."""


@pytest.fixture
def store() -> MemoryEvents:
    return MemoryEvents()


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot every five events."""
    monkeypatch.setattr(snapshots, "SNAPSHOT_EVERY", 5)


async def busy(store: MemoryEvents, events: int) -> Node:
    """A node whose group goa has so many events."""
    node = Node(store)
    await node.makes("ben")
    for number in range(events - 2):
        await node.spends(f"tea {number}", 100 + number)
    await node.groups.close()
    return node


def kept(store: MemoryEvents) -> list[int]:
    return sorted(store._ledger("goa").snapshots)


# --- saving


@pytest.mark.usefixtures("often")
async def test_a_snapshot_is_kept_after_every_so_many_events(store: MemoryEvents) -> None:
    await busy(store, 17)
    assert kept(store) == [5, 10, 15]


@pytest.mark.usefixtures("often")
async def test_every_node_that_takes_the_event_in_may_keep_it(store: MemoryEvents) -> None:
    await busy(store, 4)
    reader = Node(store, is_shared=True)
    await reader.groups.peek("goa")
    await busy_on(store, 1)
    store._ledger("goa").snapshots.clear()
    await reader.groups.peek("goa")
    await reader.groups.close()
    assert kept(store) == [5]


async def busy_on(store: MemoryEvents, events: int) -> None:
    node = Node(store, is_shared=True)
    for number in range(events):
        await node.spends(f"more {number}")
    await node.groups.close()


@pytest.mark.usefixtures("often")
async def test_a_snapshot_that_cant_be_kept_now_harms_nobody(store: MemoryEvents) -> None:
    node = await busy(store, 4)
    node.wire.read_faults.append(BEFORE)  # the only read of the next command: its id is new
    outcome = await node.does("asha", spending("tea"), is_new_id=True)
    await node.groups.close()
    assert outcome.recorded.seq == 5
    assert kept(store) == []
    assert (await Node(store).groups.peek("goa")) == await whole(store)


# --- loading


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_snapshot_and_the_tail_are_the_whole_at_every_cut(data: st.DataObject) -> None:
    async def check() -> None:
        store = MemoryEvents()
        events = await written(Node(store), data.draw)
        cut = data.draw(st.integers(1, len(events)))
        await store.save_snapshot(encode(await whole(store, up_to=cut)))
        for up_to in [*range(cut - 1, len(events) + 1), None]:
            if up_to == 0:
                continue
            assert await snapshots.load(store, "goa", up_to) == await whole(store, up_to=up_to)

    asyncio.run(check())


def tampered(snapshot: Snapshot, **fields: Any) -> Snapshot:
    """The snapshot with other fields in its JSON, and the right checksum."""
    body = orjson.dumps({**orjson.loads(snapshot.body[32:]), **fields})
    return replace(snapshot, body=hashlib.sha256(body).digest() + body)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: replace(s, body=b""),
        lambda s: replace(s, body=s.body[:-1]),
        lambda s: replace(s, body=s.body[:40] + b"!" + s.body[41:]),
        lambda s: replace(s, body=b"\0" * 32 + s.body[32:]),
        lambda s: tampered(s, groupId="diu"),
        lambda s: tampered(s, seq=9),
        lambda s: tampered(s, balances={"asha": 1}),
        lambda s: tampered(s, balances=None),
        lambda s: tampered(s, balances=[1]),
        lambda s: tampered(s, debts=[["asha"]]),
        lambda s: tampered(s, members=[1]),
        lambda s: tampered(s, basis={}),
        lambda s: replace(s, body=hashlib.sha256(b"[]").digest() + b"[]"),
        lambda s: replace(s, body=hashlib.sha256(b"{").digest() + b"{"),
    ],
)
@pytest.mark.usefixtures("often")
async def test_a_damaged_snapshot_is_passed_over(store: MemoryEvents, spoil: Any) -> None:
    await busy(store, 12)
    good = store._ledger("goa").snapshots[10]
    store._ledger("goa").snapshots[10] = spoil(good)
    assert decode(good) == await whole(store, up_to=10)
    assert decode(spoil(good)) is None
    wire = Wire(store)
    with moves("persplit_snapshots_passed_over_total", reason="damaged"):
        assert await snapshots.load(wire, "goa") == await whole(store)
    assert wire.reads.count("load_snapshot") == 2  # the one before is good
    assert kept(store) == [5, 10, 12]


async def test_without_any_good_snapshot_the_group_is_folded_from_its_first_event(
    store: MemoryEvents,
) -> None:
    await busy(store, 12)
    await store.save_snapshot(Snapshot("goa", 4, STATE_VERSION, b"nonsense"))
    assert await snapshots.load(store, "goa") == await whole(store)


async def test_a_snapshot_of_another_version_is_left_alone(store: MemoryEvents) -> None:
    await busy(store, 12)
    await store.save_snapshot(replace(encode(await whole(store)), version=STATE_VERSION + 1, body=b"later"))
    assert await snapshots.load(store, "goa") == await whole(store)
    assert store._ledger("goa").snapshots[12].body == b"later"


async def test_a_snapshot_ahead_of_its_ledger_is_not_believed(store: MemoryEvents) -> None:
    await busy(store, 12)
    restored = MemoryEvents()
    await busy(restored, 7)
    await restored.save_snapshot(encode(await whole(store)))
    with moves("persplit_snapshots_passed_over_total", reason="ahead"):
        assert await snapshots.load(restored, "goa") == await whole(restored)


async def test_a_snapshot_with_no_ledger_is_no_group(store: MemoryEvents) -> None:
    await busy(store, 3)
    empty = MemoryEvents()
    await empty.save_snapshot(encode(await whole(store)))
    assert await snapshots.load(empty, "goa") is None


@pytest.mark.usefixtures("often")
async def test_a_long_fold_is_done_once(store: MemoryEvents) -> None:
    await busy(store, 23)
    store._ledger("goa").snapshots.clear()
    await snapshots.load(store, "goa", up_to=21)
    assert kept(store) == []
    await snapshots.load(store, "goa")
    assert kept(store) == [23]


async def test_a_long_fold_that_cant_be_kept_is_done_all_the_same(
    store: MemoryEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    await busy(store, 12)
    monkeypatch.setattr(snapshots, "SNAPSHOT_EVERY", 5)
    wire = Wire(store)
    wire.read_faults.extend([FINE, FINE, BEFORE])
    assert await snapshots.load(wire, "goa") == await whole(store)
    assert wire.reads == ["load_snapshot", "read", "save_snapshot"]


async def test_a_group_with_no_events_is_none(store: MemoryEvents) -> None:
    assert await snapshots.load(store, "nowhere") is None


@pytest.mark.parametrize("page", [1, 2, 3, 6, 12, 13])
async def test_it_doesnt_matter_how_many_events_a_read_returns(
    store: MemoryEvents, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    await busy(store, 12)
    monkeypatch.setattr(snapshots, "READ_LIMIT_MAX", page)
    for up_to in (None, 1, 6, 11, 12, 13):
        assert await snapshots.load(store, "goa", up_to) == await whole(store, up_to=up_to)


# --- a long history on disk


async def test_a_long_history_is_opened_from_its_snapshot(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "long.sqlite3")
    await database.open()
    try:
        store = SqliteEvents(database)
        template = MemoryEvents()
        await busy(template, 40)
        await fill(database, template, LONG)
        folded = await snapshots.load(store, "goa")
        assert folded is not None
        assert (folded.seq, folded.expense_count) == (LONG, LONG - 2)
        wire = Wire(store)
        fresh = Node(wire)
        assert await fresh.groups.peek("goa") == folded
        assert wire.reads.count("read") == 1, "the whole history takes many"
    finally:
        await database.close()


async def fill(database: SqliteDatabase, template: MemoryEvents, events: int) -> None:
    """Rows for so many events: after those of the template expenses like its last, all in one transaction."""
    told = await ledger(template)
    last = sqlite_events.row_of(told[-1])
    rows = [sqlite_events.row_of(recorded) for recorded in told]
    body = orjson.loads(last.body)
    for seq in range(len(told) + 1, events + 1):
        id_, command_id = f"expense {seq}", f"command {seq}"
        expense = {**body["expense"], "id": id_, "seq": seq}
        rows.append(
            last._replace(
                seq=seq,
                subject_id=id_,
                command_id=command_id,
                body=orjson.dumps({**body, "seq": seq, "commandId": command_id, "expense": expense}),
            )
        )

    def insert(connection: sqlite3.Connection) -> None:
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    await database.write(insert)


def test_the_bound_that_the_documents_promise_is_kept() -> None:
    assert SNAPSHOT_EVERY == 500
    assert READ_LIMIT_MAX >= SNAPSHOT_EVERY  # the tail is one read
