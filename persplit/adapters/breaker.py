"""Spares a database that doesn't answer: after some failures in a row it isn't asked for a moment.

Without this, each of thousands of sockets would wait its full time for the same answer: none. What is refused here
was not sent, so it certainly has not happened; that is no answer about anything that was sent before.
"""

import time
from collections.abc import Callable
from typing import Final

import structlog

from persplit.service.errors import StoreUnavailable

FAILURES_MAX: Final = 5
"""Calls in a row that weren't answered. A single one is a cut connection, and the next call makes another."""
OPEN_SECONDS: Final = 1.0
"""How long nothing is asked; then one call tries, and the others wait for what comes of it."""

_log = structlog.get_logger(__name__)


class Breaker:
    """Closed: calls go through. Open: they are refused, but for one at a time that tries whether all is well again.

    One for all calls of a node to one database. `monotonic` tells seconds that never go back.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._failures = 0
        self._open_until = 0.0
        self._is_trying = False

    @property
    def is_open(self) -> bool:
        """Whether the database is taken to be away."""
        return self._failures >= FAILURES_MAX

    def admit(self) -> None:
        """Return if the call may be made; say then what came of it.

        Raises:
            StoreUnavailable: it may not. It was not made.

        """
        if not self.is_open:
            return
        if self._is_trying or self._monotonic() < self._open_until:
            raise StoreUnavailable("the database is not answering: nothing was sent to it")
        self._is_trying = True

    def answered(self) -> None:
        """The database answered, whatever it said."""
        if self.is_open:
            _log.info("store_back")
        self._failures = 0
        self._is_trying = False

    def failed(self) -> None:
        """It didn't."""
        self._failures += 1
        if self._failures == FAILURES_MAX:
            _log.warning("store_away")
        self._open_until = self._monotonic() + OPEN_SECONDS
        self._is_trying = False

    def undecided(self) -> None:
        """Nobody waited for the answer."""
        self._is_trying = False
