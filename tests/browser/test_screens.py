"""Every screen with something in it: readable by everybody, in any size, light and language; and nothing typed runs."""

import re
import uuid
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import DESKTOP, MakePerson
from tests.browser.person import Person
from tests.browser.trip import PEOPLE, Texts, Trip, make_trip
from tests.processes import ServerProcess
from tests.system.conftest import phones_of
from tests.system.phone import PASSWORD

SMALL = {"width": 320, "height": 640}
LOADING = re.compile("Loading|लोड हो रहा है")
DEVANAGARI = re.compile("[\u0900-\u097f]")

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCRIPT = """\"'><img src=x onerror="wasRun=1"><script>wasRun=2</script>${wasRun=3}"""
PASTE = """async (text) => {
    for (const field of document.querySelectorAll("input, textarea")) {
        if (["checkbox", "radio", "file", "date", "range"].includes(field.type)) continue;
        field.value = text;
        field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
"""Into every field of the screen, which draws what it makes of it."""
HOSTILE = Texts(
    group=f"G{SCRIPT}",
    placeholder=f"P{SCRIPT}",
    expenses=tuple(f"{index}{SCRIPT}" for index in range(4)),
    category="javascript:wasRun=4",
    note=f"N{SCRIPT}",
    comment=f"C{SCRIPT}",
    preset=f"S{SCRIPT}"[:60],
    recurring=f"R{SCRIPT}",
    item=f"I{SCRIPT}",
)


class Account(NamedTuple):
    """An account that was made over REST, and what is in it."""

    email: str
    trip: Trip


async def account(url: str, names: tuple[str, ...], texts: Texts) -> Account:
    """An account of the first of the names, with a trip."""
    async with phones_of(url) as phones:
        asha, ben, chitra, dev = [await phones() for _ in names]
        for name, phone in zip(names, (asha, ben, chitra, dev), strict=True):
            email = f"{uuid.uuid4()}@example.org"
            body = {"name": name, "email": email, "password": PASSWORD}
            if phone is asha:
                body["vpa"] = "asha@okaxis"
            phone.take(await phone.ok("POST", "/auth/register", body))
        trip = await make_trip(asha, ben, chitra, dev, texts)
        return Account((await asha.ok("GET", "/auth/me"))["email"], trip)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def trip_of_asha(served: ServerProcess) -> Account:
    return await account(served.url, PEOPLE, Texts())


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
    """By how many pixels the page is wider than the screen."""
    return int(
        await person.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
    )


async def test_every_screen_can_be_read_and_used_by_everybody(
    people: MakePerson, trip_of_asha: Account
) -> None:
    asha = await people("Asha")
    faults = {"welcome": await asha.faults()}
    await asha.sign_in(trip_of_asha.email, PASSWORD)
    titles, beyond = [], {}
    for name, path in trip_of_asha.trip.paths().items():
        titles.append(await shown(asha, path))
        faults[name] = await asha.faults()
        beyond[name] = await width_beyond(asha)
    assert {name: found for name, found in faults.items() if found} == {}
    assert {name: pixels for name, pixels in beyond.items() if pixels > 0} == {}
    assert titles.count("There is nothing here") == 1


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"viewport": DESKTOP, "color_scheme": "dark"}, id="a desktop in the dark"),
        pytest.param(
            {"viewport": SMALL, "color_scheme": "light", "locale": "hi-IN"}, id="a small phone in Hindi"
        ),
    ],
)
async def test_every_screen_fits(people: MakePerson, trip_of_asha: Account, options: dict[str, Any]) -> None:
    asha = await people("Asha", **options)
    is_hindi = options.get("locale") == "hi-IN"
    faults = {"welcome": await asha.faults("color-contrast")}
    await asha.sign_in(trip_of_asha.email, PASSWORD)
    beyond, foreign = {}, []
    for name, path in trip_of_asha.trip.paths().items():
        title = await shown(asha, path)
        faults[name] = await asha.faults("color-contrast")
        beyond[name] = await width_beyond(asha)
        if is_hindi and not DEVANAGARI.search(title) and title not in (Texts().group, Texts().expenses[0]):
            foreign.append((name, title))
    assert {name: found for name, found in faults.items() if found} == {}
    assert {name: pixels for name, pixels in beyond.items() if pixels > 0} == {}
    assert foreign == []
    assert await asha.page.evaluate("document.documentElement.lang") == ("hi" if is_hindi else "en")


async def test_nothing_that_people_typed_runs(people: MakePerson, served: ServerProcess) -> None:
    hostile = await account(served.url, tuple(f"{name}{SCRIPT}" for name in PEOPLE), HOSTILE)
    asha = await people("Asha")
    await asha.sign_in(hostile.email, PASSWORD)
    beyond = {}
    for name, path in hostile.trip.paths().items():
        await shown(asha, path)
        await asha.page.evaluate(PASTE, SCRIPT)
        assert await asha.page.evaluate("window.wasRun") is None, name
        assert await asha.page.locator("img[src=x], script:not([src])").count() == 0, name
        beyond[name] = await width_beyond(asha)
    assert {name: pixels for name, pixels in beyond.items() if pixels > 0} == {}
    await shown(asha, hostile.trip.paths()["expense"])
    await expect(asha.page.get_by_text(HOSTILE.comment, exact=True)).to_be_visible()
    await expect(asha.page.get_by_text(HOSTILE.note, exact=True)).to_be_visible()
