"""The page in a real browser, whatever its screens are: it opens, is kept, can be installed, and obeys its policy."""

import re
import shutil
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, Route, expect

from persplit.transport.web_page import WebPage
from scripts.build_webapp import DIST
from tests.browser.conftest import MakePerson
from tests.browser.person import Person, comes_to

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_it_opens_again_with_no_network(people: MakePerson) -> None:
    asha = await people("Asha")
    await asha.page.evaluate("navigator.serviceWorker.ready")
    shown = await asha.page.locator("#app").inner_text()
    await asha.context.set_offline(True)
    await asha.page.reload()
    await expect(asha.page.locator("#app")).not_to_be_empty()
    assert await asha.page.locator("#app").inner_text() == shown
    await asha.go("/i/q3Zk8mB1tXo5Yw2LrD7vNA")
    await expect(asha.page).to_have_url(f"{asha.url}/#/join/q3Zk8mB1tXo5Yw2LrD7vNA")


async def test_what_the_server_says_is_never_kept_by_the_service_worker(people: MakePerson) -> None:
    asha = await people("Asha")
    await asha.page.evaluate("navigator.serviceWorker.ready")
    await asha.page.evaluate("fetch('/openapi.json').then((it) => it.text())")
    kept = await asha.page.evaluate(
        """async () => {
            const found = [];
            for (const name of await caches.keys())
                for (const request of await (await caches.open(name)).keys()) found.push(new URL(request.url).pathname);
            return found;
        }"""
    )
    assert kept
    assert [path for path in kept if path != "/" and not path.startswith("/assets/")] == []


async def test_it_can_be_installed(people: MakePerson) -> None:
    asha = await people("Asha")
    devtools = await asha.context.new_cdp_session(asha.page)
    manifest = await devtools.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"] == f"{asha.url}/manifest.webmanifest"
    faults = await devtools.send("Page.getInstallabilityErrors")
    # A context of its own counts as a private window, in which nothing is ever installed.
    assert [it["errorId"] for it in faults["installabilityErrors"]] in ([], ["in-incognito"])


NO_STORAGE = "indexedDB.open = () => { throw new DOMException('not in this window', 'SecurityError'); };"


async def test_where_the_browser_keeps_nothing_the_page_says_so(people: MakePerson) -> None:
    asha = await people("Asha")
    await asha.context.add_init_script(NO_STORAGE)
    await asha.page.reload()
    await expect(asha.page.get_by_role("alert")).to_contain_text("can't keep what you write")


KEPT = """async () => {
    const found = [{ ...localStorage }, { ...sessionStorage }];
    for (const { name } of await indexedDB.databases()) {
        const result = (request) => new Promise((resolve, reject) => {
            request.onsuccess = () => resolve(request.result);
            request.onerror = reject;
        });
        const database = await result(indexedDB.open(name));
        for (const store of database.objectStoreNames)
            found.push(await result(database.transaction(store).objectStore(store).getAll()));
        database.close();
    }
    return JSON.stringify(found);
}"""
"""All that the window keeps, as text."""


async def keeps(tab: Page, text: str) -> bool:
    """Whether the text is in what the tab's window keeps."""
    return text in await tab.evaluate(KEPT)


