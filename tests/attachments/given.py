"""Pictures and documents for the tests, made here."""

import io
from typing import Any

from PIL import Image, ImageDraw

PLACE = "28 deg 36' N, 77 deg 13' E"
"""Where a picture was taken, in its EXIF."""
_ORIENTATION, _DESCRIPTION = 0x0112, 0x010E


def picture(
    format_: str = "JPEG",
    size: tuple[int, int] = (64, 32),
    *,
    mode: str = "RGB",
    orientation: int = 1,
    **options: Any,
) -> bytes:
    """A picture, red on its left half and blue on its right, with EXIF that says too much."""
    image = Image.new("RGB", size, "blue")
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2 - 1, size[1] - 1), fill="red")
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    exif[_DESCRIPTION] = PLACE
    file = io.BytesIO()
    image.convert(mode).save(file, format_, exif=exif, **options)
    return file.getvalue()


def document(words: str = "an invoice") -> bytes:
    """As little of a PDF as counts as one."""
    return f"%PDF-1.7\n% {words}\ntrailer\n<<>>\n%%EOF\n".encode()


def heic() -> bytes:
    """How a HEIC begins."""
    return b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 64


def opened(body: bytes) -> Image.Image:
    """The picture, decoded."""
    image = Image.open(io.BytesIO(body))
    image.load()
    return image
