"""What every store of files keeps to: in memory, in a directory, in GridFS over both drivers."""

import asyncio
import errno
import hashlib
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from persplit.adapters import mongo_files, mongo_store
from persplit.adapters.local_files import LocalFiles
from persplit.adapters.memory_store import MemoryFiles
from persplit.adapters.mongo_files import MongoFiles
from persplit.service.errors import StorageFull, StoreUnavailable
from persplit.service.ports import Files
from tests.adapters.conftest import DRIVERS
from tests.servers import with_database

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def content(words: str, size: int = 100) -> tuple[str, bytes]:
    """A content and its hash."""
    body = (words.encode() * size)[:size]
    return hashlib.sha256(body).hexdigest(), body


@pytest.fixture(params=["memory", "directory", "mongo-motor", "mongo-pymongo"])
async def files(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Files]:
    """A store of each kind, with nothing in it."""
    kind = cast("str", request.param)
    async with AsyncExitStack() as stack:
        if kind == "memory":
            yield MemoryFiles()
        elif kind == "directory":
            yield LocalFiles(tmp_path / "attachments")
        else:
            uri = with_database(request.getfixturevalue("mongodb_uri"), f"files-{uuid.uuid4().hex}")
            client = mongo_store.connect(uri, driver=DRIVERS[kind])
            stack.push_async_callback(mongo_store.close, client)
            database = mongo_store.database_of(client)
            found = MongoFiles(database, mongo_store.Calls())
            await found.open()
            yield found
            await client.drop_database(database.name)


async def all_of(files: Files) -> list[str]:
    return list(await files.scan("", 100))


@pytest.mark.parametrize("size", [1, 255 * 1024, 600_001])
async def test_what_was_put_comes_back(files: Files, size: int) -> None:
    id_, body = content("photo", size)
    await files.put(id_, body, NOW)
    assert await files.get(id_) == body
    assert await all_of(files) == [id_]


async def test_what_was_never_put_is_not_there(files: Files) -> None:
    assert await files.get(content("nothing")[0]) is None
    assert await all_of(files) == []
    await files.delete(content("nothing")[0], NOW)


async def test_the_same_content_is_kept_once(files: Files) -> None:
    id_, body = content("twice")
    for moment in (NOW, LATER):
        await files.put(id_, body, moment)
    assert await all_of(files) == [id_]
    await files.delete(id_, LATER)
    assert await files.get(id_) is None


async def test_what_was_put_again_since_is_not_deleted(files: Files) -> None:
    id_, body = content("wanted")
    await files.put(id_, body, NOW)
    await files.put(id_, body, LATER)
    await files.delete(id_, NOW)
    assert await files.get(id_) == body
    await files.delete(id_, LATER)
    assert await files.get(id_) is None
    await files.put(id_, body, NOW)
    assert await files.get(id_) == body


async def test_all_are_found_in_order_in_pages(files: Files) -> None:
    made = dict(content(f"number {number}") for number in range(9))
    await asyncio.gather(*(files.put(id_, body, NOW) for id_, body in made.items()))
    found, after = list[str](), ""
    while page := await files.scan(after, 4):
        assert len(page) <= 4
        found += page
        after = page[-1]
    assert found == sorted(made)


async def test_what_is_put_at_once_from_two_sides_is_whole(files: Files) -> None:
    id_, body = content("race", 300_000)
    await asyncio.gather(*(files.put(id_, body, NOW) for _ in range(4)))
    assert await files.get(id_) == body
    assert await all_of(files) == [id_]
    await files.delete(id_, NOW)
    assert await files.get(id_) is None


# --- the directory


