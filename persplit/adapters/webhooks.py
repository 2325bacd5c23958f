"""Webhooks: a signed POST for each notice.

The signature is over the time and the body, so that neither can be changed, nor an old request sent again later:

    PerSplit-Signature: t=<seconds since 1970>,v1=<hex HMAC-SHA256 of "<t>.<body>" under the webhook's secret>
"""

import asyncio
import hashlib
import hmac
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from ipaddress import ip_address
from typing import Final

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver, ResolveResult

from persplit.ledger.notices import Notice
from persplit.service.channels import Channel
from persplit.service.notifier import SEND_SECONDS_MAX, NotSent, Sender
from persplit.service.webhook_urls import checked_url, is_public

CONNECTIONS_MAX: Final = 64
"""Sockets to receivers at the same time: twice as many as are sent to at once."""
RESOLVING_AT_ONCE: Final = 8
"""Names that are being resolved. A name server that doesn't answer holds each up for tens of seconds, and whoever makes
a webhook may have one."""
SIGNATURE: Final = "PerSplit-Signature"
DELIVERY: Final = "PerSplit-Delivery"


def signature(secret: str, at: int, body: bytes) -> str:
    """The header's value for a body sent at `at`, seconds since 1970."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={signed.hexdigest()}"


def body_of(notice: Notice) -> bytes:
    """What is sent: ids only."""
    return orjson.dumps(
        {
            "id": notice.id,
            "type": notice.type,
            "groupId": notice.group_id,
            "seq": notice.seq,
            "at": notice.at,
            "by": notice.by,
            "subjectId": notice.subject_id,
        }
    )


class OwnThreads(AbstractResolver):
    """Resolves names in threads of its own: those of everybody else stay free for the server's own files."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(RESOLVING_AT_ONCE, thread_name_prefix="webhook-names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """See aiohttp. Raises `OSError` if there is no such name."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        )
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """See aiohttp. Whatever is still being resolved isn't waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class PublicResolver(AbstractResolver):
    """Resolves names, and leaves out addresses that aren't on the internet: the connection goes to what is left.

    Looked at here and not before, for a name may mean another address a moment later.
    """

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """See aiohttp. Raises `OSError` if nothing is left."""
        found = await self._resolver.resolve(host, port, family)
        public = [result for result in found if is_public(ip_address(result["host"]))]
        if not public:
            raise OSError("not on the internet")
        return public

    async def close(self) -> None:
        """See aiohttp."""
        await self._resolver.close()


class Webhooks(Sender):
    """Sends to webhooks. Redirects aren't followed, and answers aren't read."""

    def __init__(self, clock: Callable[[], datetime], *, private_too: bool) -> None:
        """`private_too`: to networks of one's own, and without TLS, as well."""
        self._clock = clock
        self._private_too = private_too
        self._opening = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None
        self._resolver: AbstractResolver | None = None

    async def send(self, channel: Channel, notice: Notice) -> None:
        """See the port."""
        body = body_of(notice)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "PerSplit",
            DELIVERY: notice.id,
            SIGNATURE: signature(channel.secret, int(self._clock().timestamp()), body),
        }
        try:
            checked_url(channel.url, private_too=self._private_too)  # the setting may have changed since
            session = await self._opened()
            async with session.post(channel.url, data=body, headers=headers, allow_redirects=False) as answer:
                if not 200 <= answer.status < 300:
                    raise NotSent(f"answered {answer.status}")
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise NotSent(type(error).__name__) from error

    async def _opened(self) -> aiohttp.ClientSession:
        async with self._opening:
            if self._session is None:
                # To read the system's certificates takes some time. aiohttp's own context may have none of them.
                tls = await asyncio.to_thread(_tls)
                resolver: AbstractResolver = OwnThreads()
                if not self._private_too:
                    resolver = PublicResolver(resolver)
                self._resolver = resolver
                self._session = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(
                        limit=CONNECTIONS_MAX, resolver=resolver, force_close=True, ssl=tls
                    ),
                    timeout=aiohttp.ClientTimeout(total=SEND_SECONDS_MAX),
                    cookie_jar=aiohttp.DummyCookieJar(),
                )
        return self._session

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
        if self._resolver is not None:
            await self._resolver.close()


def _tls() -> ssl.SSLContext:
    """Trusts whom the system trusts."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
