"""Every group's ledger in one SQLite file: a row per event."""

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, Final

import orjson

from persplit.adapters.recording import beyond, bounded, hole_before, recognise, record_of
from persplit.adapters.sqlite_appends import COLUMNS, ROW, EventRow, append_all
from persplit.adapters.sqlite_database import Damaged, SqliteDatabase
from persplit.ledger.codec import TYPES, event_from_json, event_to_document
from persplit.ledger.events import DEPARTED, Noun, RecordedEvent, is_creation, subject_of
from persplit.service.ports import EventStore, GroupErased, NewEvent, SeqTaken, Snapshot, StoredEvent

_PUT: Final = f"INSERT INTO events ({COLUMNS}) VALUES {ROW} ON CONFLICT DO NOTHING"  # noqa: S608 - of our own words
_BY_COMMAND: Final = "SELECT body FROM events WHERE group_id = ? AND command_id = ?"
_OF_COMMANDS: Final = """
    SELECT body FROM events WHERE group_id = ? AND command_id > ? AND command_id < ? ORDER BY command_id LIMIT ?
"""
_BY_SEQ: Final = "SELECT body FROM events WHERE group_id = ? AND seq = ?"
_AFTER: Final = "SELECT body FROM events WHERE group_id = ? AND seq > ? ORDER BY seq LIMIT ?"
_CREATIONS: Final = """
    SELECT body FROM events WHERE group_id = ? AND noun = ? AND creation AND seq < ? ORDER BY seq DESC LIMIT ?
"""
_LATEST: Final = """
    SELECT subject_id, body FROM events
    WHERE group_id = :group_id AND seq IN (
        SELECT (SELECT max(seq) FROM events WHERE group_id = :group_id AND noun = :noun AND subject_id = value)
        FROM json_each(:ids)
    )
"""
_ABOUT: Final = """
    SELECT body FROM events WHERE group_id = ? AND noun = ? AND subject_id = ? ORDER BY seq LIMIT ?
"""
# A look-up per group: GROUP BY would walk through all of their events.
_HEADS: Final = """
    SELECT value, (SELECT max(seq) FROM events WHERE group_id = value) AS head
    FROM json_each(?) WHERE head IS NOT NULL
"""
# `at` never goes back within a group, so the last by `at` is the last by `seq`.
_SEQ_AT: Final = "SELECT seq FROM events WHERE group_id = ? AND at <= ? ORDER BY at DESC, seq DESC LIMIT 1"
# SQLite takes `type` from the row that max(seq) comes from.
_GROUPS_OF: Final = """
    SELECT group_id, type, max(seq) FROM events
    WHERE noun = 'member' AND subject_id = ? GROUP BY group_id ORDER BY group_id
"""
# From one index entry to the first of the next group: DISTINCT would walk through all events between.
_GROUPS: Final = """
    WITH RECURSIVE found(id) AS (
        SELECT (SELECT min(group_id) FROM events WHERE group_id > ?)
        UNION ALL SELECT (SELECT min(group_id) FROM events WHERE group_id > id) FROM found WHERE id IS NOT NULL
    )
    SELECT id FROM found WHERE id IS NOT NULL LIMIT ?
"""
_STORED: Final = f"SELECT {COLUMNS} FROM events WHERE group_id = ? AND seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - of our own words
_FIELDS: Final = ("groupId", "seq", "commandId", "type", "noun", "subjectId", "creation", "at")
_IS_ERASED: Final = "SELECT 1 FROM erased_groups WHERE group_id = ?"
_ERASE: Final = (
    "INSERT OR IGNORE INTO erased_groups (group_id) VALUES (?)",
    "DELETE FROM snapshots WHERE group_id = ?",
    "DELETE FROM events WHERE group_id = ?",
)
_SAVE_SNAPSHOT: Final = """
    REPLACE INTO snapshots (group_id, seq, version, body)
    SELECT :group_id, :seq, :version, :body
    WHERE NOT EXISTS (SELECT 1 FROM erased_groups WHERE group_id = :group_id)
"""
_SNAPSHOTS: Final = """
    SELECT group_id, seq, version, body FROM snapshots WHERE group_id = ? AND seq > ? ORDER BY seq LIMIT ?
"""
_LOAD_SNAPSHOT: Final = """
    SELECT seq, body FROM snapshots
    WHERE group_id = ? AND version = ? AND seq <= ? ORDER BY seq DESC LIMIT 1
"""
_DEPARTED: Final = frozenset(TYPES[type_] for type_ in DEPARTED)


