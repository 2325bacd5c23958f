"""Tallies in MongoDB: a document a group, a document a cell, and no transactions, which not every server has.

A cell notes the seq of the last event that it counted. An event changes a cell only if that seq is lower, and a group's
events are taken in order by whoever takes them, so trying the same steps again, or on two nodes at once, counts each
event once. The group's own document moves on when all of its cells have; whoever is killed before that leaves
steps that are tried again.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from persplit.adapters.mongo_store import DUPLICATE_KEY, Calls, Database
from persplit.ledger.codec import Json
from persplit.service.errors import StoreUnavailable
from persplit.service.ports import DuplicateKey
from persplit.service.tallies import Advance, Asked, By, Cell, CellKind, GroupTally, Sums, Tallies, TallyMoved

OPERATIONS_AT_ONCE: Final = 500
"""Changes of cells in one request: well within an operation's bound."""
ATTEMPTS_MAX: Final = 4
"""Times that a request is sent in which a cell was to be made that another node was making."""
DROPPED_AT_ONCE: Final = 5_000
"""Documents that one request takes away."""
_SEPARATOR: Final = "\0"
"""Between the parts of an id: in none of them."""
_HALF: Final = 1_000_000_000
"""An amount is kept as what is above and below a thousand million: MongoDB's sums beyond 64 bits lose their end."""
_CELL_INDEXES: Final = (
    IndexModel([("generation", ASCENDING), ("kind", ASCENDING), ("day", ASCENDING)], name="day"),
    IndexModel([("groupId", ASCENDING), ("generation", ASCENDING)], name="group"),
)
_GROUP_INDEXES: Final = (
    IndexModel(
        [("generation", ASCENDING), ("currency", ASCENDING), ("outstanding", DESCENDING)], name="unsettled"
    ),
    IndexModel([("groupId", ASCENDING), ("generation", ASCENDING)], name="group"),
)
_KEYS: Final = {By.GROUP: "$groupId", By.USER: "$userId", By.CURRENCY: "$currency"}


