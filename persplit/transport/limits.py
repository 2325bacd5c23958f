"""How often who may ask for what, and how many may be connected; counted in memory, by each node for itself.

The numbers are such that honest crowds pass: a person types one expense in ten seconds, a phone that comes back
online sends hundreds at once, and a household, a campus or a carrier's whole town share one address. What is
refused costs nobody else anything: people are counted by their account where there is one, and what strangers do
at an address is never counted against an account or a group. Guessing passwords is not stopped here, but by the
growing delays of `service.throttle`.
"""

import random
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from persplit.service.errors import RateLimited
from persplit.service.metrics import RATE_LIMITED
from persplit.transport.buckets import TokenBucket

COUNTED_MAX: Final = 50_000
"""Keys of all budgets together that are remembered: 15 MB. Beyond, the one that was longest quiet starts afresh:
whoever has so many networks could as well ask from each of them, and nobody is refused for it."""
OPEN_BY_ADDRESS_MAX: Final = 2_000
"""Sockets that are open at once from one address (of IPv6, one /64): 70 MB of a node's memory. A campus fits."""
OPEN_BY_USER_MAX: Final = 50
"""Sockets of one person: every device and tab, and those of a flickering network that aren't yet known to be
dead, of which there can be thirty."""
OVERRUN_FACTOR: Final = 2
"""With so many times the sockets an address isn't even answered as a socket any more, but with a plain 429."""
OPEN_SOCKETS: Final = "open-sockets"
"""Beside the budgets: what is open at once has no rate."""
OPEN_RETRY_MS: Final = 5_000
RETRY_SPREAD_MS: Final = 5_000
"""Those who share an address and were refused together don't come back together."""


class Scope(StrEnum):
    """By what something is counted."""

    PERSON = "person"
    ADDRESS = "address"
    GROUP = "group"


