"""Contents in a directory: one file each, named by its hash, below a directory of its first two digits.

A file gets its name when all of it is on the disk, so there is never half of one. Its modification time is when it was
put last. Several processes may share the directory.
"""

import asyncio
import errno
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from persplit.service.errors import StorageFull, StoreUnavailable
from persplit.service.ports import Files

_DRAFT: Final = ".draft"
_ID: Final = re.compile(r"[0-9a-f]{64}")
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_T = TypeVar("_T")


class LocalFiles(Files):
    """See the module. The directory is made with the first file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        # Whether one was put since, and its deletion: nothing comes between.
        self._changing = threading.Lock()

    async def put(self, id_: str, body: bytes, at: datetime) -> None:
        """See the port."""
        await _done(lambda: self._put(id_, body, at.timestamp()))

    async def get(self, id_: str) -> bytes | None:
        """See the port."""
        return await _done(lambda: self._get(id_))

    async def delete(self, id_: str, put_until: datetime) -> None:
        """See the port."""
        await _done(lambda: self._delete(id_, put_until.timestamp()))

    async def scan(self, after: str, limit: int) -> Sequence[str]:
        """See the port."""
        return await _done(lambda: self._scan(after, limit))

    async def tidy(self, begun_until: datetime) -> None:
        """See the port."""
        await _done(lambda: self._tidy(begun_until.timestamp()))

    def _path(self, id_: str) -> Path:
        if not _ID.fullmatch(id_):
            raise ValueError("no SHA-256")
        return self._directory / id_[:2] / id_

    def _put(self, id_: str, body: bytes, at: float) -> None:
        path = self._path(id_)
        with self._changing, suppress(FileNotFoundError):
            os.utime(path, (at, at))
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{id_}.{secrets.token_hex(4)}{_DRAFT}")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(body)
                file.flush()
                os.utime(draft, (at, at))
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        for directory in (path.parent, self._directory):
            _sync(directory)

    def _get(self, id_: str) -> bytes | None:
        if not _ID.fullmatch(id_):
            return None
        with suppress(FileNotFoundError):
            return self._path(id_).read_bytes()
        return None

    def _delete(self, id_: str, put_until: float) -> None:
        path = self._path(id_)
        with self._changing, suppress(FileNotFoundError):
            if path.stat().st_mtime <= put_until:
                path.unlink()

    def _scan(self, after: str, limit: int) -> Sequence[str]:
        found: list[str] = []
        for shelf in sorted(self._shelves(after[:2])):
            names = (path.name for path in shelf.iterdir())
            found += sorted(name for name in names if name > after and _ID.fullmatch(name))
            if len(found) >= limit:
                break
        return found[:limit]

    def _tidy(self, begun_until: float) -> None:
        for shelf in self._shelves(""):
            for draft in shelf.glob(f"*{_DRAFT}"):
                with suppress(FileNotFoundError):
                    # By the change of the inode: the modification time is the caller's.
                    if draft.stat().st_ctime <= begun_until:
                        draft.unlink()

    def _shelves(self, first: str) -> Iterator[Path]:
        with suppress(FileNotFoundError):
            for shelf in self._directory.iterdir():
                if len(shelf.name) == 2 and shelf.name >= first:
                    yield shelf


def _sync(directory: Path) -> None:
    """Make a new name in the directory last."""
    with suppress(OSError):  # there are file systems, and Windows, that don't know this
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


async def _done(work: Callable[[], _T]) -> _T:
    """The result of work on the disk, off the event loop. Raises `StorageFull`, `StoreUnavailable`."""
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StorageFull("there is no room for files on this server") from error
        raise StoreUnavailable("the directory of attachments can't be used") from error
