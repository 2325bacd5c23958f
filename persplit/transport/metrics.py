"""What Prometheus can ask about. Labels are routes, events and codes: never people or groups."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from prometheus_client import Counter, Gauge, Histogram

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS: Final = Counter("persplit_requests", "REST requests", ["method", "route", "status"])
REQUEST_SECONDS: Final = Histogram(
    "persplit_request_seconds", "Time to answer a REST request", ["route"], buckets=_BUCKETS
)
COMMANDS_ANSWERED: Final = Counter("persplit_commands", "Socket commands by outcome", ["event", "code"])
COMMAND_SECONDS: Final = Histogram(
    "persplit_command_seconds", "Time to answer a socket command", ["event"], buckets=_BUCKETS
)
EVENTS_ANNOUNCED: Final = Counter("persplit_events_announced", "Events sent to connected members", ["event"])
SOCKETS: Final = Gauge("persplit_sockets", "Signed-in sockets", multiprocess_mode="livesum")


@web.middleware
async def count_requests(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Count REST requests and time them; sockets are counted by command."""
    route = _route_of(request)
    started = time.perf_counter()
    response = await handler(request)
    if route != "/socket.io/":
        REQUESTS.labels(request.method, route, response.status).inc()
        REQUEST_SECONDS.labels(route).observe(time.perf_counter() - started)
    return response


def _route_of(request: web.Request) -> str:
    """The route's pattern, so that ids make no labels."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"
