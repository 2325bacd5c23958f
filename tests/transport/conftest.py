"""The server under test, on both ways of carrying connections."""

import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import structlog

from tests.transport import guarded
from tests.transport.guarded import Served, serving


@pytest.fixture(params=["direct", "by the library"])
def carried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test twice: connections are carried by their transports alone, then as the libraries do it."""
    monkeypatch.setattr(guarded, "FAST_PATH", request.param == "direct")


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The server under test, without rate limits."""
    async with serving() as running:
        yield running


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """What the guard logs."""
    with structlog.testing.capture_logs() as captured:
        yield captured  # type: ignore[misc]


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing through `logging`, nothing on the terminal."""
    caplog.set_level(logging.INFO)
    yield
    assert [record for record in caplog.records if record.name != "asyncio"] == []
    assert capfd.readouterr() == ("", "")
