"""A real server, and devices with the client library."""

import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from persplit.client import connection
from tests.client.devices import Devices
from tests.system.conftest import phones, server, settings

__all__ = ["phones", "server", "settings"]


@pytest.fixture
async def devices(server: tuple[object, str], tmp_path: Path) -> AsyncIterator[Devices]:
    """Makes devices at the server under test; closes them at the end."""
    async with contextlib.AsyncExitStack() as stack:
        yield Devices(server[1], tmp_path, stack, itertools.count(1))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long before coming back."""
    monkeypatch.setattr(connection, "BACKOFF_SECONDS_FIRST", 0.02)
    monkeypatch.setattr(connection, "BACKOFF_SECONDS_MAX", 0.1)
