"""Socket.IO: signing in, the commands, and saying why before a socket is closed."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import orjson
import structlog
from aiohttp import WSCloseCode, web
from pydantic import ValidationError
from socketio.exceptions import ConnectionRefusedError as Refused

from persplit.ledger.errors import Invalid, NotFound, PerSplitError
from persplit.ledger.state import GroupState
from persplit.service.errors import InternalError, RateLimited, ServerRestarting, TokenMissing
from persplit.service.handler import rfc3339
from persplit.service.metrics import (
    COMMAND_SECONDS,
    COMMANDS_ANSWERED,
    CONNECTIONS_REFUSED,
    SOCKETS,
    SOCKETS_CLOSED,
    child,
    timed,
)
from persplit.service.ports import AccessClaims
from persplit.service.sync import EVENTS_AT_ONCE_MAX, Known
from persplit.transport import problems, views
from persplit.transport.answers import ack_of
from persplit.transport.client_address import ClientAddress
from persplit.transport.fanout import SocketFanOut
from persplit.transport.guard import GuardedServer, HandOn
from persplit.transport.lifetime import Lifetime
from persplit.transport.limits import OPEN_RETRY_MS, Limits
from persplit.transport.operations import Call, Operation, Patience, Services
from persplit.transport.requests import Handshake, SincePoint, field_errors
from persplit.transport.rest import problem_response
from persplit.transport.sync_operations import missing_view
from persplit.transport.table import COMMANDS

EXPIRING_SECONDS: Final = 60
"""How long before its token runs out a socket is told."""
RESTART_SPREAD_MS: Final = 5_000
"""Clients of a server that stops come back spread over this time."""
CLOSED_AT_ONCE: Final = 200
CLOSING_PAUSE_SECONDS: Final = 0.1
CLOSING_SECONDS: Final = 3.0
"""When the server stops, so many sockets are closed between two pauses: thousands at once would hold up the loop.
With very many there are more at once, so that telling them all takes about this long."""

CATCH_UP_EVENTS_MAX: Final = 1_000
"""Events that a reconnecting client gets in its greeting, over all groups; it pulls the others itself."""
CATCH_UP_BYTES_MAX: Final = 512 * 1024
"""Of them as JSON, one group's more or less: as much as in a page of one group."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Connection:
    """A signed-in socket.

    `since` is what the client had when it came; `under_way`: how many commands of it are; `is_ending`: it is being
    told why; `timers` warn of the token's end and enforce it.
    """

    sid: str
    call: Call
    since: dict[str, SincePoint]
    under_way: int = 0
    is_ending: bool = False
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    @property
    def claims(self) -> AccessClaims:
        """Who the socket speaks for now."""
        return self.call.signed_in

    def stop_timers(self) -> None:
        """Forget the token's end."""
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()


