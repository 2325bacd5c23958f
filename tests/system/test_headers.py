"""What every answer carries, whatever kind it is; what comes in by headers; and who may connect from where."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from persplit.transport.http_bounds import HEADER_BYTES_MAX, HEADERS_MAX, REQUEST_LINE_BYTES_MAX
from persplit.transport.plain_routes import PLAIN_ROUTES
from tests.system.attacker import SOCKET_PATH, Stage, over_http, staged
from tests.system.conftest import settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXPECTED = {
    "content-security-policy": re.compile(
        r"default-src 'none';(?!.*(unsafe|\*|http)).*frame-ancestors 'none'"
    ),
    "x-frame-options": re.compile("DENY"),
    "x-content-type-options": re.compile("nosniff"),
    "referrer-policy": re.compile("no-referrer"),
    "cross-origin-opener-policy": re.compile("same-origin"),
    "permissions-policy": re.compile(r"camera=\(\), .*"),
}
HSTS = "strict-transport-security"
UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
KEY = "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["http", "https"])
async def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Stage, str]]:
    """A server that browsers reach by the scheme."""
    public_url = f"{request.param}://share.example.org"
    async with staged(settings_for(tmp_path_factory.mktemp("headers"), public_url=public_url)) as stage:
        yield stage, public_url


def check_headers(headers: Any, public_url: str) -> None:
    """All of them are there, once."""
    found = {name.lower(): value for name, value in headers.items()}
    assert len(found) == len(headers)
    for name, pattern in EXPECTED.items():
        assert pattern.fullmatch(found.get(name, "")), (name, found)
    assert found.get(HSTS) == ("max-age=31536000" if public_url.startswith("https") else None)
    assert "server" not in found or "Python" in found["server"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
@pytest.mark.parametrize("path", [route.path for route in PLAIN_ROUTES] + ["/nowhere", "/api/v1/groups"])
async def test_plain_routes_have_them_with_any_method(
    stage: tuple[Stage, str], method: str, path: str
) -> None:
    here, public_url = stage
    path = path.replace("{token}", "nonsense").replace("{code}", "abc")
    async with here.http.request(method, here.url + path) as response:
        check_headers(response.headers, public_url)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/auth/me", b"", 200),
        ("POST", "/auth/logout", b"", 204),
        ("POST", "/groups", b"{", 400),
        ("GET", "/groups/x", b"", 404),
        ("PUT", "/groups", b"", 405),
        ("POST", "/groups", b" " * 300_000, 413),
        ("POST", "/groups", b"{}", 422),
    ],
)
async def test_answers_and_refusals_have_them(
    stage: tuple[Stage, str], method: str, path: str, body: bytes, status: int
) -> None:
    here, public_url = stage
    mallory = here.mallory if status == 204 else here.asha
    headers = {"Authorization": f"Bearer {mallory.token}"}
    async with here.http.request(method, f"{here.url}/api/v1{path}", data=body, headers=headers) as response:
        assert response.status == status
        check_headers(response.headers, public_url)
    async with here.http.request(method, f"{here.url}/api/v1{path}", data=body) as response:
        assert response.status in (401, 405)
        check_headers(response.headers, public_url)


async def test_an_error_of_ours_has_them(stage: tuple[Stage, str], monkeypatch: pytest.MonkeyPatch) -> None:
    here, public_url = stage

    async def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(type(here.node.services.accounts), "profile", fail)
    async with here.http.get(
        f"{here.url}/api/v1/auth/me", headers={"Authorization": f"Bearer {here.asha.token}"}
    ) as response:
        assert response.status == 500
        check_headers(response.headers, public_url)


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (f"GET {SOCKET_PATH} HTTP/1.1\r\nHost: x\r\n{UPGRADE}{KEY}", 101),
        (f"GET {SOCKET_PATH} HTTP/1.1\r\nHost: x\r\n{UPGRADE}", 400),
        (f"GET {SOCKET_PATH} HTTP/1.1\r\nHost: x\r\n{UPGRADE}{KEY}Origin: https://evil.example\r\n", 400),
        ("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n", 400),
        (
            "POST /socket.io/?EIO=4&transport=websocket&sid=x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n",
            400,
        ),
        ("OPTIONS /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n", 200),
        ("GET / HTTP/1.1\r\nHost: x\r\nbroken header\r\n", 400),
        ("<script>alert(1)</script> / HTTP/1.1\r\nHost: x\r\n", 400),
        ("GET / HTTP/9.9\r\nHost: x\r\n", 400),
    ],
    ids=[
        "handshake",
        "no key",
        "strange origin",
        "polling",
        "post",
        "options",
        "header",
        "method",
        "version",
    ],
)
async def test_handshakes_and_what_is_not_http_have_them(
    stage: tuple[Stage, str], request_text: str, status: int
) -> None:
    here, public_url = stage
    request_text += "\r\n"
    if status == 101:
        async with here.http.ws_connect(here.url + SOCKET_PATH) as socket:
            check_headers(socket._response.headers, public_url)
        return
    answer = await over_http(here.url, request_text.encode())
    assert answer.status == status
    check_headers(answer.headers, public_url)
    assert "html" not in answer.headers.get("content-type", "")


class Loads(HTMLParser):
    """Collects what a page would run or load."""

    def __init__(self) -> None:
        super().__init__()
        self.forbidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what our content policy would stop."""
        given = dict(attrs)
        if tag in ("style", "iframe", "object", "embed", "form", "base") or (
            tag == "script" and "src" not in given
        ):
            self.forbidden.append(tag)
        self.forbidden += [name for name in given if name.startswith("on") or name == "style"]
        source = given.get("src") or (given.get("href") if tag == "link" else None)
        if source is not None and not re.match(r"/(?!/)|data:", source):
            self.forbidden.append(source)


