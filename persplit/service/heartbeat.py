"""A node's heartbeat: how late the event loop is, and gauges brought up to date while nobody asks this process."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from persplit.service.metrics import LOOP_LAG_SECONDS
from persplit.service.readiness import Readiness

BEAT_SECONDS: Final = 0.5
TAKE_DOWN_BEATS: Final = 10
"""Beats between two looks at gauges and store: with several workers a scrape asks one, and reads what the others
took down last."""

_log = structlog.get_logger(__name__)


async def beat(take_down: Callable[[], None], readiness: Readiness) -> None:
    """Beat until cancelled."""
    loop = asyncio.get_running_loop()
    beats = 0
    while True:
        if beats % TAKE_DOWN_BEATS == 0:
            try:
                take_down()
                await readiness.checks()
            except Exception:  # noqa: BLE001 - the next look may go well; nobody else would beat
                _log.exception("taking_down_failed")
        beats += 1
        due = loop.time() + BEAT_SECONDS
        await asyncio.sleep(BEAT_SECONDS)
        LOOP_LAG_SECONDS.observe(max(0.0, loop.time() - due))
