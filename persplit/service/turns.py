"""Long work in the event loop, a slice at a time, so that everybody else is served between two slices."""

import asyncio
from typing import TypeVar

from persplit.ledger.slices import Work

T = TypeVar("T")


class Turns:
    """Does work in slices: what is over in the first one at once; of what is longer, one piece at a time.

    So one turn of the loop has one slice of long work, however many wait. A thread would keep the loop waiting for
    the interpreter after each system call; another process is a lot of machinery for what is rarely long.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def finish(self, work: Work[T]) -> T:
        """Its result."""
        try:
            next(work)
            while True:
                async with self._lock:
                    await asyncio.sleep(0)
                    next(work)
        except StopIteration as done:
            result: T = done.value
            return result
