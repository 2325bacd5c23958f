"""`scripts/torture disk`: a disk that loses, cuts short or overwrites what SQLite gave it.

A server is killed or stopped, its files are damaged as a disk would, and it is started again. It must either serve
every event that it acknowledged, as it was, or refuse and say why; then `persplit new-epoch` must make what is left
usable: a beginning of the ledger without a hole, balances that sum to zero, and room for more.
"""

import asyncio
import contextlib
import random
import resource
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from unittest import mock

from persplit.admin import renew_epoch
from persplit.bootstrap import DATABASE_FILE
from persplit.service import snapshots
from persplit.service.errors import StoreDamaged
from tests.servers import free_port
from tests.system.conftest import phones_of, serving, settings_for
from tests.system.phone import Json, Phone
from tests.torture import options
from tests.torture.forked import ForkedServer

SNAPSHOT_EVERY: Final = 16
"""So that a short ledger has snapshots, too."""
SECTOR_BYTES: Final = 512
_DINNER: Final[Json] = {"description": "Dinner", "amount": 5, "splitType": "EQUAL"}


@dataclass
class Written:
    """What a server acknowledged: the ledger as its client knows it."""

    group_id: str
    owner: Phone
    events: list[Json] = field(default_factory=list)


class Unreadable(Exception):
    """The server said `store_unavailable`: it noticed that what it read isn't what it wrote."""


Damage = Callable[[Path, random.Random], None]
"""Does something to the files in a data directory."""


def _log(home: Path) -> Path:
    return home / f"{DATABASE_FILE}-wal"


def _main(home: Path) -> Path:
    return home / DATABASE_FILE


def _overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def _cut(path: Path, byte_count: int) -> None:
    with path.open("r+b") as file:
        file.truncate(max(0, path.stat().st_size - byte_count))


def _garbage(chance: random.Random, size: int) -> bytes:
    return bytes(size) if chance.random() < 0.5 else chance.randbytes(size)


def log_cut_short(home: Path, chance: random.Random) -> None:
    """The end of the write-ahead log never came to the disk."""
    _cut(_log(home), chance.randrange(1, _log(home).stat().st_size))


def log_torn(home: Path, chance: random.Random) -> None:
    """Its last page came there by half."""
    size = _log(home).stat().st_size
    torn = SECTOR_BYTES * chance.randrange(1, 8)
    _overwrite(_log(home), size - torn, _garbage(chance, torn))


def log_gone(home: Path, _: random.Random) -> None:
    """Somebody took it for a left-over."""
    _log(home).unlink()


def log_with_half_a_frame_more(home: Path, chance: random.Random) -> None:
    """What a crash during a commit leaves: nothing that was acknowledged is touched."""
    with _log(home).open("ab") as file:
        file.write(_garbage(chance, chance.randrange(1, 4_000)))


def database_cut_short(home: Path, chance: random.Random) -> None:
    """The file's end is lost."""
    _cut(_main(home), chance.randrange(1, _main(home).stat().st_size))


def database_emptied(home: Path, _: random.Random) -> None:
    """All of it is."""
    _main(home).write_bytes(b"")


def database_gone(home: Path, _: random.Random) -> None:
    """It was removed."""
    _main(home).unlink()


def last_page_torn(home: Path, chance: random.Random) -> None:
    """The end of the last page is something else."""
    size = _main(home).stat().st_size
    torn = SECTOR_BYTES * chance.randrange(1, 9)
    _overwrite(_main(home), size - torn, _garbage(chance, torn))


def page_torn(home: Path, chance: random.Random) -> None:
    """Some sectors, anywhere, are something else."""
    sectors = _main(home).stat().st_size // SECTOR_BYTES
    _overwrite(_main(home), SECTOR_BYTES * chance.randrange(sectors), _garbage(chance, SECTOR_BYTES))


KILLED: Final[tuple[Damage, ...]] = (
    log_cut_short,
    log_torn,
    log_gone,
    log_with_half_a_frame_more,
    database_cut_short,
    database_emptied,
    database_gone,
)
"""What can happen to the files of a server that was killed: most of what it wrote is in the log."""
STOPPED: Final[tuple[Damage, ...]] = (
    database_cut_short,
    database_emptied,
    database_gone,
    last_page_torn,
    page_torn,
)
"""And to those of one that was stopped: all is in the database."""


@contextlib.asynccontextmanager
async def visited(home: Path) -> AsyncIterator[str]:
    """A server on the directory, in this process."""
    with mock.patch.object(snapshots, "SNAPSHOT_EVERY", SNAPSHOT_EVERY):
        async with serving(settings_for(home)) as (_, url):
            yield url


