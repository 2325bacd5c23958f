"""A phone of the simulated world: a small client that keeps the rules of `transport.connecting`, and its user.

It shares no code with `persplit.client`: what both take from the server is what the documents promise. What it has
stored (`Storage`) outlives it; everything else is gone when it is killed.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from persplit.transport.views import Json
from tests.torture.simulation_loop import Actor, VirtualLoop
from tests.torture.simulation_node import Cable

ANSWER_SECONDS_MAX: Final = 10.0
"""How long a phone waits for an ack before it asks again."""
BATCH_MAX: Final = 8
BACKOFF_SECONDS_MAX: Final = 3.0
TEMPORARY: Final = frozenset({"internal_error", "rate_limited", "server_restarting", "store_unavailable"})


@dataclass(frozen=True)
class Wish:
    """A command in the outbox: stored before it is sent, always under the same `commandId`."""

    type: str
    body: Json

    @property
    def command_id(self) -> str:
        """Its key."""
        return str(self.body["commandId"])


@dataclass
class Held:
    """What a phone holds of one group."""

    seq: int = 0
    epoch: str | None = None
    things: dict[str, Json] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)
    balances_seq: int = 0
    name: str = ""
    archived_at: str | None = None

    def take_event(self, event: Json) -> None:
        """Move on by an event of the ledger, or a broadcast: both name the thing in its new version."""
        self.seq = event["seq"]
        for noun in ("expense", "settlement"):
            if noun in event:
                self.things[event[noun]["id"]] = event[noun]
        if "group" in event:
            self.name, self.archived_at = event["group"]["name"], event["group"]["archivedAt"]
        if "updatedBalances" in event:
            self._take_balances(event["updatedBalances"], self.seq)

    def take_snapshot(self, snapshot: Json) -> None:
        """Begin anew with the whole group."""
        self.seq = snapshot["seq"]
        self.things = {thing["id"]: thing for thing in (*snapshot["expenses"], *snapshot["settlements"])}
        self.name, self.archived_at = snapshot["group"]["name"], snapshot["group"]["archivedAt"]
        self._take_balances(snapshot["balances"], self.seq)

    def take_balances(self, told: Json) -> None:
        """Take in the answer to `balances:get`, if it is of where the phone stands."""
        if told["seq"] == self.seq:
            self._take_balances(told["balances"], self.seq)

    def _take_balances(self, rows: list[Json], seq: int) -> None:
        self.balances = {row["userId"]: row["amount"] for row in rows}
        self.balances_seq = seq


@dataclass
class Storage:
    """What a phone keeps through everything."""

    user_id: str
    token: str
    groups: dict[str, Held] = field(default_factory=dict)
    outbox: list[Wish] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def since(self) -> Json:
        """The points for the handshake."""
        return {id_: {"seq": held.seq, "epoch": held.epoch} for id_, held in self.groups.items()}


class Surroundings(Protocol):
    """What the world offers a phone."""

    def dial(self, phone: "Phone", auth: Json) -> Cable | None:
        """Open a connection to some node; None if nobody takes it."""
        ...

    async def rest(self, phone: "Phone", event: str, body: Json) -> Json | None:
        """Ask some node over HTTP; None if no answer came."""
        ...

    def happens(self, likelihood: float) -> bool:
        """Whether it happens."""
        ...

    def uniform(self, low: float, high: float) -> float:
        """Some number of seconds."""
        ...

    def note(self, *words: object) -> None:
        """A line of the trace, counted by its first words."""
        ...

    @property
    def resend_at_once(self) -> float:
        """How likely a command is also sent to a second node while the first has it."""
        ...


class Hung(Exception):
    """The connection is over."""


class Phone:
    """One run of the app, from its start to its death. `act` is its user, tapping."""

    def __init__(
        self,
        loop: VirtualLoop,
        name: str,
        storage: Storage,
        world: Surroundings,
        act: Callable[["Phone"], Awaitable[None]] | None,
    ) -> None:
        self.loop = loop
        self.name = name
        self.storage = storage
        self.actor = Actor(loop, name)
        self.cable: Cable | None = None
        self.is_ready = False
        self.wants_reconnect = False
        self._world = world
        self._asked: dict[int, asyncio.Future[Json]] = {}
        self._asks = 0
        self._turns: deque[tuple[str, Json]] = deque()
        self._woken = asyncio.Event()
        self._to_push = asyncio.Event()
        self._is_over = asyncio.Event()
        self._wait_seconds = 0.0
        self.actor.spawn(self._stay_connected())
        if act is not None:
            self.actor.spawn(self._use(act))

    async def _use(self, act: Callable[["Phone"], Awaitable[None]]) -> None:
        await act(self)

    def kill(self) -> None:
        """End it at once."""
        self.actor.kill()
        if self.cable is not None:
            self.cable.lose_phone()

    def write(self, wish: Wish) -> None:
        """Store the command; it goes out when it can."""
        self.storage.outbox.append(wish)
        self._to_push.set()

    # --- the connection

    async def _stay_connected(self) -> None:
        while True:
            self._wait_seconds = self._world.uniform(0.05, BACKOFF_SECONDS_MAX)
            # A phone may have lost what it held, or be of an older kind.
            since = {} if self._world.happens(0.1) else {"since": self.storage.since()}
            self._is_over.clear()
            cable = self._world.dial(self, {"token": self.storage.token, **since})
            if cable is not None:
                await self._use_connection(cable)
            await asyncio.sleep(self._wait_seconds)

    async def _use_connection(self, cable: Cable) -> None:
        self.cable = cable
        cable.takes["down"] = self._take
        cable.ends["down"] = self._is_over.set
        self._turns.clear()
        tasks = [self.actor.spawn(self._take_turns()), self.actor.spawn(self._push())]
        await self._is_over.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for asked in self._asked.values():
            asked.cancel()
        self._asked.clear()
        self.cable, self.is_ready = None, False
        self._world.note(self.name, "disconnected")

    def hang_up(self) -> None:
        """Leave the network for a moment."""
        if self.cable is not None:
            self.cable.cut()

    def _take(self, message: Json) -> None:
        if "ack" in message:
            asked = self._asked.pop(message["ack"], None)
            if asked is not None and not asked.done():
                asked.set_result(message["data"])
        elif "refused" in message:
            problem = message["refused"]
            self._world.note(self.name, "refused", _code_of(problem))
            self._wait_seconds = self._world.uniform(0.5, 2.0)
        elif "event" in message:
            if message["event"] == "session:closing":
                self._wait_seconds = message["data"]["retryAfterMs"] / 1000
            self._turns.append((message["event"], message["data"]))
            self._woken.set()

    async def _send(self, event: str, body: Json) -> Json:
        """The ack. Raises `TimeoutError`, after which nothing is known."""
        if self.cable is None:
            raise Hung
        self._asks += 1
        asked = self._asked[self._asks] = self.loop.create_future()
        self.cable.send("up", {"event": event, "id": self._asks, "data": body})
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            ack: Json = await asked
            return ack

    # --- the ledgers down

    async def _take_turns(self) -> None:
        while True:
            while self._turns:
                event, data = self._turns.popleft()
                if event == "session:ready":
                    await self._ready(data)
                elif "updatedBalances" in data:
                    await self._heard(data)
            self._woken.clear()
            await self._woken.wait()

    async def _ready(self, ready: Json) -> None:
        gone = dict.fromkeys(self.storage.groups)
        for group in ready["groups"]:
            gone.pop(group["id"], None)
            if "sync" in group:
                self._world.note("greeting with sync")
                await self._put(group["id"], group["sync"])
            if group["seq"] > self._seq_of(group["id"]):
                await self._pull(group["id"])
            await self._ask_balances(group["id"])
        for group_id in gone:
            await self._pull(group_id)
        self.is_ready = True
        self._to_push.set()

    def _seq_of(self, group_id: str) -> int:
        held = self.storage.groups.get(group_id)
        return held.seq if held else 0

    async def _heard(self, broadcast: Json) -> None:
        have = self._seq_of(broadcast["groupId"])
        if broadcast["seq"] == have + 1:
            self.storage.groups.setdefault(broadcast["groupId"], Held()).take_event(broadcast)
        elif broadcast["seq"] > have + 1:
            self._world.note("hole pulled")
            await self._pull(broadcast["groupId"])

    async def _pull(self, group_id: str) -> None:
        """Pull until there is no more. What doesn't come is asked for again, as long as the connection lasts."""
        more = True
        while more:
            held = self.storage.groups.get(group_id, Held())
            epoch = {"epoch": held.epoch} if held.epoch else {}
            pulled = await self._insist("sync:pull", {"groupId": group_id, "after": held.seq, **epoch})
            if not pulled["ok"]:
                if self.storage.groups.pop(group_id, None) is not None:
                    self._world.note("group dropped")
                return
            await self._put(group_id, pulled)
            more = pulled.get("more", False)

    async def _put(self, group_id: str, pulled: Json) -> None:
        if pulled["reset"]:
            self._world.note("reset")
            self.storage.groups.pop(group_id, None)
        held = self.storage.groups.setdefault(group_id, Held())
        held.epoch = pulled["epoch"]
        if "snapshot" in pulled:
            self._world.note("snapshot taken")
            held.take_snapshot(pulled["snapshot"])
            return
        for event in pulled["events"]:
            if event["seq"] == held.seq + 1:
                held.take_event(event)
        if not pulled["more"]:
            await self._ask_balances(group_id)

    async def _ask_balances(self, group_id: str) -> None:
        """Events have no balances. The last connection may have ended before they were asked for, too."""
        held = self.storage.groups.get(group_id, Held())
        while held.balances_seq != held.seq:
            told = await self._insist("balances:get", {"groupId": group_id, "seq": held.seq})
            if not told["ok"]:
                return
            held.take_balances(told)

    async def _insist(self, event: str, body: Json) -> Json:
        """An answer that isn't a temporary one."""
        while True:
            with suppress(TimeoutError):
                ack = await self._send(event, body)
                if ack["ok"] or ack["error"]["code"] not in TEMPORARY:
                    return ack
            await asyncio.sleep(self._world.uniform(0.5, 2.0))

    # --- the outbox up

    async def _push(self) -> None:
        while True:
            if not self.storage.outbox or not self.is_ready:
                self._to_push.clear()
                await self._to_push.wait()
                continue
            await self._push_some()

    async def _push_some(self) -> None:
        batch = self.storage.outbox[: int(self._world.uniform(1, BATCH_MAX + 1))]
        if self._world.happens(self._world.resend_at_once):
            self._world.note("sent to two nodes")
            self.actor.spawn(self._ask_elsewhere(batch[0]))
        try:
            if len(batch) == 1 or self._world.happens(0.5):
                batch = batch[:1]
                acks = [await self._send(batch[0].type, batch[0].body)]
            else:
                commands = [{"type": wish.type, **wish.body} for wish in batch]
                pushed = await self._send("sync:push", {"commands": commands})
                acks = pushed["results"] if pushed["ok"] else [pushed]
        except TimeoutError:
            self._world.note("no ack in time")
            return
        wait_ms = 0
        for wish, ack in zip(batch, acks, strict=False):
            wait_ms = max(wait_ms, self._judge(wish, ack))
        await asyncio.sleep(wait_ms / 1000)

    async def _ask_elsewhere(self, wish: Wish) -> None:
        ack = await self._world.rest(self, wish.type, wish.body)
        if ack is not None:
            self._judge(wish, ack)

    def _judge(self, wish: Wish, ack: Json) -> int:
        """Take in an ack; returns the milliseconds to wait for, 0 if it was final."""
        if ack["ok"]:
            self.storage.done[wish.command_id] = ack["seq"]
        elif ack["error"]["code"] in TEMPORARY:
            return int(ack["error"].get("retryAfterMs", 1000))
        else:
            self.storage.refused[wish.command_id] = ack["error"]["code"]
        if wish in self.storage.outbox:
            self.storage.outbox.remove(wish)
        return 0


def _code_of(problem: Any) -> str:
    """The code in what a refused connection carries."""
    return next((str(part["code"]) for part in problem.values() if isinstance(part, dict)), "?")
