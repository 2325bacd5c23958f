"""E-mail through a real SMTP server."""

import asyncio
import email
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import SMTP

from persplit.adapters import smtp_mail
from persplit.adapters.smtp_mail import MailServer, SmtpMail
from persplit.ledger.notices import Notice
from persplit.service.channels import Channel, Kind
from persplit.service.notifier import NotSent

NOTICE = Notice("c1.goa.7", "reminder:sent", "goa", 7, "2026-03-01T12:00:00.000Z", "asha", "asha>ben")
CHANNEL = Channel("c1", Kind.EMAIL, "ben", "2026-03-01T11:00:00.000Z")


class Inbox(Message):
    """Keeps what comes."""

    def __init__(self) -> None:
        super().__init__(email.message.Message)
        self.got: list[Any] = []

    def handle_message(self, message: Any) -> None:
        self.got.append(message)


@pytest.fixture
async def mail_server() -> AsyncIterator[tuple[Inbox, int]]:
    inbox = Inbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(inbox, hostname="localhost"), "127.0.0.1", 0)
    yield inbox, server.sockets[0].getsockname()[1]
    server.close()


def mail(url: str, address: str | None = "ben@example.org") -> SmtpMail:
    async def address_of(user_id: str) -> str | None:
        assert user_id == "ben"
        return address

    return SmtpMail(
        MailServer.of(url),
        "persplit@example.org",
        "https://split.example.org",
        address_of,
        lambda: datetime(2026, 3, 1, 12, tzinfo=UTC),
    )


async def test_a_person_is_written_to_and_nothing_of_the_group_is_in_it(
    mail_server: tuple[Inbox, int],
) -> None:
    inbox, port = mail_server
    sender = mail(f"smtp+plain://127.0.0.1:{port}")
    await sender.send(CHANNEL, NOTICE)
    await sender.send(CHANNEL, NOTICE)
    first, second = inbox.got
    assert (first["To"], first["From"]) == ("ben@example.org", "persplit@example.org")
    assert first["Subject"] == "You were reminded of something to pay"
    assert first["Message-ID"] == second["Message-ID"] == "<c1.goa.7@example.org>"
    assert "https://split.example.org" in first.get_payload()


async def test_nobody_is_flooded(mail_server: tuple[Inbox, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_mail, "MAILS_PER_HOUR_MAX", 2)
    inbox, port = mail_server
    sender = mail(f"smtp+plain://127.0.0.1:{port}")
    for _ in range(4):
        await sender.send(CHANNEL, NOTICE)
    assert len(inbox.got) == 2


async def test_nobody_is_written_to_whose_account_is_gone(mail_server: tuple[Inbox, int]) -> None:
    inbox, port = mail_server
    await mail(f"smtp+plain://127.0.0.1:{port}", None).send(CHANNEL, NOTICE)
    assert inbox.got == []


async def test_a_mail_server_that_is_away_or_has_no_tls_is_tried_again(
    mail_server: tuple[Inbox, int],
) -> None:
    inbox, port = mail_server
    for url in (
        "smtp+plain://127.0.0.1:9",
        f"smtp://127.0.0.1:{port}",
        f"smtps://127.0.0.1:{port}",
        f"smtp+plain://user:pass@127.0.0.1:{port}",
    ):
        with pytest.raises(NotSent):
            await mail(url).send(CHANNEL, NOTICE)
    assert inbox.got == []


def test_an_address_of_a_mail_server() -> None:
    assert MailServer.of("smtp://a%40b:p%2Fw@mail.example.org") == MailServer(
        "smtp", "mail.example.org", 587, "a@b", "p/w"
    )
    assert MailServer.of("smtps://mail.example.org").port == 465
    assert "p/w" not in repr(MailServer.of("smtp://a:p%2Fw@mail.example.org"))
