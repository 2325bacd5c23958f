"""Two people with two browsers, side by side, through everything that the page is for."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import expect

from tests.browser.conftest import MakePerson
from tests.browser.screens import DESKTOP

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_dinner_is_split_and_settled(people: MakePerson) -> None:
    asha = await people("Asha")
    await asha.sign_up(vpa="asha@okaxis")
    await asha.make_group("Goa trip")
    link = await asha.scan("QR code that leads into Goa trip")
    assert link.startswith(f"{asha.url}/i/")

    # Ben's phone reads the code from Asha's screen; he has never heard of PerSplit.
    ben = await people("Ben", link.removeprefix(asha.url), viewport=DESKTOP)
    await expect(ben.page.get_by_text("You are invited to share expenses.")).to_be_visible()
    await ben.sign_up()
    await ben.page.get_by_role("button", name="Join the group").click()
    await expect(ben.page.get_by_role("heading", name="Goa trip")).to_be_visible()

    # His balance moves by itself when Asha adds what she paid.
    await asha.page.get_by_role("link", name="Go to the group").click()
    await asha.add_expense("Dinner", "1,234.5")
    await expect(ben.balance()).to_contain_text("You owe")
    await expect(ben.balance()).to_contain_text("₹617.25")
    await expect(ben.page.get_by_role("link", name=re.compile("Dinner"))).to_be_visible()

    # He pays by the QR, which his other phone scans, and says so.
    await ben.page.get_by_role("link", name="Settle up").click()
    await ben.page.get_by_role("link", name="Pay", exact=True).click()
    asked = urlsplit(await ben.scan(re.compile("UPI QR code")))
    assert (asked.scheme, asked.netloc) == ("upi", "pay")
    assert {name: values[0] for name, values in parse_qs(asked.query).items() if name != "tn"} == {
        "pa": "asha@okaxis",
        "pn": "Asha",
        "am": "617.25",
        "cu": "INR",
    }
    await ben.page.get_by_label("UTR").fill("123456789012")
    await ben.page.get_by_role("button", name="I have paid").click()
    await expect(ben.page.get_by_text("Waits to be confirmed").first).to_be_visible()

    # Balances move when she has confirmed it.
    await expect(asha.balance()).to_contain_text("₹617.25")
    await asha.page.get_by_role("link", name="Settle up").click()
    await expect(asha.page.get_by_text("Ben says they paid you")).to_be_visible()
    await expect(asha.page.get_by_text("UTR 123456789012")).to_be_visible()
    await asha.page.get_by_role("button", name="I got it").click()
    await expect(asha.page.get_by_text("All settled up")).to_be_visible()
    await expect(ben.page.get_by_text("Confirmed").first).to_be_visible()


async def test_an_expense_by_keyboard_alone(people: MakePerson) -> None:
    asha = await people("Asha", viewport=DESKTOP)
    await asha.sign_up()
    await asha.make_group("Flat 4B")
    await asha.page.get_by_role("link", name="Go to the group").press("Enter")
    await asha.page.get_by_role("link", name="Add expense").press("Enter")
    # The amount has the focus; what follows comes in the order in which it is read.
    await expect(asha.page.get_by_label("Amount (INR)")).to_be_focused()
    await asha.page.keyboard.type("12k+500")
    await expect(asha.page.get_by_text("= ₹12,500.00")).to_be_visible()
    while not await asha.page.get_by_label("What for?").evaluate("it => it === document.activeElement"):
        await asha.page.keyboard.press("Tab")
    await asha.page.keyboard.type("Rent")
    await asha.page.keyboard.press("Enter")
    await expect(asha.page.get_by_role("link", name=re.compile("Rent"))).to_contain_text("₹12,500.00")
