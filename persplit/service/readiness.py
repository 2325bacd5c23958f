"""Whether this node takes requests, and why not."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from persplit.ledger.errors import PerSplitError
from persplit.service.metrics import DRAINING, STORE_CHECK_SECONDS, STORE_UP, timed
from persplit.service.ports import EventStore, Hints

STORE_SECONDS_MAX: Final = 2.0
"""For the store to answer: less than balancers wait for us."""
REMEMBERED_SECONDS: Final = 1.0
"""However often somebody asks us, the store is asked this often at most."""


@dataclass(frozen=True, slots=True)
class Checks:
    """What was looked at. `hints` is None where they go through nothing that could be away."""

    store_answers: bool
    hints_arrive: bool | None
    is_draining: bool

    @property
    def is_ready(self) -> bool:
        """Whether to send requests here. Without hints events of other nodes come later, and that is all."""
        return self.store_answers and not self.is_draining


class Readiness:
    """Looks at what this node needs."""

    def __init__(self, store: EventStore, hints: Hints, is_draining: Callable[[], bool]) -> None:
        self._store = store
        self._hints = hints
        self._is_draining = is_draining
        self._asking: asyncio.Task[bool] | None = None
        self._asked_at = 0.0

    async def checks(self) -> Checks:
        """How things are now, or were within the last second. Takes at most STORE_SECONDS_MAX."""
        answers = await self._store_answers()
        draining = self._is_draining()
        DRAINING.set(draining)
        return Checks(answers, self._hints.are_connected(), draining)

    async def _store_answers(self) -> bool:
        """Ask the store, once for all who want to know at the same time."""
        now = time.monotonic()
        if self._asking is None or (self._asking.done() and now - self._asked_at >= REMEMBERED_SECONDS):
            self._asked_at = now
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> bool:
        try:
            with timed(STORE_CHECK_SECONDS):
                async with asyncio.timeout(STORE_SECONDS_MAX):
                    await self._store.ping()
        except (PerSplitError, TimeoutError):
            STORE_UP.set(0)
            return False
        STORE_UP.set(1)
        return True
