"""The documents and pages as they are served: complete, escaped, and loading nothing from elsewhere."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest
import pytest_asyncio
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from persplit.config import Settings
from persplit.ledger.errors import LedgerError, PerSplitError
from persplit.service import errors as service_errors
from persplit.service.errors import ServiceError
from persplit.transport import documents, pages
from persplit.transport.answers import TEMPORARY
from persplit.transport.asyncapi import asyncapi_document
from persplit.transport.broadcast_results import ReadyGroup, SessionClosing
from persplit.transport.broadcasts import BROADCASTS, SERVER_EVENTS
from persplit.transport.connecting import DART, PROGRAMS, PYTHON, STEPS
from persplit.transport.html import Html, joined, prose, tag
from persplit.transport.openapi import openapi_document
from persplit.transport.problems import PROBLEMS
from persplit.transport.requests import COMMANDS_MAX, SINCE_MAX
from persplit.transport.results import Pulled
from persplit.transport.table import COMMANDS, OPERATIONS
from persplit.transport.web_page import WebPage

of_the_shared_server = pytest.mark.asyncio(loop_scope="module")

PAGES = ("/docs", "/docs/capacity", "/", "/i/q3Zk8mB1tXo5Yw2LrD7vNA")
NOT_BUILT = Path("/nowhere")
HOSTILE = "\"><img src=x onerror=alert(1)>&'"


class Page(HTMLParser):
    """What a browser would make of it: elements with their attributes, ids, text; and faults."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.elements if "id" in attributes]

    @property
    def links(self) -> list[str]:
        return [
            attributes[name] or ""
            for _, attributes in self.elements
            for name in ("href", "src", "action")
            if name in attributes
        ]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def client() -> AsyncIterator[ClientSession]:
    """To a server that makes each page once, for all tests of this file: making the reference takes a second."""
    app = web.Application()
    app.add_routes(documents.routes(None, lambda _: None, WebPage(NOT_BUILT)))
    async with TestServer(app) as server, ClientSession(server.make_url("/")) as session:
        yield session


async def fetched(client: ClientSession, path: str) -> Page:
    async with client.get(path) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        return parsed(await response.text())


@cache
def parsed(text: str) -> Page:
    """The page. Reading the reference takes most of a second, and many tests look at it."""
    return Page(text)


# --- as files


@of_the_shared_server
@pytest.mark.parametrize(
    ("path", "document"), [("/openapi.json", openapi_document), ("/asyncapi.json", asyncapi_document)]
)
async def test_the_documents_are_served_as_json(
    client: ClientSession, path: str, document: Callable[[], dict[str, object]]
) -> None:
    async with client.get(path) as response:
        assert response.headers["Content-Type"] == "application/json"
        assert await response.json() == document()


async def test_a_document_is_made_once_and_not_before_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def counted(server_url: str | None) -> dict[str, object]:
        made.append(server_url)
        return openapi_document(server_url)

    monkeypatch.setattr("persplit.transport.openapi.openapi_document", counted)
    app = web.Application()
    app.add_routes(documents.routes("https://persplit.example", lambda _: None, WebPage(NOT_BUILT)))
    assert made == []

    async with TestServer(app) as server, ClientSession(server.make_url("/")) as session:

        async def fetch() -> bytes:
            async with session.get("/openapi.json") as response:
                return await response.read()

        bodies = await asyncio.gather(*(fetch() for _ in range(5)))
    assert len(set(bodies)) == 1
    assert made == ["https://persplit.example"]


@of_the_shared_server
async def test_who_can_unpack_gets_it_packed(client: ClientSession) -> None:
    async with client.get("/docs", headers={"Accept-Encoding": "identity"}) as plain:
        assert "Content-Encoding" not in plain.headers
        body = await plain.read()
    async with client.get("/docs", headers={"Accept-Encoding": "gzip"}, auto_decompress=False) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.headers["Vary"] == "Accept-Encoding"
        small = await packed.read()
    assert gzip.decompress(small) == body
    assert len(small) < len(body) / 5


@of_the_shared_server
async def test_the_style_sheet_loads_nothing(client: ClientSession) -> None:
    async with client.get(pages.STYLES) as response:
        assert response.headers["Content-Type"] == "text/css; charset=utf-8"
        text = await response.text()
    assert "url(" not in text
    assert "@import" not in text


# --- as pages


@of_the_shared_server
@pytest.mark.parametrize("path", PAGES)
async def test_a_page_needs_nothing_but_this_server_and_runs_nothing(
    client: ClientSession, path: str
) -> None:
    page = await fetched(client, path)
    assert page.open == []
    for tag_, attributes in page.elements:
        assert tag_ not in ("script", "style", "iframe", "object", "embed", "base", "form", "img")
        assert not {name for name in attributes if name == "style" or name.startswith("on")}
    for link in page.links:
        assert link.startswith(("#", "/")) or link == "data:,"
        assert not link.startswith("//")


@of_the_shared_server
@pytest.mark.parametrize("path", PAGES)
async def test_links_within_a_page_lead_somewhere(client: ClientSession, path: str) -> None:
    page = await fetched(client, path)
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids


@of_the_shared_server
async def test_links_between_pages_lead_somewhere(client: ClientSession) -> None:
    for path in PAGES:
        for link in (await fetched(client, path)).links:
            if link.startswith("/"):
                async with client.get(link) as response:
                    assert response.status == 200, link


