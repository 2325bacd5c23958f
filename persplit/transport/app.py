"""The aiohttp application: routes, Socket.IO, health, documents, headers."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiohttp import web
from aiohttp.typedefs import Middleware

from persplit.service.errors import ServerRestarting, StoreUnavailable
from persplit.service.readiness import Checks, Readiness
from persplit.transport import documents
from persplit.transport.client_address import ClientAddress
from persplit.transport.guard import GuardedServer
from persplit.transport.lifetime import Lifetime
from persplit.transport.request_metrics import count_requests, metrics_page
from persplit.transport.rest import BODY_BYTES_MAX, Rest, answer_errors, json_response, problem_response
from persplit.transport.security_headers import security_headers
from persplit.transport.web_page import WebPage


def make_app(
    rest: Rest,
    server: GuardedServer,
    readiness: Readiness,
    lifetime: Lifetime,
    public_url: str,
    *,
    address: ClientAddress,
    metrics_from: Sequence[str],
    take_down: Callable[[], None],
) -> web.Application:
    """The application, ready to run. It owns nothing: bootstrap opens and closes what it uses.

    `take_down` brings gauges up to date before `/metrics` answers.
    """
    app = web.Application(
        client_max_size=BODY_BYTES_MAX, middlewares=[_ending(lifetime), count_requests, answer_errors]
    )
    app.on_response_prepare.append(_adding(security_headers(public_url)))
    app.add_routes(rest.routes())
    app.add_routes(documents.routes(public_url, rest.check_look_up, WebPage()))
    app.add_routes(
        [
            web.get("/healthz", _healthz),
            web.get("/readyz", _readyz(readiness)),
            web.get("/metrics", metrics_page(metrics_from, address, take_down)),
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


def _readyz(readiness: Readiness) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def readyz(_: web.Request) -> web.Response:
        """It takes requests: the store answers, and it isn't stopping. Otherwise a problem that says which."""
        checks = await readiness.checks()
        if checks.is_draining:
            return problem_response(ServerRestarting("this server is stopping"), checks=_shown(checks))
        if not checks.store_answers:
            return problem_response(StoreUnavailable("the store does not answer"), checks=_shown(checks))
        return json_response({"status": "ready", "checks": _shown(checks)})

    return readyz


def _shown(checks: Checks) -> dict[str, str | bool]:
    hints = {None: "unused", True: "ok", False: "away"}[checks.hints_arrive]
    store = "ok" if checks.store_answers else "failing"
    return {"store": store, "hints": hints, "draining": checks.is_draining}
