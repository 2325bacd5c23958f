"""A backup is a consistent prefix of every group, is whole or refused, and comes back as it was, in any store."""

import asyncio
import gzip
import hashlib
import io
import stat
import zlib
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persplit import admin
from persplit.adapters.memory_store import MemoryDocuments, MemoryEvents
from persplit.bootstrap import open_stores, prepare
from persplit.config import Settings
from persplit.ledger.events import RecordedEvent
from persplit.service import backup as backup_module
from persplit.service.backup import BadBackup, DamagedStore, NotEmpty, checked, restore, write_backup
from persplit.service.epochs import Epochs
from persplit.service.erasure import erase_group
from persplit.service.errors import RestoreUnfinished, StoreUnavailable
from persplit.service.migrations import Migrations, is_empty
from persplit.service.ports import Document, GroupErased, StoredEvent, Stores
from tests.keeping.conftest import KINDS, Damage, settings_of
from tests.keeping.given import EVENTS, a_file, a_group, a_store, contents, findings, memory_stores
from tests.service.histories import written
from tests.service.nodes import Clock, Node, whole


class Kept(io.BytesIO):
    """A file that can still be read when it is closed."""

    def close(self) -> None:
        """Keep it."""


def nothing(_: object) -> None:
    """Don't show progress."""


async def backed_up(stores: Stores) -> bytes:
    """A backup of the store."""
    files: list[Kept] = []

    def open_file() -> IO[bytes]:
        files.append(Kept())
        return files[-1]

    await write_backup(stores, open_file, Clock(), nothing)
    return files[-1].getvalue()


async def restored(stores: Stores, file: bytes) -> Stores:
    """The store with the backup in it."""
    await restore(stores, lambda: io.BytesIO(file), Clock(), nothing)
    return stores


# --- there and back


