"""The page in a real browser, whatever its screens are: it opens, is kept, can be installed, and obeys its policy."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import MakePerson

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
