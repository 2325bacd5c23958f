"""The same server on python-socketio as it comes: `python -m scripts.benchmarks.stock serve [options]`.

Its own manager of rooms, its own queue for each client, and Engine.IO's own driver for aiohttp, with all that they do
unless told otherwise, in place of our guard and our wire. The handlers, the services and the store behind it are ours.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any
from unittest.mock import patch

import socketio
from aiohttp import web

from persplit import cli
from persplit.ledger.errors import PerSplitError
from persplit.transport.guard import Refuse


class StockServer(socketio.AsyncServer):
    """The library's server with what our transport layer asks of its own, where there is something to do."""

    def __init__(self) -> None:
        super().__init__(async_mode="aiohttp")
        self.on_connected: Callable[[str], Awaitable[None]] | None = None
        self.address_of: Callable[[web.Request], str] = lambda request: request.remote or ""
        self.on_opened: Callable[[str], PerSplitError | None] | None = None
        self.on_ended: Callable[[str], None] | None = None
        self.carried = 0
        self._welcomes: set[asyncio.Task[None]] = set()

    def on(self, event: str, handler: Any = None, namespace: str | None = None) -> Any:
        """Let `handler` hear the event; one that connects is welcomed once the library has told it so."""
        if event == "connect" and handler is not None:
            return super().on(event, self._welcoming(handler), namespace)
        return super().on(event, handler, namespace)

    def _welcoming(self, connect: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def connected(sid: str, environ: dict[str, Any], auth: object = None) -> None:
            await connect(sid, environ, auth)
            task = asyncio.ensure_future(self._welcome(sid))
            self._welcomes.add(task)
            task.add_done_callback(self._welcomes.discard)

        return connected

    async def _welcome(self, sid: str) -> None:
        if self.on_connected is not None:
            await self.on_connected(sid)

    @staticmethod
    def refusal_at_opening(_: str) -> PerSplitError | None:
        """It refuses nobody."""
        return None

    def address_at_opening(self, sid: str) -> str:
        """Which address the socket that is signing in counts for."""
        return self.address_of(self.get_environ(sid)["aiohttp.request"])

    def turn_away(self, _: Callable[[web.Request], web.StreamResponse | None]) -> None:
        """It turns nobody away."""

    async def close(self, sid: str, _: int = 0) -> None:
        """Disconnect a client."""
        await self.disconnect(sid)

    def note_load(self) -> None:
        """It counts nothing."""


def stock_server(_: Iterable[str], __: Refuse, ___: Sequence[str], **____: Any) -> StockServer:
    """In place of `guarded_server`."""
    return StockServer()


if __name__ == "__main__":
    with patch("persplit.bootstrap.guarded_server", stock_server):
        cli.main()
