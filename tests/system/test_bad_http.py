"""HTTP that no client of ours would send: bodies, headers, methods, paths and ways that are all wrong."""

import asyncio
import dataclasses
import gzip
import itertools
import json
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from persplit.transport import rest
from persplit.transport.limits import RATES, Budget
from tests.system.attacker import TEA, Stage, check_problem, over_http, staged, text_of
from tests.system.conftest import serving, settings_for
from tests.system.phone import PASSWORD, Json, key

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One server for all attacks of this file: each must leave it as it was."""
    async with staged(settings_for(tmp_path_factory.mktemp("attacked"))) as stage:
        yield stage


# --- bodies


def post(
    stage: Stage, path: str, body: bytes, *lines: str, sized: bool = True, method: str = "POST"
) -> bytes:
    """A request as bytes, signed in as Asha; `lines` are further header lines."""
    head = [
        f"{method} /api/v1{path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {stage.asha.token}",
    ]
    head += [f"Content-Length: {len(body)}"] if sized else []
    return "\r\n".join([*head, *lines, "", ""]).encode("utf-8", "surrogateescape") + body


def tea(stage: Stage) -> tuple[str, bytes]:
    """The path and the body of a good expense."""
    return f"/groups/{stage.names['@group']}/expenses", text_of({"commandId": key(), **TEA}).encode()


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("size", [rest.BODY_BYTES_MAX + 1, 4 * 1024 * 1024])
async def test_a_body_over_the_limit_is_refused_however_it_comes(
    stage: Stage, size: int, *, is_chunked: bool
) -> None:
    before = await stage.seqs()
    path, good = tea(stage)
    body = good + b" " * (size - len(good))
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in _cut(body, 65_536)) + b"0\r\n\r\n"
    request = (
        post(stage, path, chunks, "Transfer-Encoding: chunked", sized=False)
        if is_chunked
        else post(stage, path, body)
    )
    check_problem(await over_http(stage.url, request), 413, "too_large")
    assert await stage.seqs() == before


def _cut(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


async def test_a_body_at_the_limit_is_taken(stage: Stage) -> None:
    path, good = tea(stage)
    answer = await over_http(stage.url, post(stage, path, good.ljust(rest.BODY_BYTES_MAX)))
    assert answer.status == 201


@pytest.mark.parametrize(
    "path", ["/groups", "/auth/login", "/auth/register", "/auth/refresh", "/groups/join"]
)
@pytest.mark.parametrize(
    "body",
    [
        *(
            b"[]",
            b"null",
            b'"x"',
            b"7",
            b"true",
            b"{",
            b"{}{}",
            b"{'name':'x'}",
            b'{"name":"x",}',
            b"\0",
            b"\xff",
        ),
        *(b'{"name":"\xff"}', b'{"name":"\xed\xa0\x80"}', b"\xef\xbb\xbf{}", '{"name":"x"}'.encode("utf-16")),
        *(
            b"[" * 200_000,
            b'{"a":' * 900 + b"1" + b"}" * 900,
            b"a=b&c=d",
            b"<name>x</name>",
            b'{"name":"a\nb"}',
        ),
    ],
    ids=lambda body: repr(body[:12]),
)
async def test_a_body_that_is_not_one_json_object_is_malformed(stage: Stage, path: str, body: bytes) -> None:
    before = await stage.seqs()
    check_problem(await stage.over_rest("POST", path, body), 400, "malformed")
    assert await stage.seqs() == before


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=utf-16",
        "x",
    ],
)
async def test_the_content_type_changes_nothing(stage: Stage, content_type: str) -> None:
    path, good = tea(stage)
    answer = await stage.over_rest("POST", path, good, **{"Content-Type": content_type})
    assert answer.status == 201
    answer = await stage.over_rest("POST", path, b"amount=1", **{"Content-Type": content_type})
    assert answer.code == "malformed"


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b'{"name":"x"}')),
        ("gzip", gzip.compress(b'{"name":"x"}')[:-9]),
        ("gzip", b"not gzip"),
        ("gzip", gzip.compress(b" " * 50_000_000)),
        ("deflate", zlib.compress(b'{"name":"x"}')),
        ("rot13", b'{"name":"x"}'),
        ("gzip, gzip", gzip.compress(gzip.compress(b'{"name":"x"}'))),
    ],
    ids=["good", "cut", "bad", "bomb", "deflate", "unknown", "twice"],
)
async def test_a_compressed_body_is_refused_unread(stage: Stage, encoding: str, packed: bytes) -> None:
    before = await stage.seqs()
    request = post(stage, "/groups", packed, f"Content-Encoding: {encoding}", f"Idempotency-Key: {key()}")
    check_problem(await over_http(stage.url, request), 400, "malformed")
    assert await stage.seqs() == before


async def test_a_body_that_never_ends_is_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "BODY_SECONDS_MAX", 0.1)
    request = post(stage, "/groups", b'{"name":', "Content-Length: 50", sized=False)
    check_problem(await over_http(stage.url, request), 400, "malformed")


async def test_chunks_that_are_none_are_given_up(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "BODY_SECONDS_MAX", 0.3)  # the library waits for more
    host, port = stage.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(post(stage, "/groups", b"", "Transfer-Encoding: chunked", sized=False))
    await asyncio.sleep(0.1)
    writer.write(b"not a size\r\n")
    assert (await reader.readline()).startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    writer.close()
    await stage.check_serving()


async def test_an_answer_is_no_longer_than_what_was_wrong(stage: Stage) -> None:
    path, _ = tea(stage)
    many = {f"field{number}": number for number in range(10_000)}
    line = {"name": "Dosa", "amount": 1, "participants": ["x"] * 500}
    strangers: Json = {**TEA, "splitType": "ITEMIZED", "items": [line] * 100}
    for body in (many, strangers, {"x" * 200_000: 1}):
        answer = await stage.over_rest("POST", path, text_of({"commandId": key(), **body}))
        assert answer.code == "validation_failed"
        assert len(answer.paths) <= 100
        assert len(answer.content) < 50_000


# --- headers


@pytest.mark.parametrize(
    "value",
    [b"", b" ", b"a b", b"\t", "\u00e9".encode(), b"\xff", b"k" * 129, b"k" * 8_000, "\U0001f511".encode()],
)
async def test_a_key_that_is_none_is_refused(stage: Stage, value: bytes) -> None:
    before = await stage.seqs()
    line = b"Idempotency-Key: " + value
    request = post(stage, "/groups", b'{"name":"x"}', line.decode("utf-8", "surrogateescape"))
    check_problem(await over_http(stage.url, request), 422, "validation_failed", "commandId")
    assert await stage.seqs() == before


async def test_two_keys_are_refused_unless_they_are_the_same(stage: Stage) -> None:
    one = f"Idempotency-Key: {key()}"
    request = post(stage, "/groups", b'{"name":"x"}', one, f"Idempotency-Key: {key()}")
    check_problem(await over_http(stage.url, request), 422, "validation_failed", "commandId")
    request = post(stage, "/groups", b'{"name":"x"}', one, one)
    assert (await over_http(stage.url, request)).status == 201


@pytest.mark.parametrize("name", ["Idempotency-Key", "Authorization", "Cookie", "X"])
async def test_a_header_of_a_megabyte_ends_the_connection(stage: Stage, name: str) -> None:
    before = await stage.seqs()
    try:
        answer = await over_http(
            stage.url, post(stage, "/groups", b'{"name":"x"}', f"{name}: {'k' * 1_000_000}")
        )
    except (ConnectionError, asyncio.IncompleteReadError):
        pass  # it was ended while we were still sending
    else:
        assert answer.status == 400
    assert await stage.seqs() == before
    await stage.check_serving()


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "token_missing"),
        ("Bearer", "token_missing"),
        ("Bearer ", "token_missing"),
        ("Basic YXNoYTpwYXNzd29yZA==", "token_missing"),
        ("{token}", "token_missing"),
        ("Token {token}", "token_missing"),
        ("Bearer {token} {token}", "token_invalid"),
        ("Bearer {token}x", "token_invalid"),
        ("Bearer {token}.", "token_invalid"),
        ("Bearer x.y.z", "token_invalid"),
        ("Bearer ..", "token_invalid"),
        ("Bearer eyJhbGciOiJub25lIn0.e30.", "token_invalid"),
        ("Bearer " + "W1tb" * 250 + "..", "token_invalid"),
        ("Bearer " + "x" * 8_000, "token_invalid"),
        ("Bearer \u00e9", "token_invalid"),
        ("Bearer \udcff\udcfe", "token_invalid"),
        ("Bearer a,Bearer {token}", "token_invalid"),
    ],
)
async def test_an_authorization_that_is_none_is_refused(stage: Stage, value: str, code: str) -> None:
    line = f"Authorization: {value.replace('{token}', stage.asha.token)}"
    request = f"GET /api/v1/auth/me HTTP/1.1\r\nHost: x\r\n{line}\r\n\r\n".encode("utf-8", "surrogateescape")
    check_problem(await over_http(stage.url, request), 401, code)


async def test_the_scheme_is_read_in_any_case(stage: Stage) -> None:
    for scheme in ("bearer", "BEARER", "Bearer  "):
        request = (
            f"GET /api/v1/auth/me HTTP/1.1\r\nHost: x\r\nAuthorization: {scheme} {stage.asha.token}\r\n\r\n"
        )
        assert (await over_http(stage.url, request.encode())).status == 200


async def test_any_bytes_as_device_name_or_cookie_do_no_harm(stage: Stage) -> None:
    body = json.dumps({"name": "Zoe", "email": f"zoe{key()}@example.org", "password": PASSWORD}).encode()
    agents = ("\udcff\udcfe", "\u202egnp", "x" * 8_000, "")
    for agent in agents[:1]:
        assert (
            await over_http(stage.url, post(stage, "/auth/register", body, f"User-Agent: {agent}"))
        ).status == 201
    sign_in = json.dumps({name: value for name, value in json.loads(body).items() if name != "name"}).encode()
    for agent in agents:
        assert (
            await over_http(stage.url, post(stage, "/auth/login", sign_in, f"User-Agent: {agent}"))
        ).status == 200
    for cookie in ("\udcff", "x", "a.1.b", "=;=;", '"'):
        lines = ("X-PerSplit-Client: web", f"Cookie: persplit-refresh={cookie}")
        answer = await over_http(stage.url, post(stage, "/auth/refresh", b"", *lines))
        assert answer.code in ("token_invalid", "token_missing")


# --- methods, paths, queries


@pytest.mark.parametrize(
    "method", ["TRACE", "OPTIONS", "PROPFIND", "PUT", "PATCH", "QUERY", "LOCK", "DELETE"]
)
async def test_a_method_that_a_path_does_not_take_is_a_coded_405(stage: Stage, method: str) -> None:
    request = post(stage, "/groups", b"", method=method)
    answer = await over_http(stage.url, request)
    check_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET,HEAD,POST"


@pytest.mark.parametrize(
    "line", ["CONNECT example.org:443", "OPTIONS *", "GET //api/v1/groups", "GET /api/v1/groups/", "TRACE /"]
)
async def test_an_odd_target_is_a_coded_refusal(stage: Stage, line: str) -> None:
    answer = await over_http(stage.url, f"{line} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert (answer.status, answer.code) in {(404, "not_found"), (405, "method_not_allowed")}


@pytest.mark.parametrize(
    "line", ["get /healthz", "FOO /healthz", "GET healthz", "GET /\x01", "\x16\x03\x01", "GET /\u00e9"]
)
async def test_what_is_not_http_ends_its_connection_only(stage: Stage, line: str) -> None:
    answer = await over_http(stage.url, f"{line} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    check_problem(answer, 400, "malformed")
    await stage.check_serving()


async def test_head_is_get_without_the_body_with_its_query(stage: Stage) -> None:
    path = f"/groups/{stage.names['@group']}/balances"
    assert (await over_http(stage.url, post(stage, f"{path}?seq=1", b"", method="HEAD"))).status == 200
    assert (await over_http(stage.url, post(stage, f"{path}?seq=x", b"", method="HEAD"))).status == 422


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("limit=1&limit=1", "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=MQ&cursor=MQ", "cursor"),
        ("limit=1.0", "limit"),
        ("limit=1e1", "limit"),
        ("limit=%31%00", "limit"),
        ("limit=\u0661", "limit"),
        ("limit=-1", "limit"),
        ("limit=9999999999999999999999", "limit"),
        ("limit=", "limit"),
        ("limit", "limit"),
        ("limit=true", "limit"),
        ("cursor=true", "cursor"),
        ("cursor=%FF", "cursor"),
        ("cursor=" + "x" * 4_000, "cursor"),
        ("cursor=MA", "cursor"),
        ("cursor=LTE", "cursor"),
        ("includeDeleted=1", "includeDeleted"),
        ("includeDeleted=TRUE", "includeDeleted"),
        ("strange=1", "strange"),
        ("include_deleted=true", "include_deleted"),
        ("limit[]=1", "limit[]"),
        ("=1", ""),
        ("groupId=x", "groupId"),
    ],
)
async def test_a_bad_query_is_refused(stage: Stage, query: str, path: str) -> None:
    answer = await stage.over_rest("GET", f"/groups/{stage.names['@group']}/expenses?{query}", None)
    check_problem(answer, 422, "validation_failed", path)


async def test_fields_of_a_write_in_the_query_are_refused_rather_than_passed_over(stage: Stage) -> None:
    before = await stage.seqs()
    path, good = tea(stage)
    check_problem(await stage.over_rest("POST", f"{path}?amount=7", good), 422, "validation_failed", "amount")
    put = f"{path}/{stage.names['@expense']}"
    check_problem(
        await stage.over_rest("PUT", f"{put}?expectedSeq=1", good), 422, "validation_failed", "expectedSeq"
    )
    twice = await stage.over_rest(
        "DELETE", f"{put}?expectedSeq=1", text_of({"commandId": key(), "expectedSeq": 3})
    )
    check_problem(twice, 422, "validation_failed", "expectedSeq")
    once = await stage.over_rest("DELETE", f"{put}?expectedSeq=1", text_of({"commandId": key()}))
    check_problem(once, 409, "conflict")
    assert await stage.seqs() == before


@pytest.mark.parametrize(
    "id_",
    [
        "a%2Fb",
        "..%2F..%2Fetc%2Fpasswd",
        "%2E%2E",
        "a%00b",
        "%FF",
        "%ED%A0%80",
        "%25%32%46",
        "a;b",
        "%E2%80%AE",
        "%20",
        "x" * 65,
        "x" * 7_000,
        "{groupId}",
        "*",
        "%3Cscript%3E",
    ],
)
async def test_odd_ids_in_paths_find_nothing(stage: Stage, id_: str) -> None:
    group = stage.names["@group"]
    for path in (f"/groups/{id_}", f"/groups/{group}/expenses/{id_}", f"/groups/{id_}/balances"):
        answer = await over_http(stage.url, post(stage, path, b"", method="GET"))
        assert (answer.status, answer.code) in {(404, "not_found"), (422, "validation_failed")}, (
            path,
            answer,
        )
        assert id_ not in answer.content.decode()
    for path in (f"/auth/sessions/{id_}", f"/groups/{group}/members/{id_}"):
        answer = await over_http(
            stage.url, post(stage, path, b"", f"Idempotency-Key: {key()}", method="DELETE")
        )
        assert (answer.status, answer.code) in {(404, "not_found"), (422, "validation_failed")}, (
            path,
            answer,
        )


@pytest.mark.parametrize(
    "token",
    [
        "..",
        "../../etc/passwd",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%5C..%5Cwin.ini",
        "%00",
        "%FF",
        "",
        "x",
        "x" * 7_000,
        "dAAA",
        "aQ",
        "*",
        "a.b",
        "%ED%A0%80",
        "%C3%A9",
    ],
)
async def test_a_qr_token_leads_nowhere_else(stage: Stage, token: str) -> None:
    for kind in ("png", "svg", "gif", "PNG", "png/", "png%00"):
        request = f"GET /api/v1/qr/{token}.{kind} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        check_problem(await over_http(stage.url, request), 404, "not_found")


# --- where a request comes from


_NUMBERS = itertools.count()


async def _signs_in(url: str, http: aiohttp.ClientSession, *forwarded: str) -> int:
    """The status of a sign-in that says that it came by these ways."""
    headers = [("X-Forwarded-For", line) for line in forwarded]
    body = {"email": f"nobody{next(_NUMBERS)}@example.org", "password": PASSWORD}
    async with http.post(f"{url}/api/v1/auth/login", json=body, headers=headers) as response:
        assert (await response.json(content_type=None))["code"] in (
            "credentials_invalid",
            "rate_limited",
        )
        return response.status


@pytest.mark.parametrize(
    ("trusted", "lines", "is_told_apart"),
    [
        ((), ["198.51.100.{n}"], False),
        (("127.0.0.1",), ["198.51.100.{n}"], True),
        (("127.0.0.1",), ["10.0.0.{n}, 198.51.100.1"], False),
        (("127.0.0.1",), ["10.0.0.{n}", "198.51.100.1"], False),
        (("127.0.0.0/8", "10.0.0.0/8"), ["198.51.100.{n}, 10.0.0.7"], True),
        (("127.0.0.0/8", "10.0.0.0/8"), ["203.0.113.{n}, 198.51.100.1, 10.0.0.7"], False),
        (("127.0.0.1",), ["2001:db8::{n}"], False),
        (("127.0.0.1",), ["2001:db8:{n}::1"], True),
        (("127.0.0.1",), ["::ffff:198.51.100.{n}"], True),
    ],
)
async def test_only_what_a_trusted_proxy_saw_tells_clients_apart(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trusted: tuple[str, ...],
    lines: list[str],
    *,
    is_told_apart: bool,
) -> None:
    monkeypatch.setitem(
        RATES, Budget.SIGN_INS, dataclasses.replace(RATES[Budget.SIGN_INS], burst=5, per_minute=1)
    )
    settings = settings_for(tmp_path, trusted_proxies=trusted, rate_limits=True)
    async with serving(settings) as (_, url), aiohttp.ClientSession() as http:
        statuses = [
            await _signs_in(url, http, *(line.replace("{n}", str(number % 250 + 1)) for line in lines))
            for number in range(8)
        ]
    assert (429 not in statuses) == is_told_apart
