"""Reads pictures in processes of their own, which are begun when one comes and ended when none does.

A process that takes too long is killed, as is one that sends anything odd; the next picture gets another one.
"""

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, Final

import structlog

from persplit.adapters.receipt_worker import HEADER
from persplit.receipts.page import WORDS_MAX, Word
from persplit.service.errors import RateLimited, ReceiptsUnavailable, ReceiptUnreadable
from persplit.service.ports import WordReader

WAITING_MAX: Final = 8
"""Pictures that wait or are read: at three seconds each, the last one has half a minute to wait."""
READ_SECONDS_MAX: Final = 40.0
"""For one picture, a process's beginning included: two to four seconds on a quiet machine."""
IDLE_SECONDS: Final = 120.0
"""After which a process that nobody needs is ended: it holds half a gigabyte."""
ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
RETRY_AFTER_MS: Final = 5_000
COMMAND: Final = (sys.executable, "-I", "-m", "persplit.adapters.receipt_worker")
_NEEDED: Final = ("rapidocr", "onnxruntime")
_FAULTS: Final = (
    TimeoutError,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    asyncio.IncompleteReadError,
)

_log = structlog.get_logger(__name__)


class ReceiptReader(WordReader):
    """At most `workers` processes; 0: none are read."""

    def __init__(
        self,
        workers: int,
        *,
        command: Sequence[str] = COMMAND,
        read_seconds_max: float = READ_SECONDS_MAX,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """The keyword arguments are for tests."""
        self._workers = workers
        self._command = command
        self._read_seconds_max = read_seconds_max
        self._idle_seconds = idle_seconds
        self._free = asyncio.Semaphore(max(1, workers))
        self._waiting = 0
        self._idle: list[asyncio.subprocess.Process] = []
        self._ending: asyncio.TimerHandle | None = None

    def require(self) -> None:
        """See the port."""
        if self._workers == 0:
            raise ReceiptsUnavailable("this server reads no receipts")
        missing = [name for name in _NEEDED if find_spec(name) is None]
        if missing:
            raise ReceiptsUnavailable("this server has no extra `receipts`: it reads none")

    async def words(self, picture: bytes) -> Sequence[Word]:
        """See the port."""
        self.require()
        if self._waiting >= WAITING_MAX:
            raise RateLimited("too many receipts are being read", RETRY_AFTER_MS)
        self._waiting += 1
        try:
            async with self._free:
                return await self._read(picture)
        finally:
            self._waiting -= 1
            self._end_later()

    async def _read(self, picture: bytes) -> Sequence[Word]:
        process: asyncio.subprocess.Process | None = None
        try:
            async with asyncio.timeout(self._read_seconds_max):
                process = self._idle.pop() if self._idle else await self._begun()
                found = await _asked(process, picture)
        except BaseException as error:
            # Whoever it was for has gone, or it is stuck: what it would say next belongs to nobody.
            if process is not None:
                await _killed(process)
            if isinstance(error, _FAULTS):
                _log.warning("receipt_not_read", reason=type(error).__name__)
                raise ReceiptUnreadable("reading it took too long, or too much") from None
            raise
        self._idle.append(process)
        if found is None:
            raise ReceiptUnreadable("the picture can't be read")
        return found

    async def _begun(self) -> asyncio.subprocess.Process:
        # Its settings aren't the server's: secrets are none of its business.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PERSPLIT_")}
        return await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment,
        )

    def _end_later(self) -> None:
        """End those that nobody needs, in a while, if it is still so then."""
        if self._ending is not None:
            self._ending.cancel()
        self._ending = asyncio.get_running_loop().call_later(self._idle_seconds, self._end_idle)

    def _end_idle(self) -> None:
        while self._idle:
            _kill(self._idle.pop())

    async def close(self) -> None:
        """End all that wait for work."""
        if self._ending is not None:
            self._ending.cancel()
        while self._idle:
            await _killed(self._idle.pop())


async def _asked(process: asyncio.subprocess.Process, picture: bytes) -> list[Word] | None:
    """What the process reads in the picture."""
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101 - as above
    process.stdin.write(HEADER.pack(len(picture)) + picture)
    await process.stdin.drain()
    (length,) = HEADER.unpack(await process.stdout.readexactly(HEADER.size))
    if length > ANSWER_BYTES_MAX:
        raise ValueError("more than any receipt has")
    answer = json.loads(await process.stdout.readexactly(length))
    return None if answer is None else list(_words(answer))


def _words(answer: Sequence[Any]) -> Iterator[Word]:
    for text, score, corners in answer[:WORDS_MAX]:
        across = [float(corner[0]) for corner in corners]
        down = [float(corner[1]) for corner in corners]
        width = across[1] - across[0]
        slope = (down[1] - down[0]) / width if width else 0.0
        yield Word(str(text), min(across), min(down), max(across), max(down), slope, float(score))


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()


async def _killed(process: asyncio.subprocess.Process) -> None:
    _kill(process)
    await process.wait()
