"""The tables of the SQLite file, as a list of steps from nothing to today: forward only, each in transactions.

The version, in `PRAGMA user_version`, is how many steps the file has taken. A step that has much to do works in
batches, each a transaction of its own, and leaves off where it was when it is killed. The write lock makes
processes that migrate at once take turns, and each looks at the version again when it is its turn.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from persplit.service.errors import SchemaMismatch, StoreUnavailable


@dataclass(frozen=True, slots=True)
class Step:
    """From one version to the next.

    `batch` does a part of it, inside a transaction, and returns whether that was the last; the version moves on in
    the same transaction. It may be called again after any of them.
    """

    name: str
    batch: Callable[[sqlite3.Connection], bool]


def statements(name: str, *sql: str) -> Step:
    """A step that runs these, all in one transaction."""

    def run(connection: sqlite3.Connection) -> bool:
        for statement in sql:
            connection.execute(statement)
        return True

    return Step(name, run)


_FIRST: Final = (
    # A row per event. What is looked up has a column; the event itself is JSON, as `codec` writes it.
    """
    CREATE TABLE events (
        group_id   TEXT    NOT NULL,
        seq        INTEGER NOT NULL,
        command_id TEXT    NOT NULL,
        type       TEXT    NOT NULL,
        noun       TEXT    NOT NULL,
        subject_id TEXT    NOT NULL,
        creation   INTEGER NOT NULL,
        at         TEXT    NOT NULL,
        body       BLOB    NOT NULL,
        PRIMARY KEY (group_id, seq),
        UNIQUE (group_id, command_id)
    )
    """,
    "CREATE INDEX events_latest ON events (group_id, noun, subject_id, seq)",
    "CREATE INDEX events_membership ON events (subject_id, group_id, seq, type) WHERE noun = 'member'",
    "CREATE INDEX events_creations ON events (group_id, noun, seq) WHERE creation",
    "CREATE INDEX events_at ON events (group_id, at, seq)",
    """
    CREATE TABLE snapshots (
        group_id TEXT    NOT NULL,
        seq      INTEGER NOT NULL,
        version  INTEGER NOT NULL,
        body     BLOB    NOT NULL,
        PRIMARY KEY (group_id, seq)
    )
    """,
    # All collections of documents; `keys` repeats what document_keys has, so that a document is one row to read.
    """
    CREATE TABLE documents (
        collection TEXT    NOT NULL,
        id         TEXT    NOT NULL,
        version    INTEGER NOT NULL,
        keys       BLOB    NOT NULL,
        body       BLOB    NOT NULL,
        PRIMARY KEY (collection, id)
    )
    """,
    """
    CREATE TABLE document_keys (
        collection TEXT    NOT NULL,
        key        TEXT    NOT NULL,
        value      TEXT    NOT NULL,
        id         TEXT    NOT NULL,
        is_unique  INTEGER NOT NULL,
        PRIMARY KEY (collection, key, value, id),
        FOREIGN KEY (collection, id) REFERENCES documents ON DELETE CASCADE
    ) WITHOUT ROWID
    """,
    "CREATE UNIQUE INDEX document_keys_unique ON document_keys (collection, key, value) WHERE is_unique",
    "CREATE INDEX document_keys_of ON document_keys (collection, id)",
)

_TALLIES: Final = (
    """
    CREATE TABLE tally_groups (
        generation  TEXT    NOT NULL,
        group_id    TEXT    NOT NULL,
        seq         INTEGER NOT NULL,
        at          TEXT    NOT NULL,
        currency    TEXT    NOT NULL,
        members     INTEGER NOT NULL,
        outstanding INTEGER NOT NULL,
        debtors     INTEGER NOT NULL,
        pending     INTEGER NOT NULL,
        is_archived INTEGER NOT NULL,
        PRIMARY KEY (generation, group_id)
    ) WITHOUT ROWID
    """,
    """
    CREATE INDEX tally_groups_unsettled ON tally_groups (generation, currency, outstanding DESC)
    WHERE outstanding > 0
    """,
    """
    CREATE TABLE tally_cells (
        generation TEXT    NOT NULL,
        group_id   TEXT    NOT NULL,
        kind       TEXT    NOT NULL,
        day        TEXT    NOT NULL,
        user_id    TEXT    NOT NULL,
        currency   TEXT    NOT NULL,
        count      INTEGER NOT NULL,
        amount     INTEGER NOT NULL,
        PRIMARY KEY (generation, group_id, kind, day, user_id, currency)
    ) WITHOUT ROWID
    """,
    # All that is asked for stands in the index.
    "CREATE INDEX tally_cells_by_day ON tally_cells (generation, kind, day, currency, user_id, count, amount)",
)

STEPS: Final = (
    statements("the first tables", *_FIRST),
    # Nothing can be recorded under the id of an erased group; the ids alone are kept.
    statements("erased groups", "CREATE TABLE erased_groups (group_id TEXT PRIMARY KEY) WITHOUT ROWID"),
    statements("tallies", *_TALLIES),
)
"""Never change one that was released: append another."""

SCHEMA_VERSION: Final = len(STEPS)


def version_of(connection: sqlite3.Connection) -> int:
    """How many steps the file has taken; 0 for one that was just made."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def check_version(connection: sqlite3.Connection, steps: Sequence[Step] = STEPS) -> None:
    """Return if the file has taken all of the steps.

    Raises:
        StoreUnavailable: it is no database of ours, or one that was cut off to nothing.
        SchemaMismatch: it has taken more or fewer.

    """
    version = version_of(connection)
    if version == 0:
        emptied = "the file has no tables: it was emptied, or never was a database of PerSplit's"
        raise StoreUnavailable(emptied, is_damaged=True)
    _refuse_newer(version, steps)
    if version < len(steps):
        raise SchemaMismatch(
            f"the database has schema {version}; this release needs {len(steps)}: run `persplit migrate`"
        )


def migrate(connection: sqlite3.Connection, steps: Sequence[Step] = STEPS) -> None:
    """Bring the file up to the last step. Raises `SchemaMismatch` where a newer release has written it."""
    while _moved(connection, steps):
        pass


def _moved(connection: sqlite3.Connection, steps: Sequence[Step]) -> bool:
    """Do a batch of the next step, if there is one."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = version_of(connection)
        _refuse_newer(version, steps)
        is_behind = version < len(steps)
        if is_behind and steps[version].batch(connection):
            connection.execute(f"PRAGMA user_version = {version + 1}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return is_behind


def _refuse_newer(version: int, steps: Sequence[Step]) -> None:
    if version > len(steps):
        raise SchemaMismatch(f"the database has schema {version}; this release knows up to {len(steps)}")
