"""The replica: one SQLite file that holds all that a device knows. Blocking; used from one thread.

What is in it is consistent after `kill -9` at any moment: whatever belongs together is written in one transaction,
and a commit is on the disk before it counts (WAL, `synchronous=FULL`). Several processes may share the file: a
writing transaction takes the write lock before it reads.

    account   who is signed in, and the tokens; so the file is readable by its owner only
    groups    per group the epoch, the seq and the folded state, as `ledger.snapshot` writes it
    events    the server's events that came as such; those before a snapshot are fetched when they are asked for
    things    the present version of every expense and settlement; `rank` has the order of creation
    comments  those of the events that are here, in their present version
    people    names and UPI ids as the server told them last
    outbox    commands that wait, oldest first, and those that were refused
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from persplit.client.errors import Json, ReplicaError
from persplit.client.outbox import Queued, Status, error_from_json
from persplit.client.rebasing import Thing
from persplit.ledger import codec
from persplit.ledger.comment import Comment
from persplit.ledger.events import CommentAdded, CommentDeleted, Noun, RecordedEvent
from persplit.ledger.expense import Expense
from persplit.ledger.snapshot import STATE_VERSION, state_from_json, state_to_json
from persplit.ledger.state import GroupState

SCHEMA_VERSION: Final = 2
BUSY_TIMEOUT_SECONDS: Final = 10.0
"""How long to wait for another process that writes; a transaction takes milliseconds."""
_OWNER_ONLY: Final = 0o600

_COMMENTS: Final = """
CREATE TABLE comments (
    group_id TEXT, expense_id TEXT, id TEXT, seq INTEGER NOT NULL, comment TEXT NOT NULL,
    PRIMARY KEY (group_id, expense_id, id)
) WITHOUT ROWID;
"""
"""What a file of version 1 lacks; its events have no comments."""
_SCHEMA: Final = f"""{_COMMENTS}
CREATE TABLE account (id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL);
CREATE TABLE groups (
    id TEXT PRIMARY KEY, epoch TEXT, seq INTEGER NOT NULL, state TEXT NOT NULL, state_version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE events (
    group_id TEXT, seq INTEGER, event TEXT NOT NULL, PRIMARY KEY (group_id, seq)
) WITHOUT ROWID;
CREATE TABLE things (
    group_id TEXT, noun TEXT, id TEXT, rank INTEGER NOT NULL, thing TEXT NOT NULL, PRIMARY KEY (group_id, noun, id)
) WITHOUT ROWID;
CREATE INDEX things_by_rank ON things (group_id, noun, rank);
CREATE TABLE people (
    group_id TEXT, user_id TEXT, name TEXT, payee TEXT, PRIMARY KEY (group_id, user_id)
) WITHOUT ROWID;
CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT, command_id TEXT NOT NULL UNIQUE, group_id TEXT NOT NULL,
    type TEXT NOT NULL, fields TEXT NOT NULL, at TEXT NOT NULL, status TEXT NOT NULL,
    was_sent INTEGER NOT NULL, acked_seq INTEGER, error TEXT
);
CREATE INDEX outbox_by_group ON outbox (group_id, position);
"""

_QUEUED: Final = "position, command_id, group_id, type, fields, at, status, was_sent, acked_seq, error"


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a group is held: `seq` 0 and no epoch where nothing is."""

    seq: int = 0
    epoch: str | None = None


