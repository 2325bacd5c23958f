"""Guessing passwords gets slower with every failure."""

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from persplit.service.errors import RateLimited
from persplit.service.metrics import RATE_LIMITED

FREE_FAILURES: Final = 5
"""Failures before the first wait: people mistype."""
DELAY_SECONDS_FIRST: Final = 1
DELAY_SECONDS_MAX: Final = 300
"""Never for good: whoever knows an address could lock its owner out."""
FORGOTTEN_AFTER_SECONDS: Final = 3_600
"""Without a failure for this long, an account starts afresh."""
ACCOUNTS_TRACKED_MAX: Final = 50_000
"""About 15 MB. To push one account out, an attacker must fail at this many others first: at two hashes at a time
of 40 ms each, over a quarter of an hour."""

# 2**9 seconds is over the longest delay; a failure count has no need to grow for ever.
_DOUBLINGS_MAX: Final = 9
_FAILURES_MAX: Final = FREE_FAILURES + _DOUBLINGS_MAX


@dataclass(frozen=True, slots=True)
class _Record:
    """`last_at` in seconds of the monotonic clock."""

    failures: int
    last_at: float

    @property
    def open_at(self) -> float:
        """When the next attempt is taken."""
        if self.failures < FREE_FAILURES:
            return self.last_at
        return self.last_at + min(DELAY_SECONDS_FIRST << (self.failures - FREE_FAILURES), DELAY_SECONDS_MAX)


class Attempt:
    """An attempt that was let through. It counts as a failure until it says otherwise."""

    __slots__ = ("_key", "_throttle")

    def __init__(self, throttle: "SignInThrottle", key: bytes) -> None:
        self._throttle = throttle
        self._key = key

    def succeeded(self) -> None:
        """The password was right: all failures of the account are forgotten."""
        self._throttle._clear(self._key)  # noqa: SLF001 - the two are one thing in two halves

    def undecided(self) -> None:
        """The password was never looked at, by no fault of the caller: this one doesn't count."""
        self._throttle._give_back(self._key)  # noqa: SLF001 - as above


class SignInThrottle:
    """Counts failures per account, whether it exists or not, on this node.

    Accounts are kept only as hashes: the table says nothing about who tried to sign in.
    """

    def __init__(
        self, *, monotonic: Callable[[], float] = time.monotonic, size_max: int = ACCOUNTS_TRACKED_MAX
    ) -> None:
        """`monotonic` tells seconds that never go back."""
        self._monotonic = monotonic
        self._size_max = size_max
        self._records: OrderedDict[bytes, _Record] = OrderedDict()

    def __len__(self) -> int:
        return len(self._records)

    def begin(self, account: str) -> Attempt:
        """Take an attempt on the account (an e-mail address, in whatever case), before the password is verified.

        It is counted at once, so that attempts made at the same time don't all pass as the first.

        Raises:
            RateLimited: the account waits. Waiting attempts don't make the wait longer.

        """
        key = hashlib.sha256(account.casefold().encode("utf-8", "surrogatepass")).digest()
        now = self._monotonic()
        record = self._records.get(key)
        if record is None or now - record.last_at >= FORGOTTEN_AFTER_SECONDS:
            record = _Record(0, now)
        if now < record.open_at:
            self._records.move_to_end(key)
            RATE_LIMITED.labels("account").inc()
            retry_after_ms = math.ceil((record.open_at - now) * 1_000)
            raise RateLimited("too many wrong passwords: wait before the next", retry_after_ms)
        self._keep(key, _Record(min(record.failures + 1, _FAILURES_MAX), now))
        return Attempt(self, key)

    def _keep(self, key: bytes, record: _Record) -> None:
        self._records[key] = record
        self._records.move_to_end(key)
        if len(self._records) > self._size_max:
            self._records.popitem(last=False)

    def _clear(self, key: bytes) -> None:
        self._records.pop(key, None)

    def _give_back(self, key: bytes) -> None:
        record = self._records.get(key)
        if record is not None:
            self._records[key] = _Record(max(record.failures - 1, 0), record.last_at)
