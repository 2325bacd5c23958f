"""QR codes with the `qrcode` library: made off the event loop, once for all who ask at the same time, and cached."""

import asyncio
import io
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Final, TypeAlias

from persplit.ledger.qr import matrix_of
from persplit.service.errors import RateLimited, ServerRestarting
from persplit.service.metrics import QR_IMAGES, QR_SECONDS, RATE_LIMITED, timed
from persplit.service.ports import QrRenderer

BOX_SIZE_PX: Final = 8
"""Pixels to a module: a payment link comes to some 400 by 400."""

COMPRESS_LEVEL: Final = 6
"""Of zlib's: the highest makes 60 bytes less of a payment link, and takes half as long again for the whole image."""

WAITING_MAX: Final = 256
"""Images being made or waiting for it: about half a second of work. More are refused."""

CACHE_ENTRIES_MAX: Final = 4_096
CACHE_BYTES_MAX: Final = 8 * 1024 * 1024
"""Texts and images together; a payment link's PNG with its link has under 1 KB."""

_RETRY_AFTER_MS: Final = 1_000

_THREADS: Final = 1
"""It is Python at work under the interpreter's lock: more threads wouldn't be faster, only in the loop's way more."""


def png_of(text: str) -> bytes:
    """The code as a PNG, one bit to a pixel, BOX_SIZE_PX pixels to a module. Raises like `matrix_of`."""
    from PIL import Image  # noqa: PLC0415 - loaded by the thread, when the first code is asked for: a start doesn't

    matrix = matrix_of(text)
    size = len(matrix)
    modules = Image.frombytes("L", (size, size), bytes(0 if dark else 255 for row in matrix for dark in row))
    side_px = size * BOX_SIZE_PX
    image = modules.resize((side_px, side_px), Image.Resampling.NEAREST).convert(
        "1", dither=Image.Dither.NONE
    )
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=COMPRESS_LEVEL)
    return file.getvalue()


def svg_of(text: str) -> bytes:
    """The code as an SVG of one path, on white, so that a dark page keeps it readable. Raises like `matrix_of`."""
    matrix = matrix_of(text)
    size = len(matrix)
    side_px = size * BOX_SIZE_PX
    path = "".join(f"M{x} {y}.5h{width}" for y, row in enumerate(matrix) for x, width in _dark_runs(row))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" width="{side_px}" height="{side_px}"'
        f' shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{size}v{size}H0z"/>'
        f'<path stroke="#000" d="{path}"/></svg>'
    ).encode()


def _dark_runs(row: list[bool]) -> Iterator[tuple[int, int]]:
    """Where each run of dark modules begins, and how many they are."""
    x = 0
    for dark, run in groupby(row):
        width = len(list(run))
        if dark:
            yield x, width
        x += width


_Draw: TypeAlias = Callable[[str], bytes]
_Key: TypeAlias = tuple[_Draw, str]


class QrCodes(QrRenderer):
    """QR images; at most `waiting_max` are being made, at most so many entries and bytes are remembered."""

    def __init__(
        self,
        *,
        waiting_max: int = WAITING_MAX,
        cache_entries_max: int = CACHE_ENTRIES_MAX,
        cache_bytes_max: int = CACHE_BYTES_MAX,
    ) -> None:
        self._waiting_max = waiting_max
        self._cache = _Cache(cache_entries_max, cache_bytes_max)
        self._in_flight: dict[_Key, asyncio.Future[bytes]] = {}
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="qr")
        self._closed = False

    async def png(self, text: str) -> bytes:
        """A PNG, level M, border 4, mode 1.

        Raises:
            ValueError: as from `matrix_of`.
            RateLimited: too many are waiting; not for an image that is remembered or already being made.
            ServerRestarting: after `close`, for an image that isn't remembered.

        """
        return await self._image((png_of, text))

    async def svg(self, text: str) -> bytes:
        """The same as SVG, in UTF-8. Raises like `png`."""
        return await self._image((svg_of, text))

    async def close(self) -> None:
        """Let what is being made be finished and answered; take nothing more. May be called again."""
        self._closed = True
        await asyncio.gather(*self._in_flight.values(), return_exceptions=True)
        self._executor.shutdown()

    async def _image(self, key: _Key) -> bytes:
        image = self._cache.get(key)
        if image is not None:
            QR_IMAGES.labels("cached").inc()
            return image
        making = self._in_flight.get(key)
        if making is not None:
            QR_IMAGES.labels("shared").inc()
        else:
            making = self._begin(key)
            QR_IMAGES.labels("made").inc()
        # Shielded: whoever stops waiting doesn't take the image away from the others.
        with timed(QR_SECONDS):
            return await asyncio.shield(making)

    def _begin(self, key: _Key) -> asyncio.Future[bytes]:
        if self._closed:
            raise ServerRestarting("the server is stopping")
        if len(self._in_flight) >= self._waiting_max:
            RATE_LIMITED.labels("qr").inc()
            raise RateLimited("too many QR codes are being made", _RETRY_AFTER_MS)
        draw, text = key
        making = asyncio.get_running_loop().run_in_executor(self._executor, draw, text)
        self._in_flight[key] = making
        making.add_done_callback(lambda made: self._end(key, made))
        return making

    def _end(self, key: _Key, made: asyncio.Future[bytes]) -> None:
        del self._in_flight[key]
        # Asking for the exception also marks it as seen, should nobody be waiting any more.
        if not made.cancelled() and made.exception() is None:
            self._cache.put(key, made.result())


class _Cache:
    """The images used last, bounded in entries and in bytes."""

    def __init__(self, entries_max: int, bytes_max: int) -> None:
        self._entries_max = entries_max
        self._bytes_max = bytes_max
        self._images: OrderedDict[_Key, bytes] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._images)

    def get(self, key: _Key) -> bytes | None:
        image = self._images.get(key)
        if image is not None:
            self._images.move_to_end(key)
        return image

    def put(self, key: _Key, image: bytes) -> None:
        """Remember a new key's image, and forget the ones unused for longest."""
        self._images[key] = image
        self.size_bytes += _weight(key, image)
        while len(self._images) > self._entries_max or self.size_bytes > self._bytes_max:
            self.size_bytes -= _weight(*self._images.popitem(last=False))


def _weight(key: _Key, image: bytes) -> int:
    return len(key[1]) + len(image)