async def written_and_killed(home: Path, expenses: int) -> Written:
    """A real process writes and is killed right after the last answer."""
    server = ForkedServer(home, port=free_port())
    await asyncio.to_thread(server.start)
    try:
        async with phones_of(server.url) as phones:
            written = await _write(await phones("Asha"), expenses)
    finally:
        server.kill()
    assert _log(home).stat().st_size, "it was killed: the log is there"
    return written


async def written_and_stopped(home: Path, expenses: int) -> Written:
    """A server writes and ends in order."""
    async with visited(home) as url, phones_of(url) as phones:
        written = await _write(await phones("Asha"), expenses)
    assert not _log(home).exists()
    return written


async def _write(asha: Phone, expenses: int) -> Written:
    group_id = await asha.makes_group()
    for number in range(expenses):
        # Some are longer than a page of the database.
        await asha.spends(group_id, 101 + number, notes="n" * (2_000 if number % 5 == 0 else 10))
    return Written(group_id, asha, await ledger(asha, group_id))


async def ledger(phone: Phone, group_id: str) -> list[Json]:
    """All events of the group."""
    events: list[Json] = []
    while True:
        after = events[-1]["seq"] if events else 0
        page = (await _read(phone, f"/groups/{group_id}/events?after={after}&limit=200"))["events"]
        events += page
        if len(page) < 200:
            return events


async def _read(phone: Phone, path: str) -> Json:
    answer = await phone.rest("GET", path)
    if (answer.status, answer.code) == (503, "store_unavailable"):
        raise Unreadable
    assert answer.status == 200, answer
    return answer.body


async def check_beginning(phone: Phone, written: Written) -> list[Json]:
    """What is served is a beginning of what was acknowledged, and adds up; returns it."""
    events = await ledger(phone, written.group_id)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1)), "a hole"
    assert events == written.events[: len(events)], "an event was altered or invented"
    balances = await _read(phone, f"/groups/{written.group_id}/balances")
    assert sum(row["amount"] for row in balances["balances"]) == 0
    assert balances["seq"] == len(events)
    return events


@contextlib.asynccontextmanager
async def _signed_in(url: str, written: Written) -> AsyncIterator[Phone]:
    async with phones_of(url) as phones:
        phone = await phones()
        phone.token, phone.user_id = written.owner.token, written.owner.user_id
        yield phone


async def judge(home: Path, written: Written) -> str:
    """What becomes of the damaged directory: `whole`, `unreadable`, or the words with which it was refused.

    Raises AssertionError for a ledger that is served and isn't what was acknowledged.
    """
    try:
        async with visited(home) as url, _signed_in(url, written) as phone:
            events = await check_beginning(phone, written)
            assert len(events) == len(written.events), "a shortened ledger is served"
            return "whole"
    except Unreadable:
        return "unreadable"
    except StoreDamaged as refused:
        said = str(refused)
    try:
        await renew_epoch(settings_for(home))
    except StoreDamaged:
        return said  # what is left can't be used: only a backup helps
    await _goes_on(home, written)
    return said


async def _goes_on(home: Path, written: Written) -> None:
    """After `new-epoch`: what is left is a beginning of the ledger, and there is room for more."""
    async with visited(home) as url, _signed_in(url, written) as phone:
        answer = await phone.rest("GET", f"/groups/{written.group_id}/balances")
        if answer.status == 200:
            left = await check_beginning(phone, written)
            more = await phone.spends(written.group_id, 7)
            assert more["seq"] == len(left) + 1
        else:
            # The group, or the account, is gone with all of its events.
            assert answer.code in ("not_found", "token_invalid"), answer


# --- while it runs


async def no_room(home: Path, room_bytes: int) -> None:
    """The log may not grow any more: writes are refused with a code, reads go on; with room again, so do writes."""
    server = ForkedServer(home, port=free_port())
    await asyncio.to_thread(server.start)
    try:
        async with phones_of(server.url) as phones:
            asha = await phones("Asha", online=True)
            written = await _write(asha, 3)
            with _file_size_limit(server.pid, _log(home).stat().st_size + room_bytes):
                refused_key, written.events = await _until_refused(asha, written)
                await check_beginning(asha, written)
            path = f"/groups/{written.group_id}/expenses"
            retried = await asha.ok("POST", path, _DINNER, idempotency_key=refused_key)
            assert retried["seq"] == len(written.events) + 1
            assert not retried["replayed"]
            written.events = await ledger(asha, written.group_id)
    finally:
        server.kill()
    assert await judge(home, written) == "whole"


