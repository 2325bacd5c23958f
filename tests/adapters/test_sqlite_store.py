"""What only the SQLite adapter promises: durable batches, one writer, a bounded queue, a file that is ours."""

import asyncio
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persplit.adapters import sqlite_database
from persplit.adapters.deadlines import Deadlines
from persplit.adapters.memory_store import MemoryEvents
from persplit.adapters.sqlite_appends import ROWS_MAX
from persplit.adapters.sqlite_database import SqliteDatabase
from persplit.adapters.sqlite_documents import SqliteDocuments
from persplit.adapters.sqlite_events import SqliteEvents
from persplit.adapters.sqlite_mark import Mark
from persplit.adapters.sqlite_schema import SCHEMA_VERSION
from persplit.adapters.sqlite_tallies import SqliteTallies
from persplit.ledger.events import Event, Noun
from persplit.service.errors import SchemaMismatch, StoreDamaged, StoreUnavailable
from persplit.service.ports import CommandKnown, Document, EventStore, SeqTaken, Snapshot
from persplit.service.tallies import Asked, By, CellKind
from tests.adapters.examples import added, changed, founded, joined, left, new, paid, seqs
from tests.adapters.test_tallies_contract import NOW, moved, spent

PAGE_BYTES = 4_096
BIG = "x" * 100_000
"""A description that takes some twenty-five pages of the file."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "persplit.db"


@pytest.fixture
async def database(file: Path) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(file)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def events(database: SqliteDatabase) -> SqliteEvents:
    return SqliteEvents(database)


class Gate:
    """A write that holds the writer until it is opened."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._opened = threading.Event()

    def __call__(self, _connection: sqlite3.Connection) -> None:
        self._reached.set()
        self._opened.wait(10)

    def open(self) -> None:
        self._opened.set()

    async def reached(self) -> None:
        assert await asyncio.to_thread(self._reached.wait, 10)


async def started(work: Any) -> "asyncio.Task[Any]":
    """The task of a call, begun: what it writes has been handed over to the writer."""
    task: asyncio.Task[Any] = asyncio.ensure_future(work)
    for _ in range(2):  # turns of the loop: it begins, it hands over
        await asyncio.sleep(0)
    return task


async def pragma(database: SqliteDatabase, name: str, *, writing: bool) -> Any:
    def ask(connection: sqlite3.Connection) -> Any:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]

    return await (database.write(ask) if writing else database.read(ask))


async def statements_while(database: SqliteDatabase, call: Callable[[], Any]) -> list[str]:
    """What SQLite runs on the writer's connection meanwhile."""
    seen: list[str] = []
    await database.write(lambda c: c.set_trace_callback(seen.append))
    await call()
    await database.write(lambda c: c.set_trace_callback(None))
    return seen


# What a call costs


async def test_of_a_tally_that_moves_on_by_many_events_the_writer_runs_as_many_statements_as_by_one(
    database: SqliteDatabase,
) -> None:
    tallies = SqliteTallies(database)

    async def move_on(after: int, by: int) -> None:
        await moved(tallies, "goa", *[spent(f"member {n % 8}", n) for n in range(by)], after=after)

    by_one = await statements_while(database, lambda: move_on(0, 1))
    by_forty = await statements_while(database, lambda: move_on(1, 40))
    assert len(by_forty) == len(by_one)
    assert len(await tallies.sums(NOW, Asked(CellKind.PAID, By.USER))) == 8


# Batches


async def test_writes_that_wait_are_committed_together(
    database: SqliteDatabase, events: SqliteEvents
) -> None:
    gate = Gate()

    async def forty_behind_a_slow_one() -> None:
        slow = await started(database.write(gate))
        await gate.reached()
        waiting = [await started(events.append(new(1, group_id=f"{n}"))) for n in range(40)]
        gate.open()
        await asyncio.gather(slow, *waiting)

    seen = await statements_while(database, forty_behind_a_slow_one)
    # The trace begins inside one transaction and ends inside another: the commit of the slow one. The forty are
    # a transaction by themselves.
    assert seen.count("COMMIT") == 2
    assert sum("INSERT INTO events" in statement for statement in seen) == 1
    assert len(await events.heads([f"{n}" for n in range(40)])) == 40