@pytest.mark.parametrize("source", KINDS)
async def test_a_backup_of_any_store_comes_back_in_any_other(
    source: str, stores: Stores, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with open_stores(settings_of(source, tmp_path / "source", request)) as old:
        await a_store(old)
        file = await backed_up(old)
        tally = await restore(stores, lambda: io.BytesIO(file), Clock(), nothing)
        assert (tally.groups, tally.events, tally.documents) == (2, 2 * EVENTS, 3 + 1 + 1)
        assert await contents(stores) == await contents(old)
        for group_id in ("goa", "pune"):
            assert await whole(stores.events, group_id) == await whole(old.events, group_id)
    assert await findings(stores) == []
    await prepare(stores)
    node = Node(stores.events)
    await node.spends("after the restore")
    assert await findings(stores) == []


@settings(max_examples=12, deadline=None)
@given(data=st.data())
async def test_whatever_people_did_comes_back(data: st.DataObject) -> None:
    old, new = memory_stores(), memory_stores()
    await written(Node(old.events), data.draw)
    await restored(new, await backed_up(old))
    assert await contents(new) == await contents(old)
    assert await whole(new.events) == await whole(old.events)


@pytest.mark.parametrize("source", KINDS)
async def test_files_of_attachments_come_back_in_any_other_store(
    source: str, stores: Stores, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with open_stores(settings_of(source, tmp_path / "source", request)) as old:
        await a_store(old)
        bodies = [b"a bill", b"a large one" * 100_000]
        kept = [await a_file(old, "goa", body) for body in bodies]
        assert await a_file(old, "pune", bodies[0]) == kept[0]
        file = await backed_up(old)
        await restored(stores, file)
        assert await contents(stores) == await contents(old)
    assert [await stores.files.get(hash_) for hash_ in kept] == bodies
    assert await findings(stores) == []


async def test_a_damaged_file_is_noticed_in_the_backup() -> None:
    old, new = await a_store(memory_stores()), memory_stores()
    hash_ = await a_file(old)
    await old.files.put(hash_, b"another bill", Clock()())
    file = await backed_up(old)
    with pytest.raises(DamagedStore) as error:
        await restored(new, file)
    assert {finding.rule for finding in error.value.findings} == {"attachment_damaged"}
    assert await is_empty(new)


async def test_a_backup_from_before_there_were_attachments_is_read() -> None:
    file = await backed_up(await a_store(memory_stores()))
    lines = [orjson.loads(line) for line in gzip.decompress(file).splitlines()]
    assert lines[0]["format"] == 2
    header, *rest = [orjson.dumps(line) + b"\n" for line in ({**lines[0], "format": 1}, *lines[1:-1])]
    digest = hashlib.sha256(header + b"".join(rest)).hexdigest()
    trailer = orjson.dumps({**lines[-1], "sha256": digest}) + b"\n"
    await restored(memory_stores(), gzip.compress(header + b"".join(rest) + trailer))


async def test_all_is_in_a_backup_but_what_would_bring_back_what_was_ended() -> None:
    old = await a_store(memory_stores())
    assert set(backup_module.COLLECTIONS) == old.collections().keys() - {"sessions", "personal_tokens"}
    await old.read_marks.insert(Document("asha", {"goa": 1}))
    await old.channels.insert(Document("u:asha", {"channels": [], "devices": []}))
    told = {"seq": 1, "attempts": 0, "nextAt": None, "leasedUntil": None, "node": None}
    await old.deliveries.insert(Document("c1", told, {"owner": "u:asha", "groupId": "goa", "channel": "c1"}))
    new = await restored(memory_stores(), await backed_up(old))
    assert await contents(new) == await contents(old)


async def test_an_empty_store_can_be_backed_up_and_restored() -> None:
    await restored(memory_stores(), await backed_up(memory_stores()))


async def test_nobody_is_signed_in_after_a_restore_and_every_group_has_another_epoch() -> None:
    old, new = await a_store(memory_stores()), memory_stores()
    epochs = []
    await Epochs(old.meta).open()
    await restored(new, await backed_up(old))
    for stores in (old, new):
        epochs.append(Epochs(stores.meta))
        await epochs[-1].open()
    assert epochs[0].of("goa") != epochs[1].of("goa")
    assert list(await new.sessions.scan("", 10)) == []


async def test_an_erased_group_is_not_in_a_backup_and_its_id_stays_of_no_use_after_a_restore() -> None:
    old = await a_store(memory_stores())
    await erase_group(old, "goa", Clock())
    new = await restored(memory_stores(), await backed_up(old))
    assert list(await new.events.groups("", 10)) == ["pune"]
    with pytest.raises(GroupErased):
        await new.events.read("goa", 0, 1)


async def test_data_of_an_older_schema_is_brought_up_when_it_is_restored() -> None:
    old = await a_store(memory_stores())
    await Migrations(old, Clock()).begin_at(1)
    (invite,) = await old.invites.scan("", 9)
    await old.invites.replace(replace(invite, keys={"groupId": "goa"}))
    new = memory_stores()
    await Migrations(new, Clock()).version()  # a server had been started on it
    await restored(new, await backed_up(old))
    assert [found.id for found in await new.invites.find("createdBy", "asha", 9)] == [invite.id]
    assert await Migrations(new, Clock()).version() == 2


# --- while it is written to


class Busy(MemoryEvents):
    """Somebody writes whenever somebody reads."""

    def __init__(self, node: Callable[[], Node]) -> None:
        super().__init__()
        self._node = node
        self._count = 0
        self.is_busy = False

    async def stored(self, group_id: str, after: int, limit: int) -> Sequence[StoredEvent]:
        if self.is_busy:
            self._count += 1
            await self._node().spends(f"{self._count}", group_id=group_id)
        return await super().stored(group_id, after, limit)


async def test_each_group_is_a_prefix_of_its_ledger_however_much_is_written_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backup_module, "PAGE", 4)
    nodes: list[Node] = []
    events = Busy(lambda: nodes[0])
    old = replace(memory_stores(), events=events)
    nodes.append(await a_group(old))
    await a_group(old, "pune")
    events.is_busy = True
    new = await restored(memory_stores(), await backed_up(old))
    events.is_busy = False
    for group_id in ("goa", "pune"):
        kept = await new.events.read(group_id, 0, 1_000)
        assert list(kept) == list(await old.events.read(group_id, 0, len(kept)))
        assert len(kept) >= EVENTS
    assert await old.events.heads(["goa"]) != await new.events.heads(["goa"])


class Vanishing(MemoryEvents):
    """Its second group is erased while it is read."""

    async def stored(self, group_id: str, after: int, limit: int) -> Sequence[StoredEvent]:
        if group_id == "pune" and after:
            await self.erase(group_id)
        return await super().stored(group_id, after, limit)


async def test_a_group_that_is_erased_meanwhile_is_not_half_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_module, "PAGE", 4)
    old = replace(memory_stores(), events=Vanishing())
    for group_id in ("goa", "pune"):
        await a_group(old, group_id)
    new = await restored(memory_stores(), await backed_up(old))
    assert list(await new.events.groups("", 10)) == ["goa"]


