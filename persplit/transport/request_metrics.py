"""REST requests, counted and timed, and who may read the counts."""

import time
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_network
from typing import Final

from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST

from persplit.ledger.errors import Forbidden
from persplit.service import metrics
from persplit.service.metrics import REQUEST_SECONDS, REQUESTS
from persplit.transport.client_address import ClientAddress

PROBLEM_CODE: Final = web.ResponseKey("persplit.code", str)
"""On an answer that is a problem: its code."""
_SOCKET_ROUTE: Final = "/socket.io/"


@web.middleware
async def count_requests(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Count REST requests and time them; sockets are counted by command."""
    route = _route_of(request)
    started = time.perf_counter()
    response = await handler(request)
    if route != _SOCKET_ROUTE:
        # A client may send any word as its method.
        method = request.method if request.method in hdrs.METH_ALL else "other"
        REQUESTS.labels(method, route, response.get(PROBLEM_CODE, "ok")).inc()
        REQUEST_SECONDS.labels(route).observe(time.perf_counter() - started)
    return response


def _route_of(request: web.Request) -> str:
    """The route's pattern, so that ids make no labels."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"


def metrics_page(
    allowed_from: Sequence[str], address: ClientAddress, take_down: Callable[[], None]
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler of `/metrics`, for who asks from one of these networks. `take_down` brings gauges up to date."""
    networks = [ip_network(network, strict=False) for network in allowed_from]
    is_for_everybody = {"0.0.0.0/0", "::/0"} <= {str(network) for network in networks}

    def may_ask(request: web.Request) -> bool:
        asking = address.ip_of(request)
        return is_for_everybody or (asking is not None and any(asking in network for network in networks))

    async def page(request: web.Request) -> web.Response:
        if not may_ask(request):
            raise Forbidden("metrics are for the addresses in PERSPLIT_METRICS_FROM")
        take_down()
        return web.Response(body=metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return page
