"""QR codes, read back by a reader that isn't the library that made them."""

import asyncio
import io
import re
import threading
from collections.abc import AsyncIterator, Iterator
from xml.etree import ElementTree

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from persplit.adapters import qr
from persplit.adapters.qr import BOX_SIZE_PX, QrCodes, png_of, svg_of
from persplit.client.terminal_qr import terminal
from persplit.ledger.money import AMOUNT_MAX
from persplit.ledger.qr import BORDER_MODULES, TEXT_BYTES_MAX
from persplit.ledger.upi import payment_link
from persplit.service.errors import RateLimited, ServerRestarting

LINK = payment_link("asha.k@okhdfcbank", "Asha Krishnan", 1250_50, "Goa trip 2026")
LONGEST_LINK = payment_link("a" * 200 + "@" + "b" * 54, "n" * 40, AMOUNT_MAX, "t" * 50)
LINKS = [
    LINK,
    LONGEST_LINK,
    payment_link("amit@ybl", "अमित कुमार", 5, "गोवा"),
    payment_link("9876543210@ybl", "A", 1, ""),
    "https://persplit.example/join/abc",
    "अमित कुमार, ₹1,250.50",
    "0" * TEXT_BYTES_MAX,
    "ż" * (TEXT_BYTES_MAX // 2),
]


def read(image: Image.Image) -> str:
    """What the only code in the image says; it is of level M."""
    (code,) = zxingcpp.read_barcodes(image.convert("L"))
    assert code.ec_level == "M"
    return bytes(code.bytes).decode()


def drawn(rows: list[list[bool]]) -> Image.Image:
    """Rows of modules, true is dark, as an image."""
    image = Image.new("L", (len(rows[0]), len(rows)))
    image.putdata([0 if dark else 255 for row in rows for dark in row])
    return image.resize((4 * image.width, 4 * image.height), Image.Resampling.NEAREST)


def drawn_svg(svg: bytes) -> Image.Image:
    """Our kind of SVG as an image: a white square and horizontal strokes."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own
    _, _, width, height = map(int, root.attrib["viewBox"].split())
    square, strokes = root
    assert (square.attrib["fill"], square.attrib["d"]) == ("#fff", f"M0 0h{width}v{height}H0z")
    assert strokes.attrib["stroke"] == "#000"
    rows = [[False] * width for _ in range(height)]
    for x, y, run in re.findall(r"M(\d+) (\d+)\.5h(\d+)", strokes.attrib["d"]):
        rows[int(y)][int(x) : int(x) + int(run)] = [True] * int(run)
    return drawn(rows)


def drawn_terminal(text: str) -> Image.Image:
    """Half blocks as an image."""
    lines = re.sub(r"\x1b\[[\d;]*m", "", text).splitlines()
    halves = {" ": (True, True), "▀": (False, True), "▄": (True, False), "█": (False, False)}
    return drawn([[halves[block][half] for block in line] for line in lines for half in (0, 1)])


@pytest.mark.parametrize("text", LINKS)
def test_a_png_reads_back(text: str) -> None:
    image = Image.open(io.BytesIO(png_of(text)))
    assert image.mode == "1"
    assert read(image) == text


@pytest.mark.parametrize("text", LINKS[:5])
def test_a_png_reads_back_when_shrunk_and_when_sent_as_a_photo(text: str) -> None:
    image = Image.open(io.BytesIO(png_of(text))).convert("L")
    photo = io.BytesIO()
    image.save(photo, "JPEG", quality=60)
    assert read(Image.open(photo)) == text
    if text != LONGEST_LINK:  # its modules would have under two pixels
        assert read(image.resize((180, 180), Image.Resampling.BILINEAR)) == text


@pytest.mark.parametrize("text", LINKS)
def test_an_svg_reads_back(text: str) -> None:
    assert read(drawn_svg(svg_of(text))) == text


@pytest.mark.parametrize("text", LINKS)
def test_a_drawing_in_the_terminal_reads_back(text: str) -> None:
    assert read(drawn_terminal(terminal(text))) == text


def test_the_terminal_is_told_its_colours() -> None:
    lines = terminal(LINK).splitlines()
    assert all(line.startswith("\x1b[38;5;231;48;5;16m") and line.endswith("\x1b[0m") for line in lines)


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=60))
def test_any_text_reads_back(text: str) -> None:
    assert read(Image.open(io.BytesIO(png_of(text)))) == text


def test_there_is_a_quiet_zone_all_around() -> None:
    image = Image.open(io.BytesIO(png_of(LINK))).convert("L")
    quiet_px = BORDER_MODULES * BOX_SIZE_PX
    corner = image.size[0] - quiet_px
    inverted = image.point(lambda value: 255 - value)
    assert inverted.getbbox() == (quiet_px, quiet_px, corner, corner)


def test_images_are_small() -> None:
    assert len(png_of(LINK)) < 1024
    assert len(svg_of(LINK)) < 10 * 1024


def test_the_same_text_always_makes_the_same_bytes() -> None:
    assert png_of(LINK) == png_of(LINK)
    assert svg_of(LINK) == svg_of(LINK)


@pytest.mark.parametrize("text", ["", "x" * (TEXT_BYTES_MAX + 1), "ż" * (TEXT_BYTES_MAX // 2 + 1), "a\0"])
async def test_a_text_outside_the_bounds_is_refused(text: str, codes: QrCodes) -> None:
    with pytest.raises(ValueError, match="bytes of text"):
        await codes.png(text)
    with pytest.raises(ValueError, match="bytes of text"):
        terminal(text)


def test_the_longest_payment_link_is_within_the_bounds() -> None:
    assert len(LONGEST_LINK) <= TEXT_BYTES_MAX


class Workshop:
    """In place of the drawing: counts what is begun, and finishes nothing before `open` is set."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.open = threading.Event()

    def draw(self, text: str) -> bytes:
        self.begun.append(text)
        self.open.wait(30)
        if text == "bad":
            raise ValueError("can't be drawn")
        return f"image of {text}".encode()


@pytest.fixture
async def codes() -> AsyncIterator[QrCodes]:
    codes = QrCodes(waiting_max=3, cache_entries_max=2, cache_bytes_max=60)
    yield codes
    await codes.close()


@pytest.fixture
def workshop(monkeypatch: pytest.MonkeyPatch, codes: QrCodes) -> Iterator[Workshop]:
    workshop = Workshop()
    monkeypatch.setattr(qr, "png_of", workshop.draw)
    yield workshop
    workshop.open.set()


async def begun(workshop: Workshop, count: int) -> None:
    """Come back when so many drawings were begun; the loop runs meanwhile."""
    async with asyncio.timeout(30):
        while len(workshop.begun) < count:  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.001)


