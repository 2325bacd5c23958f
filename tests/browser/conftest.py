"""A server in a process of its own, one browser for the whole session, and people with a context each.

Where Chromium is missing, or there can be no page, the tests are skipped and say so.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.browser.chromium import CHROMIUM, OPTIONS
from tests.browser.person import AXE, Person
from tests.browser.screens import PHONE
from tests.page_there import need, need_page
from tests.processes import ServerProcess
from tests.servers import free_port_for_restarts

MakePerson: TypeAlias = Callable[..., Awaitable[Person]]


@pytest.fixture(scope="session", autouse=True)
def _everything_is_here() -> None:
    if CHROMIUM is None:
        pytest.skip("Chromium is not on this machine: on Debian, apt install chromium")
    need_page()
    need("the packages to test the page with are not installed: run scripts/test", is_there=AXE.is_file())


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps everything."""
    return tmp_path_factory.mktemp("page") / "data"


@pytest.fixture(scope="session")
def served(data_dir: Path) -> Iterator[ServerProcess]:
    """The server that everybody's page comes from."""
    process = ServerProcess(data_dir, port=free_port_for_restarts())
    process.start()
    yield process
    if process.is_running:
        process.stop()


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The browser. It is started once."""
    async with async_playwright() as driver:
        started = await driver.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield started
        await started.close()


@asynccontextmanager
async def crowd(browser: Browser, url: str) -> AsyncIterator[MakePerson]:
    """A maker of people, each with cookies and storage of their own; at the end no browser may have complained."""
    made: list[Person] = []

    async def make(name: str, path: str = "/", url: str = url, **options: Any) -> Person:
        given = {
            "viewport": PHONE,
            "locale": "en-IN",
            "timezone_id": "Asia/Kolkata",
            "reduced_motion": "reduce",
        }
        context = await browser.new_context(**{**given, **options})
        await context.grant_permissions(["clipboard-read", "clipboard-write"])
        person = Person(name, url, context)
        made.append(person)
        await person.open_tab(path)
        return person

    yield make
    for person in made:
        await person.context.close()
    assert {person.name: person.complaints for person in made if person.complaints} == {}


@pytest_asyncio.fixture(loop_scope="session")
async def people(served: ServerProcess, browser: Browser) -> AsyncIterator[MakePerson]:
    """A maker of people for one test."""
    async with crowd(browser, served.url) as make:
        yield make
