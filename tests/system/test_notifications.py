"""Being told while nobody looks: from a command to somebody else's program and mailbox, over real sockets."""

import asyncio
import email
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import SMTP

from tests.system.conftest import MakePhone, phones_of, serving, settings_for
from tests.system.phone import PATIENCE_SECONDS


class Inbox(Message):
    """Keeps what comes."""

    def __init__(self) -> None:
        super().__init__(email.message.Message)
        self.got: asyncio.Queue[Any] = asyncio.Queue()

    def handle_message(self, message: Any) -> None:
        self.got.put_nowait(message)


async def test_a_program_and_a_person_are_told(tmp_path: Path) -> None:
    told: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        told.put_nowait((dict(request.headers), await request.read()))
        return web.Response()

    receiver = web.Application()
    receiver.router.add_post("/hook", take)
    inbox = Inbox()
    mail = await asyncio.get_running_loop().create_server(
        lambda: SMTP(inbox, hostname="localhost"), "127.0.0.1", 0
    )
    settings = settings_for(
        tmp_path,
        private_webhooks=True,
        smtp_url=f"smtp+plain://127.0.0.1:{mail.sockets[0].getsockname()[1]}",
    )
    async with TestServer(receiver) as program, serving(settings) as (_, url), phones_of(url) as make:
        asha, ben = await make("Asha"), await make("Ben")
        group_id = await asha.makes_group(ben)
        hook = {"url": str(program.make_url("/hook"))}
        made = await asha.ok("POST", f"/groups/{group_id}/webhooks", hook)
        assert (await ben.ok("PATCH", "/notifications", {"email": True}))["email"]
        await asha.spends(group_id, 90_000, description="Dinner at the sea")
        await asha.ok("POST", f"/groups/{group_id}/reminders", {"toUserId": ben.user_id})
        async with asyncio.timeout(PATIENCE_SECONDS):
            (headers, body), (_, second) = await told.get(), await told.get()
            written = await inbox.got.get()
        at, _, signed = headers["PerSplit-Signature"].removeprefix("t=").partition(",v1=")
        expected = hmac.new(made["secret"].encode(), at.encode() + b"." + body, hashlib.sha256)
        assert signed == expected.hexdigest()
        assert [json.loads(it)["type"] for it in (body, second)] == ["expense:created", "reminder:sent"]
        assert written["To"].startswith("ben")
        everything = body.decode() + second.decode() + written.as_string()
        for secret in ("Dinner", "90000", "45000", "450.00", "Asha", "Goa"):
            assert secret not in everything
        assert (await asha.ok("GET", f"/groups/{group_id}/webhooks"))["webhooks"] == [
            {key: value for key, value in made.items() if key != "secret"}
        ]
        await asha.ok("DELETE", f"/groups/{group_id}/webhooks/{made['id']}")
    mail.close()


async def test_what_is_refused(phones: MakePhone) -> None:
    asha, ben = await phones("Asha"), await phones("Ben")
    group_id = await asha.makes_group(ben)
    hooks = f"/groups/{group_id}/webhooks"
    for url in ("http://example.org/", "https://127.0.0.1/", "https://localhost/", "nonsense", ""):
        assert (await asha.rest("POST", hooks, {"url": url})).code == "validation_failed"
    assert (await ben.rest("POST", hooks, {"url": "https://example.org/"})).code == "forbidden"
    assert (await ben.rest("GET", hooks)).code == "forbidden"
    assert (await (await phones("Dev")).rest("GET", hooks)).code == "not_found"
    assert (await asha.rest("DELETE", f"{hooks}/none")).code == "not_found"
    assert (await asha.rest("PATCH", "/notifications", {"email": True})).code == "mail_unavailable"
    assert not (await asha.ok("PATCH", "/notifications", {"email": False}))["emailAvailable"]


async def test_one_s_own_webhooks_and_devices(phones: MakePhone) -> None:
    asha = await phones("Asha")
    hook = await asha.ok("POST", "/notifications/webhooks", {"url": "https://example.org/hook"})
    device = await asha.ok("POST", "/notifications/devices", {"platform": "fcm", "token": "abc:def"})
    found = await asha.ok("GET", "/notifications")
    assert [it["id"] for it in found["webhooks"]] == [hook["id"]]
    assert found["devices"] == [device]
    assert "secret" not in json.dumps(found)
    assert "abc:def" not in json.dumps(found)
    await asha.ok("DELETE", f"/notifications/webhooks/{hook['id']}")
    await asha.ok("DELETE", f"/notifications/devices/{device['id']}")
    assert (await asha.rest("DELETE", f"/notifications/devices/{device['id']}")).code == "not_found"
    found = await asha.ok("GET", "/notifications")
    assert (found["webhooks"], found["devices"]) == ([], [])