# --- the reference is whole


@of_the_shared_server
async def test_the_reference_has_every_operation_command_event_and_setting(client: ClientSession) -> None:
    page = await fetched(client, "/docs")
    expected = {operation.id for operation in OPERATIONS if operation.rest}
    expected |= set(COMMANDS) | {event.name for event in SERVER_EVENTS} | {"connect_error"}
    assert expected <= set(page.ids)
    for name in Settings.model_fields:
        assert f"PERSPLIT_{name.upper()}" in page.text


def refusals(error: type[PerSplitError] = PerSplitError) -> Iterator[type[PerSplitError]]:
    for kind in error.__subclasses__():
        if kind not in (LedgerError, ServiceError):
            yield kind
        yield from refusals(kind)


@of_the_shared_server
@pytest.mark.parametrize("error", list(refusals()), ids=[it.__name__ for it in refusals()])
async def test_every_refusal_is_on_the_wire_and_has_its_heading(
    client: ClientSession, error: type[PerSplitError]
) -> None:
    assert error in PROBLEMS
    assert error.code in (await fetched(client, "/docs")).ids


def test_codes_are_not_shared() -> None:
    assert service_errors.InternalError in PROBLEMS
    codes = [error.code for error in PROBLEMS]
    assert len(codes) == len(set(codes))


# --- how to connect

TOLD = {step.title: step.text for step in STEPS}


def marked(title: str) -> set[str]:
    """What stands in backticks under the heading."""
    return set(re.findall(r"`([^`]+)`", TOLD[title]))


def test_the_steps_say_what_to_do_after_each_end() -> None:
    assert set(get_args(SessionClosing.model_fields["code"].annotation)) <= marked("disconnect")
    at_the_door = {"token_missing", "token_invalid", "token_expired", "validation_failed"}
    assert at_the_door | TEMPORARY - {"rate_limited"} <= marked("connect_error with a code")


def test_the_steps_say_which_refusals_in_an_outbox_are_temporary() -> None:
    codes = {error.code for error in PROBLEMS}
    assert marked("The outbox") & codes == TEMPORARY | {"token_expired"}
    assert f"at most {COMMANDS_MAX} commands" in TOLD["The outbox"]
    assert f"at most {SINCE_MAX};" in TOLD["A token for each attempt, and what you have"]


def test_the_steps_name_what_a_greeting_and_a_pull_hold() -> None:
    text = " ".join(step.text for step in STEPS)
    for field in ("sync", "epoch", "seq", *Pulled.model_fields):
        assert field in ReadyGroup.model_fields or field in Pulled.model_fields
        assert field in text, field


@pytest.mark.parametrize(("title", "program"), PROGRAMS, ids=[title for title, _ in PROGRAMS])
def test_a_program_catches_up_by_the_steps(title: str, program: str) -> None:
    for word in ("since", "sync:pull", "session:ready", "balances:get", "auth:renew", "not_found", "epoch"):
        assert word in program, word


def test_the_program_for_flutter_listens_to_every_broadcast() -> None:
    listed = re.search(r"broadcasts = \[(.*?)\]", DART, re.DOTALL)
    assert listed is not None
    assert re.findall(r"'([^']+)'", listed[1]) == [broadcast.name for broadcast in BROADCASTS]


def test_the_program_in_python_can_be_read_by_python() -> None:
    compile(PYTHON, "connecting", "exec")


# --- invites


@of_the_shared_server
async def test_an_invite_s_page_shows_the_code_and_stays_out_of_indexes_and_caches(
    client: ClientSession,
) -> None:
    async with client.get("/i/no-such_Code") as response:
        assert response.status == 200
        assert response.headers["X-Robots-Tag"] == "noindex"
        assert response.headers["Cache-Control"] == "no-store"
        page = Page(await response.text())
    assert ("meta", {"name": "robots", "content": "noindex"}) in page.elements
    assert "no-such_Code" in page.text


@of_the_shared_server
@pytest.mark.parametrize("code", ["%3Cscript%3E", "a" * 65, "%22onload=%22", "a%20b", "caf%C3%A9", "a%0A"])
async def test_what_can_be_no_code_is_not_shown(client: ClientSession, code: str) -> None:
    async with client.get(f"/i/{code}") as response:
        assert response.status == 404
        assert response.headers["Content-Type"] == "application/problem+json"
        told = await response.json(content_type=None)
    assert told["code"] == "not_found"
    assert "script" not in str(told)


def test_a_hostile_code_is_text_even_if_it_came_so_far() -> None:
    page = Page(pages.invite(HOSTILE).decode())
    assert HOSTILE in page.text
    assert "img" not in {name for name, _ in page.elements}


# --- markup


def test_text_is_escaped_and_markup_is_not_escaped_twice() -> None:
    assert tag("p", "<b> & ", tag("b", "\"'"), class_='"x"') == Html(
        '<p class="&quot;x&quot;">&lt;b&gt; &amp; <b>&quot;&#x27;</b></p>'
    )
    assert joined("<", Html("<br>")) == "&lt;<br>"


def test_backticks_mark_code() -> None:
    assert prose("say `a < b` twice") == "say <code>a &lt; b</code> twice"
    assert prose("no code") == "no code"
