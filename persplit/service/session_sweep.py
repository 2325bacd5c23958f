"""Finds out which sessions of connected devices ended elsewhere: on another node, or with their account.

A device that sends a command is found out by that. One that only listens would go on hearing its groups until its
token runs out.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from persplit.service.errors import StoreUnavailable

SWEEP_SECONDS: Final = 5.0
"""How long a device that was signed out elsewhere goes on listening at most, where not many are connected."""
SESSIONS_PER_SWEEP_MAX: Final = 500
"""Sessions that one sweep looks up: one read. With more connected, it takes turns."""

_log = structlog.get_logger(__name__)


class Ending(Protocol):
    """Sessions, or what else speaks for a device."""

    async def look_again(self, ids: Sequence[str], /) -> None:
        """Tell who listens which of these have ended."""
        ...


class SessionSweep:
    """Looks at the sessions of connected devices, over and over."""

    def __init__(self, sessions: Ending, connected: Callable[[], Sequence[str]]) -> None:
        """`connected` tells the sessions of the devices that are connected here."""
        self._sessions = sessions
        self._connected = connected
        self._looked_at = 0

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            # Jitter keeps many nodes from asking at the same instant.
            await asyncio.sleep(SWEEP_SECONDS * random.uniform(0.8, 1.0))  # noqa: S311 - no secret
            try:
                await self.sweep()
            except StoreUnavailable:
                _log.warning("session_sweep_failed")

    async def sweep(self) -> None:
        """Look at those whose turn it is; the sessions' listeners hear of each that has ended."""
        connected = self._connected()
        start = self._looked_at if self._looked_at < len(connected) else 0
        self._looked_at = start + SESSIONS_PER_SWEEP_MAX
        await self._sessions.look_again(connected[start : self._looked_at])
