"""Tallies in the SQLite file: a row a group, a row a cell; an advance is one transaction."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import orjson

from persplit.adapters.sqlite_database import SqliteDatabase
from persplit.service.tallies import Advance, Asked, By, Cell, CellKind, GroupTally, Sums, Tallies, TallyMoved

_COLUMNS: Final = "group_id, seq, at, currency, members, outstanding, debtors, pending, is_archived"
_SEQS: Final = """
    SELECT group_id, seq FROM tally_groups
    WHERE generation = ? AND group_id IN (SELECT value FROM json_each(?))
"""
_GROUPS: Final = f"""
    SELECT {_COLUMNS} FROM tally_groups
    WHERE generation = ? AND group_id IN (SELECT value FROM json_each(?))
"""  # noqa: S608 - of our own words
_BEGIN: Final = f"""
    INSERT INTO tally_groups (generation, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""  # noqa: S608 - of our own words
_MOVE: Final = """
    UPDATE tally_groups
    SET seq = ?, at = ?, currency = ?, members = ?, outstanding = ?, debtors = ?, pending = ?, is_archived = ?
    WHERE generation = ? AND group_id = ? AND seq = ?
"""
# One call of SQLite's for all cells of an advance: with a busy event loop beside it the writer waits for the
# interpreter's lock after each call, and every command waits for the writer. (`WHERE true` keeps ON from being a join's.)
_CHANGE: Final = """
    INSERT INTO tally_cells (generation, group_id, kind, day, user_id, currency, count, amount)
    SELECT ?, ?, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
        json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]')
    FROM json_each(?) WHERE true
    ON CONFLICT (generation, group_id, kind, day, user_id, currency)
    DO UPDATE SET count = count + excluded.count, amount = amount + excluded.amount
"""
_HALF: Final = 1_000_000_000
"""Sums are made of what is above and below a thousand million, because SQLite gives up on those beyond 64 bits. (In one
cell so much would take a million expenses of the largest amount on one day.)"""
_UNSETTLED: Final = f"""
    SELECT {_COLUMNS} FROM tally_groups
    WHERE generation = ? AND currency = ? AND outstanding > 0 AND substr(at, 1, 10) BETWEEN ? AND ?
    ORDER BY outstanding DESC, group_id LIMIT ?
"""  # noqa: S608 - of our own words
_OUTSTANDING: Final = f"""
    SELECT currency, count(*), sum(outstanding / {_HALF}), sum(outstanding % {_HALF}) FROM tally_groups
    WHERE generation = ? AND outstanding > 0 GROUP BY currency
"""  # noqa: S608 - of our own words
_ACTIVE: Final = """
    SELECT count(DISTINCT group_id) FROM tally_cells WHERE generation = ? AND kind = ? AND day BETWEEN ? AND ?
"""
_KEYS: Final = {By.GROUP: "group_id", By.USER: "user_id", By.CURRENCY: "currency"}
_FORGET: Final = (
    "DELETE FROM tally_groups WHERE group_id = ?",
    "DELETE FROM tally_cells WHERE group_id = ?",
)
DROPPED_AT_ONCE: Final = 5_000
"""Rows that one transaction takes away: some milliseconds."""
_DROP: Final = (
    """
    DELETE FROM tally_cells WHERE (generation, group_id, kind, day, user_id, currency) IN
        (SELECT generation, group_id, kind, day, user_id, currency FROM tally_cells WHERE generation = ? LIMIT ?)
    """,
    """
    DELETE FROM tally_groups WHERE (generation, group_id) IN
        (SELECT generation, group_id FROM tally_groups WHERE generation = ? LIMIT ?)
    """,
)


class SqliteTallies(Tallies):
    """The tallies of an open database. Any number of these may share one file, over processes too."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def seqs(self, generation: str, group_ids: Sequence[str]) -> Mapping[str, int]:
        """See the port."""
        wanted = (generation, _json_list(group_ids))
        return await self._database.read(lambda c: dict(c.execute(_SEQS, wanted).fetchall()))

    async def advance(self, generation: str, advance: Advance) -> None:
        """See the port."""
        changes = generation, advance.tally.group_id, _changes(advance)

        def write(connection: sqlite3.Connection) -> None:
            if not _moved(connection, generation, advance):
                raise TallyMoved
            connection.execute(_CHANGE, changes)

        await self._database.write(write)

    async def sums(self, generation: str, asked: Asked) -> Sequence[tuple[str, Sums]]:
        """See the port."""
        sql, values = _sums(generation, asked)
        rows = await self._database.read(lambda c: c.execute(sql, values).fetchall())
        return [(key, Sums(count, above * _HALF + below)) for key, count, above, below in rows]

    async def groups(self, generation: str, group_ids: Sequence[str]) -> Mapping[str, GroupTally]:
        """See the port."""
        wanted = (generation, _json_list(group_ids))
        rows = await self._database.read(lambda c: c.execute(_GROUPS, wanted).fetchall())
        return {row[0]: _tally(row) for row in rows}

    async def unsettled(
        self, generation: str, currency: str, since: str, until: str, limit: int
    ) -> Sequence[GroupTally]:
        """See the port."""
        wanted = (generation, currency, since, until, limit)
        return [
            _tally(row)
            for row in await self._database.read(lambda c: c.execute(_UNSETTLED, wanted).fetchall())
        ]

    async def outstanding(self, generation: str) -> Mapping[str, Sums]:
        """See the port."""
        rows = await self._database.read(lambda c: c.execute(_OUTSTANDING, (generation,)).fetchall())
        return {currency: Sums(count, above * _HALF + below) for currency, count, above, below in rows}

    async def count(self, generation: str) -> int:
        """See the port."""
        sql = "SELECT count(*) FROM tally_groups WHERE generation = ?"
        row = await self._database.read(lambda c: c.execute(sql, (generation,)).fetchone())
        return int(row[0])

    async def active(self, generation: str, since: str, until: str) -> int:
        """See the port."""
        wanted = (generation, CellKind.EVENTS.value, since, until)
        row = await self._database.read(lambda c: c.execute(_ACTIVE, wanted).fetchone())
        return int(row[0])

    async def forget(self, group_id: str) -> None:
        """See the port. It is one transaction."""

        def forget(connection: sqlite3.Connection) -> None:
            for statement in _FORGET:
                connection.execute(statement, (group_id,))

        await self._database.write(forget)

    async def drop(self, generation: str) -> None:
        """See the port. A part at a time, so that other writes aren't kept waiting."""

        def drop(connection: sqlite3.Connection) -> int:
            return sum(
                connection.execute(statement, (generation, DROPPED_AT_ONCE)).rowcount for statement in _DROP
            )

        while await self._database.write(drop):
            pass


def _changes(advance: Advance) -> str:
    """What all steps together do to each cell, as JSON."""
    cells: dict[Cell, Sums] = {}
    for _, changes in advance.steps:
        for cell, by in changes.items():
            cells[cell] = cells.get(cell, Sums(0)) + by
    return orjson.dumps(
        [
            (cell.kind.value, cell.day, cell.user_id, cell.currency, by.count, by.amount)
            for cell, by in cells.items()
        ]
    ).decode()


def _moved(connection: sqlite3.Connection, generation: str, advance: Advance) -> bool:
    """Whether the group was where the advance begins, and now is where it ends."""
    it = advance.tally
    row = (it.seq, it.at, it.currency, it.members, it.outstanding, it.debtors, it.pending, it.is_archived)
    if advance.after == 0:
        return connection.execute(_BEGIN, (generation, it.group_id, *row)).rowcount == 1
    return connection.execute(_MOVE, (*row, generation, it.group_id, advance.after)).rowcount == 1


def _sums(generation: str, asked: Asked) -> tuple[str, list[Any]]:
    """The question as SQL, of our own words alone, and its values."""
    where = ["generation = ?", "kind = ?", "day BETWEEN ? AND ?"]
    values: list[Any] = [generation, asked.kind.value, asked.since, asked.until]
    if asked.currency is not None:
        where.append("currency = ?")
        values.append(asked.currency)
    if asked.group_ids is not None:
        where.append("group_id IN (SELECT value FROM json_each(?))")
        values.append(_json_list(asked.group_ids))
    key = _KEYS[asked.by]
    order = "sum(count)" if asked.is_by_count else f"sum(amount / {_HALF}) * {_HALF} + sum(amount % {_HALF})"
    sql = f"""
        SELECT {key}, sum(count), sum(amount / {_HALF}), sum(amount % {_HALF}) FROM tally_cells
        WHERE {" AND ".join(where)} GROUP BY {key} HAVING sum(count) <> 0
        ORDER BY {order} DESC, {key} LIMIT ? OFFSET ?
    """  # noqa: S608 - of our own words
    return sql, [*values, asked.limit, asked.skipped]


def _tally(row: tuple[Any, ...]) -> GroupTally:
    *_, is_archived = row
    return replace(GroupTally(*row), is_archived=bool(is_archived))


def _json_list(ids: Sequence[str]) -> str:
    return orjson.dumps(list(ids)).decode()