async def test_a_group_that_is_erased_after_it_was_written_is_not_in_the_backup() -> None:
    class Scanned(MemoryDocuments):
        """Just before the notes of what was erased are read, a group is erased."""

        async def scan(self, after: str, limit: int) -> Sequence[Document]:
            if (await old.events.heads(["pune"])).get("pune"):
                await erase_group(old, "pune", Clock())
            return await super().scan(after, limit)

    old = replace(memory_stores(), erasures=Scanned())
    for group_id in ("goa", "pune"):
        await a_group(old, group_id)
    new = await restored(memory_stores(), await backed_up(old))
    assert list(await new.events.groups("", 10)) == ["goa"]


# --- files that aren't whole


@pytest.fixture
async def file() -> bytes:
    return await backed_up(await a_store(memory_stores()))


async def refused(file: bytes) -> BadBackup:
    """Why the file is refused, and that nothing was written."""
    stores = memory_stores()
    with pytest.raises(BadBackup) as error:
        await restored(stores, file)
    assert await contents(stores) == await contents(memory_stores())
    assert list(await stores.meta.scan("", 9)) == []
    return error.value


async def test_a_file_that_is_cut_off_anywhere_is_refused(file: bytes) -> None:
    for length in (0, 1, 9, 10, 11, *range(12, len(file), 61), len(file) - 9, len(file) - 1):
        await refused(file[:length])


async def test_a_file_with_any_byte_altered_is_refused_unless_it_says_the_very_same(file: bytes) -> None:
    for place in range(10, len(file), 53):  # the first ten are gzip's own header, which says nothing of ours
        altered = file[:place] + bytes([file[place] ^ 0x10]) + file[place + 1 :]
        if unpacked(altered) != unpacked(file):  # a few bits fill a byte up, or are of codes that aren't used
            await refused(altered)


def unpacked(file: bytes) -> bytes | None:
    try:
        return gzip.decompress(file)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return None


def lines_of(file: bytes) -> list[bytes]:
    return gzip.decompress(file).splitlines(keepends=True)


async def test_a_file_that_was_packed_anew_with_other_lines_is_refused(file: bytes) -> None:
    lines = lines_of(file)
    texts = [
        lines[:-1],
        lines[1:],
        [*lines[:2], *lines[3:]],
        [*lines, lines[1]],
        [lines[0].replace(b'"schema":2', b'"schema":1'), *lines[1:]],
        [b"hello\n"],
        [b"[]\n"],
    ]
    for text in texts:
        await refused(gzip.compress(b"".join(text)))


def sealed(*contents: dict[str, object]) -> bytes:
    """A file of these lines with a right last one."""
    writer = backup_module._Writer(kept := Kept())
    for content in contents:
        writer.line(str(content.pop("kind")), content)
    writer.close()
    return kept.getvalue()


def header(**fields: object) -> dict[str, object]:
    return {"kind": "header", "format": 1, "schema": 2, "events": 1, "madeAt": "now", **fields}


async def test_a_file_of_a_newer_release_is_refused() -> None:
    strange = {"kind": "document", "collection": "budgets", "id": "a", "version": 1, "keys": {}, "body": {}}
    for file in (
        sealed(header(format=3)),
        sealed(header(schema=99)),
        sealed(header(events=2)),
        sealed(header(), strange),
    ):
        assert "newer release" in str(await refused(file))


async def test_a_file_whose_lines_make_no_sense_is_refused(file: bytes) -> None:
    event = next(orjson.loads(line) for line in lines_of(file) if b'"kind":"event"' in line)
    assert "no group" in str(await refused(sealed(header(), event)))
    await refused(sealed(header(), {"kind": "something"}))


# --- what isn't sound


async def test_of_a_damaged_store_no_backup_is_left_and_what_is_damaged_is_named(
    store_settings: Settings, stores: Stores, damage: Damage, tmp_path: Path
) -> None:
    await a_store(stores)
    damage.remove(5)
    (asha,) = (await stores.users.get(["asha"])).values()
    damage.document("users", "torn", {**asha.body, "email": None}, {})
    damage.document("users", "ben", {}, {})
    with pytest.raises(DamagedStore) as error:
        await admin.make_backup(store_settings, tmp_path / "backup", nothing)
    named = {(finding.rule, finding.place) for finding in error.value.findings}
    assert named == {("seq_hole", "goa"), ("undecodable", "users")}
    left = await asyncio.to_thread(lambda: {path.name for path in tmp_path.iterdir()})
    assert left <= {"data"}


