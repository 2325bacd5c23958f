"""The web page's files, as the build left them: read when somebody first asks, and served from memory.

What isn't among them by its exact name doesn't exist, whatever a path looks like.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Final

import structlog
from aiohttp import web

from persplit.ledger.errors import NotFound
from persplit.transport.fixed import Fixed, fixed, respond
from persplit.transport.rest import problem_response

DIST: Final = Path(__file__).parent.parent / "webapp/dist"
"""Where the build puts the page."""
INDEX: Final = "index.html"
WORKER: Final = "sw.js"
MANIFEST: Final = "manifest.webmanifest"
LICENCES: Final = "THIRD_PARTY_LICENSES.txt"
ASSETS: Final = "assets"
BYTES_MAX: Final = 16_000_000
"""Of all files together, compressed forms included: ten times what they take."""
FILES_MAX: Final = 1_000
REREAD_SECONDS: Final = 10
"""So often, at most, the folder is read again for a file that isn't there."""

_TYPES: Final = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""Other kinds of files are not served."""
_ENCODINGS: Final = {"br": ".br", "gzip": ".gz"}
_CHECKED: Final = {"Cache-Control": "no-cache"}
"""Kept, but asked about each time: a deploy is seen at the next load."""
_FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
"""Its name has its hash: other content has another name."""

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    # Receipts and QRs: what was fetched with a token, or drawn here.
    "img-src 'self' data: blob:; "
    # The socket as well: every browser that runs the page counts its own host's WebSockets as 'self'.
    "connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    # No text becomes a script: the one policy that the page makes lets its service worker's address pass.
    "require-trusted-types-for 'script'; trusted-types persplit; "
    "frame-ancestors 'none'"
)
"""Of the page: stricter than that of other answers."""

_log: Final = structlog.get_logger(__name__)


class WebPage:
    """The files of the folder."""

    def __init__(self, folder: Path = DIST, clock: Callable[[], float] = monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._read_at = 0.0
        self._last: Mapping[str, Fixed] = {}
        self._reading: asyncio.Task[Mapping[str, Fixed]] | None = None

    async def index(self, request: web.Request, headers: Mapping[str, str] = _CHECKED) -> web.Response | None:
        """The page itself, or None if it wasn't built."""
        page = (await self._files()).get(INDEX)
        if page is None:
            return None
        return respond(request, page, {**headers, "Content-Security-Policy": CONTENT_POLICY})

    async def asset(self, request: web.Request) -> web.Response:
        """A file with its hash in its name."""
        return await self._answer(request, f"{ASSETS}/{request.match_info['name']}", _FOR_EVER)

    async def beside(self, request: web.Request) -> web.Response:
        """A file whose name stays: the path is its name."""
        return await self._answer(request, request.path.removeprefix("/"), _CHECKED)

    async def _answer(self, request: web.Request, name: str, headers: Mapping[str, str]) -> web.Response:
        found = (await self._files()).get(name) or (await self._files_anew()).get(name)
        if found is None:
            return problem_response(NotFound("the web page has no such file"))
        return respond(request, found, headers)

    async def _files_anew(self) -> Mapping[str, Fixed]:
        """As they are now: while workers are exchanged, one may be asked for a file of the page that another gave."""
        if self._clock() - self._read_at >= REREAD_SECONDS:
            self._reading = None
        return await self._files()

    async def _files(self) -> Mapping[str, Fixed]:
        if self._reading is None:
            self._read_at = self._clock()
            self._reading = asyncio.create_task(self._read())
        # Whoever goes away meanwhile doesn't end it for the others.
        return await asyncio.shield(self._reading)

    async def _read(self) -> Mapping[str, Fixed]:
        found = await asyncio.to_thread(files, self._folder)
        if INDEX in found or not self._last:
            self._last = found
        return self._last  # that of before, while another page is put in its place


def files(folder: Path) -> Mapping[str, Fixed]:
    """What is served of the folder, by path; nothing if it isn't there, can't be read or holds too much."""
    try:
        contents = _contents(folder)
    except OSError as error:
        _log.warning("web_page.unreadable", error=str(error))
        return {}
    found = {}
    for name, body in contents.items():
        kind = _TYPES.get(Path(name).suffix)
        if kind is not None:
            packed = {it: contents[name + end] for it, end in _ENCODINGS.items() if name + end in contents}
            found[name] = fixed(body, kind, packed)
    return found


def _contents(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    if len(paths) > FILES_MAX or sum(path.stat().st_size for path in paths) > BYTES_MAX:
        raise OSError(f"{folder} holds more than a web page does")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
