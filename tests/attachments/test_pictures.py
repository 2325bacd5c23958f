"""What is kept of a file from a stranger: its pixels, upright, and nothing else."""

import asyncio
import io
import struct
import threading
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from persplit.adapters import pictures
from persplit.adapters.pictures import PillowPictures, cleaned, thumbnail
from persplit.service.errors import RateLimited, TooLarge, UnsupportedMedia
from persplit.service.ports import FILE_BYTES_MAX, PIXELS_MAX
from tests.attachments.given import PLACE, document, heic, opened, picture

FORMATS = ["JPEG", "PNG", "WEBP"]


@pytest.mark.parametrize("format_", FORMATS)
def test_nothing_is_kept_but_pixels(format_: str) -> None:
    before = picture(format_)
    assert PLACE.encode() in before
    kept = cleaned(before)
    assert kept.type == f"image/{format_.lower()}"
    assert (kept.width, kept.height) == (64, 32)
    assert PLACE.encode() not in kept.body
    assert not opened(kept.body).getexif()
    pixel = opened(kept.body).convert("RGB").getpixel((8, 16))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200
    assert max(pixel[1:]) < 60


def test_texts_profiles_and_comments_are_gone() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", PLACE)
    notes.add_itxt("XML:com.adobe.xmp", PLACE)
    png = picture("PNG", pnginfo=notes, icc_profile=PLACE.encode() * 20, dpi=(301, 301))
    jpeg = picture("JPEG", comment=PLACE.encode(), icc_profile=PLACE.encode() * 20)
    for body in (png, jpeg):
        kept = cleaned(body).body
        assert PLACE.encode() not in kept
        assert not {"icc_profile", "comment", "Comment", "xmp", "exif"} & opened(kept).info.keys()


def test_what_hides_behind_a_picture_is_gone() -> None:
    assert b"<script>" not in cleaned(picture("PNG") + b"<script>alert(1)</script>").body


@pytest.mark.parametrize(
    ("orientation", "size", "red_at"),
    [(3, (64, 32), (56, 16)), (6, (32, 64), (16, 8)), (8, (32, 64), (16, 56))],
)
def test_a_picture_is_turned_upright(
    orientation: int, size: tuple[int, int], red_at: tuple[int, int]
) -> None:
    kept = cleaned(picture("JPEG", orientation=orientation))
    assert (kept.width, kept.height) == size
    pixel = opened(kept.body).getpixel(red_at)
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "LA"])
def test_every_kind_of_pixel_can_be_kept(format_: str, mode: str) -> None:
    file = io.BytesIO()
    try:
        Image.new(mode, (20, 10)).save(file, format_)
    except OSError:
        return  # this format has no such pixels
    kept = cleaned(file.getvalue())
    assert opened(kept.body).size == (20, 10)
    assert opened(thumbnail(kept.body)).size == (20, 10)


def test_transparency_stays() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(file, "PNG")
    assert opened(cleaned(file.getvalue()).body).getpixel((0, 0)) == (255, 0, 0, 0)


def test_the_same_file_is_the_same_content_again() -> None:
    assert cleaned(picture()) == cleaned(picture())


def test_a_document_is_kept_as_it_is() -> None:
    kept = cleaned(document())
    assert (kept.body, kept.type, kept.width) == (document(), "application/pdf", None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"GIF89a" + b"\0" * 40,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"PK\x03\x04",
        document()[:-8],
        b"\n" + document(),
        picture("JPEG")[:-200][:300],
        picture("PNG")[:60],
        picture("WEBP")[:40],
        b"\xff\xd8\xff" + b"\0" * 100,
        heic(),
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_such_file_or_not_all_of_one_is_refused(body: bytes) -> None:
    with pytest.raises(UnsupportedMedia):
        cleaned(body)


def test_whoever_sends_heic_is_told_what_to_do() -> None:
    with pytest.raises(UnsupportedMedia, match="Most Compatible"):
        cleaned(heic())


def _png_header(width: int, height: int) -> bytes:
    """A PNG that says it is so large, with next to nothing in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packed = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "size", [(PIXELS_MAX // 1_000 + 1, 1_000), (100_000, 100_000), (16_001, 1), (1, 20_000)]
)
def test_a_bomb_is_refused_by_its_header_before_it_is_unpacked(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    def unpacked(*_: object) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", unpacked)
    body = _png_header(*size)
    assert len(body) < 20_000
    with pytest.raises((TooLarge, UnsupportedMedia)):
        cleaned(body)


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(TooLarge):
        cleaned(document() + b" " * FILE_BYTES_MAX)


def test_a_picture_that_grows_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    body = picture("PNG")
    monkeypatch.setattr(pictures, "FILE_BYTES_MAX", len(body))
    monkeypatch.setattr(pictures, "_encoded", lambda *_: b"." * (len(body) + 1))
    with pytest.raises(TooLarge, match="encoded again"):
        cleaned(body)


@given(st.sampled_from([picture(format_, (24, 16)) for format_ in FORMATS]), st.data())
@settings(max_examples=60, deadline=None)
def test_a_broken_file_is_refused_or_cleaned_and_never_breaks_anything(
    body: bytes, data: st.DataObject
) -> None:
    broken = bytearray(body)
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        kept = cleaned(bytes(broken[: data.draw(st.integers(1, len(broken)))]))
    except (UnsupportedMedia, TooLarge):
        return
    assert opened(kept.body).size == (kept.width, kept.height)


def test_a_thumbnail_is_small_and_keeps_the_shape() -> None:
    small = opened(thumbnail(cleaned(picture("PNG", (1_000, 250), mode="RGBA")).body))
    assert (small.size, small.format) == ((320, 80), "JPEG")
    with pytest.raises(UnsupportedMedia):
        thumbnail(b"\xff\xd8\xff")


async def test_only_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "WAITING_MAX", 2)
    looking = PillowPictures()
    try:
        tries = (looking.cleaned(picture()), looking.cleaned(picture()), looking.thumbnail(picture()))
        first, second, third = await asyncio.gather(*tries, return_exceptions=True)
        assert isinstance(third, RateLimited)
        assert first == second == cleaned(picture())
        assert await looking.cleaned(picture()) == first
    finally:
        looking.close()


def test_a_jpeg_of_very_many_scans_is_refused_before_it_is_decoded() -> None:
    body = picture("JPEG", progressive=True)
    assert 1 < pictures.scans_of(body) <= pictures.SCANS_MAX
    last = body.rindex(b"\xff\xda")
    scan = body[last:-2]
    with pytest.raises(TooLarge, match="scans"):
        cleaned(body[:-2] + scan * pictures.SCANS_MAX + body[-2:])


async def test_the_file_of_somebody_who_went_away_counts_until_it_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pictures, "WAITING_MAX", 2)
    goes_on, looker = threading.Event(), PillowPictures()
    monkeypatch.setattr(pictures, "cleaned", lambda _: goes_on.wait())
    try:
        waiting = [asyncio.create_task(looker.cleaned(b"")) for _ in range(2)]
        await asyncio.sleep(0)
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(RateLimited):
            await looker.cleaned(b"")
    finally:
        goes_on.set()
        looker.close()
