"""A mark beside the database: the last event that was acknowledged, so that its loss is noticed.

SQLite takes a write-ahead log that was cut short, or is gone, for one that ends there, and an empty file for a new
database: it would serve a shortened ledger without a word, and give out again numbers that clients know otherwise.
The mark is written after each commit, so it never names an event that wasn't durable, and it isn't synced: that
costs a few microseconds, and a power cut can only make it older, which is no harm. When the database is opened it must
have the event that the mark names; a log loses its end first, so then it has all that came before, too.

The mark also says in which state the file was left when it was closed. As long as it is in that state, nothing was
written to it since, and whoever opens it need not look through all of it again.
"""

import hashlib
import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

import orjson
import structlog

MARK_BYTES: Final = 512
"""One sector: written whole or not at all."""
_LAST: Final = "SELECT group_id, seq, command_id FROM events WHERE rowid = (SELECT max(rowid) FROM events)"
_NAMED: Final = "SELECT command_id FROM events WHERE group_id = ? AND seq = ?"
_ERASED: Final = "SELECT 1 FROM erased_groups WHERE group_id = ?"

Marked: TypeAlias = tuple[str, int, str]
"""Group, seq, and a hash of the command id."""

_log = structlog.get_logger(__name__)


def forget(database: Path) -> None:
    """Take what is in the database from now on for all that there was: its loss was accepted, and dealt with."""
    _path_of(database).unlink(missing_ok=True)


def _path_of(database: Path) -> Path:
    return database.with_name(f"{database.name}-mark")


class Mark:
    """The mark of the database at `database`, in a file whose name ends in `-mark`."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = _path_of(database)
        self._file: int | None = None
        self._left: str | None = None
        self._is_trusted = True
        self._marked = self._read()

    def lost(self, connection: sqlite3.Connection) -> Marked | None:
        """The event that is marked and isn't in the database; None if all is well.

        One whose group was erased isn't missed: another process may have erased it, with no hand on our mark.
        """
        if self._marked is None or _has(connection, self._marked):
            return None
        is_erased = connection.execute(_ERASED, self._marked[:1]).fetchone() is not None
        return None if is_erased else self._marked

    @property
    def names_an_event(self) -> bool:
        """Whether there must be a database."""
        return self._marked is not None

    def is_as_left(self) -> bool:
        """Whether the file is the very one that was closed last, and nobody has written to it since.

        To be asked before it is opened. Not after a crash, nor of a copy or what was put back from one.
        """
        return self._left is not None and self._left == _state_of(self._database)

    def open(self, connection: sqlite3.Connection) -> None:
        """Begin to keep the mark, from what the database has now."""
        # A disk that can't be written to must not keep anybody from reading; the mark then stays as it is.
        with suppress(OSError):
            self._file = os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600)
        # Whatever happens to us from now on, it wasn't closed.
        self._left = None
        self._write(self.before_commit(connection))

    def distrust(self) -> None:
        """Damage has shown: whoever opens the file next is to look through it."""
        self._is_trusted = False

    def close(self) -> None:
        """Let go of the file, after the last connection to the database was closed."""
        if self._file is not None:
            with suppress(OSError):
                # The system's own times may be 4 ms coarse: no later write has this one.
                os.utime(self._database, ns=(time.time_ns(), time.time_ns()))
                self._left = _state_of(self._database) if self._is_trusted else None
            self._write(self._marked)
            os.close(self._file)
            self._file = None

    def before_commit(self, connection: sqlite3.Connection) -> Marked | None:
        """In a transaction, before its commit: the event to mark after it.

        If the transaction erases the event that is marked, the mark is taken back first: it must not outlive it.
        """
        row = connection.execute(_LAST).fetchone()
        last = None if row is None else marked_as(*row)
        if last != self._marked and self._marked is not None and not _has(connection, self._marked):
            self._write(None)
        return last

    def after_commit(self, last: Marked | None) -> None:
        """The event is durable."""
        if last != self._marked:
            self._write(last)

    def _write(self, marked: Marked | None) -> None:
        line = orjson.dumps({"event": marked, "left": self._left}, option=orjson.OPT_APPEND_NEWLINE).rjust(
            MARK_BYTES
        )
        if self._file is None or len(line) > MARK_BYTES:
            return
        with suppress(OSError):
            if hasattr(os, "pwrite"):
                os.pwrite(self._file, line, 0)
            else:  # Windows
                os.lseek(self._file, 0, os.SEEK_SET)
                os.write(self._file, line)
            self._marked = marked

    def _read(self) -> Marked | None:
        try:
            written = self._path.read_bytes()
            said = orjson.loads(written) if written else {"event": None}
            marked, self._left = said["event"], said.get("left")
            return None if marked is None else (str(marked[0]), int(marked[1]), str(marked[2]))
        except FileNotFoundError:
            return None
        except (OSError, LookupError, TypeError, ValueError) as error:
            _log.warning("mark_not_readable", error=repr(error))
            return None


def _state_of(database: Path) -> str | None:
    """What the system notes of the file: another after each write; None while its log is there, or without it."""
    try:
        found = database.stat()
    except OSError:
        return None
    if database.with_name(f"{database.name}-wal").exists():
        return None
    return f"{found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"


def marked_as(group_id: str, seq: int, command_id: str) -> Marked:
    """How the event is marked."""
    return group_id, seq, _hash(command_id)


def _has(connection: sqlite3.Connection, marked: Marked) -> bool:
    found = connection.execute(_NAMED, marked[:2]).fetchone()
    return found is not None and _hash(found[0]) == marked[2]


def _hash(command_id: str) -> str:
    return hashlib.sha256(command_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
