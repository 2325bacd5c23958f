"""Bringing what a store holds into today's shape: steps forward, one after the other, by one node at a time.

The store's version stands in one document, with the lock on it: owner, and until when it holds. Who migrates moves
both on with every batch, by compare-and-set: that is the heartbeat, the place to go on from after a kill, and the
fence: a node that was stopped for longer than its lock held finds the document changed, and stops. Batches can be
done twice without harm, so the one that it was in the middle of does none either.

A step is *automatic* if servers of the release before can go on while and after it runs; then `persplit serve` does
it by itself. For others several nodes have to be stopped first, so `persplit migrate` is asked for; an embedded
server is alone, and does all of them at its start. Indexes are not in here: MongoDB's stores make those on opening.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import structlog

from persplit.service.errors import SchemaMismatch, StoreUnavailable
from persplit.service.handler import rfc3339
from persplit.service.ports import Clock, Document, Documents, DuplicateKey, Stores, VersionChanged
from persplit.service.walking import PAGE

LOCK_SECONDS: Final = 60
"""How long the lock of a node that was killed is waited for: a batch takes a second, a store may take nine more."""
POLL_SECONDS: Final = 0.5
"""Between two looks whether the other node is done."""
ATTEMPTS_MAX: Final = 8
"""Times that a document is changed anew after a server has changed it meanwhile."""

_DOCUMENT: Final = "schema"
_FIRST: Final = 1
"""The version of stores from before versions were kept."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """From one version to the next. `batch` takes the place to go on from ("" at first), returns the next or None."""

    name: str
    batch: Callable[[Stores, str], Awaitable[str | None]]
    is_automatic: bool = False


async def _invites_by_maker(stores: Stores, after: str) -> str | None:
    """Invites are found by who made them, which erasing an account needs."""
    page = await stores.invites.scan(after, PAGE)
    for invite in page:
        await _with_maker(stores.invites, invite)
    return page[-1].id if page else None


async def _with_maker(invites: Documents, invite: Document) -> None:
    for _ in range(ATTEMPTS_MAX):
        keys = {**invite.keys, "createdBy": invite.body["createdBy"]}
        if keys == invite.keys:
            return
        try:
            await invites.replace(replace(invite, keys=keys))
        except VersionChanged:
            found = (await invites.get([invite.id])).get(invite.id)
            if found is None:
                return
            invite = found
        else:
            return
    raise StoreUnavailable("an invite is being changed from too many sides")


STEPS: Final = (Step("invites are found by who made them", _invites_by_maker),)
"""Never change or drop one that was released: append another."""


@dataclass(frozen=True, slots=True)
class _Schema:
    """The document's content: `after` is how far the next step has come; `owner` "" where nobody migrates."""

    version: int
    after: str = ""
    owner: str = ""
    until: str = ""

    @classmethod
    def of(cls, document: Document) -> "_Schema":
        """What the document says."""
        return cls(**document.body)

    def body(self) -> dict[str, Any]:
        """As it is kept."""
        return {"version": self.version, "after": self.after, "owner": self.owner, "until": self.until}


class Migrations:
    """The migrations of one store, by one node."""

    def __init__(
        self,
        stores: Stores,
        clock: Clock,
        *,
        steps: Sequence[Step] = STEPS,
        lock_seconds: float = LOCK_SECONDS,
    ) -> None:
        self._stores = stores
        self._clock = clock
        self._steps = steps
        self._lock = timedelta(seconds=lock_seconds)
        self._owner = secrets.token_hex(8)

    @property
    def newest(self) -> int:
        """The version that this release works with."""
        return _FIRST + len(self._steps)

    async def version(self) -> int:
        """The store's version. Raises `SchemaMismatch` where a newer release has been at it."""
        return (await self._read()).version

    async def pending(self) -> Sequence[Step]:
        """The steps that the store lacks. Raises `SchemaMismatch` where a newer release has been at it."""
        return self._steps[await self.version() - _FIRST :]

    async def require_none(self) -> None:
        """Return if the store lacks no step. Raises `SchemaMismatch`."""
        if await self.pending():
            raise SchemaMismatch(
                f"the store's data has schema {await self.version()}; this release needs {self.newest}: "
                "stop all servers and run `persplit migrate`"
            )

    async def at_start(self) -> None:
        """What a server does before it serves: steps that may be done now. Raises `SchemaMismatch` at any other."""
        pending = await self.pending()
        if self._stores.is_shared and not all(step.is_automatic for step in pending):
            await self.require_none()
        if pending:
            await self.run()

    async def run(self, told: Callable[[str], None] = lambda _: None) -> int:
        """Take all steps that the store lacks; waits while another node does. Returns how many this one finished.

        `told` hears of each as it begins.

        Raises:
            SchemaMismatch: a newer release has been at the store.
            StoreUnavailable: the store doesn't answer; or this node was stopped so long that another one took over.

        """
        document = await self._locked()
        finished = 0
        while (schema := _Schema.of(document)).version < self.newest:
            step = self._steps[schema.version - _FIRST]
            if schema.after == "":
                told(step.name)
            after = await step.batch(self._stores, schema.after)
            if after is None:
                finished += 1
                schema = _Schema(schema.version + 1)
                _log.info("migrated", version=schema.version)
            document = await self._move(document, replace(schema, after=after or "", owner=self._owner))
        await self._move(document, _Schema(schema.version))
        return finished

    async def _read(self) -> _Schema:
        return _Schema.of(await self._document())

    async def _document(self) -> Document:
        """The version's document, made where it is missing: a store with nothing in it is as new as can be."""
        found = await self._stores.meta.get([_DOCUMENT])
        if not found:
            version = self.newest if await is_empty(self._stores) else _FIRST
            with suppress(DuplicateKey):
                await self._stores.meta.insert(Document(_DOCUMENT, _Schema(version).body()))
            found = await self._stores.meta.get([_DOCUMENT])
        document = found[_DOCUMENT]
        version = _Schema.of(document).version
        if version > self.newest:
            raise SchemaMismatch(
                f"the store's data has schema {version}; this release knows up to {self.newest}"
            )
        return document

    async def begin_at(self, version: int) -> None:
        """Say which version the data has that an empty store is about to get."""
        with suppress(DuplicateKey):
            await self._stores.meta.insert(Document(_DOCUMENT, _Schema(version).body()))
            return
        document = await self._document()
        await self._move(document, _Schema(version))

    async def _locked(self) -> Document:
        """The document, locked by this node."""
        while True:
            document = await self._document()
            schema = _Schema.of(document)
            is_free = schema.owner in ("", self._owner) or schema.until <= rfc3339(self._clock())
            if is_free:
                try:
                    return await self._replace(document, replace(schema, owner=self._owner))
                except VersionChanged:
                    continue
            await asyncio.sleep(POLL_SECONDS)

    async def _move(self, document: Document, schema: _Schema) -> Document:
        try:
            return await self._replace(document, schema)
        except VersionChanged:
            raise StoreUnavailable("another node has taken the migration over") from None

    async def _replace(self, document: Document, schema: _Schema) -> Document:
        until = rfc3339(self._clock() + self._lock) if schema.owner else ""
        return await self._stores.meta.replace(replace(document, body=replace(schema, until=until).body()))


async def is_empty(stores: Stores) -> bool:
    """Whether nobody has kept anything in the store yet."""
    if await stores.events.groups("", 1):
        return False
    for documents in stores.collections().values():
        if await documents.scan("", 1):
            return False
    return True
