"""The frame of every page, and the two short ones: the welcome and an invite's landing page."""

from typing import Final

from persplit.transport.html import Html, joined, prose, tag, void

STYLES: Final = "/docs.css"


def page(title: str, *body: str, is_private: bool = False) -> bytes:
    """A whole page. It loads our style sheet and nothing else, and runs no script.

    `is_private`: search engines are asked to leave it out.
    """
    head = joined(
        void("meta", charset="utf-8"),
        void("meta", name="viewport", content="width=device-width, initial-scale=1"),
        void("meta", name="color-scheme", content="light dark"),
        void("meta", name="robots", content="noindex") if is_private else "",
        tag("title", title),
        void("link", rel="icon", href="data:,"),
        void("link", rel="stylesheet", href=STYLES),
    )
    return f"<!doctype html>\n{tag('html', tag('head', head), tag('body', *body), lang='en')}\n".encode()


_BUILDING: Final = (
    "Whoever runs the server can build it: in its folder by `scripts/webapp`, elsewhere by installing PerSplit again "
    "with the npm registry in reach and without `PERSPLIT_SKIP_WEB`. Then start the server anew."
)


def welcome() -> bytes:
    """What this server is and where to read on, in the place of the web page where that was not built."""
    links = (
        ("/docs", "Reference", "every request, message, event, error and setting, for people"),
        ("/openapi.json", "OpenAPI", "the REST interface, for generators"),
        ("/asyncapi.json", "AsyncAPI", "the socket's messages, for generators"),
    )
    return page(
        "PerSplit",
        tag(
            "main",
            tag("h1", "PerSplit"),
            tag(
                "p",
                "A server for people who share expenses: everybody in a group sees the same balances at once, and "
                "the fewest payments that settle them, each with a UPI QR to scan.",
            ),
            tag("p", "You use it through an app that is connected to this address."),
            tag("h2", "The web page is missing"),
            tag(
                "p",
                "It would be here, but it was not built when this server was installed. ",
                prose(_BUILDING),
            ),
            tag("h2", "For those who build one"),
            tag("ul", *(tag("li", _link(path, name), f": {text}") for path, name, text in links)),
            class_="short",
        ),
    )


_STEPS: Final = tag(
    "ol",
    tag("li", "Open your PerSplit app and sign in, make an account, or go on as a guest."),
    tag("li", "Choose to join a group, and enter this code:"),
)
_HELP: Final = (
    "If the group has a password, ask whoever invited you for it. A code works for seven days, unless whoever made it "
    "chose another time, or how many may come in by it."
)


def invite(code: str) -> bytes:
    """How to join by the code. The same for every code: whether it exists is told only to who joins."""
    return page(
        "Join a group in PerSplit",
        tag(
            "main",
            tag("h1", "You are invited to share expenses"),
            tag("p", "Somebody sent you the way into their group. Opening this page has not joined it."),
            _STEPS,
            tag("p", tag("code", code), class_="code"),
            tag("p", _HELP),
            tag("p", prose("Apps join with `group:join`: see the "), _link("/docs", "reference"), "."),
            class_="short",
        ),
        is_private=True,
    )


def _link(path: str, text: str) -> Html:
    return tag("a", text, href=path)