@pytest.mark.parametrize("path", ["/", "/docs", "/i/abcdefghijklmnopqrstuv"])
async def test_pages_need_nothing_that_the_policy_forbids(stage: tuple[Stage, str], path: str) -> None:
    here, _ = stage
    async with here.http.get(here.url + path) as response:
        loads = Loads()
        loads.feed(await response.text())
    assert loads.forbidden == []


# --- what comes in by headers


def line_of(length: int) -> str:
    """A request line whose address has this length."""
    return "GET /" + "x" * (length - 1) + " HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (line_of(REQUEST_LINE_BYTES_MAX - 200), line_of(REQUEST_LINE_BYTES_MAX + 1)),
        *(
            (
                f"GET / HTTP/1.1\r\nHost: x\r\n{name}: {'v' * (HEADER_BYTES_MAX - 200)}\r\n\r\n",
                f"GET / HTTP/1.1\r\nHost: x\r\n{name}: {'v' * (HEADER_BYTES_MAX + 1)}\r\n\r\n",
            )
            for name in ("Cookie", "X-Any")
        ),
        (
            f"GET / HTTP/1.1\r\nHost: x\r\n{''.join(f'X-{n}: v{chr(13)}{chr(10)}' for n in range(HEADERS_MAX - 10))}\r\n",
            f"GET / HTTP/1.1\r\nHost: x\r\n{''.join(f'X-{n}: v{chr(13)}{chr(10)}' for n in range(HEADERS_MAX + 1))}\r\n",
        ),
    ],
    ids=["request line", "cookie", "header", "number of headers"],
)
async def test_what_comes_before_a_body_is_bounded(stage: tuple[Stage, str], good: str, bad: str) -> None:
    here, public_url = stage
    assert (await over_http(here.url, good.encode())).status in (200, 404)
    answer = await over_http(here.url, bad.encode())
    assert answer.status == 400
    assert len(answer.content) < 1_000, "what was sent isn't sent back"
    check_headers(answer.headers, public_url)
    await here.check_serving()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example;proto=https"},
        {"Host": "evil.example"},
        {"Host": "evil.example", "X-Forwarded-Proto": "https"},
        {"X-Forwarded-For": "127.0.0.1"},
    ],
)
async def test_no_header_makes_another_origin_our_own(
    stage: tuple[Stage, str], headers: dict[str, str]
) -> None:
    here, public_url = stage
    for origin in (
        "https://evil.example",
        "null",
        "https://share.example.org.evil.example",
        public_url + ":444",
    ):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await here.http.ws_connect(here.url + SOCKET_PATH, origin=origin, headers=headers)
        assert refused.value.status == 400
        assert "Access-Control-Allow-Origin" not in (refused.value.headers or {})
    async with here.http.ws_connect(here.url + SOCKET_PATH, origin=public_url, headers=headers):
        pass


async def test_rest_lets_no_other_origin_read(stage: tuple[Stage, str]) -> None:
    here, _ = stage
    for method in ("OPTIONS", "GET", "POST"):
        headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        async with here.http.request(method, f"{here.url}/api/v1/groups", headers=headers) as response:
            assert not [name for name in response.headers if name.lower().startswith("access-control")]
