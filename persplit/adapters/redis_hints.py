"""Hints between nodes through Redis."""

import asyncio
import random
import re
import time
from collections.abc import Callable
from typing import Final

import redis.asyncio as redis
import structlog

from persplit.service import metrics
from persplit.service.ports import Hint, Hints

PUBLISH_SECONDS_MAX: Final = 0.5
"""A hint isn't worth waiting for: without it the others find the event in their sweep."""
WAITING_MAX: Final = 10_000
"""Hints waiting to be published; beyond that they are dropped, and the sweep makes up for it."""
WAITING_SECONDS_MAX: Final = 5.0
"""A hint that waited longer is dropped: the sweep has found its event by now."""
PING_SECONDS: Final = 3.0
"""How often to ask a silent subscription for a sign of life."""
SILENCE_SECONDS_MAX: Final = 10.0
"""A subscription that gives none is dead, even if TCP doesn't know: a router has forgotten it, say."""
_SEQ: Final = re.compile(r"[1-9][0-9]{0,15}")
_RETRY_SECONDS_MAX: Final = 5.0
CANCEL_AGAIN_SECONDS: Final = 1.0
"""For a task to end before it is told so again: it has nothing to do but to let go of its connection."""
CANCELS_MAX: Final = 5
"""A task that goes on all the same is left behind: the process ends anyway."""
_POLL_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


class RedisHints(Hints):
    """One channel of `group seq user` lines. Carries no data, so that who reads Redis learns nothing of anybody's money.

    Redis may be away, cut or slow: hints are then lost, and listeners are told as soon as it is back.
    """

    def __init__(self, url: str, channel: str = "persplit:hints") -> None:
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=5,
            socket_connect_timeout=2,
            # The library's own only sends: it never looks whether a subscription's answer came.
            health_check_interval=0,
            decode_responses=True,
            encoding_errors="replace",  # whatever somebody puts on the channel can be read, to be passed over
        )
        self._channel = channel
        self._listeners: list[Callable[[Hint | None], None]] = []
        self._waiting: asyncio.Queue[tuple[float, Hint]] = asyncio.Queue(WAITING_MAX)
        self._tasks: list[asyncio.Task[None]] = []
        self._connected = False

    async def open(self) -> None:
        """Begin to publish and to listen; Redis needn't be there yet."""
        self._note(connected=False)
        self._tasks = [asyncio.create_task(self._publish_waiting()), asyncio.create_task(self._listen())]

    async def close(self) -> None:
        """Stop, and let go of the connections."""
        left = set(self._tasks)
        for _ in range(CANCELS_MAX):
            if not left:
                break
            for task in left:
                task.cancel()
            # Cancelled on its way, the library may say that the connection has failed, and the task goes on: ask again.
            _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_SECONDS)
        if left:
            _log.warning("hints_not_ended", tasks=len(left))
        await self._redis.aclose()

    async def publish(self, hint: Hint) -> None:
        """See the port: queues the hint, so that nobody waits for Redis while holding a group's lock."""
        if self._waiting.full():
            metrics.HINTS_LOST.labels("queue_full").inc()
        else:
            self._waiting.put_nowait((_now(), hint))

    def subscribe(self, listener: Callable[[Hint | None], None]) -> None:
        """See the port."""
        self._listeners.append(listener)

    def are_connected(self) -> bool | None:
        """See the port."""
        return self._connected

    async def _publish_waiting(self) -> None:
        while True:
            since, hint = await self._waiting.get()
            if _now() - since > WAITING_SECONDS_MAX:
                metrics.HINTS_LOST.labels("too_old").inc()
                continue
            try:
                async with asyncio.timeout(PUBLISH_SECONDS_MAX):
                    await self._redis.publish(self._channel, f"{hint.group_id} {hint.seq} {hint.user_id}")
            except Exception as error:  # noqa: BLE001 - one hint is no loss, a task that ends loses them all
                metrics.HINTS_LOST.labels("refused").inc()
                _log.warning("hint_lost", group_id=hint.group_id, seq=hint.seq, error=repr(error))
            else:
                metrics.HINTS_PUBLISHED.inc()

    async def _listen(self) -> None:
        wait = 0.1
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(self._channel)
                    wait = 0.1
                    await self._hear_all(pubsub)
            except Exception as error:  # noqa: BLE001 - as above
                self._note(connected=False)
                _log.warning("hints_interrupted", error=repr(error))
                await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
                wait = min(_RETRY_SECONDS_MAX, wait * 2)

    async def _hear_all(self, pubsub: redis.client.PubSub) -> None:
        """Hear until the subscription breaks, or gives no sign of life for too long."""
        heard_at = asked_at = _now()
        while _now() - heard_at <= SILENCE_SECONDS_MAX:
            message = await pubsub.get_message(timeout=_POLL_SECONDS)
            if message is not None:
                heard_at = _now()
                self._hear(message)
            elif _now() - max(heard_at, asked_at) >= PING_SECONDS:
                asked_at = _now()
                await pubsub.ping()
        raise ConnectionError("the subscription is silent")

    def _hear(self, message: dict[str, str]) -> None:
        if message["type"] == "subscribe":
            self._note(connected=True)
            metrics.HINTS_SUBSCRIPTIONS.inc()
            # The subscription stands from now on, for the first time or again: what was said before is lost.
            self._tell(None)
        elif message["type"] == "message":
            metrics.HINTS_HEARD.inc()
            metrics.HINTS_HEARD_AT.set(time.time())
            group_id, _, rest = message["data"].partition(" ")
            seq, _, user_id = rest.partition(" ")
            if _SEQ.fullmatch(seq) or (seq == "0" and user_id):
                self._tell(Hint(group_id, int(seq), user_id))

    def _note(self, *, connected: bool) -> None:
        self._connected = connected
        metrics.HINTS_CONNECTED.labels("redis").set(connected)

    def _tell(self, hint: Hint | None) -> None:
        for listener in self._listeners:
            listener(hint)


def _now() -> float:
    return asyncio.get_running_loop().time()
