"""Every screen with something in it: readable by everybody, in any size, light and language; and nothing typed runs."""

import asyncio
import re
import sys
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from scripts.build_webapp import WEBAPP
from tests.browser.conftest import MakePerson
from tests.browser.screens import DESKTOP, SMALL, Account, account, shown, width_beyond
from tests.browser.trip import PEOPLE, Texts
from tests.processes import ServerProcess
from tests.system.phone import PASSWORD

MENDING = "/g/:groupId/mend/:commandId"
"""Needs a command that was refused: `test_together` has one."""
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
    loan=f"L{SCRIPT}",
)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def trip_of_asha(served: ServerProcess, data_dir: Path) -> Account:
    """Asha is an admin of the platform, too."""
    made = await account(served.url, PEOPLE, Texts())
    granted = [sys.executable, "-m", "persplit", "admin", "grant", made.email, "--data-dir", str(data_dir)]
    process = await asyncio.create_subprocess_exec(*granted, stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0
    return made


async def test_every_screen_is_among_those_that_are_looked_at(trip_of_asha: Account) -> None:
    source = (WEBAPP / "src/app.tsx").read_text(encoding="utf-8")
    patterns = re.findall(r'^  \["(/[^"]*)"', source, re.MULTILINE)
    assert len(patterns) > 20
    looked_at = [path.removeprefix("#") for path in trip_of_asha.trip.paths().values()]
    for pattern in set(patterns) - {MENDING}:
        # `:name` is a part of a path, `/:name?` may be missing.
        as_regex = re.sub(r":\w+", "[^/]+", re.sub(r"/:\w+\?", "(?:/[^/]+)?", pattern))
        assert any(re.fullmatch(as_regex, path) for path in looked_at), pattern


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


DIALOGS = (
    ("add", "No category"),
    ("invite", "Other time or number"),
    ("invite", "All invites"),
    ("settings", "Ben"),
)
SPLITS = ("Amounts", "Percent", "Shares", "Plus or minus", "Items")
MORE = ("Receipt", "Notes", "Repeat", "Other currency", "Refund or income")


async def test_what_opens_on_a_screen_can_be_read_and_used_by_everybody(
    people: MakePerson, trip_of_asha: Account
) -> None:
    asha = await people("Asha")
    await asha.sign_in(trip_of_asha.email, PASSWORD)
    paths = trip_of_asha.trip.paths()
    faults = {}
    for name, button in DIALOGS:
        await shown(asha, paths[name])
        await asha.page.get_by_role("main").get_by_role("button", name=button).first.click()
        await expect(asha.page.get_by_role("dialog")).to_be_visible()
        faults[f"{name}: {button}"] = await asha.faults()
        # The key that closes it leaves one where one was.
        await asha.page.keyboard.press("Escape")
        await expect(asha.page.get_by_role("dialog")).to_have_count(0)

    await shown(asha, paths["add"])
    await asha.page.get_by_label("Amount (INR)").fill("1,234.5")
    await asha.page.get_by_role("button", name="Paid by you").click()
    await asha.page.get_by_role("button", name="Several people").click()
    for split in SPLITS:
        await asha.page.get_by_role("button", name=split, exact=True).click()
        faults[split] = await asha.faults()
    for part in MORE:
        await asha.page.get_by_role("button", name=part, exact=True).click()
    await asha.page.get_by_role("button", name="Save").click()  # it says what is missing
    faults["everything, wrong"] = await asha.faults()
    assert {name: found for name, found in faults.items() if found} == {}
    assert await width_beyond(asha) <= 0


async def test_every_screen_fits_a_desktop_and_can_be_read_in_the_dark(
    people: MakePerson, trip_of_asha: Account
) -> None:
    asha = await people("Asha", viewport=DESKTOP, color_scheme="dark")
    faults = {"welcome": await asha.faults("color-contrast")}
    await asha.sign_in(trip_of_asha.email, PASSWORD)
    beyond = {}
    for name, path in trip_of_asha.trip.paths().items():
        await shown(asha, path)
        faults[name] = await asha.faults("color-contrast")
        beyond[name] = await width_beyond(asha)
    assert {name: found for name, found in faults.items() if found} == {}
    assert {name: pixels for name, pixels in beyond.items() if pixels > 0} == {}


async def test_every_screen_speaks_hindi_and_fits_a_small_phone(
    people: MakePerson, trip_of_asha: Account
) -> None:
    asha = await people("Asha", viewport=SMALL, locale="hi-IN")
    await asha.sign_in(trip_of_asha.email, PASSWORD)
    assert await asha.page.evaluate("document.documentElement.lang") == "hi"
    beyond, foreign = {}, {}
    for name, path in trip_of_asha.trip.paths().items():
        title = await shown(asha, path)
        beyond[name] = await width_beyond(asha)
        if not DEVANAGARI.search(title) and title not in (Texts().group, Texts().expenses[0]):
            foreign[name] = title
    assert {name: pixels for name, pixels in beyond.items() if pixels > 0} == {}
    assert foreign == {}


async def test_by_keyboard_one_stays_in_the_screen_and_an_admin_finds_their_page(
    people: MakePerson, trip_of_asha: Account
) -> None:
    asha = await people("Asha")
    await asha.sign_in(trip_of_asha.email, PASSWORD)
    await shown(asha, trip_of_asha.trip.paths()["expense"])
    await asha.page.get_by_role("button", name="Delete", exact=True).press("Enter")
    await asha.page.get_by_role("button", name="Undo").press("Enter")
    # That button is gone, and did not take the focus with it.
    await expect(asha.page.get_by_text("It is back")).to_be_visible()
    await expect(asha.page.get_by_role("heading", name=Texts().group, level=1)).to_be_focused()

    await shown(asha, "#/me")
    await asha.page.get_by_role("link", name="Administration").press("Enter")
    await expect(asha.page.get_by_role("heading", name="Administration", level=1)).to_be_focused()


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
