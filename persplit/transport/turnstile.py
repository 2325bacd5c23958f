"""Work that comes for thousands at once, spread over turns of the event loop."""

import asyncio
from collections import deque
from collections.abc import Callable


class Turnstile:
    """Lets so many pass in each turn of the loop, in the order in which they came."""

    def __init__(self, per_turn: int) -> None:
        self._per_turn = per_turn
        self._waiting: deque[Callable[[], None]] = deque()

    def call(self, work: Callable[[], None]) -> None:
        """Have the work done in one of the next turns."""
        if not self._waiting:
            loop = asyncio.get_running_loop()
            loop.call_soon(self._turn, loop)
        self._waiting.append(work)

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        let_in = [self._waiting.popleft() for _ in range(min(self._per_turn, len(self._waiting)))]
        if self._waiting:
            loop.call_soon(self._turn, loop)
        for work in let_in:
            # As the loop does it: one that fails is the loop's to report, and keeps nobody else from passing.
            loop.call_soon(work)
