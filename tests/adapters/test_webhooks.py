"""Webhooks as a receiver sees them; and whom they never reach."""

import hashlib
import hmac
import json
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import ThreadedResolver, web
from aiohttp.test_utils import TestServer

from persplit.adapters.webhooks import DELIVERY, SIGNATURE, PublicResolver, Webhooks, signature
from persplit.ledger.notices import Notice
from persplit.service.channels import Channel, Kind
from persplit.service.notifier import NotSent
from persplit.service.webhook_urls import checked_url, is_public

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOTICE = Notice("c1.goa.7", "expense:created", "goa", 7, "2026-03-01T12:00:00.000Z", "asha", "e1")

CERTIFICATE = Path(__file__).parents[1] / "fixtures/tls/localhost.pem"
"""Of `localhost` and 127.0.0.1, signed by itself, with its key; good until 2126."""


class Receiver:
    """Somebody else's program."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 204

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.take)
    async with TestServer(app) as server:
        yield receiver, str(server.make_url("/hook"))


@pytest.fixture
async def tls_receiver() -> AsyncIterator[tuple[Receiver, str]]:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(CERTIFICATE)
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    server = TestServer(app)
    await server.start_server(ssl=tls)
    yield receiver, str(server.make_url("/hook"))
    await server.close()


@pytest.fixture
async def webhooks() -> AsyncIterator[Webhooks]:
    sender = Webhooks(lambda: NOW, private_too=True)
    yield sender
    await sender.close()


def channel(url: str) -> Channel:
    return Channel("c1", Kind.WEBHOOK, "asha", "2026-03-01T11:00:00.000Z", url, "a secret")


async def test_a_receiver_can_tell_that_it_is_ours_and_fresh(
    webhooks: Webhooks, receiver: tuple[Receiver, str]
) -> None:
    it, url = receiver
    await webhooks.send(channel(url), NOTICE)
    ((headers, body),) = it.got
    at, _, signed = headers[SIGNATURE].partition(",v1=")
    assert at == f"t={int(NOW.timestamp())}"
    expected = hmac.new(b"a secret", at[2:].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(signed, expected)
    assert signature("another", int(NOW.timestamp()), body) != headers[SIGNATURE]
    assert headers[DELIVERY] == "c1.goa.7"
    assert json.loads(body) == {
        "id": "c1.goa.7",
        "type": "expense:created",
        "groupId": "goa",
        "seq": 7,
        "at": "2026-03-01T12:00:00.000Z",
        "by": "asha",
        "subjectId": "e1",
    }


@pytest.mark.parametrize("status", [302, 400, 410, 500])
async def test_any_answer_but_success_is_tried_again_and_redirects_are_not_followed(
    webhooks: Webhooks, receiver: tuple[Receiver, str], status: int
) -> None:
    it, url = receiver
    it.status = status
    with pytest.raises(NotSent):
        await webhooks.send(channel(url), NOTICE)
    assert len(it.got) == 1


async def test_over_tls_it_goes_to_whom_the_system_trusts(
    webhooks: Webhooks, tls_receiver: tuple[Receiver, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    it, url = tls_receiver
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    await webhooks.send(channel(url), NOTICE)
    assert len(it.got) == 1


async def test_over_tls_it_goes_to_nobody_else(
    webhooks: Webhooks, tls_receiver: tuple[Receiver, str]
) -> None:
    it, url = tls_receiver
    with pytest.raises(NotSent):
        await webhooks.send(channel(url), NOTICE)
    assert it.got == []


async def test_nobody_there_is_tried_again(webhooks: Webhooks) -> None:
    with pytest.raises(NotSent):
        await webhooks.send(channel("http://127.0.0.1:9/"), NOTICE)


async def test_a_name_that_leads_into_our_own_network_is_not_sent_to(receiver: tuple[Receiver, str]) -> None:
    it, _ = receiver
    resolver = PublicResolver(ThreadedResolver())
    with pytest.raises(OSError, match="not on the internet"):
        await resolver.resolve("localhost", 443)
    await resolver.close()
    strict = Webhooks(lambda: NOW, private_too=False)
    for url in ("https://localtest.invalid/", "https://127.0.0.1/"):
        with pytest.raises(NotSent):
            await strict.send(channel(url), NOTICE)
    await strict.close()
    assert it.got == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "https://",
        "https://user@example.org/",
        "https://:pw@example.org/",
        "https://example.org/#part",
        "https://example.org:0/",
        "https://localhost/",
        "https://server/",
        "https://db.internal/",
        "https://printer.local./",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.0.0.1/",
        "https://127.1/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest",
        "https://100.64.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[fd00::1]/",
        "https://[2002:7f00:1::]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[64:ff9b:1::7f00:1]/",
        "https://[fec0::1]/",
        "https://[fe80::1%25eth0]/",
        "https://127.0.0.\uff11/",
        "https://\u2460\u2461\u2466.0.0.\u2460/",
        "https://169.254.169.%32%35%34/",
        "https://0.0.0.0/",
        f"https://example.org/{'x' * 500}",
    ],
)
def test_an_address_that_may_not_be_sent_to_is_refused(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        checked_url(url, private_too=False)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/hook?x=1",
        "https://8.8.8.8:8443/",
        "https://[2606:4700::1]/",
        "https://[64:ff9b::808:808]/",
    ],
)
def test_an_address_on_the_internet_is_taken(url: str) -> None:
    assert checked_url(url, private_too=False) == url


def test_one_s_own_network_is_taken_where_that_is_wished() -> None:
    assert checked_url("http://10.0.0.5:9000/hook", private_too=True)
    assert not is_public(ip_address("224.0.0.1"))
