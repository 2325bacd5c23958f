"""Collections of plain documents in one SQLite file."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import orjson

from persplit.adapters.recording import bounded
from persplit.adapters.sqlite_database import SqliteDatabase
from persplit.service.ports import Document, Documents, DuplicateKey, VersionChanged

_INSERT: Final = """
    INSERT INTO documents (collection, id, version, keys, body) VALUES (?, ?, 1, ?, ?) ON CONFLICT DO NOTHING
"""
_REPLACE: Final = """
    UPDATE documents SET version = version + 1, keys = ?, body = ? WHERE collection = ? AND id = ? AND version = ?
"""
_FORGET_KEYS: Final = "DELETE FROM document_keys WHERE collection = ? AND id = ?"
_ADD_KEY: Final = """
    INSERT INTO document_keys (collection, key, value, id, is_unique) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""
_GET: Final = """
    SELECT id, version, keys, body FROM documents
    WHERE collection = ? AND id IN (SELECT value FROM json_each(?))
"""
_FIND: Final = """
    SELECT d.id, d.version, d.keys, d.body
    FROM document_keys AS k JOIN documents AS d ON d.collection = k.collection AND d.id = k.id
    WHERE k.collection = ? AND k.key = ? AND k.value = ? ORDER BY k.id LIMIT ?
"""
_SCAN: Final = """
    SELECT id, version, keys, body FROM documents WHERE collection = ? AND id > ? ORDER BY id LIMIT ?
"""
_COUNT: Final = "SELECT count(*) FROM documents WHERE collection = ?"
_PUT: Final = """
    INSERT INTO documents (collection, id, version, keys, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_DELETE: Final = "DELETE FROM documents WHERE collection = ? AND id = ?"


class SqliteDocuments(Documents):
    """One collection of an open database.

    `unique_keys` counts for what is written from now on: a change of it doesn't reach documents that are there.
    """

    def __init__(self, database: SqliteDatabase, collection: str, unique_keys: Collection[str] = ()) -> None:
        self._database = database
        self._collection = collection
        self._unique_keys = frozenset(unique_keys)

    async def insert(self, document: Document) -> None:
        """See the port."""
        row = (self._collection, document.id, *_blobs_of(document))

        def insert(connection: sqlite3.Connection) -> None:
            if connection.execute(_INSERT, row).rowcount == 0:
                raise DuplicateKey
            self._add_keys(connection, document)

        await self._database.write(insert)

    async def replace(self, document: Document) -> Document:
        """See the port."""
        row = (*_blobs_of(document), self._collection, document.id, document.version)

        def replace(connection: sqlite3.Connection) -> None:
            if connection.execute(_REPLACE, row).rowcount == 0:
                raise VersionChanged
            connection.execute(_FORGET_KEYS, (self._collection, document.id))
            self._add_keys(connection, document)

        await self._database.write(replace)
        return Document(document.id, document.body, document.keys, document.version + 1)

    async def get(self, ids: Sequence[str]) -> Mapping[str, Document]:
        """See the port."""
        wanted = (self._collection, orjson.dumps(list(ids)).decode())
        rows = await self._database.read(lambda c: c.execute(_GET, wanted).fetchall())
        return {row[0]: _document_of(row) for row in rows}

    async def find(self, key: str, value: str, limit: int) -> Sequence[Document]:
        """See the port."""
        wanted = (self._collection, key, value, bounded(limit))
        rows = await self._database.read(lambda c: c.execute(_FIND, wanted).fetchall())
        return [_document_of(row) for row in rows]

    async def delete(self, id_: str) -> None:
        """See the port."""

        def delete(connection: sqlite3.Connection) -> None:
            connection.execute(_DELETE, (self._collection, id_))

        await self._database.write(delete)

    async def count(self) -> int:
        """See the port."""
        row = await self._database.read(lambda c: c.execute(_COUNT, (self._collection,)).fetchone())
        return int(row[0])

    async def scan(self, after: str, limit: int) -> Sequence[Document]:
        """See the port."""
        wanted = (self._collection, after, bounded(limit))
        rows = await self._database.read(lambda c: c.execute(_SCAN, wanted).fetchall())
        return [_document_or_nothing(row) for row in rows]

    async def put(self, documents: Sequence[Document]) -> None:
        """See the port."""

        def put(connection: sqlite3.Connection) -> None:
            for document in documents:
                row = (self._collection, document.id, document.version, *_blobs_of(document))
                if connection.execute(_PUT, row).rowcount == 1:
                    try:
                        self._add_keys(connection, document)
                    except DuplicateKey:
                        connection.execute(_DELETE, (self._collection, document.id))

        await self._database.write(put)

    def _add_keys(self, connection: sqlite3.Connection, document: Document) -> None:
        for key, value in document.keys.items():
            row = (self._collection, key, value, document.id, key in self._unique_keys)
            if connection.execute(_ADD_KEY, row).rowcount == 0:
                raise DuplicateKey


def _blobs_of(document: Document) -> tuple[bytes, bytes]:
    return orjson.dumps(dict(document.keys)), orjson.dumps(document.body)


def _document_of(row: tuple[Any, ...]) -> Document:
    id_, version, keys, body = row
    return Document(id_, orjson.loads(body), orjson.loads(keys), version)


def _document_or_nothing(row: tuple[Any, ...]) -> Document:
    try:
        document = _document_of(row)
        is_whole = isinstance(document.body, dict) and isinstance(document.keys, dict)
    except (TypeError, ValueError):
        is_whole = False
    return document if is_whole else Document(row[0], {}, {}, row[1])