class MongoTallies(Tallies):
    """The collections `tally_groups` and `tally_cells` of a database. `open` before use."""

    def __init__(self, database: Database, calls: Calls | None = None) -> None:
        """`calls`: those of the node; of its own unless given."""
        self._answered = (calls or Calls()).answered
        self._groups: AsyncCollection[Json] = database.get_collection("tally_groups")
        self._cells: AsyncCollection[Json] = database.get_collection("tally_cells")

    async def open(self) -> None:
        """Make the indexes that are missing; several nodes may do so at once. Raises `StoreUnavailable`."""
        async with self._answered():
            await self._cells.create_indexes(list(_CELL_INDEXES))
            await self._groups.create_indexes(list(_GROUP_INDEXES))

    async def seqs(self, generation: str, group_ids: Sequence[str]) -> Mapping[str, int]:
        """See the port."""
        return {id_: tally.seq for id_, tally in (await self.groups(generation, group_ids)).items()}

    async def advance(self, generation: str, advance: Advance) -> None:
        """See the port."""
        group_id = advance.tally.group_id
        if (await self.seqs(generation, [group_id])).get(group_id, 0) != advance.after:
            raise TallyMoved
        operations = _operations(generation, advance)
        for start in range(0, len(operations), OPERATIONS_AT_ONCE):
            await self._change(operations[start : start + OPERATIONS_AT_ONCE])
        await self._move(generation, advance)

    async def _change(self, operations: list[UpdateOne]) -> None:
        for _ in range(ATTEMPTS_MAX):
            try:
                async with self._answered():
                    await self._cells.bulk_write(operations, ordered=True)
            except StoreUnavailable as error:
                if not _is_made_elsewhere(error):
                    raise
            else:
                return
        raise StoreUnavailable("the tallies are being written to from too many sides")

    async def _move(self, generation: str, advance: Advance) -> None:
        stored = _stored(generation, advance.tally)
        try:
            async with self._answered():
                if advance.after == 0:
                    await self._groups.insert_one(stored)
                    return
                present = {"_id": stored["_id"], "seq": advance.after}
                moved = await self._groups.replace_one(present, stored)
        except DuplicateKey:
            raise TallyMoved from None
        if moved.matched_count == 0:
            raise TallyMoved

    async def sums(self, generation: str, asked: Asked) -> Sequence[tuple[str, Sums]]:
        """See the port."""
        order = "count" if asked.is_by_count else "amount"
        stages: list[Json] = [
            {"$match": _wanted(generation, asked)},
            {"$group": {"_id": _KEYS[asked.by], **_summed("count", "above", "below")}},
            {"$match": {"count": {"$ne": 0}}},
            {"$addFields": {"amount": {"$add": [{"$multiply": ["$above", _HALF]}, "$below"]}}},
            {"$sort": {order: DESCENDING, "_id": ASCENDING}},
            {"$skip": asked.skipped},
            {"$limit": asked.limit},
        ]
        found = await self._aggregate(self._cells, stages, asked.limit)
        return [
            (one["_id"], Sums(one["count"], int(one["above"]) * _HALF + int(one["below"]))) for one in found
        ]

    async def groups(self, generation: str, group_ids: Sequence[str]) -> Mapping[str, GroupTally]:
        """See the port."""
        if not group_ids:
            return {}
        wanted = {"_id": {"$in": [_group_key(generation, id_) for id_ in group_ids]}}
        async with self._answered():
            found = await self._groups.find(wanted).to_list(len(group_ids))
        return {one["groupId"]: _tally(one) for one in found}

    async def unsettled(
        self, generation: str, currency: str, since: str, until: str, limit: int
    ) -> Sequence[GroupTally]:
        """See the port."""
        days = {"$gte": since, "$lte": until}
        wanted = {"generation": generation, "currency": currency, "outstanding": {"$gt": 0}, "day": days}
        order = [("outstanding", DESCENDING), ("groupId", ASCENDING)]
        async with self._answered():
            found = await self._groups.find(wanted).sort(order).limit(limit).to_list(limit)
        return [_tally(one) for one in found]

    async def outstanding(self, generation: str) -> Mapping[str, Sums]:
        """See the port."""
        stages: list[Json] = [
            {"$match": {"generation": generation, "outstanding": {"$gt": 0}}},
            {"$group": {"_id": "$currency", "count": {"$sum": 1}, **_summed("above", "below")}},
        ]
        found = await self._aggregate(self._groups, stages, None)
        return {
            one["_id"]: Sums(one["count"], int(one["above"]) * _HALF + int(one["below"])) for one in found
        }

    async def count(self, generation: str) -> int:
        """See the port."""
        async with self._answered():
            return await self._groups.count_documents({"generation": generation})

    async def active(self, generation: str, since: str, until: str) -> int:
        """See the port."""
        asked = Asked(CellKind.EVENTS, By.GROUP, since, until)
        stages: list[Json] = [
            {"$match": _wanted(generation, asked)},
            {"$group": {"_id": "$groupId"}},
            {"$count": "count"},
        ]
        found = await self._aggregate(self._cells, stages, 1)
        return int(found[0]["count"]) if found else 0

    async def forget(self, group_id: str) -> None:
        """See the port. The group's documents go first: who writes into it meanwhile finds it moved."""
        for collection in (self._groups, self._cells):
            await self._delete(collection, {"groupId": group_id})

    async def drop(self, generation: str) -> None:
        """See the port."""
        for collection in (self._groups, self._cells):
            await self._delete(collection, {"generation": generation})

    async def _delete(self, collection: AsyncCollection[Json], wanted: Json) -> None:
        """Delete them, so many at once that each request stays within its bound."""
        while True:
            async with self._answered():
                some = (
                    await collection.find(wanted, {"_id": True})
                    .limit(DROPPED_AT_ONCE)
                    .to_list(DROPPED_AT_ONCE)
                )
                if not some:
                    return
                await collection.delete_many({"_id": {"$in": [one["_id"] for one in some]}})

    async def _aggregate(
        self, collection: AsyncCollection[Json], stages: list[Json], limit: int | None
    ) -> list[Json]:
        async with self._answered():
            # motor's is a plain call, PyMongo's is awaited.
            opening: Any = collection.aggregate(stages)
            cursor = await opening if inspect.isawaitable(opening) else opening
            found: list[Json] = await cursor.to_list(limit)
        return found