def in_directory(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("fault", "raised"),
    [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EIO, StoreUnavailable)],
)
async def test_a_disk_that_is_full_or_broken_leaves_nothing_half_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int, raised: type[Exception]
) -> None:
    files = LocalFiles(tmp_path)
    id_, body = content("much")
    sync = os.fsync

    def fail(handle: int) -> None:
        raise OSError(fault, "no")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(raised):
        await files.put(id_, body, NOW)
    monkeypatch.setattr(os, "fsync", sync)
    assert in_directory(tmp_path) == []
    assert await files.get(id_) is None
    await files.put(id_, body, NOW)
    assert await files.get(id_) == body


async def test_a_file_has_its_name_only_when_it_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    sync = os.fsync

    def look(handle: int) -> None:
        seen.append([path.name for path in in_directory(tmp_path)])
        sync(handle)

    monkeypatch.setattr(os, "fsync", look)
    id_, body = content("careful")
    await LocalFiles(tmp_path).put(id_, body, NOW)
    assert len(seen) == 3, "the file, and the two directories that name it"
    assert seen[0][0].endswith(".draft")
    assert seen[1] == seen[2] == [id_]


async def test_what_a_killed_process_left_goes_when_it_is_old(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    id_, body = content("other")
    await files.put(id_, body, NOW)
    left = tmp_path / id_[:2] / f"{id_}.abcd.draft"
    left.write_bytes(b"half")
    await files.tidy(datetime.now(UTC) - timedelta(minutes=1))
    assert left.exists(), "somebody may be writing it now"
    await files.tidy(datetime.now(UTC) + timedelta(minutes=1))
    assert not left.exists()
    assert await all_of(files) == [id_]


@pytest.mark.parametrize("id_", ["../secret", "", "A" * 64, "ab" * 31])
async def test_an_id_that_is_no_hash_leads_nowhere(tmp_path: Path, id_: str) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    files = LocalFiles(tmp_path / "attachments")
    assert await files.get(id_) is None
    with pytest.raises(ValueError, match="SHA-256"):
        await files.put(id_, b"x", NOW)


async def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    id_, body = content("private")
    await LocalFiles(tmp_path / "attachments").put(id_, body, NOW)
    (path,) = in_directory(tmp_path)
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


# --- GridFS


async def test_a_file_of_which_a_part_is_gone_is_not_there(mongodb_uri: str) -> None:
    client = mongo_store.connect(with_database(mongodb_uri, f"files-{uuid.uuid4().hex}"))
    database: Any = mongo_store.database_of(client)
    files = MongoFiles(database, mongo_store.Calls())
    await files.open()
    id_, body = content("whole", 600_000)
    await files.put(id_, body, NOW)
    await database.get_collection("attachments.chunks").delete_one({"n": 1})
    assert await files.get(id_) is None
    await client.drop_database(database.name)
    await mongo_store.close(client)


@pytest.mark.parametrize("driver", list(DRIVERS.values()), ids=list(DRIVERS))
async def test_parts_of_what_was_put_or_deleted_only_in_part_go_when_they_are_old(
    mongodb_uri: str, driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo_files, "PARTS_AT_ONCE", 2)
    uri = with_database(mongodb_uri, f"files-{uuid.uuid4().hex}")
    client = mongo_store.connect(uri, driver=driver)
    database: Any = mongo_store.database_of(client)
    files = MongoFiles(database, mongo_store.Calls())
    await files.open()
    kept, half = content("kept", 900_000), content("half", 900_000)
    for id_, body in (half, kept):
        await files.put(id_, body, NOW)
    # As a process leaves it that is killed between the two steps of a deletion, or before the last one of a put.
    await database.get_collection("attachments.files").delete_one({"filename": half[0]})
    parts = database.get_collection("attachments.chunks")
    await files.tidy(datetime.now(UTC) - timedelta(minutes=1))
    assert await parts.count_documents({}) == 8, "somebody may be putting it now"
    await files.tidy(datetime.now(UTC) + timedelta(minutes=1))
    assert await parts.count_documents({}) == 4
    assert await files.get(kept[0]) == kept[1]
    await client.drop_database(database.name)
    await mongo_store.close(client)
