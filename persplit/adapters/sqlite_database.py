"""One SQLite file: one thread writes, a few read, the event loop does neither.

A bounded number of writes waits. The writer takes all that wait, runs them in one transaction, commits once (one
fsync for the batch) and only then resolves their futures: a busy moment costs hardly more fsyncs than a quiet one, and
an answer always means durable. `synchronous=FULL` is what makes that true over a power cut; NORMAL would be three
times as fast and lose the last commits. A batch of nothing but events, as most are, is one statement; else each write
has a savepoint of its own.

Several processes may have the file open: `BEGIN IMMEDIATE` and `busy_timeout` take turns, unique keys decide.
"""

import asyncio
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeAlias, TypeVar

from persplit.adapters.deadlines import Deadlines
from persplit.adapters.sqlite_appends import ROWS_MAX, EventRow, append_all, is_chained
from persplit.adapters.sqlite_mark import Mark, marked_as
from persplit.adapters.sqlite_schema import STEPS, Step, check_version, migrate
from persplit.service.errors import StoreDamaged, StoreUnavailable
from persplit.service.metrics import STORE_BATCH_WRITES, STORE_COMMIT_SECONDS, STORE_WRITES_WAITING
from persplit.service.store_faults import note_fault

WRITES_WAITING_MAX: Final = 4_096
"""About a second's work on a slow disk: who comes later is told at once instead of waiting in vain."""
BATCH_MAX: Final = 256
"""Writes to a commit: enough to make the fsync cheap, few enough that the first of them doesn't wait long."""
WRITE_DEADLINE_S: Final = 8.0
"""Longest wait for a write, well under a socket's ping timeout."""
READERS: Final = 4
"""Threads that read. Reads are short and mostly from memory; more threads would only wait for each other."""
READS_WAITING_MAX: Final = 1_024
"""Reads waiting or running. Each holds one request in memory."""
READ_DEADLINE_S: Final = 5.0
"""Longest wait for a read: a writer may need its answer before it can even begin."""
BUSY_TIMEOUT_MS: Final = 3_000
"""How long to wait while another process writes: less than the deadlines, so that the answer says why."""
_WAL_RETRY_S: Final = 0.01
"""Between looks at whether whoever else opens a new file is done: they take a few milliseconds, and only once."""
WAL_BYTES_MAX: Final = 64 * 1024 * 1024
"""What the write-ahead log is cut down to after it has grown."""
FAULTS_MAX: Final = 20
"""Faults of the file that are told one by one: one torn page may be hundreds."""
CHECKED_BYTES_MAX: Final = 64 * 1024 * 1024
"""Up to this size a file is checked whole when it is opened, indexes against tables: half a second's work."""
LOOKED_THROUGH_BYTES_MAX: Final = 512 * 1024 * 1024
"""Up to this size each of its pages is looked at, which is as much work; not of one that was closed as it should be, and
is as it was left. Of a larger one a damaged page shows when
it is read."""
CLOSE_DEADLINE_S: Final = 10.0
"""Longest wait for the queued writes when closing: a batch takes milliseconds unless the disk hangs."""

_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_T = TypeVar("_T")
Work: TypeAlias = Callable[[sqlite3.Connection], _T]
"""What to do with a connection, on a thread of the database's."""


class Damaged(sqlite3.DatabaseError):
    """What was read can't be what was written."""


class FileGone(sqlite3.OperationalError):
    """The file that is open isn't the one at its path any more: what is written to it ends with this process."""


