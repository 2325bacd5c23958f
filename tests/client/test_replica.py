"""The file of the replica: what survives what."""

import asyncio
import random
import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from persplit.client import Client, Happened, ReplicaError
from persplit.client.book import Book
from persplit.client.errors import NewerServer, OutboxFull
from persplit.client.replica import Position
from tests.client.devices import (
    Devices,
    all_of,
    check_equals_fresh_fetch,
    dinner,
    group_of,
    my_id,
    next_of,
)
from tests.system.phone import PATIENCE_SECONDS

KILLS = 4


async def test_killed_at_random_moments_nothing_is_lost_or_doubled(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    group_id = await group_of(asha, ben)
    path = asha._book.replica.path
    await asha.close()
    stored: list[str] = []
    for _ in range(KILLS):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.client.killed", str(path), devices.url, group_id),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        stored.append((await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)).decode().strip())
        await asyncio.sleep(random.uniform(0, 0.4))  # noqa: S311 - no secret
        process.kill()
        stored += (await process.stdout.read()).decode().split()
        await process.wait()
    async with Client.open(path, devices.url) as again:
        assert {entry.expense.id for entry in await again.expenses(group_id)} >= set(stored)
        await again.sync()
        assert await again.refused() == []
        await check_equals_fresh_fetch(again, group_id)
        ids = [entry.expense.id for entry in await again.expenses(group_id)]
        assert set(stored) <= set(ids)
        # Of each life at most the last write was stored without being told.
        assert len(ids) == len(set(ids)) <= len(stored) + KILLS
        # One event a command: a creation, an edit and a payment for each, but for the ends of the lives.
        seq = (await again.balances(group_id)).seq
        assert 2 + 3 * len(ids) - 2 * KILLS <= seq <= 2 + 3 * len(ids)


async def test_a_full_disk_is_a_clear_error_and_corrupts_nothing(devices: Devices) -> None:
    asha = await devices.of("Asha")
    group_id = (await asha.create_group("Flat")).group_id
    await asha.create_expense(group_id, dinner(1))
    await asha.sync()
    database = asha._book.replica._database
    (pages,) = await asha._do(lambda: database.execute("PRAGMA page_count").fetchone())
    await asha._do(database.execute, f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(ReplicaError, match="the disk is full"):
        await _write_for_ever(asha, group_id)
    stored = len(await asha.pending())
    assert stored < 100
    assert len(await asha.expenses(group_id)) == stored + 1
    other = await devices.another_of(asha)
    for _ in range(5):
        await other.create_expense(group_id, dinner(7, "z" * 200, notes="z" * 2_000))
    await other.sync()
    with pytest.raises(ReplicaError, match="the disk is full"):
        await asha.sync()
    assert (await asha._do(lambda: database.execute("PRAGMA integrity_check").fetchone())) == ("ok",)
    assert len(await asha.expenses(group_id)) == stored + 1
    # There is room again.
    await asha._do(database.execute, f"PRAGMA max_page_count = {pages + 10_000}")
    await asha.sync()
    assert len(await asha.expenses(group_id)) == stored + 6
    await check_equals_fresh_fetch(asha, group_id)


async def _write_for_ever(client: Client, group_id: str) -> None:
    while True:
        await client.create_expense(group_id, dinner(100, "x" * 200, notes="y" * 2_000))


async def test_a_read_only_replica_is_a_clear_error(devices: Devices) -> None:
    asha = await devices.of("Asha")
    await asha._do(asha._book.replica._database.execute, "PRAGMA query_only = ON")
    with pytest.raises(ReplicaError, match="read-only"):
        await asha.create_group("Flat")
    assert await asha.groups() == []


async def test_what_is_no_replica_is_said_to_be_none(devices: Devices, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Asha, " * 500)
    with pytest.raises(ReplicaError, match="isn't a replica"):
        await devices.open(letter)
    with pytest.raises(ReplicaError, match="can't be opened"):
        await devices.open(tmp_path)
    newer = tmp_path / "newer.db"
    sqlite3.connect(newer).execute("PRAGMA user_version = 99")
    with pytest.raises(ReplicaError, match="a newer client"):
        await devices.open(newer)


async def test_only_its_owner_can_read_it(devices: Devices, tmp_path: Path) -> None:
    path = tmp_path / "below" / "replica.db"
    path.parent.mkdir()
    path.touch(0o644)
    path.chmod(0o644)
    await devices.of("Asha", path=path)
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


async def test_two_processes_share_a_replica(devices: Devices) -> None:
    watching = await devices.of("Asha")
    group_id = (await watching.create_group("Flat")).group_id
    await watching.sync()
    adding = await devices.open(watching._book.replica.path)
    assert await watching.connect(wait_seconds=PATIENCE_SECONDS)
    changes = watching.changes()
    written = await adding.create_expense(group_id, dinner(100))
    assert (await watching.expense(group_id, written.id)).is_pending
    await adding.sync()
    assert (await next_of(changes, Happened)).event.seq == 2
    for client in (adding, watching):
        await check_equals_fresh_fetch(client, group_id)


async def test_a_state_of_older_rules_is_folded_anew_or_fetched(devices: Devices) -> None:
    asha, ben = await devices.of("Asha"), await devices.of("Ben")
    whole, partly = await group_of(asha, ben), await group_of(asha, ben)
    for group_id in (whole, partly):
        await asha.create_expense(group_id, dinner(100))
    await asha.sync()
    path = asha._book.replica.path
    await asha.close()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE groups SET state_version = 0, state = '{}'")
        database.execute("DELETE FROM events WHERE group_id = ? AND seq < 3", (partly,))
    database.close()
    again = await devices.open(path)
    assert (await again.balances(whole)).balances[await my_id(again)] == 50
    assert [group.id for group in await again.groups()] == [whole]
    await again.sync()
    for group_id in (whole, partly):
        await check_equals_fresh_fetch(again, group_id)


async def test_what_a_newer_server_says_changes_nothing(devices: Devices) -> None:
    asha = await devices.of("Asha")
    group_id = (await asha.create_group("Flat")).group_id
    await asha.sync()
    have = await asha._do(asha._book.position, group_id)
    event = {"v": 1, "type": "planet:moved", "seq": 2}
    with pytest.raises(NewerServer):
        await asha._do(
            asha._book.take,
            group_id,
            have,
            {"events": [event], "seq": 2, "epoch": have.epoch, "reset": False},
        )
    assert await asha._do(asha._book.position, group_id) == have
    # An answer for another position than the present one is passed over.
    taken = await asha._do(asha._book.take, group_id, Position(7, "x"), {"reset": True})
    assert taken.more
    await check_equals_fresh_fetch(asha, group_id)


async def test_the_outbox_is_bounded(devices: Devices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persplit.client.book.OUTBOX_MAX", 1)
    asha = await devices.of("Asha")
    await asha.create_group("One")
    with pytest.raises(OutboxFull):
        await asha.create_group("Two")


async def test_a_command_too_large_for_one_body_goes_alone(
    devices: Devices, monkeypatch: pytest.MonkeyPatch
) -> None:
    asha = await devices.of("Asha")
    group_id = (await asha.create_group("Flat")).group_id
    for number in range(5):
        await asha.create_expense(group_id, dinner(100 + number, notes="n" * 1_000))
    monkeypatch.setattr("persplit.client.book.PUSH_BYTES_MAX", 2_000)
    await asha.sync()
    assert len(await all_of(asha, f"/groups/{group_id}/expenses", "expenses")) == 5


def test_the_file_opens_where_no_directory_is_yet(tmp_path: Path) -> None:
    book = Book(tmp_path / "a" / "b" / "replica.db")
    assert book.account() is None
    book.close()
