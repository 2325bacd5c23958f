"""What is the same for everybody who asks: kept in memory with its compressed forms, and answered with an ETag."""

import gzip
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

_BEST_FIRST: Final = ("br", "gzip")
_TAG_LENGTH: Final = 20
"""Hex digits: 80 bits, and nobody who could choose a body gains by two being alike."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """An answer's body. `packed` has it by content encoding, as far as there are such forms; `tag` is a hash of it."""

    body: bytes
    content_type: str
    packed: Mapping[str, bytes]
    tag: str


def fixed(body: bytes, content_type: str, packed: Mapping[str, bytes]) -> Fixed:
    """The body, tagged."""
    return Fixed(body, content_type, packed, hashlib.sha256(body).hexdigest()[:_TAG_LENGTH])


def compressed(body: bytes, content_type: str) -> Fixed:
    """The body with its gzip form: made once, so that nobody can have us do it again and again."""
    return fixed(body, content_type, {"gzip": gzip.compress(body, mtime=0)})


def respond(request: web.Request, answer: Fixed, headers: Mapping[str, str]) -> web.Response:
    """The answer in the smallest form that the browser takes, or that it has it already. `headers` are added."""
    encoding = _encoding(request, answer.packed)
    # A form of its own has a tag of its own: a cache must not take one for the other.
    tag = answer.tag if encoding is None else f"{answer.tag}-{encoding}"
    added = {**headers, "ETag": f'"{tag}"', "Vary": "Accept-Encoding"}
    if _has(request, tag):
        return web.Response(status=304, headers=added)
    body = answer.body
    if encoding is not None:
        body = answer.packed[encoding]
        added["Content-Encoding"] = encoding
    charset = "utf-8" if answer.content_type.startswith("text/") else None
    return web.Response(body=body, headers=added, content_type=answer.content_type, charset=charset)


def _has(request: web.Request, tag: str) -> bool:
    known = request.if_none_match
    return known is not None and any(it.value in ("*", tag) for it in known)


def _encoding(request: web.Request, there: Iterable[str]) -> str | None:
    """The best of those that are there and that the browser takes."""
    taken = set(_taken(request.headers.get("Accept-Encoding", "")))
    return next((it for it in _BEST_FIRST if it in there and it in taken), None)


def _taken(header: str) -> Iterable[str]:
    """The encodings that `Accept-Encoding` names, without those of quality 0."""
    for part in header.lower().split(","):
        name, _, quality = part.partition(";")
        if quality.replace(" ", "").rstrip("0").rstrip(".") not in ("q=", "q=0"):
            yield name.strip()
