"""Many things that each come due the same time after they began, with one timer for all of them."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

_Item = TypeVar("_Item")


class Delay(Generic[_Item]):
    """Calls `act` with an item `seconds` after it was started, unless it was stopped by then."""

    def __init__(self, seconds: float, act: Callable[[_Item], None]) -> None:
        self._seconds = seconds
        self._act = act
        self._due: OrderedDict[_Item, float] = OrderedDict()  # the soonest first: all wait equally long
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """How many wait."""
        return len(self._due)

    def start(self, item: _Item) -> None:
        """Begin the wait of an item, or begin it anew."""
        loop = asyncio.get_running_loop()
        self._due[item] = loop.time() + self._seconds
        self._due.move_to_end(item)
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._fire, loop)

    def stop(self, item: _Item) -> bool:
        """Don't call for the item. Returns whether it was waiting."""
        return self._due.pop(item, None) is not None

    def _fire(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        try:
            # Those that are started anew meanwhile come last, and find a timer.
            while self._due and (due := next(iter(self._due.items())))[1] <= now:
                del self._due[due[0]]
                self._act(due[0])
        finally:
            soonest = next(iter(self._due.values()), None)
            self._timer = None if soonest is None else loop.call_at(soonest, self._fire, loop)

    def close(self) -> None:
        """Forget everything."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