async def test_events_that_wait_with_other_writes_are_committed_with_them(
    database: SqliteDatabase, events: SqliteEvents
) -> None:
    gate = Gate()

    async def twenty_and_a_document_behind_a_slow_one() -> None:
        slow = await started(database.write(gate))
        await gate.reached()
        waiting = [await started(events.append(new(1, group_id=f"{n}"))) for n in range(20)]
        document = SqliteDocuments(database, "accounts").insert(Document("a", {}))
        waiting.append(await started(document))
        gate.open()
        await asyncio.gather(slow, *waiting)

    seen = await statements_while(database, twenty_and_a_document_behind_a_slow_one)
    assert seen.count("COMMIT") == 3
    assert len(await events.heads([f"{n}" for n in range(20)])) == 20


@pytest.mark.parametrize("count", [1, 2, 3, 8, 9])
async def test_each_event_of_a_batch_is_told_what_came_of_it(
    database: SqliteDatabase, events: SqliteEvents, count: int
) -> None:
    """New ones, some sent again, one whose place is taken, one that would leave a hole, one that follows another."""
    first = await events.append(new(1))
    gate = Gate()
    slow = await started(database.write(gate))
    await gate.reached()
    others = [await started(events.append(new(1, group_id=f"{n}"))) for n in range(count)]
    again = await started(events.append(new(1)))
    late = await started(events.append(new(1, command_id="late")))
    hole = await started(events.append(new(9, command_id="hole")))
    second, third = [await started(events.append(new(seq))) for seq in (2, 3)]
    gate.open()
    outcomes: list[Any] = list(await asyncio.gather(again, late, hole, second, third, return_exceptions=True))
    await asyncio.gather(slow, *others)
    assert outcomes[0] == first
    assert [type(outcome) for outcome in outcomes[1:3]] == [SeqTaken, ValueError]
    assert [outcome.seq for outcome in outcomes[3:]] == [2, 3]
    assert await seqs(events) == [1, 2, 3]
    assert len(await events.heads([f"{n}" for n in range(count)])) == count


async def test_a_batch_is_bounded(
    database: SqliteDatabase, events: SqliteEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_database, "BATCH_MAX", 10)
    gate = Gate()

    async def forty_behind_a_slow_one() -> None:
        slow = await started(database.write(gate))
        await gate.reached()
        waiting = [await started(events.append(new(1, group_id=f"{n}"))) for n in range(40)]
        gate.open()
        await asyncio.gather(slow, *waiting)

    seen = await statements_while(database, forty_behind_a_slow_one)
    assert sum("INSERT INTO events" in statement for statement in seen) == 4