@dataclass(frozen=True, slots=True)
class _Write:
    """A write that waits, and who waits for it. Where it appends events and no more, `rows` are those.

    `result` is what comes of it if all of them are new.
    """

    work: Work[Any]
    future: asyncio.Future[Any]
    rows: Sequence[EventRow] = ()
    result: Any = None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a write. If `error` is set, nothing of it was written or whether it was is unknown."""

    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None


class SqliteDatabase:
    """The file at `path`. `open` before use, on the event loop that will use it; `close` at the end."""

    def __init__(
        self,
        path: Path,
        *,
        migrates: bool = True,
        accepts_loss: bool = False,
        steps: Sequence[Step] | None = None,
    ) -> None:
        """Two ways to open it: to serve from it, or (`migrates` off) beside who does.

        `migrates`: `open` makes a missing file, brings an older one up to the last of the `steps`, and refuses one
        that is damaged or has lost events. `accepts_loss`: not for lost events, to go on from what is there.
        """
        self._path = path
        self._migrates = migrates
        self._accepts_loss = accepts_loss
        self._steps = STEPS if steps is None else steps
        self._mark = Mark(path)
        self._files: dict[str, tuple[int, int]] = {}
        self._is_open = False
        self._waiting = 0
        self._gathered: list[_Write] = []
        self._queue: SimpleQueue[list[_Write] | None] = SimpleQueue()
        self._taken: deque[_Write] = deque()
        self._is_last = False
        self._read_slots = threading.BoundedSemaphore(READS_WAITING_MAX)
        self._here = threading.local()
        self._read_connections: list[sqlite3.Connection] = []

    async def open(self) -> None:
        """Open the file, making it (mode 0600), its directory and its tables where they are missing.

        Raises:
            SchemaMismatch: a newer release has written the file; or an older one, which may not be changed now.
            StoreDamaged: it is damaged, or has lost events that were acknowledged.
            StoreUnavailable: it can't be opened, or another process keeps it locked.

        """
        self._loop = asyncio.get_running_loop()
        self._write_deadlines = Deadlines(WRITE_DEADLINE_S, _too_late)
        self._writing = await asyncio.to_thread(self._open_for_writing)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        # A daemon, so that a process that fails before `close` can end.
        self._writer = threading.Thread(target=self._write_batches, name="sqlite-writer", daemon=True)
        self._writer.start()
        self._is_open = True

    async def close(self) -> None:
        """Refuse new work, finish the writes that wait, close the file. Without effect if it isn't open."""
        if not self._is_open:
            return
        self._is_open = False
        self._hand_over()
        await asyncio.to_thread(self._finish)
        self._write_deadlines.close()

    async def write(self, work: Work[_T]) -> _T:
        """The result of `work`, run in a transaction of the writer's, once that is durable.

        What `work` raises is raised here, and nothing of it stays written.

        Raises:
            StoreUnavailable: the queue is full (nothing was written), the disk refused, or the deadline
                passed: then the outcome is unknown.

        """
        future: asyncio.Future[_T] = self._future()
        self._gather(_Write(work, future))
        return await future

    async def append(self, rows: Sequence[EventRow], result: _T, work: Work[_T]) -> _T:
        """Append the events, durably: `result`, or if one isn't new or doesn't fit, what comes of `work`. As `write`.

        `work` does the same by itself, or finds out why it can't be done.
        """
        future: asyncio.Future[_T] = self._future()
        self._gather(_Write(work, future, rows, result))
        return await future

    def _future(self) -> "asyncio.Future[Any]":
        self._require_open()
        return self._loop.create_future()

    def _gather(self, write: _Write) -> None:
        """Let the write wait with all others of this turn of the loop: the writer is woken once for them."""
        if self._waiting >= WRITES_WAITING_MAX:
            note_fault("queue_full", "too many writes are waiting")
            raise StoreUnavailable("too many writes are waiting")
        self._waiting += 1
        self._write_deadlines.watch(write.future)
        if not self._gathered:
            self._loop.call_soon(self._hand_over)
        self._gathered.append(write)

    def _hand_over(self) -> None:
        if self._gathered:
            self._queue.put(self._gathered)
            self._gathered = []

    def _resolve(self, outcomes: list[_Outcome]) -> None:
        """Tell everybody who still waits."""
        self._waiting -= len(outcomes)
        STORE_WRITES_WAITING.set(self._waiting)
        for outcome in outcomes:
            self._note_damage(outcome.error)
            if outcome.future.done():
                continue
            if outcome.error is None:
                outcome.future.set_result(outcome.result)
            else:
                outcome.future.set_exception(outcome.error)

    async def read(self, work: Work[_T]) -> _T:
        """The result of `work`, run on a connection that can't write.

        Raises:
            StoreUnavailable: too many reads wait, the file can't be read, or the deadline passed.

        """
        self._require_open()
        if not self._read_slots.acquire(blocking=False):
            note_fault("queue_full", "too many reads are waiting")
            raise StoreUnavailable("too many reads are waiting")
        reading: Future[_T] = self._readers.submit(self._read, work)
        reading.add_done_callback(lambda _: self._read_slots.release())
        return await _within(READ_DEADLINE_S, asyncio.wrap_future(reading))

    async def inspect(self) -> list[str]:
        """What is wrong with the file itself: all pages, all indexes, all references. Takes as long as it takes."""
        return await asyncio.to_thread(_inspected, self._path)

    def _require_open(self) -> None:
        if not self._is_open:
            raise StoreUnavailable("the database is closed")

    # On threads of ours from here on.

    def _open_for_writing(self) -> sqlite3.Connection:
        try:
            if self._migrates:
                self._refuse_absence()
                self._path.parent.mkdir(parents=True, exist_ok=True)
            # SQLite gives its -wal and -shm files the mode of this one.
            create = os.O_CREAT if self._migrates else 0
            os.close(os.open(self._path, create | os.O_RDWR, 0o600))
            is_as_left = self._mark.is_as_left()
            connection = connect(self._path)
            try:
                if self._migrates:
                    if not is_as_left:
                        _look_through(connection)
                    migrate(connection, self._steps)
                    if not self._has_lost(connection):
                        self._mark.open(connection)
                else:
                    check_version(connection, self._steps)
            except BaseException:
                connection.close()
                raise
            names = (str(self._path), f"{self._path}-wal")
            self._files = {name: _identity(name) for name in names}
        except (OSError, sqlite3.Error) as error:
            if _kind_of(error) == "corrupt" and self._migrates:
                raise StoreDamaged(f"{self._path} is damaged: {error}. {_SEE}") from error
            raise _unavailable(error, f"cannot open {self._path}: {error}") from error
        return connection

    def _refuse_absence(self) -> None:
        if self._mark.names_an_event and not self._accepts_loss and not self._path.exists():
            raise StoreDamaged(f"{self._path} is gone, and there were events in it. {_SEE}")

    def _has_lost(self, connection: sqlite3.Connection) -> bool:
        """Whether events are missing, where that is accepted: until `sqlite_mark.forget` the mark stays as it is."""
        lost = self._mark.lost(connection)
        if lost is not None and not self._accepts_loss:
            raise StoreDamaged(
                f"{self._path} has lost events that were acknowledged: event {lost[1]} of group {lost[0]}, and perhaps "
                f"others before it. Its disk lost them, or an older copy was put in its place. {_SEE}"
            )
        return lost is not None

    def _write_batches(self) -> None:
        """The writer's life."""
        while batch := self._next_batch():
            outcomes = self._run_batch(batch)
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._resolve, outcomes)

    def _next_batch(self) -> list[_Write]:
        """The writes that wait, oldest first: at least one and at most BATCH_MAX, or none at the end."""
        taken = self._taken
        with suppress(Empty):
            while len(taken) < BATCH_MAX and not self._is_last:
                more = self._queue.get(block=not taken)
                self._is_last = more is None
                taken.extend(more or ())
        return [taken.popleft() for _ in range(min(BATCH_MAX, len(taken)))]

    def _read(self, work: Work[_T]) -> _T:
        try:
            connection: sqlite3.Connection | None = getattr(self._here, "connection", None)
            if connection is None:
                connection = self._here.connection = connect(self._path)
                connection.execute("PRAGMA query_only = ON")
                self._refuse_other_files()
                self._read_connections.append(connection)
            return work(connection)
        except sqlite3.Error as error:
            if (translation := translated(error)) is error:
                raise
            self._note_damage(translation)
            raise translation from error

    def _note_damage(self, error: Exception | None) -> None:
        if isinstance(error, StoreUnavailable) and error.is_damaged:
            self._mark.distrust()

    def _finish(self) -> None:
        self._queue.put(None)
        self._writer.join(CLOSE_DEADLINE_S)  # while the disk hangs the daemon thread is left to it
        self._readers.shutdown(cancel_futures=True)
        for connection in self._read_connections:
            connection.close()
        if not self._writer.is_alive():
            self._writing.close()
            self._mark.close()

    def _refuse_other_files(self) -> None:
        """SQLite goes on with a file that was removed, and would make a new one for the next connection."""
        for name, opened in self._files.items():
            if _identity(name) != opened:
                raise FileGone(f"{Path(name).name} isn't the file that was opened")

    def _run_batch(self, batch: list[_Write]) -> list[_Outcome]:
        """Run all in one transaction. If that can't begin, breaks or can't be committed, all fail alike."""
        connection, started = self._writing, time.perf_counter()
        try:
            _roll_back(connection)  # in case the batch before could not
            self._refuse_other_files()
            outcomes = self._appended(batch) or self._transacted(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait hear of it and the writer lives on
            with suppress(sqlite3.Error):
                _roll_back(connection)
            note_fault(_kind_of(error), error)
            return [_Outcome(write.future, error=_unavailable(error)) for write in batch]
        STORE_BATCH_WRITES.observe(len(batch))
        STORE_COMMIT_SECONDS.observe(time.perf_counter() - started)
        return outcomes

    def _appended(self, batch: list[_Write]) -> list[_Outcome] | None:
        """Append a batch of nothing but events; None where there is more to do. What was done then is recognised."""
        if any(not write.rows or write.future.done() for write in batch):
            return None
        rows = [row for write in batch for row in write.rows]
        if len(rows) > ROWS_MAX:
            return None
        if not (self._chained if is_chained(rows) else append_all)(self._writing, rows):
            return None
        last = rows[-1]
        self._mark.after_commit(marked_as(last.group_id, last.seq, last.command_id))
        return [_Outcome(write.future, write.result) for write in batch]

    @staticmethod
    def _chained(connection: sqlite3.Connection, rows: Sequence[EventRow]) -> bool:
        """As `append_all` where events follow each other: all or none, or the first could be missing."""
        connection.execute("BEGIN IMMEDIATE")
        are_new = append_all(connection, rows)
        connection.execute("COMMIT" if are_new else "ROLLBACK")
        return are_new

    def _transacted(self, batch: list[_Write]) -> list[_Outcome]:
        """Do each by itself. For those who have given up waiting nothing is done."""
        connection = self._writing
        connection.execute("BEGIN IMMEDIATE")
        outcomes = [
            _Outcome(write.future) if write.future.done() else _run_one(connection, write) for write in batch
        ]
        last = self._mark.before_commit(connection)
        connection.execute("COMMIT")
        self._mark.after_commit(last)
        return outcomes


def _inspected(path: Path) -> list[str]:
    try:
        with closing(connect(path)) as connection:
            connection.execute("PRAGMA query_only = ON")
            said = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({FAULTS_MAX})")]
            loose = connection.execute("PRAGMA foreign_key_check").fetchmany(FAULTS_MAX)
    except sqlite3.Error as error:
        return [f"{path.name}: {error}"]
    faults = [f"{path.name}: {' '.join(text.split())}" for text in said if text != "ok"]
    return faults + [
        f"{path.name}: a row of {table} refers to none of {parent}" for table, _, parent, _ in loose
    ]


def translated(error: Exception) -> Exception:
    """What an error means to the caller whose work raised it; the only place that knows SQLite's.

    A statement of ours that is wrong stays what it is, as does what isn't SQLite's: no retry would help.
    """
    ours = sqlite3.ProgrammingError | sqlite3.InterfaceError | sqlite3.IntegrityError
    if isinstance(error, sqlite3.Error) and not isinstance(error, ours):
        note_fault(_kind_of(error), error)
        return _unavailable(error)
    return error


_KINDS: Final = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_IOERR: "io",
    sqlite3.SQLITE_CORRUPT: "corrupt",
    sqlite3.SQLITE_NOTADB: "corrupt",
    sqlite3.SQLITE_READONLY: "readonly",
    sqlite3.SQLITE_PERM: "readonly",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_CANTOPEN: "cannot_open",
}
_SEE: Final = "OPERATIONS.md, 'The database is damaged or has lost events', says what to do."