async def _until_refused(asha: Phone, written: Written) -> tuple[str, list[Json]]:
    """Write until there is no room; returns the key that was refused, and what was acknowledged until then."""
    for number in range(1_000):
        command_id = f"no-room-{number}"
        path = f"/groups/{written.group_id}/expenses"
        answer = await asha.rest("POST", path, _DINNER, idempotency_key=command_id)
        if answer.status != 201:
            assert (answer.status, answer.code) == (503, "store_unavailable"), answer
            assert int(answer.headers["Retry-After"]) > 0
            error = await asha.refused("expense:create", _DINNER, groupId=written.group_id)
            assert error["code"] == "store_unavailable"
            return command_id, await ledger(asha, written.group_id)
    raise AssertionError("there is room without end")


@contextlib.contextmanager
def _file_size_limit(pid: int, size: int) -> Iterator[None]:
    """No file of the process grows beyond `size` bytes: the kernel refuses as it does on a full disk."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    soft = resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))[0]
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


async def removed_while_running(home: Path, names: Sequence[str]) -> None:
    """Files are moved away under a running server: writes are refused, reads go on; put back, all goes on."""
    async with visited(home) as url, phones_of(url) as phones:
        asha = await phones("Asha")
        written = await _write(asha, 3)
        for name in names:
            (home / name).rename(home / f"{name}.away")
        answer = await asha.rest("POST", f"/groups/{written.group_id}/expenses", _DINNER)
        assert (answer.status, answer.code) == (503, "store_unavailable"), answer
        assert len(await check_beginning(asha, written)) == len(written.events)
        assert not any((home / name).exists() for name in names), "nothing new is put in its place"
        for name in names:
            (home / f"{name}.away").rename(home / name)
        await asha.spends(written.group_id, 5)
        written.events = await ledger(asha, written.group_id)
    assert await judge(home, written) == "whole"


async def snapshot_corrupted(home: Path, chance: random.Random) -> None:
    """Bytes of every snapshot are something else: it is passed over, and the balances are right."""
    written = await written_and_stopped(home, 2 * SNAPSHOT_EVERY)
    with contextlib.closing(sqlite3.connect(_main(home))) as connection, connection:
        rows = connection.execute("SELECT rowid, body FROM snapshots").fetchall()
        assert rows
        for rowid, body in rows:
            place = chance.randrange(len(body))
            changed = body[:place] + bytes([body[place] ^ (1 << chance.randrange(8))]) + body[place + 1 :]
            connection.execute("UPDATE snapshots SET body = ? WHERE rowid = ?", (changed, rowid))
    assert await judge(home, written) == "whole"


# --- by hand

_VERDICTS: Final = ("whole", "unreadable", "is damaged: ", "is gone, ", "has lost events that")


def main(arguments: list[str]) -> int:
    """Run rounds of everything, each with other sizes and places."""
    parser = options.parser("disk", __doc__ or "")
    parser.add_argument("--rounds", type=int, default=20, help="how often to do everything (default: 20)")
    parser.add_argument("--expenses", type=int, default=60, help="how much to write at most (default: 60)")
    given = parser.parse_args(arguments)
    seed = options.seed_of(given.seed)
    verdicts: Counter[str] = Counter()
    for number in range(given.rounds):
        with tempfile.TemporaryDirectory(prefix="persplit-disk-") as home:
            asyncio.run(_round(Path(home), random.Random(f"{seed}/{number}"), given.expenses, verdicts))  # noqa: S311 - no secret
        print(f"round {number + 1} of {given.rounds}: {dict(sorted(verdicts.items()))}", flush=True)  # noqa: T201
    return 0


async def _round(home: Path, chance: random.Random, expenses_max: int, verdicts: Counter[str]) -> None:
    for how, write, damages in (
        ("killed", written_and_killed, KILLED),
        ("stopped", written_and_stopped, STOPPED),
    ):
        written = await write(home / how, chance.randrange(1, expenses_max))
        for damage in damages:
            shutil.copytree(home / how, home / "damaged")
            damage(home / "damaged", chance)
            said = await judge(home / "damaged", written)
            shutil.rmtree(home / "damaged")
            verdict = next((words for words in _VERDICTS if words in said), said)
            verdicts[f"{how}, {damage.__name__}: {verdict}"] += 1
    await no_room(home / "full", chance.randrange(20_000))
    await removed_while_running(home / "database", [DATABASE_FILE])
    await removed_while_running(home / "log", [f"{DATABASE_FILE}-wal"])
    await snapshot_corrupted(home / "snapshot", chance)
