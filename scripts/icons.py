"""Draws the page's icons as PNGs from their SVGs, by Debian's Chromium. Run by scripts/webapp icons."""

import io
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser.chromium import CHROMIUM, OPTIONS

FOLDER: Final = Path(__file__).parent.parent / "persplit/webapp/src/icons"
COLOURS_MAX: Final = 64
"""Three, and what lies between them at the edges: a palette is a third of the size."""


class Icon(NamedTuple):
    """A square picture of so many pixels from the drawing of that name."""

    name: str
    drawing: str
    side: int


ICONS: Final = (
    Icon("icon-192.png", "icon.svg", 192),
    Icon("icon-512.png", "icon.svg", 512),
    Icon("maskable-512.png", "maskable.svg", 512),
    # iOS rounds the corners itself, and puts black where there is nothing.
    Icon("touch-180.png", "maskable.svg", 180),
)


def drawn(page: Page, icon: Icon) -> bytes:
    """The PNG."""
    page.set_viewport_size({"width": icon.side, "height": icon.side})
    svg = (FOLDER / icon.drawing).read_text(encoding="utf-8")
    page.set_content(f"<style>body{{margin:0}}svg{{display:block;width:100vw;height:100vh}}</style>{svg}")
    picture = Image.open(io.BytesIO(page.screenshot(omit_background=True)))
    small = io.BytesIO()
    picture.quantize(COLOURS_MAX, Image.Quantize.FASTOCTREE).save(small, "PNG", optimize=True)
    return small.getvalue()


def main() -> None:
    """All of them, beside their drawings."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        page = browser.new_page()
        for icon in ICONS:
            (FOLDER / icon.name).write_bytes(drawn(page, icon))
        browser.close()


if __name__ == "__main__":
    main()
