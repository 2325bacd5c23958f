"""A person with a browser of their own: what they do in the page, and what the browser complains of meanwhile."""

import asyncio
import io
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import zxingcpp
from PIL import Image
from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Response, WebSocket, expect

from scripts.build_webapp import WEBAPP

AXE: Final = WEBAPP / "node_modules/axe-core/axe.min.js"
WCAG: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
PASSWORD: Final = "correct horse battery"
PATIENCE_MS: Final = 60_000
"""For a machine that has much else to do. Nothing waits so long where all is well."""
_UNREACHABLE: Final = re.compile(
    r"net::ERR_|Failed to load resource|WebSocket connection to|WebSocket is already in CLOSING"
)
"""What a browser says of a server that is away, or ends a connection in the moment in which something is sent on it: the
page's business, and no fault of it."""
_SIGN_IN: Final = re.compile("Sign in|साइन इन")
_EMAIL: Final = re.compile("E-mail|ई-मेल")
_COLLECT: Final = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""

expect.set_options(timeout=PATIENCE_MS)


async def comes_to(look: Callable[[], Awaitable[object]], wanted: object) -> None:
    """Wait until what is looked at is what is wanted."""
    async with asyncio.timeout(PATIENCE_MS / 1_000):
        while await look() != wanted:  # noqa: ASYNC110 - a browser is asked, and tells nothing by itself
            await asyncio.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Fault:
    """What a rule of axe found."""

    rule: str
    elements: Sequence[str]


class Person:
    """Their browser, with one page of it in front."""

    def __init__(self, name: str, url: str, context: BrowserContext) -> None:
        self.name = name
        self.email = f"{uuid.uuid4()}@example.org"
        self.url = url
        self.context = context
        self.complaints: list[str] = []
        self._sockets: list[tuple[Page, WebSocket]] = []
        self.page: Page

    async def open_tab(self, path: str = "/") -> Page:
        """Another tab, in front from now on."""
        page = self.page = await self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("websocket", lambda socket: self._sockets.append((page, socket)))
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        await self.page.add_init_script(_COLLECT)
        await self.go(path)
        return self.page

    async def go(self, path: str) -> Response | None:
        """To a path of the server, or to a place in the page that begins with `#`."""
        return await self.page.goto(f"{self.url}/{path}" if path.startswith("#") else f"{self.url}{path}")

    async def connections(self) -> int:
        """How many connections for news are open, from all of their tabs together."""
        return sum(not page.is_closed() and not socket.is_closed() for page, socket in self._sockets)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _UNREACHABLE.search(message.text):
            self.complaints.append(f"{message.type}: {message.text}")

    async def faults(self, *rules: str) -> list[Fault]:
        """What axe finds in the page as it stands, by the rules of WCAG 2.2 AA or by these; with animations at their end."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: Mapping[str, Any] = await self.page.evaluate(
            """async (only) => {
                await Promise.all(document.getAnimations().map((it) => it.finished.catch(() => undefined)));
                return axe.run({ runOnly: only, resultTypes: ["violations"], iframes: false });
            }""",
            {"type": "rule", "values": rules} if rules else {"type": "tag", "values": WCAG},
        )
        return [
            Fault(violation["id"], [node["html"][:200] for node in violation["nodes"]])
            for violation in found["violations"]
        ]

    async def photograph(self, path: Path) -> None:
        """A picture of what is on the screen."""
        await self.page.screenshot(path=path)

    # --- what they do in the page, in English

    async def sign_up(self, *, vpa: str = "") -> None:
        """An account, by the form."""
        form = self.page.locator("form")
        await form.get_by_label("Name", exact=True).fill(self.name)
        await form.get_by_label("E-mail").fill(self.email)
        await form.get_by_label("Password").fill(PASSWORD)
        if vpa:
            await form.get_by_label("UPI ID").fill(vpa)
        await form.get_by_role("button", name="Sign up").click()

    async def sign_in(self, email: str, password: str) -> None:
        """Into an account that is there, in whichever language."""
        await self.page.get_by_role("button", name=_SIGN_IN).click()
        form = self.page.locator("form")
        await form.get_by_label(_EMAIL).fill(email)
        await form.locator("input[type=password]").fill(password)
        await form.get_by_role("button", name=_SIGN_IN).click()
        await expect(form).to_have_count(0)

    async def make_group(self, name: str) -> None:
        """A group, which leads to its invite."""
        await self.page.get_by_role("link", name=re.compile("Make a group|New group")).click()
        await self.page.get_by_label("Group name").fill(name)
        await self.page.get_by_role("button", name="Make the group").click()
        await expect(self.page.get_by_role("heading", name="Invite", level=1)).to_be_visible()

    async def add_expense(self, what: str, amount: str) -> None:
        """An expense for everybody, from the group's feed."""
        await self.page.get_by_role("link", name="Add expense").click()
        await self.page.get_by_label("Amount (INR)").fill(amount)
        await self.page.get_by_label("What for?").fill(what)
        await self.page.get_by_role("button", name="Save").click()

    async def scan(self, label: str | re.Pattern[str]) -> str:
        """What another phone's camera reads from the QR on this screen."""
        code = self.page.get_by_role("img", name=label)
        await expect(code).to_be_visible()
        picture = Image.open(io.BytesIO(await code.screenshot()))
        (found,) = zxingcpp.read_barcodes(picture)
        return str(found.text)

    def balance(self) -> Locator:
        """Their balance, on top of a group's feed."""
        return self.page.get_by_role("region", name="Your balance")
