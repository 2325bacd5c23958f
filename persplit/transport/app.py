"""The aiohttp application: routes, Socket.IO, health, documents, headers."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from persplit.ledger.errors import PerSplitError
from persplit.service.errors import ServerRestarting
from persplit.service.ports import EventStore
from persplit.transport import documents
from persplit.transport.guard import GuardedServer
from persplit.transport.lifetime import Lifetime
from persplit.transport.metrics import count_requests
from persplit.transport.rest import BODY_BYTES_MAX, Rest, answer_errors, json_response, problem_response
from persplit.transport.security_headers import security_headers


def make_app(
    rest: Rest, server: GuardedServer, store: EventStore, lifetime: Lifetime, public_url: str
) -> web.Application:
    """The application, ready to run. It owns nothing: bootstrap opens and closes what it uses."""
    app = web.Application(
        client_max_size=BODY_BYTES_MAX, middlewares=[_ending(lifetime), count_requests, answer_errors]
    )
    app.on_response_prepare.append(_adding(security_headers(public_url)))
    app.add_routes(rest.routes())
    app.add_routes(documents.routes(public_url, rest.check_look_up))
    app.add_routes(
        [
            web.get("/healthz", _healthz),
            web.get("/readyz", _readyz(store, lifetime)),
            web.get("/metrics", _metrics),
        ]
    )
    server.attach(app, socketio_path="socket.io")
    return app


def _ending(lifetime: Lifetime) -> Middleware:
    @web.middleware
    async def ending(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        response = await handler(request)
        if not response.prepared and lifetime.ends_connections:
            response.force_close()
        return response

    return ending


def _adding(headers: Mapping[str, str]) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def add(_: web.Request, response: web.StreamResponse) -> None:
        """The last thing that happens to an answer, a socket's handshake and a failed one included."""
        for name, value in headers.items():
            response.headers.setdefault(name, value)

    return add


async def _healthz(_: web.Request) -> web.Response:
    """The process runs and its loop turns."""
    return json_response({"status": "ok"})


def _readyz(store: EventStore, lifetime: Lifetime) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def readyz(_: web.Request) -> web.Response:
        """It takes requests: the store answers, and it isn't stopping."""
        if lifetime.is_leaving:
            return problem_response(ServerRestarting("this server is stopping"))
        try:
            await store.ping()
        except PerSplitError as error:
            return problem_response(error)
        return json_response({"status": "ready"})

    return readyz


async def _metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
