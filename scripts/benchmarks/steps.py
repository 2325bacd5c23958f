"""Where the time of one command goes: each step alone, without an event loop, a client or another thread beside it.

What the steps add up to is the least that a command can cost in one process of this interpreter with this code; a
real server adds the loop, its tasks, locks and timers, and the kernel's part of reading and writing sockets.
"""

import asyncio
import gc
import json
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

import uuid_utils
from aiohttp.http_websocket import WebSocketReader
from socketio import packet

from persplit.adapters import sqlite_schema
from persplit.adapters.memory_store import MemoryDocuments
from persplit.adapters.sqlite_appends import EventRow, append_all
from persplit.adapters.sqlite_database import connect
from persplit.adapters.sqlite_events import row_of
from persplit.ledger.commands import CreateExpense
from persplit.ledger.decide import Asked, decide
from persplit.ledger.events import RecordedEvent
from persplit.ledger.plan import Plan
from persplit.ledger.state import GroupState, apply, plan_of
from persplit.service.command_request import CommandRequest
from persplit.service.people import People
from persplit.service.qr_tokens import QrTokens
from persplit.service.standing import Standing, Standings
from persplit.service.users import UNIQUE_KEYS, User, Users
from persplit.transport import requests, views
from persplit.transport.backlog import Frame
from persplit.transport.direct import Intake
from persplit.transport.engine import FRAME_BYTES_MAX
from persplit.transport.frames import GuardedPacket
from scripts.benchmarks.bench import Bench, home, say
from scripts.benchmarks.made_up_groups import history, person
from scripts.benchmarks.rows import OURS, Row
from scripts.benchmarks.stats import Figure

T = TypeVar("T")

SIZES: Final = (3, 8)
EVENTS: Final = 40
"""That the group has before."""
SAMPLES: Final = 300
"""The cheapest of so many counts: what else the machine does can only make it dearer."""
SAMPLES_QUICK: Final = 30
IN_ONE_COMMIT: Final = 16


def measure(bench: Bench) -> Sequence[Row]:
    """The part: see above."""
    if not bench.wants(OURS):
        return []
    rows: list[Row] = []
    for size in SIZES:
        say(f"steps: one expense in a group of {size}")
        costs = asyncio.run(_costs(size, SAMPLES_QUICK if bench.is_quick else SAMPLES))
        total = sum(costs.values())
        costs["all of them"] = total
        for step, seconds in costs.items():
            micro = Figure.of([seconds * 1e6])
            rows.append(
                Row("steps", f"one expense, group of {size}: {step}", "µs", {OURS: micro}, is_detail=True)
            )
        say(f"  {total * 1e6:,.0f} µs: at most {1 / total:,.0f} a second")
    return rows


async def _costs(size: int, samples: int) -> dict[str, float]:
    """Seconds of each step."""
    step = await _Steps.of(size)
    cost = partial(_cheapest, samples=samples)
    costs = {
        "reading the frame": cost(step.frame),
        "reading the packet": cost(step.packet),
        "checking the request": cost(step.request),
        "making a command of it": cost(step.command),
        "deciding": cost(step.decide),
        "applying": cost(step.apply),
        "the plan": cost(step.plan),
        "links and QR tokens": cost(step.standing),
        "what the store keeps, encoded": cost(step.row),
        "the broadcast, encoded": cost(step.broadcast),
        "the answer, encoded": cost(step.answer),
    }
    costs["the store's part, 16 in a commit"] = _storing(step.rows(), samples)
    return costs