class Budget(StrEnum):
    """What an operation counts against."""

    REQUESTS = "requests"
    GROUP_WRITES = "group-writes"
    SYNC_PAGES = "sync-pages"
    JOINS = "joins"
    SIGN_INS = "sign-ins"
    REFRESHES = "refreshes"
    LOOK_UPS = "look-ups"
    IMPORTS = "imports"
    EXPORTS = "exports"
    UPLOADS = "uploads"
    DOWNLOADS = "downloads"
    SCANS = "scans"
    CONNECTIONS = "connections"


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once and `per_minute` in the long run, for each one of `scope`. `what` and `why` are for readers."""

    what: str
    scope: Scope
    burst: int
    per_minute: int
    why: str


RATES: Final[dict[Budget, Rate]] = {
    Budget.REQUESTS: Rate(
        "Commands and requests",
        Scope.PERSON,
        600,
        3_600,
        "An outbox of weeks goes out in one minute; nobody types as much.",
    ),
    Budget.GROUP_WRITES: Rate(
        "Writes to a group, by all of its members",
        Scope.GROUP,
        2_400,
        14_400,
        "Three members who write as fast as they may leave room for a fourth; others than members count for "
        "nothing. Leaving and putting somebody out are always taken, so that a flood can be ended.",
    ),
    Budget.SYNC_PAGES: Rate(
        "Pulls and pages of events",
        Scope.PERSON,
        600,
        1_200,
        "A new device of somebody in 500 groups pulls them all at once. Each page can cost a read of 200 events.",
    ),
    Budget.JOINS: Rate(
        "Attempts to join",
        Scope.PERSON,
        30,
        30,
        "Codes of 128 bits can't be guessed at any rate; wrong passwords have delays of their own.",
    ),
    Budget.SIGN_INS: Rate(
        "Sign-ins and new accounts",
        Scope.ADDRESS,
        120,
        120,
        "A lecture hall signs up within minutes. Each costs 40 ms of hashing; one account has delays of its own.",
    ),
    Budget.REFRESHES: Rate(
        "Refreshes of a token",
        Scope.ADDRESS,
        3_000,
        3_000,
        "Each device refreshes once in ten minutes, so 30,000 can share an address. The tokens can't be guessed.",
    ),
    Budget.LOOK_UPS: Rate(
        "QR images and invite pages",
        Scope.ADDRESS,
        600,
        1_200,
        "Browsers keep them for good. Drawing one costs up to 10 ms, off the event loop.",
    ),
    Budget.IMPORTS: Rate(
        "Imports, dry runs included",
        Scope.PERSON,
        20,
        30,
        "Each may read megabytes and take a second. One looks, mends, and looks again.",
    ),
    Budget.EXPORTS: Rate(
        "Exports", Scope.PERSON, 20, 60, "Each reads the whole ledger of a group. Nobody needs more a day."
    ),
    Budget.UPLOADS: Rate(
        "Uploads of attachments",
        Scope.PERSON,
        60,
        60,
        "The receipts of a journey at once. Each may be 10 MB, and take a second to look at.",
    ),
    Budget.DOWNLOADS: Rate(
        "Attachments and their thumbnails",
        Scope.PERSON,
        300,
        600,
        "A group's pictures at once; who has one is told so for nearly nothing.",
    ),
    Budget.SCANS: Rate(
        "Receipts to read", Scope.PERSON, 10, 20, "Each takes a second or two of a processor, or ten."
    ),
    Budget.CONNECTIONS: Rate(
        "New sockets",
        Scope.ADDRESS,
        1_200,
        1_200,
        "After a restart a whole campus comes back at once. Each costs a millisecond.",
    ),
}
"""One row a budget."""


class Limits:
    """Refuses who asks too often, or has too many sockets open."""

    def __init__(
        self,
        *,
        is_on: bool,
        monotonic: Callable[[], float] = time.monotonic,
        counted_max: int = COUNTED_MAX,
    ) -> None:
        """`monotonic` tells seconds that never go back."""
        self._is_on = is_on
        self._monotonic = monotonic
        self._counted_max = counted_max
        self._buckets: OrderedDict[tuple[Budget, str], TokenBucket] = OrderedDict()
        self._open: Counter[tuple[Scope, str]] = Counter()

    def __len__(self) -> int:
        """Keys that are remembered."""
        return len(self._buckets)

    def check(self, budget: Budget, key: str) -> None:
        """Count one against the budget of `key`, which is of the budget's scope.

        Raises:
            RateLimited: it is over the budget.

        """
        if not self._is_on:
            return
        rate = RATES[budget]
        bucket = self._buckets.get((budget, key))
        if bucket is None:
            bucket = self._buckets[budget, key] = TokenBucket(rate.per_minute / 60, rate.burst)
            if len(self._buckets) > self._counted_max:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end((budget, key))
        wait_ms = bucket.take(self._monotonic())
        if wait_ms:
            self._refuse(
                budget.value, f"{rate.what}: too many in a short time from one {rate.scope}", wait_ms
            )

    # --- open sockets

    def open_socket(self, address: str) -> None:
        """Count a socket that has opened, until `close_socket`.

        Raises:
            RateLimited: the address has too many, or opened too many lately. This one counts all the same.

        """
        self._open[Scope.ADDRESS, address] += 1
        if self._is_on and self._open[Scope.ADDRESS, address] > OPEN_BY_ADDRESS_MAX:
            self._refuse(OPEN_SOCKETS, "too many sockets are open from one address", OPEN_RETRY_MS)
        self.check(Budget.CONNECTIONS, address)

    def is_overrun(self, address: str) -> bool:
        """Whether so many sockets of the address are open that refusing them one by one costs too much."""
        return self._is_on and self._open[Scope.ADDRESS, address] >= OVERRUN_FACTOR * OPEN_BY_ADDRESS_MAX

    def close_socket(self, address: str) -> None:
        """Count it no more."""
        self._forget(Scope.ADDRESS, address)

    def sign_in_socket(self, user_id: str) -> None:
        """Count a socket of the person, until `sign_out_socket`.

        Raises:
            RateLimited: they have too many; this one isn't counted.

        """
        if self._is_on and self._open[Scope.PERSON, user_id] >= OPEN_BY_USER_MAX:
            self._refuse(OPEN_SOCKETS, "too many sockets of one person are open", OPEN_RETRY_MS)
        self._open[Scope.PERSON, user_id] += 1

    def sign_out_socket(self, user_id: str) -> None:
        """Count it no more."""
        self._forget(Scope.PERSON, user_id)

    def _forget(self, scope: Scope, key: str) -> None:
        self._open[scope, key] -= 1
        if self._open[scope, key] <= 0:
            del self._open[scope, key]

    def _refuse(self, counted_as: str, detail: str, wait_ms: int) -> None:
        """Every refusal of this module. `counted_as`: the budget, in the metric."""
        RATE_LIMITED.labels(counted_as).inc()
        spread_ms = random.randrange(min(RETRY_SPREAD_MS, wait_ms) + 1)  # noqa: S311 - no secret
        raise RateLimited(detail, wait_ms + spread_ms)
