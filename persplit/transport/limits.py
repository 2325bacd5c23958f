"""How often who may ask for what, kept in memory of one node."""

import time
from enum import StrEnum
from typing import Final

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from persplit.service.errors import RateLimited
from persplit.service.metrics import RATE_LIMITED


class Budget(StrEnum):
    """What an operation counts against."""

    REQUESTS = "requests"
    SIGN_INS = "sign-ins"
    JOINS = "joins"


# Requests and joins are counted by user, sign-ins by address. A person types one expense in ten seconds; a phone
# that comes back online sends hundreds at once. A household or a campus shares one address.
_LIMITS: Final[dict[Budget, RateLimitItem]] = {
    Budget.REQUESTS: parse("600/10 seconds"),
    Budget.SIGN_INS: parse("120/minute"),
    Budget.JOINS: parse("30/minute"),
}


class Limits:
    """Refuses who asks too often."""

    def __init__(self, *, is_on: bool) -> None:
        self._is_on = is_on
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def check(self, budget: Budget, key: str) -> None:
        """Count one.

        Raises:
            RateLimited: `key` is over the budget.

        """
        if not self._is_on:
            return
        item = _LIMITS[budget]
        if not await self._limiter.hit(item, key):
            stats = await self._limiter.get_window_stats(item, key)
            wait_ms = max(1000, int((stats.reset_time - time.time()) * 1000))
            RATE_LIMITED.labels(budget.value).inc()
            raise RateLimited("too many of these: wait a moment", min(wait_ms, 60_000))
