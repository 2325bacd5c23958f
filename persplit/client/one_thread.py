"""One thread that runs blocking work in order, for code on an event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class OneThread:
    """Runs functions one after the other on a thread of its own.

    The replica lives there: a commit waits for the disk, which may take a second on a phone's flash, and a plan
    may take 50 ms of computing. Neither has a place on the event loop. That it is one thread makes every function
    atomic to the others, with no lock.
    """

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result. Once begun it runs to its end, even if the caller is cancelled."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: function(*args, **kwargs))

    async def stop(self) -> None:
        """Let what is under way end, and end the thread."""
        await asyncio.to_thread(self._executor.shutdown)