async def test_a_hole_at_the_end_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stores = memory_stores()
    await a_group(stores)

    class Short(MemoryEvents):
        async def stored(self, group_id: str, after: int, limit: int) -> Sequence[StoredEvent]:
            return (await super().stored(group_id, after, limit))[: 5 - after]

    short = Short()
    await short.put(await stores.events.read("goa", 0, 100))
    file = await backed_up(replace(stores, events=short))
    with pytest.raises(DamagedStore) as error:
        checked(io.BytesIO(file))
    (finding,) = error.value.findings
    assert finding.detail == "events end at 5, not at 9"


# --- restoring


async def test_only_into_an_empty_store(file: bytes) -> None:
    for stores in (await a_store(memory_stores()), memory_stores()):
        await stores.users.put([Document("somebody", {}, {})])
        before = await contents(stores)
        with pytest.raises(NotEmpty):
            await restored(stores, file)
        assert await contents(stores) == before


class Failing(MemoryEvents):
    """Fails after it has taken so many pages."""

    def __init__(self, pages: int) -> None:
        super().__init__()
        self.pages = pages

    async def put(self, events: Sequence[RecordedEvent]) -> None:
        if self.pages == 0:
            raise StoreUnavailable("the store did not answer")
        self.pages -= 1
        await super().put(events)


class FailingDocuments(MemoryDocuments):
    """Fails when it is to take anything."""

    fails = True

    async def put(self, documents: Sequence[Document]) -> None:
        if self.fails:
            raise StoreUnavailable("the store did not answer")
        await super().put(documents)


@pytest.mark.parametrize("pages", [0, 1, 3])
async def test_a_restore_that_broke_off_is_not_served_from_and_can_be_done_again(
    file: bytes, pages: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_module, "PAGE", 4)
    events, users = Failing(pages), FailingDocuments(("email",))
    stores = replace(memory_stores(), events=events, users=users)
    with pytest.raises(StoreUnavailable):
        await restored(stores, file)
    with pytest.raises(RestoreUnfinished):
        await prepare(stores)
    other = await backed_up(await a_store(memory_stores()))
    assert other != file
    with pytest.raises(NotEmpty, match="another backup"):
        await restored(stores, other)
    events.pages = 1_000
    with pytest.raises(StoreUnavailable):
        await restored(stores, file)
    users.fails = False
    await restored(stores, file)
    await prepare(stores)
    assert await findings(stores) == []
    assert await contents(stores) == await contents(await restored(memory_stores(), file))


class Losing(MemoryEvents):
    """Acknowledges what it doesn't keep."""

    async def put(self, events: Sequence[RecordedEvent]) -> None:
        await super().put([recorded for recorded in events if recorded.seq != EVENTS])


async def test_a_store_that_did_not_keep_it_all_is_not_served_from(file: bytes) -> None:
    stores = replace(memory_stores(), events=Losing())
    with pytest.raises(DamagedStore):
        await restored(stores, file)
    with pytest.raises(RestoreUnfinished):
        await prepare(stores)


# --- files


async def test_a_backup_is_its_owners_only_and_never_takes_the_place_of_another(
    store_settings: Settings, stores: Stores, tmp_path: Path
) -> None:
    await a_store(stores)
    path, tally = await admin.make_backup(store_settings, tmp_path / "one", nothing)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert tally.groups == 2
    with pytest.raises(FileExistsError):
        await admin.make_backup(store_settings, path, nothing)
    (directory := tmp_path / "all").mkdir()
    named, _ = await admin.make_backup(store_settings, directory, nothing)
    assert [named] == list(directory.iterdir())
    assert named.suffix == admin.SUFFIX
    with path.open("rb") as one, named.open("rb") as other:
        assert checked(one)[2] == checked(other)[2]


async def test_a_file_restores_into_a_directory_that_is_not_there_yet(
    store_settings: Settings, stores: Stores, tmp_path: Path
) -> None:
    await a_store(stores)
    path, _ = await admin.make_backup(store_settings, tmp_path / "one", nothing)
    fresh = settings_of_directory(tmp_path / "fresh")
    await admin.restore(fresh, path, nothing)
    async with AsyncExitStack() as stack:
        copy = await stack.enter_async_context(open_stores(fresh))
        assert await contents(copy) == await contents(stores)
    with pytest.raises(FileNotFoundError):
        await admin.restore(settings_of_directory(tmp_path / "other"), tmp_path / "missing", nothing)
    assert not (tmp_path / "other").exists()


def settings_of_directory(path: Path) -> Settings:
    return Settings(port=0, data_dir=path)
