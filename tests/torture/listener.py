"""A device that knows nothing of `persplit.client`: a websocket by hand that follows the reference, through anything.

It takes one message at a time, in order; keeps each group from broadcasts, pulls and greetings; sends each command
under the same key until there is an ack; and gives a connection up that is silent when it should not be.
"""

import asyncio
import contextlib
import itertools
import json
from collections import deque
from typing import Any, Final

import aiohttp

from tests.system.phone import Json
from tests.system.test_convergence import Replica
from tests.torture.swarm import SOCKET_PATH

ANSWER_SECONDS_MAX: Final = 6.0
"""For an ack; then the connection counts as broken, and the outcome as unknown."""
PROBE_SECONDS: Final = 2.0
"""Of silence, before it asks whether there is anything new: that also finds out whether anybody is there."""
AGAIN_SECONDS: Final = 0.2
_BROKEN: Final = (aiohttp.ClientError, OSError, TimeoutError)


class Broken(OSError):
    """The connection has ended."""


class Listener:
    """One device of one person. `acked` is the seq of each command by its key; `outbox` what has no ack yet."""

    def __init__(self, url: str, token: str, http: aiohttp.ClientSession) -> None:
        self.groups: dict[str, Replica] = {}
        self.outbox: deque[Json] = deque()
        self.acked: dict[str, int] = {}
        self.connections = 0
        self._url = url
        self._token = token
        self._http = http
        self._later: deque[str] = deque()
        self._numbers = itertools.count(1)
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._is_ready = False
        self._since: dict[str, int] = {}

    async def run(self) -> None:
        """Go on until cancelled. Raises `AssertionError` for what the server may never say."""
        while True:
            with contextlib.suppress(*_BROKEN):
                await self._once()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _once(self) -> None:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            self._ws = await self._http.ws_connect(self._url + SOCKET_PATH, max_msg_size=0)
        self.connections += 1
        self._later.clear()
        self._is_ready = False
        try:
            await self._follow()
        finally:
            # Without the closing handshake: the other side may be deaf.
            if self._ws._response.connection is not None:
                self._ws._response.close()

    async def _follow(self) -> None:
        while True:
            if self.outbox and self._is_ready:
                await self._write(self.outbox[0])
            try:
                async with asyncio.timeout(0.05 if self.outbox else PROBE_SECONDS):
                    frame = await self._next()
            except TimeoutError:
                for group_id in list(self.groups) if self._is_ready and not self.outbox else ():
                    await self._pull(group_id)
                continue
            await self._take(frame)

    async def _next(self) -> str:
        return self._later.popleft() if self._later else await self._receive()

    async def _receive(self) -> str:
        assert self._ws is not None
        message = await self._ws.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise Broken
        return str(message.data)

    async def _take(self, frame: str) -> None:
        assert self._ws is not None
        if frame == "2":
            await self._ws.send_str("3")
        elif frame.startswith("0"):
            self._since = {id_: known.seq for id_, known in self.groups.items()}
            since = {id_: {"seq": known.seq, "epoch": known.epoch} for id_, known in self.groups.items()}
            await self._ws.send_str(f"40{json.dumps({'token': self._token, 'since': since})}")
        elif frame.startswith("44"):
            raise Broken
        elif frame.startswith("42"):
            event, told = json.loads(frame[2:])
            if event == "session:ready":
                await self._greeted(told)
                self._is_ready = True
            elif "updatedBalances" in told:
                await self._told(event, told)

    async def _greeted(self, ready: Json) -> None:
        stands = {entry["id"]: entry for entry in ready["groups"]}
        for group_id, entry in stands.items():
            known = self.groups.setdefault(group_id, Replica())
            if "sync" in entry and known.seq == self._since.get(group_id, 0):
                # Otherwise broadcasts came before the greeting, which is about where we stood when we connected.
                known.put(entry["sync"])
            known.epoch = known.epoch or entry["epoch"]
            if known.seq < entry["seq"] or known.epoch != entry["epoch"] or known.balanced_at != known.seq:
                await self._pull(group_id)
        for group_id in self.groups.keys() - stands.keys():
            await self._pull(group_id)

    async def _told(self, event: str, told: Json) -> None:
        known = self.groups.setdefault(told["groupId"], Replica())
        if told["seq"] == known.seq + 1:
            known.hear(event, told)
        elif told["seq"] > known.seq:
            await self._pull(told["groupId"])

    async def _pull(self, group_id: str) -> None:
        more = True
        while more:
            known = self.groups[group_id]
            asked = {
                "groupId": group_id,
                "after": known.seq,
                **({"epoch": known.epoch} if known.epoch else {}),
            }
            pulled = await self._call("sync:pull", asked)
            if not pulled["ok"]:
                # Nothing is known now; the next greeting or silence asks again.
                assert pulled["error"]["status"] in (429, 500, 503), pulled
                return
            known.put(pulled)
            more = pulled.get("more", False)
        if known.balanced_at != known.seq:
            answer = await self._call("balances:get", {"groupId": group_id, "seq": known.seq})
            if answer["ok"]:
                known.take_balances(answer)

    async def _write(self, command: Json) -> None:
        ack = await self._call("expense:create", command)
        if ack["ok"]:
            self.acked[command["commandId"]] = ack["seq"]
            self.outbox.popleft()
        else:
            assert ack["error"]["status"] in (429, 500, 503), ack
            await asyncio.sleep(ack["error"].get("retryAfterMs", 1_000) / 1_000)

    async def _call(self, event: str, body: Json) -> Json:
        """Send, and return the ack; what else comes meanwhile waits its turn. Raises when none comes."""
        assert self._ws is not None
        number = next(self._numbers)
        start = f"43{number}["
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await self._ws.send_str(f"42{number}{json.dumps([event, body])}")
            while not (frame := await self._receive()).startswith(start):
                if frame == "2":
                    await self._ws.send_str("3")
                else:
                    self._later.append(frame)
        (ack,) = json.loads(frame.removeprefix(start[:-1]))
        found: dict[str, Any] = ack
        return found
