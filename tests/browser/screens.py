"""The sizes of screens, an account that has something to show, and going from screen to screen."""

import asyncio
import re
import uuid
from collections.abc import Sequence
from typing import Final, NamedTuple

from playwright.async_api import ViewportSize, expect

from tests.browser.person import Person
from tests.browser.trip import Texts, Trip, make_trip
from tests.system.conftest import phones_of
from tests.system.phone import PASSWORD

PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
SMALL: Final[ViewportSize] = {"width": 320, "height": 640}
DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 800}
LOOKS_MAX: Final = 50
"""Of a tenth of a second each. The page's policy allows no script that would tell by itself."""
LOADING: Final = re.compile("Loading|लोड हो रहा है")


class Account(NamedTuple):
    """An account that was made over REST, and what is in it."""

    email: str
    trip: Trip


async def account(url: str, names: Sequence[str], texts: Texts) -> Account:
    """An account of the first of the names, with a trip."""
    async with phones_of(url) as phones:
        everybody = [await phones() for _ in names]
        for name, phone in zip(names, everybody, strict=True):
            email = f"{uuid.uuid4()}@example.org"
            body = {"name": name, "email": email, "password": PASSWORD}
            if phone is everybody[0]:
                body["vpa"] = "asha@okaxis"
            phone.take(await phone.ok("POST", "/auth/register", body))
        trip = await make_trip(everybody, texts)
        return Account((await everybody[0].ok("GET", "/auth/me"))["email"], trip)


async def shown(person: Person, path: str) -> str:
    """Go there, and wait until the screen is whole. Returns its title."""
    await person.go(path)
    # The router hears of it, and draws.
    await person.page.evaluate(
        "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    title = person.page.get_by_role("heading", level=1)
    await expect(title).to_be_visible()
    await expect(person.page.get_by_role("status", name=LOADING)).to_have_count(0)
    return await title.inner_text()


async def width_beyond(person: Person) -> int:
    """By how many pixels the page is wider than the screen, once charts have followed the scroll bar that they bring."""
    for _ in range(LOOKS_MAX):
        pixels = await person.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if pixels <= 0:
            break
        await asyncio.sleep(0.1)
    return int(pixels)