class Sockets:
    """Everything between the guard and the operations."""

    def __init__(
        self,
        server: GuardedServer,
        services: Services,
        fan_out: SocketFanOut,
        limits: Limits,
        address: ClientAddress,
        lifetime: Lifetime,
    ) -> None:
        self._server = server
        self._services = services
        self._fan_out = fan_out
        self._limits = limits
        self._address = address
        self._connections: dict[str, Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._lifetime = lifetime
        server.on("connect", self._connect)
        server.on("disconnect", self._disconnect)
        server.address_of = address.of
        server.on_connected = self._connected
        server.on_opened = self._opened
        server.on_ended = self._ended
        server.turn_away(self._turn_away)
        for event, operation in COMMANDS.items():
            server.on(event, self._command(operation))

    def __len__(self) -> int:
        """Signed-in sockets."""
        return len(self._connections)

    def carried(self) -> int:
        """Connections that aiohttp knows nothing of: sockets on the fast path, signed in or not."""
        return self._server.carried

    # --- coming and going

    def _turn_away(self, request: web.Request) -> web.StreamResponse | None:
        """Answer an address that floods us with sockets in the cheapest way."""
        if self._limits.is_overrun(self._address.of(request)):
            return problem_response(
                RateLimited("far too many sockets are open from one address", OPEN_RETRY_MS)
            )
        return None

    def _opened(self, address: str) -> PerSplitError | None:
        try:
            self._limits.open_socket(address)
        except RateLimited as error:
            return error
        return None

    def _ended(self, address: str) -> None:
        self._limits.close_socket(address)

    async def _connect(self, sid: str, environ: dict[str, Any], auth: object = None) -> None:  # noqa: ARG002 - the library's shape
        """Sign the socket in, or refuse it with a code."""
        try:
            refused = self._server.refusal_at_opening(sid)
            if refused is not None:
                raise refused
            token = auth.get("token") if isinstance(auth, dict) else None
            if not isinstance(token, str):
                raise TokenMissing("connect with auth: {token: <access token>}")
            claims = await self._services.accounts.authenticate(token)
            since = Handshake.model_validate(auth).since
            if self._lifetime.refuses_connections:
                raise ServerRestarting("this server is stopping: connect again in a moment")
            self._limits.sign_in_socket(claims.user_id)
        except PerSplitError as error:
            raise _refused(error) from None
        except ValidationError as error:
            raise _refused(Invalid(*field_errors(error))) from None
        except Exception:  # noqa: BLE001 - the boundary: nothing gets past it uncoded
            _log.exception("connect_failed", sid=sid)
            raise _refused(InternalError("a fault of the server: try again")) from None
        address = self._server.address_at_opening(sid)
        self._connections[sid] = Connection(sid, Call(claims, address), since)
        SOCKETS.set(len(self._connections))

    async def _connected(self, sid: str) -> None:
        """Once the client knows that it is connected: enter the rooms as they are read, then say so."""
        connection = self._connections.get(sid)
        if connection is None:
            return
        try:
            await self._welcome(connection)
        except PerSplitError as error:
            _log.warning("welcome_failed", sid=sid, code=error.code)
            await self.close(sid, "server_restarting", _spread_ms())

    async def _welcome(self, connection: Connection) -> None:
        user_id, sid = connection.claims.user_id, connection.sid
        profile = await self._services.accounts.profile(user_id)
        # Between reading which groups and hearing the user's room somebody may add them to one: hear first.
        only = connection.claims.group_id
        await self._fan_out.connect(sid, user_id, only)
        group_ids = await self._services.overview.group_ids(user_id)
        if only is not None:
            group_ids = [group_id for group_id in group_ids if group_id == only]
        if sid not in self._connections:
            self._fan_out.disconnect(sid)
            return
        states = await self._services.overview.enter(user_id, group_ids, partial(self._fan_out.listen, sid))
        if sid not in self._connections:
            return
        self._start_timers(connection)
        ready = {
            "user": views.user(profile),
            "groups": await self._ready_groups(connection, states),
            "serverTime": rfc3339(datetime.now(UTC)),
        }
        await self._server.emit("session:ready", ready, to=sid)

    async def _ready_groups(self, connection: Connection, states: list[GroupState]) -> list[views.Json]:
        """Where each group stands, with what the client lacks of those that it knows: as much as fits."""
        groups: list[views.Json] = []
        room, bytes_left = CATCH_UP_EVENTS_MAX, CATCH_UP_BYTES_MAX
        for state in states:
            epoch = self._services.epochs.of(state.group_id)
            entry = {"id": state.group_id, "name": state.settings.name, "seq": state.seq, "epoch": epoch}
            point = connection.since.pop(state.group_id, None)
            if (
                point is not None
                and (point.seq, point.epoch or epoch) != (state.seq, epoch)
                and min(room, bytes_left) > 0
            ):
                known = Known(point.seq, point.epoch)
                try:
                    missing = await self._services.sync.missing(
                        state.group_id, connection.claims.user_id, known
                    )
                except NotFound:
                    continue  # they have left since, or it was erased
                entry["sync"] = await missing_view(self._services, missing)
                bytes_left -= len(orjson.dumps(entry["sync"]))
                room -= EVENTS_AT_ONCE_MAX if missing.is_reset else state.seq - point.seq
            groups.append(entry)
        connection.since.clear()
        return groups

    async def _disconnect(self, sid: str, reason: str = "") -> None:  # noqa: ARG002 - the library's shape
        connection = self._connections.pop(sid, None)
        if connection is not None:
            connection.stop_timers()
            self._limits.sign_out_socket(connection.claims.user_id)
            SOCKETS.set(len(self._connections))
        self._fan_out.disconnect(sid)

    # --- commands

    def _command(self, operation: Operation) -> Callable[..., Awaitable[views.Json]]:
        """The one wrapper around every handler: it always answers, and always with one object."""
        event = operation.event or ""
        seconds = child(COMMAND_SECONDS, event)

        async def answer(sid: str, data: dict[str, Any], hand_on: HandOn | None = None) -> views.Json:
            with timed(seconds):
                ack = await ack_of(self._run(operation, sid, data, hand_on), event)
            child(COMMANDS_ANSWERED, event, "ok" if ack["ok"] else ack["error"]["code"]).inc()
            return ack

        return answer

    async def _run(
        self, operation: Operation, sid: str, data: dict[str, Any], hand_on: HandOn | None
    ) -> views.Json:
        connection = self._connections.get(sid)
        if connection is None:
            raise TokenMissing("sign in first")
        call = connection.call if hand_on is None else replace(connection.call, hand_on=hand_on)
        connection.under_way += 1
        try:
            async with Patience():
                return await self._run_for(connection, call, operation, data)
        finally:
            connection.under_way -= 1

    async def _run_for(
        self, connection: Connection, call: Call, operation: Operation, data: dict[str, Any]
    ) -> views.Json:
        if self._lifetime.refuses_writes and operation.is_write:
            raise ServerRestarting("this server is stopping: send it again in a moment")
        await self._services.accounts.check_session(connection.claims)
        self._limits.check(operation.budget, connection.claims.user_id)
        request = operation.request.model_validate(data)
        result = await operation.answer(self._services, call, request)
        if operation.event == "auth:renew":
            self._start_timers(connection)
            if connection.claims.group_id is None:
                await self._fan_out.widen(connection.sid)  # the guest has an account now
        return result

    # --- the end of a token, a session, the server

    def _start_timers(self, connection: Connection) -> None:
        connection.stop_timers()
        loop = asyncio.get_running_loop()
        left = connection.claims.expires_at - time.time()
        connection.timers = [
            loop.call_later(max(0, left - EXPIRING_SECONDS), self._spawn, self._warn, connection),
            loop.call_later(max(0, left), self._spawn, self._expire, connection),
        ]

    def _spawn(self, action: Callable[[Connection], Awaitable[None]], connection: Connection) -> None:
        async def act() -> None:
            await action(connection)

        task = asyncio.create_task(act())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _warn(self, connection: Connection) -> None:
        expires_at = rfc3339(datetime.fromtimestamp(connection.claims.expires_at, UTC))
        await self._server.emit("auth:expiring", {"expiresAt": expires_at}, to=connection.sid)

    async def _expire(self, connection: Connection) -> None:
        await self.close(connection.sid, "token_expired", 0)

    def sessions(self) -> Sequence[str]:
        """The sessions that any socket speaks for."""
        return self._spoken_for(personal=False)

    def personal_tokens(self) -> Sequence[str]:
        """The personal tokens with which any socket connected."""
        return self._spoken_for(personal=True)

    def _spoken_for(self, *, personal: bool) -> Sequence[str]:
        claims = (connection.claims for connection in self._connections.values())
        return tuple({it.session_id: None for it in claims if (it.scope is not None) == personal})

    def session_ended(self, session_id: str) -> None:
        """Close the sockets of the session, or of the personal token.

        It was signed out, or taken back, or its account disabled.
        """
        for connection in list(self._connections.values()):
            if connection.claims.session_id == session_id:
                self._spawn(self._sign_out, connection)

    async def _sign_out(self, connection: Connection) -> None:
        is_disabled = await self._services.accounts.is_disabled(connection.claims.user_id)
        await self.close(connection.sid, "account_disabled" if is_disabled else "signed_out", 0)

    async def close(self, sid: str, code: str, retry_after_ms: int) -> None:
        """Say why, then disconnect. `retry_after_ms`: how long the client should wait before it comes back."""
        connection = self._connections.get(sid)
        if connection is None or connection.is_ending:
            return
        connection.is_ending = True
        SOCKETS_CLOSED.labels(code).inc()
        await self._server.emit("session:closing", {"code": code, "retryAfterMs": retry_after_ms}, to=sid)
        is_restart = code == "server_restarting"
        await self._server.close(sid, WSCloseCode.SERVICE_RESTART if is_restart else WSCloseCode.OK)
        # Not before: what comes up to then is still a command of somebody who is signed in.
        await self._disconnect(sid)

    async def close_all(self) -> None:
        """Tell every client when to come back, spread out, and disconnect it.

        Not all at once; and who waits for an answer gets it first.
        """
        at_once = max(CLOSED_AT_ONCE, int(len(self._connections) * CLOSING_PAUSE_SECONDS / CLOSING_SECONDS))
        while self._connections:
            idle = [sid for sid, connection in self._connections.items() if not connection.under_way]
            for sid in idle[:at_once]:
                await self.close(sid, "server_restarting", _spread_ms())
            if self._connections:
                await asyncio.sleep(CLOSING_PAUSE_SECONDS)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close_the_rest(self) -> None:
        """The same for those that are left, now: there is no more time to wait."""
        for sid in list(self._connections):
            await self.close(sid, "server_restarting", _spread_ms())


def _refused(error: PerSplitError) -> Refused:
    CONNECTIONS_REFUSED.labels(error.code).inc()
    return Refused(error.detail, problems.problem_of(error))


def _spread_ms() -> int:
    return random.randrange(RESTART_SPREAD_MS)  # noqa: S311 - no secret
