"""Where the network goes and comes: what is written waits, what waits is sent, and tabs share one connection."""

import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeAlias

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import MakePerson
from tests.browser.person import Person
from tests.processes import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAITS = "Not sent yet"


class Pair(NamedTuple):
    asha: Person
    ben: Person


MakePair: TypeAlias = Callable[[], Awaitable[Pair]]


@pytest.fixture
def friends(people: MakePerson) -> MakePair:
    """Two people who look at the feed of a group that they share."""

    async def make() -> Pair:
        asha = await people("Asha")
        await asha.sign_up(vpa="asha@okaxis")
        await asha.make_group("Goa trip")
        link = await asha.scan("QR code that leads into Goa trip")
        ben = await people("Ben", link.removeprefix(asha.url))
        await ben.sign_up()
        await ben.page.get_by_role("button", name="Join the group").click()
        await asha.page.get_by_role("link", name="Go to the group").click()
        await expect(ben.page.get_by_role("heading", name="Goa trip")).to_be_visible()
        return Pair(asha, ben)

    return make


def row(page: Page, what: str) -> Locator:
    """The line of the feed."""
    return page.get_by_role("link", name=re.compile(what))


async def test_what_is_written_with_no_network_waits_survives_a_reload_and_is_sent(
    friends: MakePair,
) -> None:
    asha, ben = await friends()
    await asha.page.evaluate("navigator.serviceWorker.ready")
    await asha.context.set_offline(True)
    await asha.add_expense("Dinner", "900")
    await expect(row(asha.page, "Dinner")).to_contain_text(WAITS)
    await expect(asha.balance()).to_contain_text("₹450.00")
    await asha.page.reload()
    await expect(row(asha.page, "Dinner")).to_contain_text(WAITS)
    await expect(asha.balance()).to_contain_text("₹450.00")
    await ben.add_expense("Taxi", "300")
    await expect(row(ben.page, "Dinner")).to_have_count(0)

    await asha.context.set_offline(False)
    for page in (asha.page, ben.page):
        await expect(row(page, "Dinner")).to_be_visible()
        await expect(row(page, "Taxi")).to_be_visible()
        await expect(page.get_by_text(WAITS)).to_have_count(0)
    await expect(asha.balance()).to_contain_text("You are owed")
    await expect(asha.balance()).to_contain_text("₹300.00")
    await expect(ben.balance()).to_contain_text("You owe")
    await expect(ben.balance()).to_contain_text("₹300.00")


async def test_a_server_that_restarts_loses_nothing_and_is_found_again(
    friends: MakePair, served: ServerProcess
) -> None:
    asha, ben = await friends()
    served.stop()
    await asha.add_expense("Dinner", "900")
    await expect(row(asha.page, "Dinner")).to_contain_text(WAITS)
    served.start()
    await expect(row(ben.page, "Dinner")).to_be_visible()
    await expect(asha.page.get_by_text(WAITS)).to_have_count(0)
    await expect(ben.balance()).to_contain_text("₹450.00")


async def test_tabs_share_one_connection_and_one_of_them_takes_it_over(
    friends: MakePair,
) -> None:
    asha, ben = await friends()
    first = asha.page
    second = await asha.open_tab(first.url.removeprefix(asha.url))
    await expect(asha.balance()).to_be_visible()
    await ben.add_expense("Taxi", "300")
    for page in (first, second):
        await expect(row(page, "Taxi")).to_be_visible()
    assert await asha.connections() == 1

    await first.close()
    await ben.add_expense("Dinner", "500")
    await expect(row(second, "Dinner")).to_be_visible()
    assert await asha.connections() == 1
