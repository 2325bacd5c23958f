"""The processes that read: begun when needed, bounded, killed when they are stuck, and no secrets of ours in them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from persplit.adapters import receipt_reader, receipt_worker
from persplit.adapters.receipt_reader import ReceiptReader
from persplit.receipts.page import Word
from persplit.service.errors import RateLimited, ReceiptsUnavailable, ReceiptUnreadable

LOOP = """
import json, os, struct, sys, time
def take():
    (length,) = struct.unpack(">I", sys.stdin.buffer.read(4))
    return sys.stdin.buffer.read(length)
def tell(body):
    sys.stdout.buffer.write(struct.pack(">I", len(body)) + body)
    sys.stdout.buffer.flush()
while True:
    picture = take()
    {}
"""
BOX = [[10, 20], [110, 30], [110, 50], [10, 40]]
SAYS_WHO_IT_IS = LOOP.format("tell(json.dumps([[str(os.getpid()), 0.5, %r]]).encode())" % BOX)  # noqa: UP031 - braces
SAYS_ITS_SETTINGS = LOOP.format(
    "tell(json.dumps([[k, 1.0, %r] for k in os.environ if 'PERSPLIT' in k]).encode())" % BOX  # noqa: UP031 - as above
)
NEVER_ANSWERS = LOOP.format("time.sleep(600)")
CANT_READ_IT = LOOP.format("tell(b'null')")
SAYS_NONSENSE = LOOP.format("tell(b'[[1, 2]]')")
SAYS_FAR_TOO_MUCH = LOOP.format('sys.stdout.buffer.write(b"\\xff" * 4); sys.stdout.buffer.flush()')
ENDS = "raise SystemExit(3)"

Make = Callable[..., ReceiptReader]


@pytest.fixture
async def make(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """A reader whose processes run this program instead; closed at the end."""
    monkeypatch.setattr(receipt_reader, "_NEEDED", ())
    async with AsyncExitStack() as stack:

        def made(program: str, workers: int = 1, **options: float) -> ReceiptReader:
            reader = ReceiptReader(workers, command=(sys.executable, "-I", "-c", program), **options)
            stack.push_async_callback(reader.close)
            return reader

        yield made


def is_running(pid: str) -> bool:
    """Whether there is such a process, and it isn't only waiting to be looked at."""
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().split(") ")[1][0] != "Z"


async def test_a_process_is_used_again_and_its_words_come_as_they_stand(make: Make) -> None:
    reader = make(SAYS_WHO_IT_IS)
    (first,), (second,) = [await reader.words(b"picture") for _ in range(2)]
    assert first == second == Word(first.text, 10.0, 20.0, 110.0, 50.0, 0.1, 0.5)
    assert first.height == 20.0, "what the slope adds to the box is taken off"


async def test_there_are_only_so_many_and_nobody_waits_for_ever(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipt_reader, "WAITING_MAX", 6)
    reader = make(SAYS_WHO_IT_IS, workers=2)
    found = await asyncio.gather(*(reader.words(b"x") for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(it, RateLimited) for it in found) == 2
    pids = {it[0].text for it in found if isinstance(it, list)}
    assert 1 <= len(pids) <= 2
    assert await reader.words(b"x")


@pytest.mark.parametrize(
    "program",
    [ENDS, CANT_READ_IT, SAYS_NONSENSE, SAYS_FAR_TOO_MUCH],
    ids=["ends", "null", "nonsense", "too much"],
)
async def test_whatever_a_process_does_it_is_a_coded_error_and_the_next_picture_is_read(
    make: Make, program: str
) -> None:
    reader = make(program)
    for _ in range(2):
        with pytest.raises(ReceiptUnreadable):
            await reader.words(b"picture")
    reader._command = (sys.executable, "-I", "-c", SAYS_WHO_IT_IS)
    reader._end_idle()
    assert await reader.words(b"picture")


async def test_one_that_takes_too_long_is_killed(make: Make) -> None:
    reader = make(NEVER_ANSWERS, read_seconds_max=0.3)
    with pytest.raises(ReceiptUnreadable, match="too long"):
        await reader.words(b"picture")
    assert reader._idle == []


async def test_who_goes_away_leaves_no_answer_for_the_next(make: Make) -> None:
    reader = make(NEVER_ANSWERS)
    asking = asyncio.create_task(reader.words(b"picture"))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert asking.cancelled()
    assert reader._idle == []


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked at in /proc")
async def test_one_that_nobody_needs_is_ended(make: Make) -> None:
    reader = make(SAYS_WHO_IT_IS, idle_seconds=0.05)
    ((word),) = await reader.words(b"picture")
    async with asyncio.timeout(30):
        while is_running(word.text):  # noqa: ASYNC110 - nobody tells of the end of another process
            await asyncio.sleep(0.02)
    ((other),) = await reader.words(b"picture")
    assert other.text != word.text
    await reader.close()
    assert not is_running(other.text)


async def test_our_settings_are_none_of_its_business(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSPLIT_JWT_SECRET", "a secret")
    assert await make(SAYS_ITS_SETTINGS).words(b"picture") == []


async def test_without_workers_or_without_the_extra_there_is_nothing_to_read_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ReceiptsUnavailable):
        await ReceiptReader(0).words(b"picture")
    monkeypatch.setattr(receipt_reader, "_NEEDED", ("a_package_that_nobody_has",))
    with pytest.raises(ReceiptsUnavailable, match="extra"):
        await ReceiptReader(1).words(b"picture")


def test_a_message_ends_with_its_input(tmp_path: Path) -> None:
    file = tmp_path / "in"
    file.write_bytes(receipt_worker.HEADER.pack(3) + b"abc" + receipt_worker.HEADER.pack(2**32 - 1) + b"x")
    with file.open("rb") as opened:
        assert receipt_worker.received(opened) == b"abc"
        assert receipt_worker.received(opened) is None, "longer than any picture"
        assert receipt_worker.received(opened) is None
