"""The generated documents and the few pages, as routes. Each is made once, and served from memory.

They are made when somebody first asks, on a thread, as is what makes them loaded: generating them takes longer than all
else that a start does after the imports, and most servers are never asked.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson
from aiohttp import web

from persplit.ledger.errors import NotFound
from persplit.transport import pages, web_page
from persplit.transport.capacity import capacity
from persplit.transport.fixed import Fixed, compressed, respond
from persplit.transport.rest import problem_response
from persplit.transport.web_page import WebPage

_Handler: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]

_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What an invite's code can look like, with room for longer ones."""
_STYLES: Final = Path(__file__).with_name("docs.css")
_CACHED: Final = {"Cache-Control": "public, max-age=300"}
_PRIVATE: Final = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


def routes(
    server_url: str | None, check_look_up: Callable[[web.Request], None], page: WebPage
) -> list[web.RouteDef]:
    """The routes, at the root. `server_url` is how the server is reached from outside, if it knows that.

    `check_look_up` counts a look at an invite's page, and raises where it is one too many.
    """
    openapi, asyncapi = (
        cache(partial(_openapi, server_url)),
        cache(partial(_asyncapi, server_url)),
    )
    return [
        web.get("/openapi.json", _fixed(lambda: orjson.dumps(openapi()), "application/json")),
        web.get("/asyncapi.json", _fixed(lambda: orjson.dumps(asyncapi()), "application/json")),
        web.get("/docs", _fixed(lambda: _reference(openapi(), asyncapi()), "text/html")),
        web.get("/docs/capacity", _fixed(capacity, "text/html")),
        web.get(pages.STYLES, _fixed(_STYLES.read_bytes, "text/css")),
        web.get("/", _page(page)),
        web.get("/i/{code}", _invite(page, check_look_up)),
        web.get(f"/{web_page.ASSETS}/{{name}}", page.asset),
        web.get(f"/{web_page.WORKER}", page.beside),
        web.get(f"/{web_page.MANIFEST}", page.beside),
        web.get(f"/{web_page.LICENCES}", page.beside),
    ]


def _openapi(server_url: str | None) -> Any:
    from persplit.transport.openapi import openapi_document  # noqa: PLC0415 - not before it is asked for

    return openapi_document(server_url)


def _asyncapi(server_url: str | None) -> Any:
    from persplit.transport.asyncapi import asyncapi_document  # noqa: PLC0415 - as above

    return asyncapi_document(server_url)


def _reference(openapi: Any, asyncapi: Any) -> bytes:
    from persplit.transport.reference import reference  # noqa: PLC0415 - as above

    return reference(openapi, asyncapi)


def _fixed(make: Callable[[], bytes], content_type: str) -> _Handler:
    """Always the same answer."""
    making: asyncio.Task[Fixed] | None = None

    async def handler(request: web.Request) -> web.Response:
        nonlocal making
        if making is None:
            making = asyncio.create_task(asyncio.to_thread(lambda: compressed(make(), content_type)))
        # Whoever goes away meanwhile doesn't end it for the others.
        return respond(request, await asyncio.shield(making), _CACHED)

    return handler


def _page(page: WebPage) -> _Handler:
    instead = _fixed(pages.welcome, "text/html")

    async def handler(request: web.Request) -> web.Response:
        """The web page; where it wasn't built, what this server is and how to get it."""
        return await page.index(request) or await instead(request)

    return handler


def _invite(page: WebPage, check_look_up: Callable[[web.Request], None]) -> _Handler:
    async def handler(request: web.Request) -> web.Response:
        """The landing page of an invite: previews and robots open it, so it looks nothing up and changes nothing."""
        check_look_up(request)
        code = request.match_info["code"]
        if not _CODE.fullmatch(code):
            return problem_response(NotFound("this is not an invite's code"))
        return await page.index(request, _PRIVATE) or web.Response(
            body=pages.invite(code), content_type="text/html", charset="utf-8", headers=_PRIVATE
        )

    return handler
