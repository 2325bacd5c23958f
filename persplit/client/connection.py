"""The lasting connection: a socket that says when there is news, and what is done about it.

A broadcast is taken as a hint. It carries present versions, not the event itself (the version before, a group's
settings), so applying it would need a second set of rules beside the ledger's own; instead the group's tail is
pulled, once for a burst of broadcasts. So a lost, doubled or late message changes nothing, and there is one path
for first load, live news and repair.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Any, Final

import socketio

from persplit.client.book import Book
from persplit.client.changes import ConnectionChanged, GroupRead, Hub
from persplit.client.errors import (
    SIGN_IN,
    Busy,
    ClientError,
    Json,
    Offline,
    Refused,
    SignedOut,
    error_of,
)
from persplit.client.one_thread import OneThread
from persplit.client.replica import Position
from persplit.client.signing_in import SigningIn
from persplit.client.syncing import Syncing

BROADCASTS: Final = (
    "expense:created",
    "expense:updated",
    "expense:deleted",
    "expense:restored",
    "attachment:added",
    "attachment:removed",
    "settlement:created",
    "settlement:completed",
    "settlement:declined",
    "settlement:cancelled",
    "loan:created",
    "loan:updated",
    "loan:deleted",
    "loan:restored",
    "group:created",
    "group:updated",
    "member:joined",
    "member:left",
    "comment:added",
    "comment:deleted",
    "reminder:sent",
    "preset:saved",
    "preset:deleted",
    "recurrence:saved",
    "recurrence:stopped",
)
CONNECT_SECONDS: Final = 10.0
"""How long to wait for a connection, and then for the server to be ready."""
BACKOFF_SECONDS_FIRST: Final = 0.5
BACKOFF_SECONDS_MAX: Final = 60.0
RETRY_AFTER_SECONDS_MAX: Final = 300.0
"""The longest that a server may ask us to stay away."""
SWEEP_SECONDS: Final = 300.0
"""How often to sync even though nothing was heard: who is put out of a group hears nothing of it."""
MESSAGE_BYTES_MAX: Final = 32 * 1024 * 1024
"""One message of the server; what a socket missed comes in one."""


def backoff_seconds(attempt: int) -> float:
    """How long to wait before the next attempt: full jitter, so that a server's clients don't come back at once."""
    most = min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS_FIRST * 2 ** min(attempt, 16))
    return random.uniform(0, most)  # noqa: S311 - no secret


class Connection:
    """Stays connected, comes back by itself, and keeps the replica and the server equal."""

    def __init__(
        self, url: str, signing_in: SigningIn, syncing: Syncing, book: Book, thread: OneThread, hub: Hub
    ) -> None:
        self._url = url
        self._signing_in = signing_in
        self._syncing = syncing
        self._book = book
        self._thread = thread
        self._hub = hub
        self._wake = asyncio.Event()
        self.live = asyncio.Event()
        """Set while news come by themselves."""

    def wake(self) -> None:
        """There is something to push."""
        self._wake.set()

    async def run(self) -> None:
        """Go on until cancelled.

        Raises:
            SignedOut: the session has ended, or nobody is signed in: coming back is no use.
            ReplicaError, NewerServer: nor is it then.

        """
        attempt = 0
        while True:
            reason, wait_seconds = "", 0.0
            try:
                wait_seconds = await self._once()
            except (Offline, Refused) as error:
                reason = str(error)
                wait_seconds = min(getattr(error, "retry_after_ms", 0) / 1000, RETRY_AFTER_SECONDS_MAX)
            finally:
                attempt = 0 if self.live.is_set() else attempt + 1
                self._is_live(now=False, reason=reason)
            await asyncio.sleep(wait_seconds + backoff_seconds(attempt))

    def _is_live(self, *, now: bool, reason: str = "") -> None:
        if now != self.live.is_set():
            (self.live.set if now else self.live.clear)()
            self._hub.publish([ConnectionChanged(now, reason)])

    async def _once(self) -> float:
        """One connection, from its beginning to its end; returns the seconds that the server asks us to wait."""
        token = await self._signing_in.token()
        since = await self._thread.run(self._book.positions)
        socket = _Socket(self._url, self._wake)
        try:
            await socket.connect(token, since)
        except SignedOut:
            # 1 the token is over, or the session is: only a renewal can tell
            token = await self._signing_in.renewed(token)
            await socket.connect(token, since)
        try:
            # 2 what was missed comes with the welcome, or is asked for
            await self._welcome(socket, await socket.ready(), since)
            self._is_live(now=True)
            # 3 follow what is heard, until the end
            await self._follow(socket, token)
        finally:
            await socket.close()
        return min(socket.retry_after_ms / 1000, RETRY_AFTER_SECONDS_MAX)

    async def _welcome(self, socket: "_Socket", ready: Json, since: dict[str, Position]) -> None:
        groups = {str(group["id"]): group for group in ready["groups"]}
        await self._syncing.drop(since.keys() - groups.keys())
        for group_id, group in groups.items():
            have = since.get(group_id, Position())
            if "sync" in group:
                if await self._syncing.take(group_id, have, group["sync"]):
                    socket.hear({"groupId": group_id, "seq": group["seq"]})
            elif (have.seq, have.epoch) != (group["seq"], group.get("epoch")):
                await self._syncing.pull(group_id)

    async def _follow(self, socket: "_Socket", token: str) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        sweep_at = loop.time() + SWEEP_SECONDS
        while not socket.is_gone:
            self._wake.clear()
            self._tell_read(socket)
            wait_seconds = sweep_at - loop.time()
            try:
                if socket.is_expiring:
                    token = await self._renew(socket, token)
                await self._catch_up(socket)
                if wait_seconds <= 0:
                    await self._syncing.sync()
                    sweep_at = loop.time() + SWEEP_SECONDS
                failures = 0
            except (Offline, Refused) as error:
                failures += 1
                wait_seconds = getattr(error, "retry_after_ms", 0) / 1000 + backoff_seconds(failures)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0, wait_seconds)):
                    await self._wake.wait()

    def _tell_read(self, socket: "_Socket") -> None:
        read, socket.read = socket.read, {}
        self._hub.publish(GroupRead(group_id, seq) for group_id, seq in read.items())

    async def _renew(self, socket: "_Socket", token: str) -> str:
        renewed = await self._signing_in.renewed(token)
        await socket.renew(renewed)
        return renewed

    async def _catch_up(self, socket: "_Socket") -> None:
        await self._syncing.push()
        while socket.heard:
            group_id, told = next(iter(socket.heard.items()))
            await self._syncing.follow(group_id, told["seq"])
            if "settleUp" in told:
                await self._thread.run(self._book.take_people, told.get("group"), group_id, told["settleUp"])
            if socket.heard[group_id] is told:
                del socket.heard[group_id]


class _Socket:
    """One Socket.IO connection, as what it has heard."""

    def __init__(self, url: str, wake: asyncio.Event) -> None:
        self._url = url
        self._wake = wake
        self._ready: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._client: Any = None
        self.heard: dict[str, Json] = {}
        """The newest broadcast of each group that wasn't seen to yet."""
        self.read: dict[str, int] = {}
        """Up to where the user has read groups, as far as that wasn't told yet."""
        self.is_gone = False
        self.is_expiring = False
        self.retry_after_ms = 0

    async def connect(self, token: str, since: dict[str, Position]) -> None:
        """Connect. Raises `SignedOut`, `Busy`, `Offline`."""
        refusals: list[Any] = []
        self._client = self._new_client(refusals.append)
        known = {id_: {"seq": at.seq, "epoch": at.epoch} for id_, at in since.items()}
        try:
            # Not the library's own reconnecting: it knows neither fresh tokens nor why it was disconnected.
            await self._client.connect(
                self._url,
                auth={"token": token, "since": known},
                transports=["websocket"],
                wait_timeout=CONNECT_SECONDS,
            )
        except (socketio.exceptions.SocketIOError, OSError, TimeoutError, ValueError) as error:
            await self.close()
            raise _refusal(refusals) or Offline(f"no server answers at {self._url}: {error}") from error

    def _new_client(self, refuse: Callable[[Any], None]) -> Any:
        client = socketio.AsyncClient(
            reconnection=False,
            handle_sigint=False,
            websocket_extra_options={"max_msg_size": MESSAGE_BYTES_MAX},
        )
        for event in BROADCASTS:
            client.on(event, self.hear)
        client.on("activity:read", self._hear_read)
        client.on("session:ready", self._hear_ready)
        client.on("session:closing", self._hear_closing)
        client.on("auth:expiring", self._hear_expiring)
        client.on("connect_error", refuse)
        client.on("disconnect", self._hear_end)
        return client

    async def ready(self) -> Json:
        """What the server says first. Raises `Offline` if it doesn't in time."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await self._ready
        except TimeoutError:
            raise Offline("the server took the connection and said nothing") from None

    async def renew(self, token: str) -> None:
        """Give the server a fresh token. Raises `Offline`; without it the server ends the connection soon."""
        self.is_expiring = False
        try:
            await self._client.call("auth:renew", {"token": token}, timeout=CONNECT_SECONDS)
        except socketio.exceptions.SocketIOError as error:
            raise Offline(f"the token could not be renewed: {error}") from error

    async def close(self) -> None:
        """Disconnect, if connected."""
        await self._client.disconnect()

    def hear(self, payload: Json) -> None:
        """Something happened in a group."""
        known = self.heard.get(payload["groupId"])
        if known is None or known["seq"] <= payload["seq"]:
            self.heard[payload["groupId"]] = payload
        self._wake.set()

    def _hear_read(self, payload: Json) -> None:
        self.read[str(payload["groupId"])] = int(payload["seq"])
        self._wake.set()

    def _hear_ready(self, payload: Json) -> None:
        if not self._ready.done():
            self._ready.set_result(payload)

    def _hear_closing(self, payload: Json) -> None:
        self.retry_after_ms = int(payload.get("retryAfterMs") or 0)

    def _hear_expiring(self, _: Json) -> None:
        self.is_expiring = True
        self._wake.set()

    def _hear_end(self, *_: Any) -> None:
        self.is_gone = True
        if not self._ready.done():
            self._ready.set_exception(Offline("the connection broke before the server was ready"))
        self._wake.set()


def _refusal(refusals: list[Any]) -> ClientError | None:
    """Why the server refused, where it said so."""
    for told in refusals:
        if isinstance(told, dict) and isinstance(told.get("data"), dict):
            error = error_of(told["data"])
            is_known = told["data"].get("code") in SIGN_IN or isinstance(error, Busy)
            return error if is_known else Offline(f"the server refuses the connection: {error}")
    return None