def _kind_of(error: Exception) -> str:
    match error:
        case Damaged():
            return "corrupt"
        case FileGone():
            return "gone"
        case sqlite3.Error():
            # The extended codes have more above the lowest byte.
            return _KINDS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "other")
        case OSError():
            return "cannot_open"
        case _:
            return "other"


def _unavailable(cause: Exception, detail: str = "the database did not answer") -> StoreUnavailable:
    """A fresh error for each who waits: sharing one would mix up their tracebacks."""
    code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_OK)
    is_damage = code & 0xFF in _DAMAGE or code == sqlite3.SQLITE_IOERR_SHORT_READ
    unavailable = StoreUnavailable(detail, is_damaged=is_damage)
    unavailable.__cause__ = cause
    return unavailable


async def _within(seconds: float, future: asyncio.Future[_T]) -> _T:
    """The future's result. At the deadline it is cancelled: a read that hasn't begun by then is skipped."""
    try:
        async with asyncio.timeout(seconds):
            return await future
    except TimeoutError:
        raise _too_late() from None


def _too_late() -> StoreUnavailable:
    """For who has waited too long. A write that hasn't begun by then is skipped."""
    note_fault("timeout", "the database did not answer in time")
    return StoreUnavailable("the database did not answer in time")


def connect(path: Path) -> sqlite3.Connection:
    """A connection that never begins a transaction by itself, with all settings that matter stated."""
    # It never makes the file: one that was removed must not come back empty.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, isolation_level=None, check_same_thread=False, uri=True)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: without it an fsync stops at the drive's cache
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # what is erased is gone from the file, too
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_MAX}")
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turn a new file to WAL. SQLite refuses that at once, whatever its timeout, while another process writes to it."""
    until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_WAL_RETRY_S)
        else:
            return


def _identity(name: str) -> tuple[int, int]:
    """Which file has the name; zeros where none has. Asked before each commit, so without pathlib's detours."""
    try:
        found = os.stat(name)  # noqa: PTH116 - as above
    except FileNotFoundError:
        return (0, 0)
    return found.st_dev, found.st_ino


