"""Which generation of the tallies counts, and up to when it is: one document.

`stale` are generations that nobody uses any more and that have not all been taken away, `building` the one that is
being made, if one is. Nodes ask for it again all the time, so a change of it needs no word to them.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from persplit.service.errors import StoreUnavailable
from persplit.service.ports import Document, Documents, DuplicateKey, VersionChanged

ATTEMPTS_MAX: Final = 8
"""Times that a change is made anew after another one came between."""
_DOCUMENT: Final = "tallies"


@dataclass(frozen=True, slots=True)
class Progress:
    """`as_of`: all that was recorded before then, RFC 3339 UTC, is in the tallies; "" until that is known."""

    generation: str
    as_of: str = ""
    building: str = ""
    stale: tuple[str, ...] = ()


class Overtaken(Exception):
    """Somebody else began to make the tallies anew, and this work is of no use any more."""


class TallyProgress:
    """The document. Every method raises `StoreUnavailable` when the store doesn't answer."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def current(self) -> Progress:
        """As it is now; the first one to ask makes it."""
        return _progress(await self._document())

    async def reached(self, generation: str, as_of: str) -> None:
        """Note up to when the generation is, unless another one counts by now, or it is known to be further."""

        def later(now: Progress) -> Progress:
            is_later = now.generation == generation and as_of > now.as_of
            return replace(now, as_of=as_of) if is_later else now

        await self._change(later)

    async def begin(self) -> str:
        """Begin another generation; returns it. What somebody else has begun is overtaken."""
        begun = _new_generation()

        def begin(now: Progress) -> Progress:
            stale = (*now.stale, now.building) if now.building else now.stale
            return replace(now, building=begun, stale=stale)

        await self._change(begin)
        return begun

    async def finish(self, generation: str, as_of: str) -> None:
        """Let the generation count from now on. Raises `Overtaken`."""

        def finish(now: Progress) -> Progress:
            if now.building != generation:
                raise Overtaken
            return Progress(generation, as_of, stale=(*now.stale, now.generation))

        await self._change(finish)

    async def restart(self) -> None:
        """Let an empty generation count: the one before was of another past."""
        await self._change(
            lambda now: Progress(
                _new_generation(), stale=(*now.stale, *filter(None, (now.building, now.generation)))
            )
        )

    async def dropped(self, generation: str) -> None:
        """Note that nothing of a stale generation is left."""
        await self._change(
            lambda now: replace(now, stale=tuple(stale for stale in now.stale if stale != generation))
        )

    async def _document(self) -> Document:
        found = await self._documents.get([_DOCUMENT])
        if not found:
            with suppress(DuplicateKey):
                await self._documents.insert(Document(_DOCUMENT, _body(Progress(_new_generation()))))
            found = await self._documents.get([_DOCUMENT])
        return found[_DOCUMENT]

    async def _change(self, change: Callable[[Progress], Progress]) -> None:
        for _ in range(ATTEMPTS_MAX):
            document = await self._document()
            before = _progress(document)
            after = change(before)
            if after == before:
                return
            try:
                await self._documents.replace(replace(document, body=_body(after)))
            except VersionChanged:
                continue
            return
        raise StoreUnavailable("the progress of the tallies is being changed from too many sides")


def _new_generation() -> str:
    return secrets.token_hex(8)


def _progress(document: Document) -> Progress:
    body = document.body
    return Progress(body["generation"], body["asOf"], body["building"], tuple(body["stale"]))


def _body(it: Progress) -> dict[str, Any]:
    return {"generation": it.generation, "asOf": it.as_of, "building": it.building, "stale": list(it.stale)}
