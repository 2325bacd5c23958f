"""A real server on a real port, in this process, and phones that use it."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import pytest
from pydantic import SecretStr

from persplit.adapters.passwords import Argon2Passwords
from persplit.bootstrap import Node, open_node
from persplit.config import Settings
from persplit.server import listen
from tests.system.phone import Phone

MakePhone: TypeAlias = Callable[..., Awaitable[Phone]]


@contextlib.asynccontextmanager
async def serving(settings: Settings, **options: Any) -> AsyncIterator[tuple[Node, str]]:
    """A node that answers at the URL."""
    cheap = Argon2Passwords(memory_kib=64, time_cost=1)
    async with open_node(settings, passwords=cheap, **options) as node:
        runner, url = await listen(node)
        try:
            yield node, url
        finally:
            await node.drain()
            await runner.cleanup()


def settings_for(tmp_path: Path, **fields: Any) -> Settings:
    """Settings of a test's server: a free port, its own directory, no rate limits."""
    return Settings(**{"port": 0, "data_dir": tmp_path, "rate_limits": False, **fields})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of the server under test; a test overrides this fixture to change them."""
    return settings_for(tmp_path)


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[tuple[Node, str]]:
    """The server under test and its URL."""
    async with serving(settings) as served:
        yield served


@pytest.fixture
async def phones(server: tuple[Node, str]) -> AsyncIterator[MakePhone]:
    """A maker of phones: given a name (and a UPI id) it registers the owner."""
    async with phones_of(server[1]) as make:
        yield make


@contextlib.asynccontextmanager
async def phones_of(url: str) -> AsyncIterator[MakePhone]:
    """A maker of phones for the server at the URL."""
    made: list[Phone] = []
    async with aiohttp.ClientSession() as http:

        async def make(name: str | None = None, vpa: str | None = None, *, online: bool = False) -> Phone:
            phone = Phone(url, http)
            made.append(phone)
            if name is not None:
                await phone.register(name, vpa)
            if online:
                await phone.connect()
            return phone

        yield make
        for phone in made:
            await phone.disconnect()


SECRET = SecretStr("a secret of more than thirty-two bytes, for tests")