async def test_a_write_that_fails_leaves_the_others_of_its_batch_alone(
    database: SqliteDatabase, events: SqliteEvents
) -> None:
    def half_done(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM events")
        raise KeyError("half done")

    gate = Gate()
    slow = await started(database.write(gate))
    await gate.reached()
    batch = [
        await started(events.append(new(1))),
        await started(database.write(half_done)),
        await started(database.write(lambda c: c.execute("not SQL"))),
        await started(events.append(new(1, command_id="late"))),
        await started(events.append(new(2))),
    ]
    gate.open()
    outcomes: list[Any] = await asyncio.gather(*batch, return_exceptions=True)
    first, broken, nonsense, late, second = outcomes
    await slow
    assert (first.seq, second.seq) == (1, 2)
    assert isinstance(broken, KeyError)
    assert isinstance(nonsense, StoreUnavailable)
    assert isinstance(nonsense.__cause__, sqlite3.OperationalError)
    assert isinstance(late, SeqTaken)
    assert await seqs(events) == [1, 2]


async def test_a_wrong_statement_of_ours_is_not_taken_for_a_store_that_is_down(
    database: SqliteDatabase,
) -> None:
    with pytest.raises(sqlite3.ProgrammingError):
        await database.write(lambda c: c.execute("SELECT ?"))
    with pytest.raises(sqlite3.ProgrammingError):
        await database.read(lambda c: c.execute("SELECT ?"))


# Failures of the disk


async def limit_pages(database: SqliteDatabase, pages: int) -> None:
    await database.write(lambda c: c.execute(f"PRAGMA max_page_count = {pages}").fetchone())


async def test_a_full_disk_is_said_and_recovered_from(database: SqliteDatabase, events: SqliteEvents) -> None:
    await events.append(new(1))
    await limit_pages(database, await pragma(database, "page_count", writing=True) + 2)
    with pytest.raises(StoreUnavailable) as full:
        await events.append(new(2, added("big", description=BIG)))
    assert "full" in str(full.value.__cause__)
    await limit_pages(database, 1_000_000)
    await events.append(new(2, added("big", description=BIG)))
    assert await seqs(events) == [1, 2]


async def test_a_batch_on_a_full_disk_keeps_what_it_answered(
    database: SqliteDatabase, events: SqliteEvents
) -> None:
    await limit_pages(database, await pragma(database, "page_count", writing=True) + 60)
    outcomes = await asyncio.gather(
        *(events.append(new(1, added("a", description=BIG), group_id=f"{n}")) for n in range(10)),
        return_exceptions=True,
    )
    await limit_pages(database, 1_000_000)
    heads = await events.heads([f"{n}" for n in range(10)])
    assert any(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
    for n, outcome in enumerate(outcomes):
        assert isinstance(outcome, StoreUnavailable) or heads[f"{n}"] == 1


async def test_when_sqlite_gives_up_the_transaction_the_whole_batch_fails(
    database: SqliteDatabase, events: SqliteEvents
) -> None:
    def give_up(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")  # as SQLite does by itself on some errors of the disk
        raise sqlite3.OperationalError("disk I/O error")

    gate = Gate()
    slow = await started(database.write(gate))
    await gate.reached()
    batch = [
        await started(events.append(new(1))),
        await started(database.write(give_up)),
        await started(events.append(new(1, group_id="pune"))),
    ]
    gate.open()
    outcomes = await asyncio.gather(*batch, return_exceptions=True)
    await slow
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 3
    assert await events.heads(["goa", "pune"]) == {}
    await events.append(new(1))


async def test_when_the_commit_fails_all_of_the_batch_are_told(
    database: SqliteDatabase, events: SqliteEvents
) -> None:
    def break_a_promise(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA defer_foreign_keys = ON")
        connection.execute("INSERT INTO document_keys VALUES ('c', 'k', 'v', 'no such document', 0)")

    gate = Gate()
    slow = await started(database.write(gate))
    await gate.reached()
    batch = [await started(events.append(new(1))), await started(database.write(break_a_promise))]
    gate.open()
    outcomes = await asyncio.gather(*batch, return_exceptions=True)
    await slow
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 2
    assert await seqs(events) == []
    await events.append(new(1))


async def test_a_file_that_another_process_keeps_locked_is_unavailable(
    database: SqliteDatabase, events: SqliteEvents, file: Path
) -> None:
    await database.write(lambda c: c.execute("PRAGMA busy_timeout = 50").fetchone())
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable) as locked:
        await events.append(new(1))
    assert "locked" in str(locked.value.__cause__)
    other.execute("ROLLBACK")
    other.close()
    await events.append(new(1))


# Bounds


async def test_a_full_queue_refuses_at_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_database, "WRITES_WAITING_MAX", 3)
    database = SqliteDatabase(file)
    await database.open()
    gate = Gate()
    slow = await started(database.write(gate))
    await gate.reached()
    waiting = [await started(SqliteEvents(database).append(new(seq))) for seq in (1, 2)]
    with pytest.raises(StoreUnavailable, match="too many writes"):
        await SqliteEvents(database).append(new(3))
    gate.open()
    await asyncio.gather(slow, *waiting)
    assert await seqs(SqliteEvents(database)) == [1, 2]
    await database.close()


async def test_too_many_reads_are_refused_at_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_database, "READS_WAITING_MAX", 1)
    database = SqliteDatabase(file)
    await database.open()
    gate = Gate()
    slow = await started(database.read(gate))
    await gate.reached()
    with pytest.raises(StoreUnavailable, match="too many reads"):
        await SqliteEvents(database).ping()
    gate.open()
    await slow
    await asyncio.to_thread(database._readers.shutdown)
    assert database._read_slots.acquire(blocking=False)
    await database.close()


async def test_a_write_that_takes_too_long_has_an_unknown_outcome(
    database: SqliteDatabase, events: SqliteEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    with monkeypatch.context() as impatient:
        impatient.setattr(database, "_write_deadlines", Deadlines(0.02, sqlite_database._too_late))
        with pytest.raises(StoreUnavailable, match="in time"):
            await database.write(gate)
        with pytest.raises(StoreUnavailable, match="in time"):
            await events.append(new(1))
    gate.open()
    # The second had not begun when its caller gave up: nobody waits for it, so it isn't done.
    assert (await events.append(new(1, command_id="again"))).command_id == "again"


async def test_a_read_that_takes_too_long_is_given_up(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_database, "READ_DEADLINE_S", 0.02)
    gate = Gate()
    with pytest.raises(StoreUnavailable, match="in time"):
        await database.read(gate)
    gate.open()


async def test_the_event_loop_goes_on_during_a_long_write(
    database: SqliteDatabase, events: SqliteEvents
) -> None:
    gate = Gate()
    slow = await started(database.write(gate))
    await gate.reached()
    assert await seqs(events) == []  # a read is answered while the write still runs
    assert not slow.done()
    gate.open()
    await slow


async def test_readers_cannot_write(database: SqliteDatabase) -> None:
    with pytest.raises(StoreUnavailable) as refused:
        await database.read(lambda c: c.execute("DELETE FROM events"))
    assert "readonly" in str(refused.value.__cause__)


# Opening and closing


async def test_closing_finishes_what_waits_and_refuses_what_comes(file: Path) -> None:
    database = SqliteDatabase(file)
    await database.open()
    events = SqliteEvents(database)
    gate = Gate()
    slow = await started(database.write(gate))
    await gate.reached()
    waiting = [await started(events.append(new(seq))) for seq in range(1, 301)]
    closing = await started(database.close())
    with pytest.raises(StoreUnavailable, match="closed"):
        await events.append(new(301))
    with pytest.raises(StoreUnavailable, match="closed"):
        await events.ping()
    gate.open()
    await asyncio.gather(slow, closing, *waiting)
    await database.close()
    again = SqliteDatabase(file)
    await again.open()
    assert await SqliteEvents(again).heads(["goa"]) == {"goa": 300}
    await again.close()


def test_closing_before_opening_does_nothing(file: Path) -> None:
    asyncio.run(SqliteDatabase(file).close())
    assert not file.exists()


async def test_closing_does_not_wait_for_ever_for_a_disk_that_hangs(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_database, "CLOSE_DEADLINE_S", 0.02)
    database = SqliteDatabase(file)
    await database.open()
    gate = Gate()
    slow = await started(database.write(gate))
    await gate.reached()
    await database.close()
    assert not slow.done()
    gate.open()
    await slow


def test_a_write_outliving_its_event_loop_harms_nobody(file: Path) -> None:
    database = SqliteDatabase(file)
    gate = Gate()

    async def leave_it_behind() -> None:
        await database.open()
        await started(database.write(gate))
        await gate.reached()

    asyncio.run(leave_it_behind())
    gate.open()
    database._finish()
    assert not database._writer.is_alive()


async def test_the_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "some" / "where" / "persplit.db"
    database = SqliteDatabase(file)
    await database.open()
    await SqliteEvents(database).append(new(1))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert modes == dict.fromkeys([f"persplit.db{end}" for end in ("", "-wal", "-shm", "-mark")], 0o600)
    await database.close()


async def test_the_settings_that_durability_rests_on(database: SqliteDatabase) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    for writing in (True, False):
        values = [await pragma(database, name, writing=writing) for name in names]
        assert values == ["wal", 2, 1, sqlite_database.BUSY_TIMEOUT_MS]
    assert await pragma(database, "query_only", writing=False) == 1
    assert await pragma(database, "user_version", writing=False) == SCHEMA_VERSION


async def test_the_database_of_a_newer_release_is_refused_and_left_alone(file: Path) -> None:
    newer = sqlite3.connect(file)
    newer.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    newer.close()
    with pytest.raises(SchemaMismatch, match=f"schema {SCHEMA_VERSION + 1}"):
        await SqliteDatabase(file).open()
    newer = sqlite3.connect(file)
    assert newer.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    newer.close()


@pytest.mark.parametrize("what", ["a directory", "not a database"])
def test_a_file_that_is_no_database_cannot_be_opened(file: Path, what: str) -> None:
    if what == "a directory":
        file.mkdir()
    else:
        file.write_text("nothing that SQLite knows" * 100)
    with pytest.raises(
        (StoreDamaged, StoreUnavailable), match=r"is damaged: file is not|cannot open .*directory"
    ):
        asyncio.run(SqliteDatabase(file).open())


async def test_the_file_can_be_opened_by_several_at_once(file: Path) -> None:
    databases = [SqliteDatabase(file) for _ in range(8)]
    await asyncio.gather(*(database.open() for database in databases))
    for seq, database in enumerate(databases, start=1):
        await SqliteEvents(database).append(new(seq))
    assert await seqs(SqliteEvents(databases[0])) == list(range(1, 9))
    await asyncio.gather(*(database.close() for database in databases))


async def test_no_query_walks_through_a_table(database: SqliteDatabase, events: SqliteEvents) -> None:
    documents = SqliteDocuments(database, "accounts", ["email"])
    plans: list[str] = []

    def note_plan(connection: sqlite3.Connection, statement: str) -> None:
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE", "INSERT")):
            rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
            plans.extend(row[3] for row in rows)

    async def everything() -> None:
        await events.append(new(1))
        await documents.insert(Document("a", {}, {"email": "e"}))
        await documents.replace(Document("a", {}, {"email": "e"}))
        await documents.delete("a")

    written = await statements_while(database, everything)
    read: list[str] = []

    async def read_traced(work: Any) -> Any:
        def traced(connection: sqlite3.Connection) -> Any:
            connection.set_trace_callback(read.append)
            return work(connection)

        return await database.write(traced)

    database.read = read_traced  # type: ignore[method-assign]
    await events.read("goa", 0, 10)
    await events.read_creations("goa", Noun.EXPENSE, 9, 9)
    await events.find_command("goa", "c")
    await events.latest("goa", Noun.EXPENSE, ["a"])
    await events.heads(["goa"])
    await events.seq_at("goa", "2026")
    await events.groups_of("asha")
    await events.load_snapshot("goa", 1, 9)
    await documents.get(["a"])
    await documents.find("email", "e", 9)

    def explain(connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(None)
        for statement in {*written, *read}:
            note_plan(connection, statement)

    await database.write(explain)
    scans = {plan for plan in plans if plan.startswith("SCAN") and "json_each" not in plan}
    assert scans <= {"SCAN CONSTANT ROW", "SCAN new"}  # the rows that the statement says itself
    assert any("events_membership" in plan for plan in plans)
    assert any("events_creations" in plan for plan in plans)
    assert not any("TEMP B-TREE" in plan for plan in plans)


# Power and processes

APPEND_AND_DIE = """
import asyncio, os, signal, sys
from pathlib import Path
from persplit.adapters.sqlite_appends import ROWS_MAX
from persplit.adapters.sqlite_database import SqliteDatabase
from persplit.adapters.sqlite_events import SqliteEvents
from persplit.adapters.sqlite_schema import SCHEMA_VERSION
from tests.adapters.examples import new

async def main():
    database = SqliteDatabase(Path(sys.argv[1]))
    await database.open()
    events = SqliteEvents(database)
    await asyncio.gather(*(events.append(new(1, group_id=f"{n}")) for n in range(20)))
    await events.append(new(1))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""

APPEND_MANY = """
import asyncio, sys
from pathlib import Path
from persplit.adapters.sqlite_appends import ROWS_MAX
from persplit.adapters.sqlite_database import SqliteDatabase
from persplit.adapters.sqlite_events import SqliteEvents
from persplit.adapters.sqlite_schema import SCHEMA_VERSION
from persplit.service.ports import SeqTaken
from tests.adapters.examples import new

async def main():
    database = SqliteDatabase(Path(sys.argv[1]))
    await database.open()
    events, won, seq = SqliteEvents(database), 0, 1
    while won < 50:
        try:
            await events.append(new(seq, command_id=f"{sys.argv[2]}-{won}"))
            won += 1
        except SeqTaken:
            pass
        seq += 1
    await database.close()

asyncio.run(main())
"""


def python(code: str, *words: str) -> "subprocess.Popen[bytes]":
    """A process of its own that runs the code from the repository's root."""
    root = Path(__file__).parents[2]
    return subprocess.Popen([sys.executable, "-c", code, *words], cwd=root)  # noqa: S603 - our own words


async def test_what_was_acknowledged_is_there_after_the_process_was_killed(file: Path) -> None:
    killed = await asyncio.to_thread(python(APPEND_AND_DIE, str(file)).wait)
    assert killed == -signal.SIGKILL
    database = SqliteDatabase(file)
    await database.open()
    groups = ["goa", *(f"{n}" for n in range(20))]
    assert await SqliteEvents(database).heads(groups) == dict.fromkeys(groups, 1)
    await database.close()


async def test_two_processes_share_the_file_without_gap_or_loss(
    database: SqliteDatabase, events: SqliteEvents, file: Path
) -> None:
    processes = [python(APPEND_MANY, str(file), name) for name in ("one", "other")]
    codes = await asyncio.gather(*(asyncio.to_thread(process.wait) for process in processes))
    assert codes == [0, 0]
    recorded = await events.read("goa", 0, 1_000)
    assert [one.seq for one in recorded] == list(range(1, 101))
    assert len({one.command_id for one in recorded}) == 100


# Against the model

events_of_any_kind: st.SearchStrategy[Event] = st.one_of(
    st.just(founded()),
    st.sampled_from(["asha", "ravi"]).map(joined),
    st.sampled_from(["asha", "ravi"]).map(left),
    st.sampled_from(["a", "b"]).map(added),
    st.builds(changed, st.sampled_from(["a", "b"]), st.integers(1, 9)),
    st.sampled_from(["s", "t"]).map(paid),
)
appends = st.lists(
    st.tuples(
        st.sampled_from(["goa", "pune"]),
        st.integers(-1, 1),
        st.sampled_from([f"command-{n}" for n in range(12)]),
        events_of_any_kind,
    ),
    max_size=15,
)


async def append_all(store: EventStore, wished: Any) -> list[Any]:
    """What comes of appending each at the head, one before it or one behind."""
    outcomes: list[Any] = []
    for second, (group_id, offset, command_id, event) in enumerate(wished):
        seq = max(1, (await store.heads([group_id])).get(group_id, 0) + 1 + offset)
        one = new(
            seq, event, group_id=group_id, command_id=command_id, at=f"2026-11-21T08:00:{second:02d}.000Z"
        )
        try:
            outcomes.append(await store.append(one))
        except CommandKnown as known:
            outcomes.append(("known", known.recorded))
        except (SeqTaken, ValueError) as refusal:
            outcomes.append((type(refusal), str(refusal)))
    return outcomes


async def everything_in(store: EventStore) -> list[Any]:
    found: list[Any] = [await store.heads(["goa", "pune"])]
    for group_id in ("goa", "pune"):
        found.append(list(await store.read(group_id, 0, 100)))
        found.append(await store.seq_at(group_id, "2026-11-21T08:00:07.000Z"))
        for noun in Noun:
            found.append(list(await store.read_creations(group_id, noun, 8, 5)))
            found.append(await store.latest(group_id, noun, ["asha", "ravi", "a", "b", "s", "t", ""]))
    found.extend([list(await store.groups_of(user_id)) for user_id in ("asha", "ravi")])
    return found


@settings(max_examples=40, deadline=None)
@given(appends)
def test_sqlite_and_memory_never_differ(wished: Any) -> None:
    async def compare() -> None:
        with tempfile.TemporaryDirectory() as directory:
            database = SqliteDatabase(Path(directory) / "persplit.db")
            await database.open()
            stores: list[EventStore] = [MemoryEvents(), SqliteEvents(database)]
            model, real = [await append_all(store, wished) for store in stores]
            assert model == real
            model, real = [await everything_in(store) for store in stores]
            assert model == real
            await database.close()

    asyncio.run(compare())


async def test_a_snapshot_is_kept_in_the_file(file: Path) -> None:
    for round_ in (1, 2):
        database = SqliteDatabase(file)
        await database.open()
        events = SqliteEvents(database)
        if round_ == 1:
            await events.save_snapshot(Snapshot("goa", 1, 1, b"state"))
        assert await events.load_snapshot("goa", 1, 1) == Snapshot("goa", 1, 1, b"state")
        await database.close()
    # Closed in order, nothing is left beside it but the mark.
    assert sorted(file.parent.iterdir()) == [file, file.with_name(f"{file.name}-mark")]


# --- looking through it


async def closed(file: Path) -> None:
    """Make the file, with an event in it, and close it in order."""
    database = SqliteDatabase(file)
    await database.open()
    await SqliteEvents(database).append(new(1))
    await database.close()


async def opened_and_closed(file: Path) -> None:
    database = SqliteDatabase(file)
    await database.open()
    await database.close()


@pytest.fixture
def looked_through(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were looked through while they were opened."""
    looked: list[Path] = []
    look = sqlite_database._look_through

    def noted(connection: sqlite3.Connection) -> None:
        looked.append(Path(connection.execute("PRAGMA database_list").fetchone()[2]))
        look(connection)

    monkeypatch.setattr(sqlite_database, "_look_through", noted)
    return looked


async def test_a_file_is_not_looked_through_again_while_it_is_as_it_was_left(
    file: Path, looked_through: list[Path]
) -> None:
    await closed(file)
    await opened_and_closed(file)
    await opened_and_closed(file)
    assert looked_through == [file]


def overwritten(file: Path) -> None:
    """In place, its size being that of before."""
    file.write_bytes(file.read_bytes())


def put_back(file: Path) -> None:
    """A copy is in its place, with its size and times."""
    shutil.copy2(file, file.with_name("copy"))
    file.with_name("copy").replace(file)


def written_to(file: Path) -> None:
    """By another program, which isn't a server."""
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE of_another (id)")
    connection.close()


def left_with_a_log(file: Path) -> None:
    """As whoever was killed leaves it."""
    file.with_name(f"{file.name}-wal").touch()


@pytest.mark.parametrize("change", [overwritten, put_back, written_to, left_with_a_log])
async def test_a_file_that_is_not_as_it_was_left_is_looked_through(
    file: Path, looked_through: list[Path], change: Callable[[Path], None]
) -> None:
    await closed(file)
    change(file)
    await opened_and_closed(file)
    assert looked_through == [file, file]


def tear_the_events(file: Path) -> None:
    """The first page of the table holds nothing of SQLite's."""
    connection = sqlite3.connect(file)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'events'").fetchone()
    connection.close()
    with file.open("r+b") as opened:
        opened.seek((page - 1) * PAGE_BYTES)
        opened.write(b"\xff" * PAGE_BYTES)


async def test_a_file_whose_damage_has_shown_is_looked_through(file: Path) -> None:
    await closed(file)
    database = SqliteDatabase(file)
    await database.open()
    tear_the_events(file)
    with pytest.raises(StoreUnavailable):
        await SqliteEvents(database).read("goa", 0, 10)
    await database.close()
    assert not Mark(file).is_as_left()
    with pytest.raises(StoreDamaged):
        await SqliteDatabase(file).open()


async def test_a_file_that_was_not_closed_is_looked_through(file: Path, looked_through: list[Path]) -> None:
    await closed(file)
    killed = SqliteDatabase(file)
    await killed.open()
    shutil.copytree(file.parent, file.parent.with_name("left"))
    await killed.close()
    left = file.parent.with_name("left") / file.name
    assert not Mark(left).is_as_left()
    await opened_and_closed(left)
    assert looked_through == [file, left]


async def test_a_run_whose_beginning_is_known_leaves_no_hole(events: SqliteEvents) -> None:
    await events.append(new(1, command_id="first"))
    await events.append(new(2, command_id="second"))
    assert list(await events.append_run([new(3, command_id="first"), new(4, command_id="fourth")])) == []
    assert await seqs(events) == [1, 2]
    run = await events.append_run([new(3, command_id="third"), new(4, command_id="fourth")])
    assert [recorded.seq for recorded in run] == [3, 4]
    assert await seqs(events) == [1, 2, 3, 4]


@pytest.mark.parametrize("rows_max", [3, 5])
async def test_more_events_than_go_into_one_statement_are_appended_one_by_one(
    database: SqliteDatabase, events: SqliteEvents, monkeypatch: pytest.MonkeyPatch, rows_max: int
) -> None:
    monkeypatch.setattr(sqlite_database, "ROWS_MAX", rows_max)
    seen = await statements_while(
        database, lambda: events.append_run([new(seq, command_id=f"{seq}") for seq in range(1, 6)])
    )
    assert sum("INSERT INTO events" in statement for statement in seen) == (5 if rows_max < 5 else 1)
    assert await seqs(events) == [1, 2, 3, 4, 5]


async def test_as_many_events_as_may_go_into_one_statement_do(
    database: SqliteDatabase, events: SqliteEvents
) -> None:
    run = [new(seq, command_id=f"{seq}") for seq in range(1, ROWS_MAX + 1)]
    seen = await statements_while(database, lambda: events.append_run(run))
    assert sum("INSERT INTO events" in statement for statement in seen) == 1
    assert (await events.heads(["goa"]))["goa"] == ROWS_MAX