def _is_made_elsewhere(error: StoreUnavailable) -> bool:
    """Whether all that went wrong is that another node made the same cell at that moment."""
    cause = error.__cause__
    return isinstance(cause, BulkWriteError) and all(
        one["code"] == DUPLICATE_KEY for one in cause.details["writeErrors"]
    )


def _operations(generation: str, advance: Advance) -> list[UpdateOne]:
    """Make the cells that are missing, then let each event change those that haven't counted it."""
    group_id = advance.tally.group_id
    made: dict[str, UpdateOne] = {}
    changed: list[UpdateOne] = []
    for seq, changes in advance.steps:
        for cell, change in changes.items():
            key = _cell_key(generation, group_id, cell)
            made[key] = UpdateOne(
                {"_id": key}, {"$setOnInsert": _empty(generation, group_id, cell)}, upsert=True
            )
            above, below = divmod(change.amount, _HALF)
            counted = {"count": change.count, "above": above, "below": below}
            changed.append(
                UpdateOne({"_id": key, "seq": {"$lt": seq}}, {"$inc": counted, "$set": {"seq": seq}})
            )
    return [*made.values(), *changed]


def _empty(generation: str, group_id: str, cell: Cell) -> Json:
    return {
        "generation": generation,
        "groupId": group_id,
        "kind": cell.kind.value,
        "day": cell.day,
        "userId": cell.user_id,
        "currency": cell.currency,
        "seq": 0,
        "count": 0,
        "above": 0,
        "below": 0,
    }


def _cell_key(generation: str, group_id: str, cell: Cell) -> str:
    parts = (generation, group_id, cell.kind.value, cell.day, cell.user_id, cell.currency)
    return _SEPARATOR.join(parts)


def _group_key(generation: str, group_id: str) -> str:
    return f"{generation}{_SEPARATOR}{group_id}"


def _summed(*names: str) -> Json:
    return {name: {"$sum": f"${name}"} for name in names}


def _wanted(generation: str, asked: Asked) -> Json:
    wanted: Json = {
        "generation": generation,
        "kind": asked.kind.value,
        "day": {"$gte": asked.since, "$lte": asked.until},
    }
    if asked.currency is not None:
        wanted["currency"] = asked.currency
    if asked.group_ids is not None:
        wanted["groupId"] = {"$in": list(asked.group_ids)}
    return wanted


def _stored(generation: str, tally: GroupTally) -> Json:
    above, below = divmod(tally.outstanding, _HALF)
    return {
        "_id": _group_key(generation, tally.group_id),
        "generation": generation,
        "groupId": tally.group_id,
        "seq": tally.seq,
        "at": tally.at,
        "day": tally.at[:10],
        "currency": tally.currency,
        "members": tally.members,
        "outstanding": tally.outstanding,
        "above": above,
        "below": below,
        "debtors": tally.debtors,
        "pending": tally.pending,
        "isArchived": tally.is_archived,
    }


def _tally(stored: Json) -> GroupTally:
    return GroupTally(
        group_id=stored["groupId"],
        seq=stored["seq"],
        at=stored["at"],
        currency=stored["currency"],
        members=stored["members"],
        outstanding=stored["outstanding"],
        debtors=stored["debtors"],
        pending=stored["pending"],
        is_archived=stored["isArchived"],
    )