class SqliteEvents(EventStore):
    """The events of an open database. Any number of these may share one file, over processes too."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def append(self, new: NewEvent) -> RecordedEvent:
        """See the port."""
        recorded = record_of(new)
        row = row_of(recorded)

        def append(connection: sqlite3.Connection) -> RecordedEvent:
            if append_all(connection, [row]):
                return recorded
            _refuse_erased(connection, new.group_id)
            known = _one(connection, _BY_COMMAND, new.group_id, new.command_id)
            if known is not None:
                return recognise(known, recorded)
            if _one(connection, _BY_SEQ, new.group_id, new.seq) is not None:
                raise SeqTaken
            raise hole_before(new)

        return await self._database.append([row], recorded, append)

    async def append_run(self, events: Sequence[NewEvent]) -> Sequence[RecordedEvent]:
        """See the port."""
        recorded = [record_of(new) for new in events]
        rows = [row_of(one) for one in recorded]

        def append(connection: sqlite3.Connection) -> list[RecordedEvent]:
            new = takewhile(lambda pair: append_all(connection, [pair[0]]), zip(rows, recorded, strict=True))
            return [one for _, one in new]

        return await self._database.append(rows, recorded, append)

    async def append_all(self, events: Sequence[NewEvent]) -> Sequence[RecordedEvent]:
        """See the port. It is one write of the writer's, and what a write raises takes all of it back."""
        recorded = [record_of(new) for new in events]
        rows = [row_of(one) for one in recorded]

        def insert(connection: sqlite3.Connection) -> list[RecordedEvent]:
            _refuse_erased(connection, events[0].group_id)
            for new, row in zip(events, rows, strict=True):
                if append_all(connection, [row]):
                    continue
                known = _one(connection, _BY_COMMAND, new.group_id, new.command_id)
                if known is None and _one(connection, _BY_SEQ, new.group_id, new.seq) is None:
                    raise hole_before(new)
                raise SeqTaken
            return recorded

        return await self._database.write(insert)

    async def read(self, group_id: str, after: int, limit: int) -> Sequence[RecordedEvent]:
        """See the port."""

        def read(connection: sqlite3.Connection) -> list[RecordedEvent]:
            events = _all(connection, _AFTER, group_id, after, bounded(limit))
            if not events:  # erasing is one transaction: with events there it hasn't happened
                _refuse_erased(connection, group_id)
            return events

        return await self._database.read(read)

    async def read_creations(
        self, group_id: str, noun: Noun, before: int, limit: int
    ) -> Sequence[RecordedEvent]:
        """See the port."""
        return await self._database.read(
            lambda c: _all(c, _CREATIONS, group_id, noun.value, before, bounded(limit))
        )

    async def find_command(self, group_id: str, command_id: str) -> RecordedEvent | None:
        """See the port."""
        return await self._database.read(lambda c: _one(c, _BY_COMMAND, group_id, command_id))

    async def of_commands(
        self, group_id: str, prefix: str, after: str, limit: int
    ) -> Sequence[RecordedEvent]:
        """See the port."""
        first, end = max(prefix, after), beyond(prefix)
        return await self._database.read(
            lambda c: _all(c, _OF_COMMANDS, group_id, first, end, bounded(limit))
        )

    async def latest(self, group_id: str, noun: Noun, ids: Sequence[str]) -> Mapping[str, RecordedEvent]:
        """See the port."""
        wanted = {"group_id": group_id, "noun": noun.value, "ids": _json_list(ids)}
        return await self._database.read(
            lambda c: {subject_id: _decoded(body) for subject_id, body in c.execute(_LATEST, wanted)}
        )

    async def about(self, group_id: str, noun: Noun, subject_id: str, limit: int) -> Sequence[RecordedEvent]:
        """See the port."""
        return await self._database.read(
            lambda c: _all(c, _ABOUT, group_id, noun.value, subject_id, bounded(limit))
        )

    async def heads(self, group_ids: Sequence[str]) -> Mapping[str, int]:
        """See the port."""
        wanted = _json_list(group_ids)
        return await self._database.read(lambda c: dict(c.execute(_HEADS, (wanted,)).fetchall()))

    async def seq_at(self, group_id: str, at: str) -> int:
        """See the port."""
        row = await self._database.read(lambda c: c.execute(_SEQ_AT, (group_id, at)).fetchone())
        return int(row[0]) if row else 0

    async def groups_of(self, user_id: str) -> Sequence[str]:
        """See the port."""
        rows = await self._database.read(lambda c: c.execute(_GROUPS_OF, (user_id,)).fetchall())
        return [group_id for group_id, type_, _ in rows if type_ not in _DEPARTED]

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """See the port."""
        row = {
            "group_id": snapshot.group_id,
            "seq": snapshot.seq,
            "version": snapshot.version,
            "body": snapshot.body,
        }

        def save(connection: sqlite3.Connection) -> None:
            connection.execute(_SAVE_SNAPSHOT, row)

        await self._database.write(save)

    async def load_snapshot(self, group_id: str, version: int, up_to: int) -> Snapshot | None:
        """See the port."""
        wanted = (group_id, version, up_to)
        row = await self._database.read(lambda c: c.execute(_LOAD_SNAPSHOT, wanted).fetchone())
        return Snapshot(group_id, row[0], version, row[1]) if row else None

    async def groups(self, after: str, limit: int) -> Sequence[str]:
        """See the port."""
        wanted = (after, bounded(limit))
        return [id_ for (id_,) in await self._database.read(lambda c: c.execute(_GROUPS, wanted).fetchall())]

    async def stored(self, group_id: str, after: int, limit: int) -> Sequence[StoredEvent]:
        """See the port."""
        wanted = (group_id, after, bounded(limit))
        return [
            _stored(row) for row in await self._database.read(lambda c: c.execute(_STORED, wanted).fetchall())
        ]

    async def snapshots(self, group_id: str, after: int, limit: int) -> Sequence[Snapshot]:
        """See the port."""
        wanted = (group_id, after, bounded(limit))
        rows = await self._database.read(lambda c: c.execute(_SNAPSHOTS, wanted).fetchall())
        return [Snapshot(*row) for row in rows]

    async def put(self, events: Sequence[RecordedEvent]) -> None:
        """See the port."""
        rows = [row_of(recorded) for recorded in events]

        def put(connection: sqlite3.Connection) -> None:
            connection.executemany(_PUT, rows)

        await self._database.write(put)

    async def erase(self, group_id: str) -> None:
        """See the port. It is one transaction."""

        def erase(connection: sqlite3.Connection) -> None:
            for statement in _ERASE:
                connection.execute(statement, (group_id,))

        await self._database.write(erase)

    async def ping(self) -> None:
        """See the port."""
        await self._database.read(lambda c: c.execute("SELECT seq FROM events LIMIT 1").fetchone())