class Replica:
    """The file. Every method but `writing`, `reading` and `close` has to be called inside one of these two."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it.

        Raises:
            ReplicaError: it can't be opened, isn't ours, or is of a newer version.

        """
        self.path = path
        with _explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            _keep_private(path)
            self._database = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_SECONDS)
        try:
            with _explained():
                self._prepare()
        except ReplicaError:
            self._database.close()
            raise

    def _prepare(self) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
            self._database.execute(f"PRAGMA {pragma}")
        with self.writing():
            (version,) = self._row("PRAGMA user_version")
            if version > SCHEMA_VERSION:
                raise ReplicaError(f"a newer client made this file (version {version}): update this one")
            if version < SCHEMA_VERSION:
                for statement in (_SCHEMA if version == 0 else _COMMENTS).split(";"):
                    self._database.execute(statement)
                self._database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        self._data_version = self._row("PRAGMA data_version")

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    # --- transactions

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All of the block is stored, or nothing.

        Raises:
            ReplicaError: the disk is full, the file is read-only or damaged: nothing of the block was stored.

        """
        with self._transaction("BEGIN IMMEDIATE"):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """All reads of the block see the same moment. Raises `ReplicaError`."""
        with self._transaction("BEGIN"):
            yield

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        with _explained():
            self._database.execute(begin)
            try:
                yield
                self._database.execute("COMMIT")
            finally:
                # A full disk ends the transaction by itself; anything else that went wrong leaves it open.
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")

    def was_changed_elsewhere(self) -> bool:
        """Whether another process has written since this was last asked."""
        before, self._data_version = self._data_version, self._row("PRAGMA data_version")
        return bool(before != self._data_version)

    def _row(self, query: str, *values: Any) -> Any:
        return self._database.execute(query, values).fetchone()

    # --- the account

    def account(self) -> Json | None:
        """What `set_account` was given last."""
        row = self._row("SELECT body FROM account")
        return None if row is None else _object(row[0])

    def set_account(self, account: Json) -> None:
        """Keep who is signed in."""
        self._database.execute("INSERT OR REPLACE INTO account VALUES (1, ?)", (_text(account),))

    def clear(self) -> None:
        """Forget everything, the account included."""
        for table in ("account", "groups", "events", "things", "people", "outbox"):
            self._database.execute(f"DELETE FROM {table}")  # noqa: S608 - our own words

    # --- groups

    def positions(self) -> dict[str, Position]:
        """Up to where each group is held, by id."""
        rows = self._database.execute("SELECT id, seq, epoch FROM groups ORDER BY id")
        return {row[0]: Position(row[1], row[2]) for row in rows}

    def position(self, group_id: str) -> Position:
        """Up to where the group is held."""
        row = self._row("SELECT seq, epoch FROM groups WHERE id = ?", group_id)
        return Position() if row is None else Position(*row)

    def state(self, group_id: str) -> GroupState | None:
        """The server's state of the group at `position`."""
        row = self._row("SELECT state FROM groups WHERE id = ?", group_id)
        return None if row is None else state_from_json(_object(row[0]))

    def save_state(self, state: GroupState, epoch: str | None) -> None:
        """Keep the group's state."""
        self._database.execute(
            "INSERT OR REPLACE INTO groups VALUES (?, ?, ?, ?, ?)",
            (state.group_id, epoch, state.seq, _text(state_to_json(state)), STATE_VERSION),
        )

    def outdated(self) -> list[str]:
        """Groups whose state was folded by other rules than ours."""
        rows = self._database.execute("SELECT id FROM groups WHERE state_version != ?", (STATE_VERSION,))
        return [row[0] for row in rows]

    def drop_group(self, group_id: str) -> None:
        """Forget what is held of the group, all but its commands in the outbox."""
        self._database.execute("DELETE FROM groups WHERE id = ?", (group_id,))
        for table in ("events", "things", "comments", "people"):
            self._database.execute(f"DELETE FROM {table} WHERE group_id = ?", (group_id,))  # noqa: S608 - as above

    # --- events

    def add_events(self, events: Iterable[RecordedEvent]) -> None:
        """Keep the server's events; those that are held already stay as they are."""
        events = list(events)
        for recorded in events:
            if isinstance(recorded.event, CommentAdded | CommentDeleted):
                self._put_comment(recorded.group_id, recorded.event.comment)
        self._database.executemany(
            "INSERT OR IGNORE INTO events VALUES (?, ?, ?)",
            ((event.group_id, event.seq, _text(codec.event_to_json(event))) for event in events),
        )

    def events(self, group_id: str, after: int = 0, limit: int = -1) -> list[RecordedEvent]:
        """The events that are held after `after`, oldest first. A negative limit: all."""
        rows = self._database.execute(
            "SELECT event FROM events WHERE group_id = ? AND seq > ? ORDER BY seq LIMIT ?",
            (group_id, after, limit),
        )
        return [codec.event_from_json(_object(row[0])) for row in rows]

    def newest_events(self, group_id: str, limit: int) -> list[RecordedEvent]:
        """The last events that are held, newest first."""
        rows = self._database.execute(
            "SELECT event FROM events WHERE group_id = ? ORDER BY seq DESC LIMIT ?", (group_id, limit)
        )
        return [codec.event_from_json(_object(row[0])) for row in rows]

    def _put_comment(self, group_id: str, comment: Comment) -> None:
        """Keep a comment, unless a later version is here: events from before a snapshot come after those since."""
        self._database.execute(
            "INSERT INTO comments VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET seq = excluded.seq, comment = excluded.comment WHERE excluded.seq > seq",
            (
                group_id,
                comment.expense_id,
                comment.id,
                comment.seq,
                _text(codec.comment_to_json(comment, group_id)),
            ),
        )

    def comments(self, group_id: str, expense_id: str) -> list[Comment]:
        """What was said about an expense, deleted ones too, as far as its events are here; oldest first."""
        rows = self._database.execute(
            "SELECT comment FROM comments WHERE group_id = ? AND expense_id = ?", (group_id, expense_id)
        )
        found = [codec.comment_from_json(_object(row[0])) for row in rows]
        return sorted(found, key=lambda comment: (comment.created_at, comment.id))

    def missing_before(self, group_id: str) -> int:
        """How many of the group's first events aren't held."""
        held = self._row("SELECT count(*) FROM events WHERE group_id = ?", group_id)[0]
        return self.position(group_id).seq - int(held)

    def first_gap(self, group_id: str) -> int:
        """The seq after which the first event is missing."""
        rows = self._database.execute("SELECT seq FROM events WHERE group_id = ? ORDER BY seq", (group_id,))
        after = 0
        for (seq,) in rows:
            if seq != after + 1:
                break
            after = seq
        return after

    # --- expenses and settlements

    def put_thing(self, group_id: str, thing: Thing, rank: int) -> None:
        """Keep a present version; one that is known keeps its rank."""
        self._database.execute(
            "INSERT INTO things VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET thing = excluded.thing",
            (group_id, noun_of(thing), thing.id, rank, _text(_thing_to_json(thing, group_id))),
        )

    def thing(self, group_id: str, noun: Noun, id_: str) -> Thing | None:
        """The present version."""
        row = self._row(
            "SELECT thing FROM things WHERE group_id = ? AND noun = ? AND id = ?", group_id, noun.value, id_
        )
        return None if row is None else _thing_from_json(noun, row[0])

    def things(self, group_id: str, noun: Noun) -> list[Thing]:
        """All present versions, deleted ones too, in the order of their creation, newest first."""
        rows = self._database.execute(
            "SELECT thing FROM things WHERE group_id = ? AND noun = ? ORDER BY rank DESC",
            (group_id, noun.value),
        )
        return [_thing_from_json(noun, row[0]) for row in rows]

    # --- people

    def put_name(self, group_id: str, user_id: str, name: str) -> None:
        """Keep how somebody is called now."""
        self._database.execute(
            "INSERT INTO people VALUES (?, ?, ?, NULL) ON CONFLICT DO UPDATE SET name = excluded.name",
            (group_id, user_id, name),
        )

    def put_payee(self, group_id: str, user_id: str, payee: str | None) -> None:
        """Keep a payment link of somebody, whatever its amount, or that there is none."""
        self._database.execute(
            "INSERT INTO people VALUES (?, ?, NULL, ?) ON CONFLICT DO UPDATE SET payee = excluded.payee",
            (group_id, user_id, payee),
        )

    def names(self, group_id: str) -> dict[str, str]:
        """How people are called, as the server said last, by user id."""
        rows = self._database.execute(
            "SELECT user_id, name FROM people WHERE group_id = ? AND name IS NOT NULL", (group_id,)
        )
        return dict(rows.fetchall())

    def payees(self, group_id: str) -> dict[str, str]:
        """A payment link of everybody of whom one is known, by user id."""
        rows = self._database.execute(
            "SELECT user_id, payee FROM people WHERE group_id = ? AND payee IS NOT NULL", (group_id,)
        )
        return dict(rows.fetchall())

    # --- the outbox

    def enqueue(self, command_id: str, group_id: str, type_: str, fields: Json, at: str) -> Queued:
        """Put a command at the end of the outbox."""
        position = self._database.execute(
            "INSERT INTO outbox (command_id, group_id, type, fields, at, status, was_sent) VALUES (?, ?, ?, ?, ?, ?, 0)",
            (command_id, group_id, type_, _text(fields), at, Status.PENDING.value),
        ).lastrowid
        return Queued(position or 0, command_id, group_id, type_, fields, at)

    def outbox_size(self) -> int:
        """Commands in the outbox, refused ones too."""
        return int(self._row("SELECT count(*) FROM outbox")[0])

    def queued(self, *statuses: Status, group_id: str | None = None, limit: int = -1) -> list[Queued]:
        """Commands of these kinds, oldest first."""
        marks = ", ".join("?" * len(statuses))
        rows = self._database.execute(
            f"SELECT {_QUEUED} FROM outbox WHERE status IN ({marks}) AND group_id = coalesce(?, group_id)"  # noqa: S608 - our own words
            " ORDER BY position LIMIT ?",
            (*(status.value for status in statuses), group_id, limit),
        )
        return [_queued(row) for row in rows]

    def one_queued(self, command_id: str) -> Queued | None:
        """The command, if it is in the outbox."""
        row = self._row(f"SELECT {_QUEUED} FROM outbox WHERE command_id = ?", command_id)  # noqa: S608 - our own words
        return None if row is None else _queued(row)

    def mark_sent(self, command_ids: Iterable[str]) -> None:
        """From now on these may have reached the server."""
        self._database.executemany(
            "UPDATE outbox SET was_sent = 1 WHERE command_id = ?",
            ((command_id,) for command_id in command_ids),
        )

    def mark_acked(self, command_id: str, seq: int) -> None:
        """The server has it, at `seq`."""
        self._set_status(command_id, Status.ACKED, seq, None)

    def mark_refused(self, command_id: str, error: Json) -> None:
        """The server will not have it."""
        self._set_status(command_id, Status.REFUSED, None, _text(error))

    def _set_status(self, command_id: str, status: Status, seq: int | None, error: str | None) -> None:
        self._database.execute(
            "UPDATE outbox SET status = ?, acked_seq = ?, error = ? WHERE command_id = ?",
            (status.value, seq, error, command_id),
        )

    def dequeue(self, command_ids: Sequence[str]) -> None:
        """Take commands out of the outbox."""
        self._database.executemany(
            "DELETE FROM outbox WHERE command_id = ?", ((command_id,) for command_id in command_ids)
        )

    def unack(self, group_id: str) -> None:
        """Have the group's commands that the server had sent once more: it was given another past."""
        self._database.execute(
            "UPDATE outbox SET status = ?, acked_seq = NULL WHERE group_id = ? AND status = ?",
            (Status.PENDING.value, group_id, Status.ACKED.value),
        )


