"""E-mail through an SMTP server: one short message a notice, that says that there is news and nothing of it."""

import asyncio
import smtplib
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final
from urllib.parse import unquote, urlsplit

from persplit.ledger.notices import Notice
from persplit.service.channels import Channel
from persplit.service.notifier import NotSent, Sender
from persplit.service.ports import Clock

TIMEOUT_SECONDS: Final = 8.0
"""For each answer of the mail server, and less than an attempt may take."""
AT_ONCE_MAX: Final = 2
"""Messages that are handed over at the same time, each in a thread: one of ours, for a mail server may be slow."""
MAILS_PER_HOUR_MAX: Final = 20
"""To one person, by one node. Somebody may say every minute that they paid; the first messages say that there is news."""
PORTS: Final = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
"""`smtp` turns to TLS before anything is said, `smtps` begins with it, `smtp+plain` has none: for one's own machine."""
_SUBJECTS: Final = {
    "reminder:sent": "You were reminded of something to pay",
    "settlement:created": "Somebody says that they paid you",
    "loan:created": "Somebody noted a loan between you two",
    "member:joined": "You were added to a group",
}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over. The password never shows in a log."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> "MailServer":
        """From `smtp://user:password@host:port`."""
        parts = urlsplit(url)
        return cls(
            scheme=parts.scheme,
            host=parts.hostname or "localhost",
            port=parts.port or PORTS[parts.scheme],
            user=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else unquote(parts.password),
        )


class SmtpMail(Sender):
    """Writes to people."""

    def __init__(
        self,
        server: MailServer,
        sender: str,
        public_url: str,
        address_of: Callable[[str], Awaitable[str | None]],
        clock: Clock,
    ) -> None:
        """`address_of`: a person's e-mail address now; None if the account is gone."""
        self._server = server
        self._sender = sender
        self._public_url = public_url
        self._address_of = address_of
        self._clock = clock
        self._hour = ""
        self._written_to: Counter[str] = Counter()
        self._threads = ThreadPoolExecutor(AT_ONCE_MAX, thread_name_prefix="mail")

    def close(self) -> None:
        """Hand nothing over any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def send(self, channel: Channel, notice: Notice) -> None:
        """See the port. More than a person gets in an hour is left out."""
        if not self._has_room(channel.by):
            return
        address = await self._address_of(channel.by)
        if address is None:
            return  # nobody to write to any more
        message = self._message(address, notice)
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._hand_over, message)
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(type(error).__name__) from error

    def _has_room(self, user_id: str) -> bool:
        """Whether the person may be written to once more in this hour; counts it."""
        hour = self._clock().strftime("%Y-%m-%d %H")
        if hour != self._hour:
            self._hour, self._written_to = hour, Counter()
        self._written_to[user_id] += 1
        return self._written_to[user_id] <= MAILS_PER_HOUR_MAX

    def _message(self, address: str, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = address
        message["Subject"] = _SUBJECTS.get(notice.type, "There is news in one of your groups")
        message["Date"] = format_datetime(self._clock())
        # The same notice sent once more is the same message: mail programs show it once.
        message["Message-ID"] = f"<{notice.id}@{self._sender.rpartition('@')[2].rstrip('>')}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(
            f"{message['Subject']}.\n\nOpen PerSplit to see it: {self._public_url}\n\n"
            f"Group {notice.group_id}, event {notice.seq}.\n"
            "You get this because you asked for e-mail; you can turn it off in your notifications.\n"
        )
        return message

    def _hand_over(self, message: EmailMessage) -> None:
        server = self._server
        if server.scheme == "smtps":
            context = ssl.create_default_context()
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
        with connection:
            if server.scheme == "smtp":
                connection.starttls(context=ssl.create_default_context())
            if server.user is not None:
                connection.login(server.user, server.password or "")
            connection.send_message(message)
