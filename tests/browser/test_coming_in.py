"""Who comes into a group, and how: a guest in the place that was kept for them, and somebody who signs up on the way."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import MakePerson
from tests.browser.person import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_guest_takes_the_place_that_was_kept_for_them_and_makes_an_account_of_it(
    people: MakePerson,
) -> None:
    asha = await people("Asha")
    await asha.sign_up()
    await asha.make_group("Goa trip")
    await asha.page.get_by_label("Name or e-mail").fill("Dadi")
    await asha.page.get_by_role("button", name="Add", exact=True).click()
    await asha.page.get_by_role("button", name=re.compile("Link.*Dadi")).click()
    link = await asha.page.get_by_role("dialog").get_by_text("/i/").inner_text()
    await asha.page.keyboard.press("Escape")
    await asha.page.get_by_role("link", name="Go to the group").click()
    await asha.add_expense("Dinner", "900")

    # The link knows who it is for: the name is there, and what was noted under it is hers.
    dadi = await people("Dadi", link.removeprefix(asha.url))
    await expect(dadi.page.get_by_text("This invite is for Dadi")).to_be_visible()
    await dadi.page.get_by_role("button", name="Guest").click()
    await dadi.page.get_by_role("button", name="Go on as a guest").click()
    await expect(dadi.balance()).to_contain_text("You owe")
    await expect(dadi.balance()).to_contain_text("₹450.00")

    # With an account she keeps that, and may make groups of her own.
    await dadi.go("#/me")
    form = dadi.page.locator("form", has_text="Make this an account")
    await form.get_by_label("E-mail").fill(dadi.email)
    await form.get_by_label("Password").fill(PASSWORD)
    await form.get_by_role("button", name="Make an account").click()
    await expect(form).to_have_count(0)
    await dadi.go("#/")
    await dadi.make_group("Bridge club")
    await dadi.go("#/")
    await expect(
        dadi.page.get_by_role("link", name=re.compile("Goa trip.*450.00", re.DOTALL))
    ).to_be_visible()


async def test_an_invite_outlives_signing_up_and_asks_for_the_groups_password(people: MakePerson) -> None:
    asha = await people("Asha")
    await asha.sign_up()
    await asha.page.get_by_role("link", name="Make a group").click()
    await asha.page.get_by_label("Group name").fill("Flat 4B")
    await asha.page.get_by_text("More settings").click()
    await asha.page.get_by_label("Group password").fill("open sesame")
    await asha.page.get_by_role("button", name="Make the group").click()
    link = await asha.scan("QR code that leads into Flat 4B")

    ben = await people("Ben", link.removeprefix(asha.url))
    await ben.sign_up()
    join = ben.page.get_by_role("button", name="Join the group")
    await join.click()
    await expect(ben.page.get_by_text("This group asks for a password.")).to_be_visible()
    await ben.page.get_by_label("Group password").fill("wrong one")
    await join.click()
    await expect(ben.page.get_by_text("That is not the group's password.")).to_be_visible()
    await ben.page.get_by_label("Group password").fill("open sesame")
    await join.click()
    await expect(ben.page.get_by_role("heading", name="Flat 4B")).to_be_visible()
    # Whoever holds the code up sees them come.
    await expect(asha.page.get_by_role("list").get_by_text("Ben")).to_be_visible()


async def test_an_address_that_has_an_account_is_told_at_the_address(people: MakePerson) -> None:
    asha = await people("Asha")
    await asha.sign_up()
    await expect(asha.page.get_by_role("heading", name="Groups", level=1)).to_be_visible()
    twin = await people("Twin")
    twin.email = asha.email
    await twin.sign_up()
    address = twin.page.get_by_label("E-mail")
    await expect(address).to_be_focused()
    await expect(address).to_have_accessible_description(
        re.compile("There is an account with this address already")
    )


async def test_a_change_that_the_server_refuses_is_told_and_can_be_dropped(people: MakePerson) -> None:
    asha = await people("Asha")
    await asha.sign_up()
    await asha.make_group("Goa trip")
    link = await asha.scan("QR code that leads into Goa trip")
    ben = await people("Ben", link.removeprefix(asha.url))
    await ben.sign_up()
    await ben.page.get_by_role("button", name="Join the group").click()
    await expect(ben.page.get_by_role("heading", name="Goa trip")).to_be_visible()
    await asha.page.get_by_role("link", name="Go to the group").click()
    await asha.page.get_by_role("link", name="Group settings").click()
    await asha.page.get_by_role("button", name=re.compile("Ben")).click()
    await asha.page.get_by_role("button", name="Admin", exact=True).click()
    await expect(asha.page.get_by_role("button", name="Admin", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )

    # With no network Asha renames the group; meanwhile Ben takes her role away.
    await asha.page.keyboard.press("Escape")
    await asha.context.set_offline(True)
    await asha.page.get_by_label("Group name").fill("Goa again")
    await asha.page.get_by_role("button", name="Save").click()
    await ben.page.get_by_role("link", name="Group settings").click()
    await ben.page.get_by_role("button", name=re.compile("Asha")).click()
    await ben.page.get_by_role("button", name="Member", exact=True).click()
    await expect(ben.page.get_by_role("button", name="Member", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    await asha.context.set_offline(False)

    await asha.go("#/")
    await asha.page.get_by_role("link", name="Have a look").click()
    await expect(asha.page.get_by_text("Only an admin of the group can do this.")).to_be_visible()
    await asha.page.get_by_role("button", name="Drop").click()
    await expect(asha.page.get_by_role("heading", name="Nothing waits")).to_be_visible()
    await asha.go("#/")
    await expect(asha.page.get_by_role("link", name=re.compile("Goa trip"))).to_be_visible()
    await expect(asha.page.get_by_role("link", name="Have a look")).to_have_count(0)
