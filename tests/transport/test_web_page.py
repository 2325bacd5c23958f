"""The web page as it is served: what is kept and for how long, in which form, under which policy; and nothing else."""

import gzip
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from persplit.transport import documents
from persplit.transport.web_page import BYTES_MAX, CONTENT_POLICY, REREAD_SECONDS, WebPage, files

INDEX = b"<!doctype html><title>PerSplit</title>" + b" " * 200
SCRIPT = b"console.log('PerSplit');" * 20
FILES = {
    "index.html": INDEX,
    "index.html.gz": gzip.compress(INDEX),
    "index.html.br": b"as brotli",
    "sw.js": b"self.skipWaiting();",
    "manifest.webmanifest": b"{}",
    "THIRD_PARTY_LICENSES.txt": b"=== preact",
    "sources.sha256": b"0",
    "assets/main-A1.js": SCRIPT,
    "assets/main-A1.js.gz": gzip.compress(SCRIPT),
    "assets/icon-B2.png": b"\x89PNG",
    "assets/strange-C3.exe": b"MZ",
}
INVITE = "/i/q3Zk8mB1tXo5Yw2LrD7vNA"
FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A page as the build leaves it, with a secret beside it."""
    dist = tmp_path / "dist"
    for name, content in FILES.items():
        (dist / name).parent.mkdir(parents=True, exist_ok=True)
        (dist / name).write_bytes(content)
    (tmp_path / "secret.txt").write_text("not for anybody")
    return dist


@pytest.fixture
def now() -> list[float]:
    return [1_000.0]


@pytest.fixture
async def client(folder: Path, now: list[float]) -> AsyncIterator[ClientSession]:
    app = web.Application()
    app.add_routes(documents.routes(None, lambda _: None, WebPage(folder, clock=lambda: now[0])))
    async with (
        TestServer(app) as server,
        ClientSession(server.make_url("/"), auto_decompress=False) as session,
    ):
        yield session


@pytest.mark.parametrize(
    ("path", "name", "content_type", "cached"),
    [
        ("/", "index.html", "text/html; charset=utf-8", "no-cache"),
        (INVITE, "index.html", "text/html; charset=utf-8", "no-store"),
        ("/sw.js", "sw.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/manifest.webmanifest", "manifest.webmanifest", "application/manifest+json", "no-cache"),
        ("/THIRD_PARTY_LICENSES.txt", "THIRD_PARTY_LICENSES.txt", "text/plain; charset=utf-8", "no-cache"),
        ("/assets/main-A1.js", "assets/main-A1.js", "text/javascript; charset=utf-8", FOR_EVER),
        ("/assets/icon-B2.png", "assets/icon-B2.png", "image/png", FOR_EVER),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_each_file_has_its_kind_and_says_how_long_to_keep_it(
    client: ClientSession, method: str, path: str, name: str, content_type: str, cached: str
) -> None:
    async with client.request(method, path, headers={"Accept-Encoding": "identity"}) as response:
        assert response.status == HTTPStatus.OK
        assert response.headers["Content-Type"] == content_type
        assert response.headers["Cache-Control"] == cached
        assert response.headers["Vary"] == "Accept-Encoding"
        assert response.headers["Content-Length"] == str(len(FILES[name]))
        assert await response.read() == (FILES[name] if method == "GET" else b"")


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("br;q=0.0,gzip; q=0", None),
        ("identity", None),
        ("", None),
        ("brotli, zip", None),
    ],
)
async def test_it_comes_in_the_smallest_form_that_the_browser_takes(
    client: ClientSession, accepted: str, encoding: str | None
) -> None:
    async with client.get("/", headers={"Accept-Encoding": accepted}) as response:
        assert response.headers.get("Content-Encoding") == encoding
        ending = {None: "", "gzip": ".gz", "br": ".br"}[encoding]
        assert await response.read() == FILES[f"index.html{ending}"]


async def test_what_has_no_smaller_form_comes_as_it_is(client: ClientSession) -> None:
    async with client.get("/assets/icon-B2.png", headers={"Accept-Encoding": "br, gzip"}) as response:
        assert "Content-Encoding" not in response.headers
        assert await response.read() == FILES["assets/icon-B2.png"]


@pytest.mark.parametrize("path", ["/", "/sw.js", "/assets/main-A1.js", "/docs"])
async def test_who_has_it_already_is_told_so(client: ClientSession, path: str) -> None:
    async with client.get(path, headers={"Accept-Encoding": "gzip"}) as response:
        tag = response.headers["ETag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        headers = {"Accept-Encoding": "gzip", "If-None-Match": known}
        async with client.get(path, headers=headers) as again:
            assert again.status == HTTPStatus.NOT_MODIFIED, known
            assert again.headers["ETag"] == tag
            assert await again.read() == b""
    async with client.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": '"other"'}) as other:
        assert other.status == HTTPStatus.OK


async def test_each_form_has_a_tag_of_its_own(client: ClientSession) -> None:
    tags = set()
    for accepted in ("br", "gzip", "identity"):
        async with client.get("/", headers={"Accept-Encoding": accepted}) as response:
            tags.add(response.headers["ETag"])
    assert len(tags) == 3


@pytest.mark.parametrize("path", ["/", INVITE])
async def test_the_page_runs_its_own_scripts_only(client: ClientSession, path: str) -> None:
    async with client.get(path) as response:
        policy = response.headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert policy == CONTENT_POLICY
    assert (
        rules["default-src"]
        == rules["base-uri"]
        == rules["form-action"]
        == rules["frame-ancestors"]
        == "'none'"
    )
    assert (
        rules["script-src"] == rules["style-src"] == rules["connect-src"] == rules["worker-src"] == "'self'"
    )
    assert rules["require-trusted-types-for"] == "'script'"
    assert not {"unsafe-inline", "unsafe-eval", "*", "http", "https"} & set(policy.replace("'", "").split())


async def test_an_invites_link_opens_the_page_and_is_kept_out_of_search(client: ClientSession) -> None:
    async with client.get(INVITE) as response:
        assert response.headers["X-Robots-Tag"] == "noindex"
    async with client.get("/i/not%20a%20code") as response:
        assert response.status == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    "path",
    [
        "/assets/none.js",
        "/assets/",
        "/assets/strange-C3.exe",
        "/assets/..%2Findex.html",
        "/assets/..%2F..%2Fsecret.txt",
        "/assets/%2e%2e%2f%2e%2e%2fsecret.txt",
        "/assets/..%5C..%5Csecret.txt",
        "/assets/%2Fetc%2Fpasswd",
        "/assets/main-A1.js%00",
        "/assets/main-A1.js.gz",
        "/index.html",
        "/sources.sha256",
        "/secret.txt",
    ],
)
async def test_nothing_else_is_served(client: ClientSession, path: str) -> None:
    async with client.get(path) as response:
        assert response.status == HTTPStatus.NOT_FOUND


async def test_links_out_of_the_folder_are_not_followed(folder: Path) -> None:
    (folder / "assets/link-D4.txt").symlink_to(folder.parent / "secret.txt")
    assert "assets/link-D4.txt" not in files(folder)


async def test_a_folder_that_holds_more_than_a_page_is_no_page(folder: Path) -> None:
    with (folder / "assets/large-E5.js").open("wb") as large:
        large.truncate(BYTES_MAX)
    assert files(folder) == {}


async def test_a_page_that_was_built_anew_is_found_by_its_new_names(
    client: ClientSession, folder: Path, now: list[float]
) -> None:
    async def status(path: str) -> int:
        async with client.get(path) as response:
            return response.status

    assert await status("/assets/main-A2.js") == HTTPStatus.NOT_FOUND
    (folder / "assets/main-A2.js").write_bytes(b"newer")
    # Nobody can have it read the folder all the time.
    assert await status("/assets/main-A2.js") == HTTPStatus.NOT_FOUND
    now[0] += REREAD_SECONDS
    assert await status("/assets/main-A2.js") == HTTPStatus.OK


async def test_while_the_folder_is_being_replaced_the_page_of_before_is_served(
    client: ClientSession, folder: Path, now: list[float]
) -> None:
    async def body(path: str) -> bytes:
        async with client.get(path, headers={"Accept-Encoding": "identity"}) as response:
            return await response.read()

    assert await body("/") == INDEX
    away = folder.rename(folder.with_name("away"))  # noqa: ASYNC240 - a rename of a test's folder
    now[0] += REREAD_SECONDS
    await body("/assets/none.js")
    assert await body("/") == INDEX
    away.rename(folder)
    (folder / "index.html").write_bytes(b"newer")
    now[0] += REREAD_SECONDS
    await body("/assets/none.js")
    assert await body("/") == b"newer"


async def test_without_a_page_the_server_says_how_to_get_it_and_where_its_interfaces_are(
    tmp_path: Path,
) -> None:
    app = web.Application()
    app.add_routes(documents.routes(None, lambda _: None, WebPage(tmp_path / "nowhere")))
    async with TestServer(app) as server, ClientSession(server.make_url("/")) as session:
        async with session.get("/") as response:
            assert response.status == HTTPStatus.OK
            text = await response.text()
        assert "it was not built" in text
        assert "scripts/webapp" in text
        assert 'href="/docs"' in text
        async with session.get(INVITE) as response:
            assert INVITE.removeprefix("/i/") in await response.text()
        for path in ("/sw.js", "/manifest.webmanifest", "/assets/main-A1.js"):
            async with session.get(path) as response:
                assert response.status == HTTPStatus.NOT_FOUND
