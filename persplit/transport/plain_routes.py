"""The routes beside the table of operations: images, health, documents and pages, for the OpenAPI document."""

from dataclasses import dataclass
from typing import Any, Final

from persplit.transport.views import API

PLAIN_TAG: Final = "Images, health and pages"


@dataclass(frozen=True, slots=True)
class PlainRoute:
    """A route that anybody may GET and that answers something else than a result model.

    `parameter` describes the path's one parameter where it has one. `refusals` are statuses of problems.
    """

    id: str
    path: str
    summary: str
    media_type: str
    parameter: str | None = None
    refusals: tuple[int, ...] = ()


_QR_TOKEN: Final = "the signed token of a `qrUrl`; the image behind it never changes"  # noqa: S105 - no secret
_ASSET: Final = "the file's name with its hash: what it holds never changes"
_CODE: Final = "the invite's code; whether it exists is not told"

PLAIN_ROUTES: Final = (
    PlainRoute("qrPng", f"{API}/qr/{{token}}.png", "A QR as PNG", "image/png", _QR_TOKEN, (404, 429, 503)),
    PlainRoute(
        "qrSvg", f"{API}/qr/{{token}}.svg", "A QR as SVG", "image/svg+xml", _QR_TOKEN, (404, 429, 503)
    ),
    PlainRoute("healthz", "/healthz", "The process runs", "application/json"),
    PlainRoute(
        "readyz", "/readyz", "The server takes requests: its store answers", "application/json", None, (503,)
    ),
    PlainRoute(
        "metrics",
        "/metrics",
        "Prometheus metrics, for the addresses in `PERSPLIT_METRICS_FROM`",
        "text/plain",
        None,
        (403,),
    ),
    PlainRoute("openapi", "/openapi.json", "This document", "application/json"),
    PlainRoute("asyncapi", "/asyncapi.json", "The socket's messages, AsyncAPI 3.0", "application/json"),
    PlainRoute("docs", "/docs", "Everything for people to read", "text/html"),
    PlainRoute(
        "capacity",
        "/docs/capacity",
        "How much it takes to serve a thousand or fifty million users",
        "text/html",
    ),
    PlainRoute("styles", "/docs.css", "How the pages look", "text/css"),
    PlainRoute("page", "/", "The web page", "text/html"),
    PlainRoute(
        "invitePage", "/i/{code}", "The web page, to join by an invite", "text/html", _CODE, (404, 429)
    ),
    PlainRoute("pageAsset", "/assets/{name}", "A file of the web page", "*/*", _ASSET, (404,)),
    PlainRoute("pageWorker", "/sw.js", "The web page's service worker", "text/javascript", None, (404,)),
    PlainRoute(
        "pageManifest",
        "/manifest.webmanifest",
        "How the web page is installed",
        "application/manifest+json",
        None,
        (404,),
    ),
    PlainRoute(
        "pageLicences",
        "/THIRD_PARTY_LICENSES.txt",
        "The licences of what others wrote and is in the web page",
        "text/plain",
        None,
        (404,),
    ),
)


def plain_paths() -> dict[str, Any]:
    """The routes as path items, by path."""
    return {route.path: {"get": _operation(route)} for route in PLAIN_ROUTES}


def _operation(route: PlainRoute) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": route.id,
        "tags": [PLAIN_TAG],
        "summary": route.summary,
        "parameters": [],
        "security": [],
        "responses": {"200": {"description": route.summary, "content": {route.media_type: {}}}},
    }
    if route.parameter is not None:
        name = route.path[route.path.index("{") + 1 : route.path.index("}")]
        described["parameters"].append(
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": route.parameter,
                "schema": {"type": "string"},
            }
        )
    for status in route.refusals:
        described["responses"][str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    return described