def _look_through(connection: sqlite3.Connection) -> None:
    """Read every page of a file that isn't too large. Raises `Damaged`, or what SQLite does."""
    (pages,), (page_bytes,) = (
        connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size")
    )
    if pages * page_bytes > LOOKED_THROUGH_BYTES_MAX:
        return
    check = "integrity_check" if pages * page_bytes <= CHECKED_BYTES_MAX else "quick_check"
    (found,) = connection.execute(f"PRAGMA {check}(1)").fetchone()
    if found != "ok":
        raise Damaged(found.partition("\n")[2] or found)


def _run_one(connection: sqlite3.Connection, write: _Write) -> _Outcome:
    """Run one write under a savepoint, so that its failure leaves the others of the batch alone.

    Raises:
        sqlite3.Error: SQLite gave up the whole transaction, as it may when the disk is full or fails.

    """
    connection.execute("SAVEPOINT one")
    try:
        outcome = _Outcome(write.future, result=write.work(connection))
    except Exception as error:  # it belongs to the one who waits for it
        if not connection.in_transaction:
            raise sqlite3.OperationalError("the transaction was given up") from error
        connection.execute("ROLLBACK TO one")
        outcome = _Outcome(write.future, error=translated(error))
    connection.execute("RELEASE one")
    return outcome


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
