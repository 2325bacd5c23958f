"""Deadlines of many waits that may all take equally long: one timer for them, not one each."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

TIDY_MIN: Final = 64
"""Waits that are watched before those that are over are looked for; then twice as many as are left."""


class Deadlines:
    """Watches futures of one event loop, and ends those that aren't done in time with an error.

    `error` makes the one for each.
    """

    def __init__(self, seconds: float, error: Callable[[], Exception]) -> None:
        self._seconds = seconds
        self._error = error
        self._loop = asyncio.get_running_loop()
        self._watched: list[tuple[float, asyncio.Future[Any]]] = []
        self._tidy_at = TIDY_MIN
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, future: "asyncio.Future[Any]") -> None:
        """End the future if it isn't done in time from now."""
        due = self._loop.time() + self._seconds
        self._watched.append((due, future))
        if self._timer is None:
            self._timer = self._loop.call_at(due, self._look)
        if len(self._watched) >= self._tidy_at:
            self._tidy()

    def _tidy(self) -> None:
        self._watched = [(due, future) for due, future in self._watched if not future.done()]
        self._tidy_at = max(TIDY_MIN, 2 * len(self._watched))

    def _look(self) -> None:
        now = self._loop.time()
        for due, future in self._watched:
            if due <= now and not future.done():
                future.set_exception(self._error())
        self._tidy()
        self._timer = self._loop.call_at(self._watched[0][0], self._look) if self._watched else None

    def close(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()