class _Steps:
    """One command on its way through the server."""

    def __init__(self, state: GroupState, standings: Standings) -> None:
        self._state, self._standings = state, standings
        self._user = next(iter(state.members))
        body = {
            "commandId": str(uuid_utils.uuid7()),
            "groupId": state.group_id,
            "description": "Dinner by the sea",
            "amount": 123_457,
            "splitType": "EQUAL",
            "participants": list(state.members),
            "paidBy": [{"userId": self._user, "amount": 123_457}],
            "date": state.at[:10],
        }
        self._text = "42" + "7" + json.dumps(["expense:create", body])
        self._wire = _masked(self._text.encode())
        self._body = body
        self._intake = Intake(asyncio.get_running_loop())
        self._reader = WebSocketReader(self._intake, FRAME_BYTES_MAX + 1, compress=False, decode_text=True)
        self._parsed = self.request()
        self._asked = self.command()
        self._event = self.decide()
        self._recorded = self._record(state.seq + 1)
        self._after = self.apply()
        self._plan = self.plan()
        self._standing = self.standing()

    @classmethod
    async def of(cls, size: int) -> "_Steps":
        """With a group of so many, all of whom have a UPI id."""
        state: GroupState | None = None
        for recorded in history(0, [person(number) for number in range(size)], EVENTS):
            state = apply(state, recorded)
        assert state is not None, "it has events"  # noqa: S101 - for the type checker
        users = Users(MemoryDocuments(UNIQUE_KEYS))
        for id_, member in state.members.items():
            user = User(id_, member.name, f"{id_}@example.org", None, "asha.rao@okaxis", None, state.at)
            await users.insert(user, "no hash")
        people = People(users, monotonic=lambda: 0.0)  # remembered for good
        await people.get(state.members)
        return cls(state, Standings(people, QrTokens(b"no secret")))

    def frame(self) -> object:
        return self._intake.parse(self._reader, self._wire)

    def packet(self) -> object:
        return GuardedPacket(encoded_packet=self._text[1:])

    def request(self) -> requests.CreateExpense:
        return requests.CreateExpense.model_validate(self._body)

    def command(self) -> CommandRequest:
        wanted = CreateExpense(str(uuid_utils.uuid7()), self._parsed.draft())
        content = json.dumps(self._parsed.content())
        asked = CommandRequest(
            self._user, self._state.group_id, self._parsed.command_id, content, wanted, is_new_id=True
        )
        asked.content_hash()
        return asked

    def decide(self) -> Any:
        return decide(self._state, self._asked.command, Asked(self._user, self._state.at, None))

    def _record(self, seq: int) -> RecordedEvent:
        key = str(uuid_utils.uuid7())
        return RecordedEvent(
            self._state.group_id,
            seq,
            self._state.at,
            self._user,
            key,
            self._asked.content_hash(),
            self._event,
        )

    def apply(self) -> GroupState:
        return apply(self._state, self._recorded)

    def plan(self) -> Plan:
        return plan_of(self._after)

    def standing(self) -> Standing:
        return _at_once(self._standings.of(self._after, self._plan))

    def row(self) -> EventRow:
        return row_of(self._recorded)

    def rows(self) -> Iterator[EventRow]:
        """Rows of the store, without end."""
        seq = 0
        while True:
            seq += 1
            yield row_of(self._record(seq))

    def broadcast(self) -> object:
        name, payload = views.broadcast(self._recorded, self._standing, {})
        return Frame(f"4{GuardedPacket(packet.EVENT, [name, payload]).encode()}".encode()).wire

    def answer(self) -> object:
        thing = views.thing(self._event.expense, self._state.group_id)
        ack = {"ok": True, "seq": self._recorded.seq, "replayed": False, "expense": thing}
        return Frame(f"4{GuardedPacket(packet.ACK, [ack], id=7).encode()}".encode()).wire


def _masked(data: bytes) -> bytes:
    """A client's text frame of 126 bytes or more, with a mask of zeros."""
    return bytes((0x81, 0xFE)) + len(data).to_bytes(2) + bytes(4) + data


def _at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of what waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise RuntimeError("it waits")


def _cheapest(step: Callable[[], object], samples: int, times: int = 20) -> float:
    """Seconds of processor time, without the collector's."""
    gc.collect()
    gc.disable()
    best = float("inf")
    for _ in range(samples):
        began = time.thread_time()
        for _ in range(times):
            step()
        best = min(best, time.thread_time() - began)
    gc.enable()
    return best / times


def _storing(rows: Iterator[EventRow], samples: int) -> float:
    """Seconds of processor time for each event of a commit that is synced to the disk."""
    with home() as here:
        path = here / "store.sqlite3"
        path.touch()
        connection = connect(path)
        sqlite_schema.migrate(connection)
        batches = [list(islice(rows, IN_ONE_COMMIT)) for _ in range(samples)]
        spent = []
        for batch in batches:
            began = time.thread_time()
            append_all(connection, batch)
            spent.append(time.thread_time() - began)
        connection.close()
    return min(spent) / IN_ONE_COMMIT
