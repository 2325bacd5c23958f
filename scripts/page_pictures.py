"""Photographs the page's main screens, with made-up people on a trip, for the README. Run by scripts/screenshots.

`page_pictures.py FOLDER [all]`: small pictures of what the README shows, or large ones of every screen.
"""

import asyncio
import io
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from PIL import Image
from playwright.async_api import Browser, async_playwright

from tests.browser.chromium import CHROMIUM, OPTIONS
from tests.browser.person import Person
from tests.browser.screens import DESKTOP, PHONE, account, shown
from tests.browser.trip import PEOPLE, Texts
from tests.processes import ServerProcess
from tests.servers import free_port_for_restarts
from tests.system.phone import PASSWORD

FOLDER: Final = Path(__file__).parent.parent / "persplit/webapp/screenshots"
SHOWN: Final = ("feed", "add", "balances", "pay", "history", "charts")
"""What the README's story shows, in its order."""
STEPS_BACK: Final = 9
"""In the picture of the past: to where the taxi was paid."""
WIDTH: Final = 300
"""Pixels of a picture: six of them in two rows fit a README."""
QUALITY: Final = 80


async def fill_in(asha: Person) -> None:
    """An expense that is being typed, with everybody's share."""
    await asha.page.get_by_label("Amount (INR)").fill("1,234.5")
    await asha.page.get_by_label("What for?").fill("Dinner at the beach")
    await asha.page.get_by_role("button", name="Paid by you").click()
    await asha.page.evaluate("window.scrollTo(0, 330)")


async def go_back(asha: Person) -> None:
    """The slider some steps back."""
    slider = asha.page.get_by_role("slider")
    for _ in range(STEPS_BACK):
        await slider.press("ArrowLeft")
    await slider.blur()


BEFORE: Final = {"add": fill_in, "history": go_back}


async def photograph(
    browser: Browser, url: str, folder: Path, *, is_everything: bool, **options: Any
) -> None:
    """One picture for each screen."""
    trip = await account(url, PEOPLE, Texts())
    given = {"viewport": PHONE, "locale": "en-IN", "timezone_id": "Asia/Kolkata", "reduced_motion": "reduce"}
    context = await browser.new_context(**{**given, "device_scale_factor": 2, "is_mobile": True, **options})
    asha = Person("Asha", url, context)
    await asha.open_tab()
    if is_everything:
        save(await asha.page.screenshot(), folder / "welcome.png", None)
    await asha.sign_in(trip.email, PASSWORD)
    for name, path in trip.trip.paths().items():
        if not is_everything and name not in SHOWN:
            continue
        await shown(asha, path)
        if is_everything:
            save(await asha.page.screenshot(full_page=True), folder / f"{name}.png", None)
            continue
        if name in BEFORE:
            await BEFORE[name](asha)
        save(await asha.page.screenshot(), folder / f"{name}.webp", WIDTH)
    await context.close()


def save(png: bytes, path: Path, width: int | None) -> None:
    """The picture, made smaller where a width is given."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    if width is None:
        picture.save(path)
        return
    height = picture.height * width // picture.width
    picture.resize((width, height), Image.Resampling.LANCZOS).save(path, "WEBP", quality=QUALITY, method=6)


async def main(folder: Path, *, is_everything: bool, options: dict[str, Any]) -> None:
    """Serve, and photograph."""
    with tempfile.TemporaryDirectory() as home:
        server = ServerProcess(Path(home, "data"), port=free_port_for_restarts())
        server.start()
        try:
            async with async_playwright() as driver:
                browser = await driver.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
                await photograph(browser, server.url, folder, is_everything=is_everything, **options)
                await browser.close()
        finally:
            server.stop()


if __name__ == "__main__":
    where, *what = sys.argv[1:] or [str(FOLDER)]
    Path(where).mkdir(parents=True, exist_ok=True)
    dark = {"color_scheme": "dark"} if "dark" in what else {}
    hindi = {"locale": "hi-IN"} if "hi" in what else {}
    desktop = {"viewport": DESKTOP, "is_mobile": False} if "desktop" in what else {}
    asyncio.run(main(Path(where), is_everything="all" in what, options={**dark, **hindi, **desktop}))
