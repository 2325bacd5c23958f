"""Token buckets: how many at once, and how many in the long run."""

import math
from typing import Final

ROUNDING: Final = 1e-6
"""Of one token: what adding up fractions may lose. Who waits as long as told is let through."""


class TokenBucket:
    """Lets `burst` through at once and `per_second` in the long run."""

    __slots__ = ("_at", "_burst", "_level", "_per_second")

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._level = float(burst)
        self._at = 0.0

    def take(self, now: float) -> int:
        """Take one at `now`, in seconds that never go back. Returns 0, or the milliseconds until there is one."""
        self._level = min(self._burst, self._level + (now - self._at) * self._per_second)
        self._at = now
        if self._level >= 1 - ROUNDING:
            self._level -= 1
            return 0
        return math.ceil((1 - self._level) / self._per_second * 1000)