async def test_who_signs_in_next_finds_nothing_of_the_one_before(people: MakePerson) -> None:
    asha = await people("Asha")
    await asha.sign_up()
    await asha.make_group("Secret trip")
    first, (group_id,) = asha.page, re.findall("/g/([^/]+)", asha.page.url)
    # The group is shown before it is kept.
    await comes_to(lambda: keeps(first, group_id), wanted=True)
    second = await asha.open_tab("/#/me")
    await second.get_by_role("button", name="Sign out", exact=True).click()
    for tab in (first, second):
        await expect(tab.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    asha.name, asha.email = "Ben", f"ben-{asha.email}"
    await asha.sign_up()
    await expect(second.get_by_role("link", name="Make a group")).to_be_visible()
    for tab in (first, second):
        kept = await tab.evaluate(KEPT)
        assert group_id not in kept
        assert "Asha" not in kept
        assert "Ben" in kept


async def lose_later_files(asha: Person) -> None:
    """Of what is loaded later nothing is there any more, as after a new version where there is no service worker."""
    first = await asha.page.evaluate("fetch('/').then((it) => it.text())")

    async def answer(route: Route) -> None:
        if urlsplit(route.request.url).path in first:
            await route.continue_()
        else:
            await route.fulfill(status=404, content_type="application/problem+json", body="{}")

    await asha.context.route("**/assets/**", answer)


async def test_a_language_that_does_not_come_leaves_the_page_in_english(people: MakePerson) -> None:
    asha = await people("Asha", locale="hi-IN", service_workers="block")
    await expect(asha.page.get_by_role("button", name="साइन इन")).to_be_visible()
    await lose_later_files(asha)
    await asha.page.reload()
    await expect(asha.page.get_by_role("button", name="Sign in")).to_be_visible()
    asha.complaints.clear()  # of there being no service worker


async def test_a_screen_whose_file_is_gone_says_so_and_comes_with_a_new_load(people: MakePerson) -> None:
    asha = await people("Asha", service_workers="block")
    await asha.sign_up()
    await expect(asha.page.get_by_role("link", name="Make a group")).to_be_visible()
    await lose_later_files(asha)
    await asha.go("#/new")
    again = asha.page.get_by_role("button", name="Load it again")
    await expect(again).to_be_visible()
    await asha.context.unroute("**/assets/**")
    await again.click()
    await expect(asha.page.get_by_label("Group name")).to_be_visible()
    asha.complaints.clear()  # of there being no service worker


class Releases:
    """A server of the page alone, of which new versions are released."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(DIST, folder, ignore=shutil.ignore_patterns("*.br", "*.gz"))
        self.url = ""
        self.page = WebPage(folder)
        self._folder = folder
        (found,) = re.findall(r"[0-9a-f]{12}(?=\")", (folder / "sw.js").read_text())
        self._version: str = found

    def release(self, version: str) -> None:
        """A version that differs by a word in its frame; the old name of its script is gone."""
        worker, index = (self._folder / "sw.js").read_text(), (self._folder / "index.html").read_text()
        (script,) = (self._folder / "assets").glob("main-*.js")
        renamed = f"main-{version}.js"
        script.rename(script.with_name(renamed))
        worker = worker.replace(self._version, version).replace(script.name, renamed)
        index = index.replace(script.name, renamed).replace("<html ", f'<html data-version="{version}" ')
        (self._folder / "sw.js").write_text(worker)
        (self._folder / "index.html").write_text(index)
        self._version = version
        self.page = WebPage(self._folder)


@pytest_asyncio.fixture(loop_scope="session")
async def releases(tmp_path: Path) -> AsyncIterator[Releases]:
    found = Releases(tmp_path / "dist")
    app = web.Application()

    async def index(request: web.Request) -> web.StreamResponse:
        return await found.page.index(request) or web.Response(status=404)

    async def asset(request: web.Request) -> web.StreamResponse:
        return await found.page.asset(request)

    async def beside(request: web.Request) -> web.StreamResponse:
        return await found.page.beside(request)

    app.add_routes([web.get("/", index), web.get("/assets/{name}", asset), web.get("/sw.js", beside)])
    async with TestServer(app) as server:
        found.url = str(server.make_url("")).rstrip("/")
        yield found


async def loaded_version(tab: Page) -> str | None:
    await tab.reload()
    return await tab.locator("html").get_attribute("data-version")


async def test_a_newer_version_is_shown_at_the_next_load_and_tabs_that_are_open_are_told(
    people: MakePerson, releases: Releases
) -> None:
    asha = await people("Asha", url=releases.url)
    open_tab = asha.page
    await open_tab.evaluate("navigator.serviceWorker.ready")
    for version in ("aaaaaaaaaaaa", "bbbbbbbbbbbb"):
        releases.release(version)
        newer = await asha.open_tab()
        # A server that takes too long has the worker show what it keeps.
        await comes_to(partial(loaded_version, newer), version)
        # The browser would look for it by itself, some seconds later.
        await newer.evaluate("navigator.serviceWorker.ready.then((it) => it.update())")
        await expect(open_tab.get_by_text("newer version")).to_be_visible()
        await expect(newer.get_by_text("newer version")).to_have_count(0)
        # Its files and those of the one before, for tabs that are still open.
        await comes_to(partial(newer.evaluate, "caches.keys().then((it) => it.length)"), 2)
        assert f"persplit-page-{version}" in await newer.evaluate("caches.keys()")
    await open_tab.get_by_role("button", name="Show it").click()
    await expect(open_tab.locator("html")).to_have_attribute("data-version", re.compile("a{12}|b{12}"))
    asha.complaints.clear()


ATTEMPTS = (
    "document.body.insertAdjacentHTML('beforeend', '<b>bold</b>')",
    "document.body.appendChild(document.createElement('script')).text = 'window.wasRun = true'",
    "window.setTimeout('window.wasRun = true')",
    "trustedTypes.createPolicy('mine', { createHTML: (it) => it })",
    "trustedTypes.createPolicy('persplit', { createHTML: (it) => it })",
    "await navigator.serviceWorker.register('/assets/other.js')",
)


async def test_no_text_becomes_a_script(people: MakePerson) -> None:
    asha = await people("Asha")
    for attempt in ATTEMPTS:
        refused = await asha.page.evaluate(
            f"async () => {{ try {{ {attempt} }} catch (error) {{ return error.name; }} }}"
        )
        assert refused == "TypeError", attempt
    assert await asha.page.evaluate("window.wasRun") is None
    # The browser said of each that it was refused.
    assert len(asha.complaints) >= len(ATTEMPTS)
    asha.complaints.clear()
