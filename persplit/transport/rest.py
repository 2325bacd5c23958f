"""REST: the table of operations as aiohttp routes, and the few answers that aren't JSON objects."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orjson
import structlog
from aiohttp import web
from pydantic import ValidationError

from persplit.ledger.errors import FieldError, Invalid, NotFound, PerSplitError
from persplit.service.errors import InternalError, Malformed, MethodNotAllowed, ServerRestarting, TooLarge
from persplit.service.qr_tokens import InviteQr, TransferQr
from persplit.transport import problems, views
from persplit.transport.client_address import ClientAddress
from persplit.transport.cookies import RefreshCookie
from persplit.transport.json_text import parse_object
from persplit.transport.lifetime import Lifetime
from persplit.transport.limits import Budget, Limits
from persplit.transport.operations import Call, Operation, Patience, Services
from persplit.transport.request_metrics import PROBLEM_CODE
from persplit.transport.requests import field_errors
from persplit.transport.table import OPERATIONS

BODY_BYTES_MAX: Final = 256 * 1024
"""Room for an itemised bill with two hundred lines and many participants."""
BODY_SECONDS_MAX: Final = 20.0
"""From the headers to the end of the body: a client that sends a byte a minute holds no connection for long."""
DEVICE_LENGTH_MAX: Final = 100
_IMMUTABLE: Final = "public, max-age=31536000, immutable"

_log = structlog.get_logger(__name__)
_READS: Final = frozenset({"GET", "HEAD"})
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}\Z")


class Rest:
    """Routes for every operation that has a place in REST."""

    def __init__(
        self,
        services: Services,
        limits: Limits,
        address: ClientAddress,
        cookie: RefreshCookie,
        lifetime: Lifetime,
    ) -> None:
        self._services = services
        self._limits = limits
        self._address = address
        self._cookie = cookie
        self._lifetime = lifetime

    def routes(self) -> list[web.RouteDef]:
        """The routes, under /api/v1."""
        found = []
        for operation in sorted(OPERATIONS, key=lambda it: "{" in (it.rest or "")):
            if operation.rest is not None:
                method, path = operation.rest.split(" ")
                found.append(web.route(method, views.API + path, self._endpoint(operation)))
        found.append(web.get(views.API + "/qr/{token}.{kind:png|svg}", self._qr))
        return found

    def _endpoint(self, operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def endpoint(request: web.Request) -> web.StreamResponse:
            patience = Patience(operation.seconds_max)
            async with patience:
                call = await self._call(operation, request)
            parsed = operation.request.model_validate(await self._fields(operation, request))
            async with patience:
                result = await operation.answer(self._services, call, parsed)
            return self._response(operation, request, result)

        return endpoint

    async def _call(self, operation: Operation, request: web.Request) -> Call:
        address = self._address.of(request)
        device = request.headers.get("User-Agent", "")[:DEVICE_LENGTH_MAX] or None
        if self._lifetime.refuses_writes and operation.is_write:
            raise ServerRestarting("this server is stopping: send it again in a moment")
        if operation.is_public:
            self._limits.check(operation.budget, address)
            return Call(None, address, device, self._cookie.read(request))
        claims = await self._services.accounts.authenticate(_bearer(request))
        self._limits.check(operation.budget, claims.user_id)
        if operation.is_for_admins:
            await self._services.admins.require(claims.user_id)
        return Call(claims, address, device)

    async def _fields(self, operation: Operation, request: web.Request) -> dict[str, Any]:
        """Path, body or query, and the idempotency key, as one object for the one parser."""
        fields: dict[str, Any] = {}
        if request.method in _READS:
            fields.update(_from_query(request))
        else:
            fields.update(await _from_body(operation, request) if request.can_read_body else {})
            # Unnoticed there, an `expectedSeq` would let the last writer win.
            in_query = _from_query(request) if request.method == "DELETE" else _nothing_in_query(request)
            _merge(fields, in_query, "differs from the query")
        _merge(fields, request.match_info, "differs from the path")
        if operation.carries_key:
            for key in request.headers.getall("Idempotency-Key", ()):
                _merge(fields, {"commandId": key}, "differs from the Idempotency-Key header")
        return fields

    def _response(self, operation: Operation, request: web.Request, result: dict[str, Any]) -> web.Response:
        if operation.media_type is not None:
            response = file_response(result, operation.media_type, request.headers.get("If-None-Match"))
        elif operation.status == 204:
            response = web.Response(status=204)
        else:
            refresh_token = self._cookie.take(request, result)
            response = json_response(result, operation.status)
            self._cookie.set(response, refresh_token)
            if result.get("replayed") is True:
                response.headers["Idempotency-Replayed"] = "true"
        if operation.id in ("logout", "logoutAll"):
            self._cookie.clear(request, response)
        return response

    def check_look_up(self, request: web.Request) -> None:
        """Count a look at an image or page that needs no sign-in. Raises `RateLimited`."""
        self._limits.check(Budget.LOOK_UPS, self._address.of(request))

    async def _qr(self, request: web.Request) -> web.Response:
        self.check_look_up(request)
        async with Patience():
            text = await self._qr_text(request.match_info["token"])
        if request.match_info["kind"] == "svg":
            body, content_type = await self._services.qr_codes.svg(text), "image/svg+xml"
        else:
            body, content_type = await self._services.qr_codes.png(text), "image/png"
        return web.Response(body=body, content_type=content_type, headers={"Cache-Control": _IMMUTABLE})

    async def _qr_text(self, token: str) -> str:
        """What the QR behind the token says. The token proves that we made it for exactly this text."""
        read = self._services.qr_tokens.read(token)
        text: str | None = None
        match read.subject:
            case InviteQr(code=code):
                text = self._services.invite_url(code)
            case TransferQr(group_id=group_id, to_id=to_id, amount=amount):
                state = await self._services.groups.peek(group_id)
                text = await self._services.standings.link_to(state, to_id, amount) if state else None
        if text is None or not self._services.qr_tokens.matches(read, text):
            raise NotFound("there is no such QR")
        return text


def json_response(body: dict[str, Any], status: int = 200) -> web.Response:
    """A JSON answer that no cache keeps."""
    return web.Response(
        body=orjson.dumps(body),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def file_response(result: dict[str, Any], media_type: str, known: str | None = None) -> web.Response:
    """A file to save, that no page shows and no cache keeps.

    One with an `etag` never changes: who may read it can keep it, asks each time, and is told if they have it
    (`known`). A `type` of its own takes the place of `media_type`.
    """
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{result["name"]}"'}
    if "etag" in result:
        headers |= {
            "Cache-Control": "private, no-cache",
            "ETag": result["etag"],
            # It came from a stranger: even if it is shown after all, nothing in it runs or loads anything.
            "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        }
        if known == result["etag"]:
            return web.Response(status=304, headers=headers)
    return web.Response(
        body=result["file"],
        content_type=result.get("type", media_type),
        charset="utf-8" if media_type.startswith("text/") else None,
        headers=headers,
    )


def problem_response(error: PerSplitError, **more: Any) -> web.Response:
    """An RFC 9457 problem, perhaps with further members."""
    body = problems.problem_of(error)
    body = {"type": f"/docs#{body['code']}", **body, **more}
    response = json_response(body, body["status"])
    response[PROBLEM_CODE] = body["code"]
    response.content_type = "application/problem+json"
    if "retryAfterMs" in body:
        response.headers["Retry-After"] = str(-(-body["retryAfterMs"] // 1000))
    if body["status"] == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


@web.middleware
async def answer_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """The one wrapper around every REST handler: whatever goes wrong, the answer is a coded problem."""
    try:
        return await handler(request)
    except PerSplitError as error:
        return problem_response(error)
    except ValidationError as error:
        return problem_response(Invalid(*field_errors(error)))
    except web.HTTPException as error:
        return _http_problem(error)
    except Exception:  # noqa: BLE001 - the boundary: nothing gets past it uncoded
        _log.exception("request_failed", method=request.method)
        return problem_response(InternalError("something went wrong on our side"))


def _http_problem(error: web.HTTPException) -> web.StreamResponse:
    """What aiohttp itself refuses, coded; redirects pass."""
    match error.status:
        case 404:
            return problem_response(NotFound("there is nothing here"))
        case 405:
            response = problem_response(MethodNotAllowed("this path takes another method"))
            response.headers["Allow"] = error.headers.get("Allow", "")
            return response
        case 413:
            return problem_response(TooLarge(f"a body has at most {BODY_BYTES_MAX} bytes"))
        case status if status >= 400:
            return problem_response(Malformed(error.reason))
        case _:
            raise error


async def _from_body(operation: Operation, request: web.Request) -> dict[str, Any]:
    """The fields of a JSON object, or the one that is the body itself."""
    body = await _body(
        request, operation.body_bytes_max or BODY_BYTES_MAX, operation.body_seconds_max or BODY_SECONDS_MAX
    )
    if operation.file_types and request.content_type != "application/json":
        return {"file": body}
    return parse_object(body)


async def _body(request: web.Request, bytes_max: int, seconds_max: float) -> bytes:
    if request.content_length is not None and request.content_length > bytes_max:
        raise TooLarge(f"a body has at most {bytes_max} bytes")
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        # A body within the limit is no burden as it is; a compressed one could unfold into gigabytes.
        raise Malformed("send the body as it is, without a Content-Encoding")
    try:
        async with asyncio.timeout(seconds_max):
            return await request.clone(client_max_size=bytes_max).read()
    except TimeoutError:
        raise Malformed(f"the body did not come within {seconds_max:g} seconds") from None
    except (web.RequestPayloadError, ConnectionError):
        raise Malformed("the body ended before its end, or its chunks are none") from None


def _bearer(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _merge(fields: dict[str, Any], more: Mapping[str, Any], complaint: str) -> None:
    """Put more fields in. Raises `Invalid` with the complaint for one that is there with another value."""
    for name, value in more.items():
        if fields.setdefault(name, value) != value:
            raise Invalid(FieldError(name, complaint))


def _nothing_in_query(request: web.Request) -> dict[str, Any]:
    """No fields. Raises `Invalid` if there are any."""
    if request.query:
        raise Invalid(*(FieldError(name, "belongs in the body") for name in dict.fromkeys(request.query)))
    return {}


def _from_query(request: web.Request) -> dict[str, Any]:
    """The query's fields: text that looks like an integer or a boolean is one, except where ids and texts stand."""
    fields: dict[str, Any] = {}
    for name, value in request.query.items():
        if name in fields:
            raise Invalid(FieldError(name, "given twice"))
        if name in _INTEGER_FIELDS and _INTEGER.match(value):
            fields[name] = int(value)
        else:
            fields[name] = {"true": True, "false": False}.get(value, value) if name in _SWITCHES else value
    return fields


_SWITCHES: Final = frozenset({"includeDeleted", "bom", "thumbnail", "block"})
_INTEGER_FIELDS: Final = frozenset({"limit", "after", "seq", "expectedSeq", "amountMin", "amountMax"})
