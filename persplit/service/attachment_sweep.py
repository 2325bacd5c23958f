"""Collects, over and over, what was uploaded and isn't on any expense any more."""

import asyncio
import random
from typing import Final

import structlog

from persplit.service.attachments import Attachments
from persplit.service.errors import StoreUnavailable

SWEEP_SECONDS: Final = 6 * 3600.0
"""What is to go waits for a day; a quarter of that more does no harm."""

_log = structlog.get_logger(__name__)


async def sweep_on(attachments: Attachments) -> None:
    """Sweep until cancelled."""
    while True:
        # Jitter keeps many nodes from doing it at the same time, where one would do.
        await asyncio.sleep(SWEEP_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        try:
            _log.info("attachments_collected", count=await attachments.sweep())
        except StoreUnavailable:
            _log.warning("attachment_sweep_failed")
        except Exception:  # noqa: BLE001 - nobody else would collect
            _log.exception("attachment_sweep_failed")
