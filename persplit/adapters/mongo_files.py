"""Contents in MongoDB, by GridFS: files named by their hash in the bucket `attachments`.

Two nodes that put the same at once may leave two files of a name; either will do, and they go together.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from bson import ObjectId
from gridfs.asynchronous import AsyncGridFSBucket
from gridfs.errors import CorruptGridFile, NoFile
from motor.motor_asyncio import AsyncIOMotorGridFSBucket
from pymongo import ASCENDING
from pymongo.asynchronous.database import AsyncDatabase

from persplit.adapters.mongo_store import Calls, Database
from persplit.adapters.recording import bounded
from persplit.ledger.codec import Json
from persplit.service.ports import Files

BUCKET: Final = "attachments"
PARTS_AT_ONCE: Final = 1_000
"""Parts of files, a quarter of a megabyte each, that are looked at at once; no more than where they belong is read."""
_AT: Final = "metadata.putAt"
_NO_FILE: Final = ObjectId("0" * 24)
"""Below every file's id."""


class MongoFiles(Files):
    """See the module. `open` before use."""

    def __init__(self, database: Database, calls: Calls) -> None:
        bucket = AsyncGridFSBucket if isinstance(database, AsyncDatabase) else AsyncIOMotorGridFSBucket
        self._bucket: Any = bucket(database, BUCKET)
        self._files = database.get_collection(f"{BUCKET}.files")
        self._chunks = database.get_collection(f"{BUCKET}.chunks")
        self._answered = calls.answered

    async def open(self) -> None:
        """Make the indexes that GridFS asks for, if they are missing."""
        async with self._answered():
            await self._files.create_index([("filename", ASCENDING), ("uploadDate", ASCENDING)])
            await self._chunks.create_index([("files_id", ASCENDING), ("n", ASCENDING)], unique=True)

    async def put(self, id_: str, body: bytes, at: datetime) -> None:
        """See the port."""
        moment = at.astimezone(UTC)
        async with self._answered():
            touched = await self._files.update_one({"filename": id_}, {"$set": {_AT: moment}})
            if touched.matched_count:
                return
            # The file's document is written last, when all of its chunks are there.
            async with self._bucket.open_upload_stream(id_, metadata={"putAt": moment}) as stream:
                await stream.write(body)

    async def get(self, id_: str) -> bytes | None:
        """See the port."""
        async with self._answered():
            try:
                stream = await self._bucket.open_download_stream_by_name(id_)
                body: bytes = await stream.read()
            except (NoFile, CorruptGridFile):
                # The latter too where it is deleted while it is read.
                return None
        return body

    async def delete(self, id_: str, put_until: datetime) -> None:
        """See the port."""
        wanted = {"filename": id_, _AT: {"$lte": put_until.astimezone(UTC)}}
        async with self._answered():
            # The file's document goes first: what is cut off here is nobody's, and `tidy` finds it.
            while (file := await self._files.find_one_and_delete(wanted)) is not None:
                await self._chunks.delete_many({"files_id": file["_id"]})

    async def tidy(self, begun_until: datetime) -> None:
        """See the port. Ids of files tell when they were begun."""
        after, until = _NO_FILE, ObjectId.from_datetime(begun_until)
        while ids := await self._next_in_parts(after, until):
            async with self._answered():
                whole = await self._files.find({"_id": {"$in": ids}}, {"_id": True}).to_list(len(ids))
                nobodys = set(ids) - {file["_id"] for file in whole}
                if nobodys:
                    await self._chunks.delete_many({"files_id": {"$in": list(nobodys)}})
            after = ids[-1]

    async def _next_in_parts(self, after: ObjectId, until: ObjectId) -> list[ObjectId]:
        """The next files that have parts, whole or not, in order; none when there are no more before `until`."""
        wanted: Json = {"files_id": {"$gt": after, "$lt": until}}
        async with self._answered():
            cursor = self._chunks.find(wanted, {"files_id": True, "_id": False})
            parts = await cursor.sort("files_id", ASCENDING).limit(PARTS_AT_ONCE).to_list(PARTS_AT_ONCE)
        return list(dict.fromkeys(part["files_id"] for part in parts))

    async def scan(self, after: str, limit: int) -> Sequence[str]:
        """See the port."""
        found: dict[str, None] = {}
        async with self._answered():
            wanted: Json = {"filename": {"$gt": after}}
            cursor = (
                self._files.find(wanted, {"filename": True}).sort("filename", ASCENDING).limit(bounded(limit))
            )
            for file in await cursor.to_list(bounded(limit)):
                found[file["filename"]] = None
        return list(found)
