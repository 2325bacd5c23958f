"""HTTP below the application: what isn't HTTP is answered like everything else, and no connection is held for ever.

aiohttp answers what it can't parse in words of its own, and waits an hour for the rest of a request. Here such a
client gets a coded problem; a connection that is quiet, or sends its request a byte at a time, is ended; and there
are only so many at once: when all places are taken, who has been waiting longest without a request makes room.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from aiohttp import web

from persplit.service.errors import InternalError, Malformed
from persplit.transport.http_bounds import HEADER_BYTES_MAX, HEADERS_MAX, REQUEST_LINE_BYTES_MAX
from persplit.transport.rest import problem_response
from persplit.transport.turnstile import Turnstile

KEEP_ALIVE_SECONDS: Final = 75.0
"""From opening, or from the last answer, to the end of the next request's headers. Longer than the 60 s for which
most proxies keep a connection, so that it is never closed while they send on it."""
ANSWER_SECONDS_MAX: Final = 300.0
"""For an answer to be taken: the largest at 1 kB/s."""
UNACKNOWLEDGED_MS_MAX: Final = 30_000
"""A peer that takes nothing for so long has gone, whatever its kernel says: as long as a socket's missed ping."""
CONNECTIONS_MAX: Final = 20_000
"""Open at once in one process; each costs some 25 KB once it is a signed-in socket."""
ENDS_PER_TURN: Final = 20
"""Connections that are forgotten in one turn of the loop, at some tenths of a millisecond each: a network that goes
down takes thousands with it at once."""
FILES_RESERVED: Final = 256
"""File descriptors kept for the store, Redis and files."""

_log = structlog.get_logger(__name__)


class Connection(web.RequestHandler):
    """One connection to a client."""

    __slots__ = ()
    _manager: "Connections | None"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, if there is room."""
        manager = self._manager
        if manager is None or not manager.makes_room():
            transport.abort()  # type: ignore[attr-defined] # a TCP transport has it
            return
        raw = transport.get_extra_info("socket")
        if raw is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            with contextlib.suppress(OSError):  # a Unix socket has no such thing
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS_MAX)
        super().connection_made(transport)
        manager.waiting[self] = None

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget it, in one of the next turns of the loop."""
        if self._manager is not None:
            self._manager.ends.call(lambda: self._forget(exc))

    def _forget(self, exc: BaseException | None) -> None:
        if self._manager is not None:
            self._manager.waiting.pop(self, None)
        super().connection_lost(exc)

    def abort(self) -> None:
        """End it now, whatever was under way."""
        if self.transport is not None:
            self.transport.abort()

    async def _handle_request(
        self,
        request: web.BaseRequest,
        start_time: float | None,
        request_handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    ) -> tuple[web.StreamResponse, bool]:
        manager = self._manager
        if manager is None:
            raise ConnectionResetError("the client has gone")
        manager.waiting.pop(self, None)
        try:
            return await super()._handle_request(request, start_time, request_handler)
        finally:
            if self._manager is not None:
                manager.waiting[self] = None

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer, unless the client doesn't take it."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await super().finish_response(request, resp, start_time)
        except TimeoutError:
            self.abort()
            return resp, True

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes what a stranger sent
    ) -> web.StreamResponse:
        """A coded problem for what isn't HTTP, or for a fault that nothing else caught. The connection ends."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is on its way already")
        if status >= 500:
            _log.error("request_failed", exc_info=exc)
            response = problem_response(InternalError("something went wrong on our side"))
        else:
            response = problem_response(
                Malformed("this is not a request that HTTP/1.1 knows, or it is too long")
            )
        if self._manager is not None:
            response.headers.update(self._manager.headers)
        response.force_close()
        return response


class Connections(web.Server):
    """All connections of one process. `waiting`: those with no request under way, the longest first."""

    def __init__(
        self,
        of_app: web.Server,
        connections_max: int,
        count_others: Callable[[], int],
        headers: Mapping[str, str],
    ) -> None:
        """`headers` are those of every answer, also to what never reaches the application.

        `count_others`: connections that were opened here, and are carried by somebody else since.
        """
        super().__init__(
            of_app.request_handler,
            request_factory=of_app.request_factory,
            access_log=None,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            # A compressed body is refused by its header; unpacked, a few bytes could be gigabytes.
            auto_decompress=False,
            max_line_size=REQUEST_LINE_BYTES_MAX,
            max_field_size=HEADER_BYTES_MAX,
            max_headers=HEADERS_MAX,
        )
        self.headers = headers
        self.waiting: dict[Connection, None] = {}
        self.ends = Turnstile(ENDS_PER_TURN)
        self._connections_max = connections_max
        self._count_others = count_others

    def __call__(self) -> Connection:
        """The protocol of the next connection."""
        return Connection(self, loop=self._loop, **self._kwargs)

    def makes_room(self) -> bool:
        """Whether there is a place; whoever waits longest loses theirs."""
        if len(self._connections) + self._count_others() < self._connections_max:
            return True
        longest = next(iter(self.waiting), None)
        if longest is None:
            return False
        del self.waiting[longest]
        longest.abort()
        return True


class Runner(web.AppRunner):
    """aiohttp's, with our connections."""

    __slots__ = ("_connections_max", "_count_others", "_headers")

    def __init__(
        self,
        app: web.Application,
        connections_max: int,
        count_others: Callable[[], int],
        headers: Mapping[str, str],
        *,
        shutdown_timeout: float,
    ) -> None:
        super().__init__(app, shutdown_timeout=shutdown_timeout)
        self._count_others = count_others
        self._headers = headers
        self._connections_max = connections_max

    async def _make_server(self) -> web.Server:
        return Connections(
            await super()._make_server(), self._connections_max, self._count_others, self._headers
        )


def room_for_connections() -> int:
    """Raise the limit of open files as far as we may; returns how many connections fit."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return CONNECTIONS_MAX
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX + FILES_RESERVED
    soft = max(now, wanted if most == resource.RLIM_INFINITY else min(wanted, most))
    with contextlib.suppress(ValueError, OSError):  # where the system knows better: what we have must do
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))
    now, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, min(CONNECTIONS_MAX, now - FILES_RESERVED))
