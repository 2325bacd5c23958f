"""Password hashes with argon2id, in threads of their own."""

import asyncio
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

import argon2
from argon2.exceptions import VerifyMismatchError

from persplit.service.errors import RateLimited, ServerRestarting
from persplit.service.metrics import PASSWORD_SECONDS, PASSWORDS_WAITING, RATE_LIMITED, timed
from persplit.service.ports import PasswordHasher

MEMORY_KIB: Final = 47_104
TIME_COST: Final = 1
PARALLELISM: Final = 1
"""46 MiB, one pass, one lane: one of OWASP's equivalent minima, about 40 ms a hash."""
THREADS: Final = 2
"""argon2 lets go of the interpreter's lock, so they run beside the event loop; they bound memory to 92 MiB."""
WAITING_MAX: Final = 64
"""Jobs that may wait for a thread: the last of them for about 1.5 s."""
RETRY_AFTER_MS: Final = 1_000

_T = TypeVar("_T")


class Argon2Passwords(PasswordHasher):
    """argon2id. Its parameters stand in each hash, so hashes made with other ones keep verifying."""

    def __init__(
        self,
        *,
        memory_kib: int = MEMORY_KIB,
        time_cost: int = TIME_COST,
        parallelism: int = PARALLELISM,
        threads: int = THREADS,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        """Begins with a hash of nothing in particular, to have something to verify against for unknown accounts."""
        self._argon2 = argon2.PasswordHasher(
            time_cost=time_cost, memory_cost=memory_kib, parallelism=parallelism, type=argon2.Type.ID
        )
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._dummy_hash = self._pool.submit(self._argon2.hash, secrets.token_urlsafe())
        self._places = threading.BoundedSemaphore(threads + waiting_max)

    async def hash(self, password: str) -> str:
        """See the port.

        Raises:
            RateLimited: as many hashes as may wait are waiting.
            ServerRestarting: after `close`.

        """
        return await self._run(lambda: self._argon2.hash(_bytes(password)))

    async def verify(self, password: str, hashed: str | None) -> bool:
        """See the port. Raises like `hash`."""
        matches = await self._run(lambda: self._matches(password, hashed or self._dummy_hash.result()))
        return matches and hashed is not None

    def close(self) -> None:
        """Take no more work; what was taken is still finished."""
        self._pool.shutdown(wait=False)

    def _matches(self, password: str, hashed: str) -> bool:
        try:
            return self._argon2.verify(hashed, _bytes(password))
        except VerifyMismatchError:
            return False

    async def _run(self, job: Callable[[], _T]) -> _T:
        if not self._places.acquire(blocking=False):
            RATE_LIMITED.labels("passwords").inc()
            raise RateLimited("too many people are signing in at this moment", RETRY_AFTER_MS)
        try:
            future = self._pool.submit(job)
        except RuntimeError:
            self._places.release()
            raise ServerRestarting("the server is stopping") from None
        # The place is free when the job is done, not when the caller has gone.
        PASSWORDS_WAITING.inc()
        future.add_done_callback(self._done)
        with timed(PASSWORD_SECONDS):
            return await asyncio.wrap_future(future)

    def _done(self, _: Future[_T]) -> None:
        PASSWORDS_WAITING.dec()
        self._places.release()


def _bytes(password: str) -> bytes:
    # As received: no normalising. JSON can carry half a surrogate pair; it is as good a password as any.
    return password.encode("utf-8", "surrogatepass")
