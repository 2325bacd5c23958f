"""Files of strangers, looked at with Pillow: by content, never by name, with nothing kept but the pixels.

A picture is decoded, turned upright, and encoded again, so that where it was taken, by whom and with what is gone,
as is whatever hid behind the picture. A PDF can't be cleaned: it is kept as it is, and only ever handed out to save.
"""

import asyncio
import io
import re
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from persplit.service.errors import RateLimited, TooLarge, UnsupportedMedia
from persplit.service.ports import FILE_BYTES_MAX, PIXELS_MAX, Picture, Pictures

if TYPE_CHECKING:
    from PIL import Image  # loaded by the thread that first needs it: a start doesn't

SIDE_MAX_PX: Final = 16_000
"""JPEG and WebP end at 65,535 and 16,383. A long receipt scrolled through has 10,000."""
SCANS_MAX: Final = 64
"""Passes over a JPEG. Progressive ones have about ten; a hundred thousand fit into ten megabytes, and take hours."""
THUMBNAIL_PX: Final = 320
JPEG_QUALITY: Final = 85
WAITING_MAX: Final = 16
"""Files that wait or are looked at: each takes up to a second, and 10 MB while it waits."""
RETRY_AFTER_MS: Final = 2_000

PDF: Final = "application/pdf"
_FORMATS: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_HEIF_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevm", b"mif1", b"msf1", b"avif"}
)
_TAIL_BYTES: Final = 1_024
"""Within which a PDF has its end mark."""
_JPEG_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
_BARE: Final = (0x01, 0xD8)
"""Markers that no length follows."""
_T = TypeVar("_T")


class PillowPictures(Pictures):
    """One at a time, on a thread of its own."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="pictures")
        self._waiting = 0

    def close(self) -> None:
        """Take no more."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def cleaned(self, body: bytes) -> Picture:
        """See the port."""
        return await self._done(lambda: cleaned(body))

    async def thumbnail(self, body: bytes) -> bytes:
        """See the port."""
        return await self._done(lambda: thumbnail(body))

    async def _done(self, work: Callable[[], _T]) -> _T:
        if self._waiting >= WAITING_MAX:
            raise RateLimited("too many pictures are being looked at", RETRY_AFTER_MS)
        self._waiting += 1
        looking = asyncio.get_running_loop().run_in_executor(self._executor, work)
        looking.add_done_callback(self._looked)
        # Whoever goes away leaves their file in the queue, so it goes on to count.
        return await asyncio.shield(looking)

    def _looked(self, looking: asyncio.Future[_T]) -> None:
        self._waiting -= 1
        if not looking.cancelled():
            looking.exception()  # perhaps nobody else asks for it


def cleaned(body: bytes) -> Picture:
    """See `Pictures.cleaned`."""
    if len(body) > FILE_BYTES_MAX:
        raise TooLarge(f"a file has at most {FILE_BYTES_MAX // 1024**2} MiB")
    format_ = format_of(body)
    if format_ == PDF:
        return Picture(body, PDF, None, None)
    if format_ == "JPEG" and scans_of(body) > SCANS_MAX:
        raise TooLarge(f"a JPEG has at most {SCANS_MAX} scans")
    image = _upright(body, format_)
    encoded = _encoded(image, format_)
    if len(encoded) > FILE_BYTES_MAX:
        raise TooLarge(
            f"encoded again, the picture has more than {FILE_BYTES_MAX // 1024**2} MiB: send a smaller one"
        )
    return Picture(encoded, _FORMATS[format_], image.width, image.height)


def format_of(body: bytes) -> str:
    """`JPEG`, `PNG`, `WEBP` or the PDF's media type, by content. Raises `UnsupportedMedia` for anything else."""
    match body[:3], body[:8], body[4:8]:
        case (b"\xff\xd8\xff", _, _):
            return "JPEG"
        case (_, b"\x89PNG\r\n\x1a\n", _):
            return "PNG"
        case (_, _, b"ftyp") if body[8:12] in _HEIF_BRANDS:
            raise UnsupportedMedia(
                "HEIC and AVIF aren't taken: send a JPEG (on an iPhone: Settings, Camera, Formats, Most Compatible)"
            )
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "WEBP"
    if body[:5] == b"%PDF-" and b"%%EOF" in body[-_TAIL_BYTES:]:
        return PDF
    raise UnsupportedMedia("JPEG, PNG, WebP and PDF are taken; this is none of them, or not all of one")


def scans_of(body: bytes) -> int:
    """The scans of a JPEG; counting ends where there are more than `SCANS_MAX`."""
    at, scans = 0, 0
    while scans <= SCANS_MAX and (found := _JPEG_MARKER.search(body, at)) is not None:
        at, marker = found.end(), body[found.end() - 1]
        if marker == _END_OF_IMAGE:
            break
        scans += marker == _START_OF_SCAN
        if marker not in _BARE:
            at += int.from_bytes(body[at : at + 2])
    return scans


def _upright(body: bytes, format_: str) -> "Image.Image":
    """The picture as people see it, with nothing else."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - see above

    try:
        with warnings.catch_warnings():
            # Pillow's own bound is higher than ours, and only a warning at first.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(body), formats=[format_]) as opened:
                # By the header, before anything is decoded.
                _check_pixels(opened)
                opened.load()
                plain = _plain(ImageOps.exif_transpose(opened))
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise UnsupportedMedia(f"the picture can't be read: {type(error).__name__}") from None
    plain.info = {}
    return plain


def _check_pixels(image: "Image.Image") -> None:
    if image.width * image.height > PIXELS_MAX or max(image.size) > SIDE_MAX_PX:
        raise TooLarge(
            f"a picture has at most {PIXELS_MAX // 1_000_000} million pixels and {SIDE_MAX_PX} on a side; "
            f"this one has {image.width} x {image.height}"
        )


def _plain(image: "Image.Image") -> "Image.Image":
    """In one of the modes that all three formats know, transparency kept."""
    if image.mode in ("L", "RGB", "RGBA"):
        return image.copy()
    has_alpha = image.mode in ("LA", "PA", "RGBa", "La") or "transparency" in image.info
    return image.convert("RGBA" if has_alpha else "L" if image.mode == "1" else "RGB")


def _encoded(image: "Image.Image", format_: str) -> bytes:
    file = io.BytesIO()
    match format_:
        case "JPEG":
            shown = image if image.mode in ("L", "RGB") else image.convert("RGB")
            shown.save(file, "JPEG", quality=JPEG_QUALITY)
        case "PNG":
            image.save(file, "PNG")
        case _:
            image.save(file, "WEBP", quality=JPEG_QUALITY)
    return file.getvalue()


def thumbnail(body: bytes) -> bytes:
    """See `Pictures.thumbnail`."""
    from PIL import Image  # noqa: PLC0415 - see above

    file = io.BytesIO()
    try:
        with Image.open(io.BytesIO(body), formats=list(_FORMATS)) as opened:
            _check_pixels(opened)
            opened.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
            on_white = Image.new("RGB", opened.size, "white")
            on_white.paste(opened, mask=opened.getchannel("A") if opened.mode == "RGBA" else None)
    except (OSError, SyntaxError, ValueError) as error:
        raise UnsupportedMedia(f"the picture can't be read: {type(error).__name__}") from None
    on_white.save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()