async def test_png_and_svg_say_the_same(codes: QrCodes) -> None:
    assert read(Image.open(io.BytesIO(await codes.png(LINK)))) == LINK
    assert read(drawn_svg(await codes.svg(LINK))) == LINK


async def test_the_loop_runs_while_an_image_is_made(codes: QrCodes, workshop: Workshop) -> None:
    waiter = asyncio.create_task(codes.png("a"))
    await begun(workshop, 1)
    assert not waiter.done()
    workshop.open.set()
    assert await waiter == b"image of a"


async def test_who_asks_for_the_same_at_the_same_time_shares_one_drawing(
    codes: QrCodes, workshop: Workshop
) -> None:
    waiters = [asyncio.create_task(codes.png("a")) for _ in range(10)]
    await begun(workshop, 1)
    workshop.open.set()
    assert set(await asyncio.gather(*waiters)) == {b"image of a"}
    assert await codes.png("a") == b"image of a"
    assert workshop.begun == ["a"]


async def test_who_stops_waiting_takes_nothing_from_the_others(codes: QrCodes, workshop: Workshop) -> None:
    impatient, patient = (asyncio.create_task(codes.png("a")) for _ in range(2))
    await begun(workshop, 1)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    workshop.open.set()
    assert await patient == b"image of a"
    assert workshop.begun == ["a"]


async def test_an_image_that_nobody_waits_for_any_more_is_kept(codes: QrCodes, workshop: Workshop) -> None:
    waiter = asyncio.create_task(codes.png("a"))
    await begun(workshop, 1)
    waiter.cancel()
    workshop.open.set()
    assert await codes.png("a") == b"image of a"
    assert workshop.begun == ["a"]


async def test_a_failure_is_everybodys_and_is_not_remembered(codes: QrCodes, workshop: Workshop) -> None:
    workshop.open.set()
    outcomes = await asyncio.gather(codes.png("bad"), codes.png("bad"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ValueError, ValueError]
    with pytest.raises(ValueError, match="can't be drawn"):
        await codes.png("bad")
    assert workshop.begun == ["bad", "bad"]


async def test_when_too_many_wait_the_next_is_told_to_come_back(codes: QrCodes, workshop: Workshop) -> None:
    waiters = [asyncio.create_task(codes.png(text)) for text in "abc"]
    await begun(workshop, 1)
    with pytest.raises(RateLimited) as refusal:
        await codes.png("d")
    assert refusal.value.retry_after_ms > 0
    same = asyncio.create_task(codes.png("c"))
    workshop.open.set()
    assert await asyncio.gather(*waiters, same) == [b"image of " + text for text in (b"a", b"b", b"c", b"c")]
    assert await codes.png("d") == b"image of d"


async def test_the_cache_forgets_what_was_unused_for_longest(codes: QrCodes, workshop: Workshop) -> None:
    workshop.open.set()
    for text in "abaca":
        await codes.png(text)
    assert workshop.begun == ["a", "b", "c"]
    await codes.png("b")
    assert workshop.begun == ["a", "b", "c", "b"]
    assert len(codes._cache) == 2


async def test_the_cache_is_bounded_in_bytes(codes: QrCodes, workshop: Workshop) -> None:
    workshop.open.set()
    for length in (1, 20, 30, 1, 20):
        await codes.png("x" * length)
        assert codes._cache.size_bytes <= 60
    assert workshop.begun == ["x", "x" * 20, "x" * 30, "x", "x" * 20]
    assert (len(codes._cache), codes._cache.size_bytes) == (2, 60)


async def test_closing_answers_who_waits_and_refuses_the_rest(codes: QrCodes, workshop: Workshop) -> None:
    waiters = [asyncio.create_task(codes.png(text)) for text in "ab"]
    await begun(workshop, 1)
    closing = asyncio.create_task(codes.close())
    await asyncio.sleep(0)
    with pytest.raises(ServerRestarting):
        await codes.png("c")
    workshop.open.set()
    await closing
    assert await asyncio.gather(*waiters) == [b"image of a", b"image of b"]
    assert await codes.png("a") == b"image of a"
