"""Two people in one group: what is written with no network, by two at once, from two tabs, over a restart, with a photo."""

import io
import re
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, FilePayload, Locator, Page, expect

from tests.browser.conftest import crowd
from tests.browser.person import Person
from tests.processes import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAITS = "Not sent yet"


class Pair(NamedTuple):
    """Two people who are signed in."""

    asha: Person
    ben: Person

    async def look_at_a_new_group(self) -> None:
        """Both are in it, and look at its feed."""
        asha, ben = self
        await asha.go("#/")
        await asha.make_group("Goa trip")
        link = await asha.scan("QR code that leads into Goa trip")
        await ben.go(link.removeprefix(ben.url))
        await ben.page.get_by_role("button", name="Join the group").click()
        await asha.page.get_by_role("link", name="Go to the group").click()
        for person in self:
            await expect(person.page.get_by_role("heading", name="Goa trip")).to_be_visible()


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def signed_in(served: ServerProcess, browser: Browser) -> AsyncIterator[Pair]:
    async with crowd(browser, served.url) as make:
        pair = Pair(await make("Asha"), await make("Ben"))
        for person in pair:
            await person.sign_up(vpa="asha@okaxis" if person is pair.asha else "")
            await expect(person.page.get_by_role("link", name="Make a group")).to_be_visible()
        yield pair


@pytest_asyncio.fixture(loop_scope="session")
async def friends(signed_in: Pair) -> Pair:
    """Two people who look at the feed of a group that they have just made."""
    await signed_in.look_at_a_new_group()
    return signed_in


def row(page: Page, what: str) -> Locator:
    """The line of the feed."""
    return page.get_by_role("link", name=re.compile(what))


async def test_what_is_written_with_no_network_waits_survives_a_reload_and_is_sent(
    friends: Pair,
) -> None:
    asha, ben = friends
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


async def test_two_versions_of_an_expense_are_shown_and_one_is_chosen(friends: Pair) -> None:
    asha, ben = friends
    await asha.add_expense("Dinner", "900")
    await expect(ben.balance()).to_contain_text("₹450.00")
    # Both change it, Ben without a network.
    await ben.context.set_offline(True)
    for person, amount in ((ben, "800"), (asha, "700")):
        await row(person.page, "Dinner").click()
        await person.page.get_by_role("link", name="Edit").click()
        await person.page.get_by_label("Amount (INR)").fill(amount)
        await person.page.get_by_role("button", name="Save").click()
        await expect(person.page.get_by_text(f"₹{amount}.00").first).to_be_visible()
    await expect(asha.page.get_by_text(WAITS)).to_have_count(0)
    await ben.context.set_offline(False)

    await ben.page.get_by_role("link", name="Look at it").click()
    both = ben.page.get_by_role("region", name="Somebody changed this meanwhile")
    await expect(both).to_contain_text("₹700.00")
    await expect(both).to_contain_text("₹800.00")
    assert await ben.faults() == []
    await both.get_by_role("button", name="Use mine").click()
    await expect(asha.page.get_by_text("₹800.00").first).to_be_visible()
    await ben.go("#/outbox")
    await expect(ben.page.get_by_text("Nothing waits")).to_be_visible()


async def test_a_server_that_restarts_loses_nothing_and_is_found_again(
    friends: Pair, served: ServerProcess
) -> None:
    asha, ben = friends
    served.stop()
    await asha.add_expense("Dinner", "900")
    await expect(row(asha.page, "Dinner")).to_contain_text(WAITS)
    served.start()
    await expect(row(ben.page, "Dinner")).to_be_visible()
    await expect(asha.page.get_by_text(WAITS)).to_have_count(0)
    await expect(ben.balance()).to_contain_text("₹450.00")


async def test_tabs_share_one_connection_and_one_of_them_takes_it_over(
    friends: Pair,
) -> None:
    asha, ben = friends
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


async def test_a_photo_of_the_bill_is_there_for_everybody(friends: Pair) -> None:
    asha, ben = friends
    await asha.add_expense("Dinner", "900")
    await row(asha.page, "Dinner").click()
    photo = io.BytesIO()
    Image.new("RGB", (400, 600), "#884400").save(photo, "JPEG")
    async with asha.page.expect_file_chooser() as choosing:
        await asha.page.get_by_role("button", name="Add a photo or file").click()
    chosen: FilePayload = {"name": "bill.jpg", "mimeType": "image/jpeg", "buffer": photo.getvalue()}
    await (await choosing.value).set_files(chosen)
    await row(ben.page, "Dinner").click()
    # By a token, since nobody else may see it: the policy lets such pictures be shown.
    picture = ben.page.get_by_role("button", name="Open bill.jpg").locator("img")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("it => it.decode().then(() => it.naturalWidth)") > 0