def row_of(recorded: RecordedEvent) -> EventRow:
    """What the table keeps of it."""
    noun, subject_id = subject_of(recorded.event)
    return EventRow(
        group_id=recorded.group_id,
        seq=recorded.seq,
        command_id=recorded.command_id,
        type=TYPES[type(recorded.event)],
        noun=noun.value,
        subject_id=subject_id,
        creation=is_creation(recorded.event),
        at=recorded.at,
        body=orjson.dumps(event_to_document(recorded)),
    )


def _decoded(body: bytes) -> RecordedEvent:
    try:
        return event_from_json(orjson.loads(body))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # What we wrote we can read, so this isn't what we wrote.
        raise Damaged(f"an event can't be read: {type(error).__name__}") from error


def _one(connection: sqlite3.Connection, sql: str, *values: object) -> RecordedEvent | None:
    row = connection.execute(sql, values).fetchone()
    return _decoded(row[0]) if row else None


def _all(connection: sqlite3.Connection, sql: str, *values: object) -> list[RecordedEvent]:
    return [_decoded(body) for (body,) in connection.execute(sql, values)]


def _stored(row: tuple[Any, ...]) -> StoredEvent:
    *fields, body = row
    named = dict(zip(_FIELDS, fields, strict=True))
    if named["creation"] in (0, 1):
        named["creation"] = bool(named["creation"])
    try:
        read = orjson.loads(body)
    except (TypeError, ValueError):
        read = None
    return StoredEvent(named["seq"], read if isinstance(read, dict) else None, named)


def _refuse_erased(connection: sqlite3.Connection, group_id: str) -> None:
    if connection.execute(_IS_ERASED, (group_id,)).fetchone():
        raise GroupErased


def _json_list(ids: Sequence[str]) -> str:
    """Ids for `json_each`: one parameter however many they are."""
    return orjson.dumps(list(ids)).decode()