def noun_of(thing: Thing) -> Noun:
    """What kind of thing it is."""
    return Noun.EXPENSE if isinstance(thing, Expense) else Noun.SETTLEMENT


def _keep_private(path: Path) -> None:
    """The file is there, and for its owner only; what SQLite puts beside it gets the same mode."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, _OWNER_ONLY))
    if path.stat().st_mode & 0o077:
        path.chmod(_OWNER_ONLY)


@contextmanager
def _explained() -> Iterator[None]:
    """Errors of the database and the file system as ours."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or type(error).__name__
        said = _FAULTS.get(name.split("_", 2)[1] if name.startswith("SQLITE_") else "", str(error))
        raise ReplicaError(f"{said} ({name}); what was stored before is intact") from error
    except OSError as error:
        raise ReplicaError(f"the replica can't be opened: {error.strerror}") from error


_FAULTS: Final = {
    "FULL": "the disk is full",
    "IOERR": "the disk doesn't do its work",
    "READONLY": "the replica is read-only",
    "CANTOPEN": "the replica can't be opened",
    "BUSY": "another process holds the replica",
    "CORRUPT": "the replica is damaged",
    "NOTADB": "the file isn't a replica",
}


def _queued(row: Sequence[Any]) -> Queued:
    return Queued(
        position=row[0],
        command_id=row[1],
        group_id=row[2],
        type=row[3],
        fields=_object(row[4]),
        at=row[5],
        status=Status(row[6]),
        was_sent=bool(row[7]),
        acked_seq=row[8],
        error=None if row[9] is None else error_from_json(_object(row[9])),
    )


def _thing_to_json(thing: Thing, group_id: str) -> Json:
    if isinstance(thing, Expense):
        return codec.expense_to_json(thing, group_id)
    return codec.settlement_to_json(thing, group_id)


def _thing_from_json(noun: Noun, stored: str) -> Thing:
    if noun is Noun.EXPENSE:
        return codec.expense_from_json(_object(stored))
    return codec.settlement_from_json(_object(stored))


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _object(text: str) -> Json:
    found: Json = json.loads(text)
    return found
