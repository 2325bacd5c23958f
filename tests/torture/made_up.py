"""Histories of a server that keeps all promises, for the checker to be tested on.

A tiny server in memory, its clients and their interleavings, all from one seed: a command begins, takes effect and is
answered at three different moments, with other clients' moments between them; some answers are lost and the command
is sent again; broadcasts arrive late but in order.
"""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from tests.torture.fold import Fold
from tests.torture.history import (
    Attempt,
    Heard,
    History,
    Json,
    Outcome,
    Read,
    Ready,
    digest,
    seen,
    thing_in,
    told,
)

GROUP: Final = "group"
PEOPLE: Final = ("asha", "ben", "chitra")
WANDERER: Final = "dev"
"""Comes and goes; takes part in nothing."""
TICK: Final = 10
"""Between two moments, so that a test can put something in between."""


@dataclass(slots=True)
class Client:
    """One device: at most one operation at a time, and a socket that hears what is broadcast."""

    name: str
    user_id: str
    session: str = ""
    coming: deque[Heard] = field(default_factory=deque)
    go_on: list[Callable[[], None]] = field(default_factory=list)
    lost: list[Attempt] = field(default_factory=list)


class World:
    """The server and its clients. After `run`, `history` and `ledgers` are what the checker takes."""

    def __init__(self, seed: int, steps: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - of the test
        self.history = History()
        self.events: list[Json] = []
        self._fold = Fold()
        self._time = 0
        self._numbers = 0
        self._sessions = 0
        self.clients = [Client(f"{user}-{n}", user) for user in (*PEOPLE, WANDERER) for n in range(2)]
        first = self.clients[0]
        self._write(first, "group:create", {})
        self._finish(first)
        for client in self.clients[2::2]:
            self._write(client, "group:join", {})
            self._finish(client)
        for client in self.clients:
            self._connect(client)
        for _ in range(steps):
            self._step(self.chance.choice(self.clients))
        self._settle()

    @property
    def ledgers(self) -> dict[str, list[Json]]:
        """What the store has in the end."""
        return {GROUP: self.events}

    @property
    def now(self) -> int:
        """The last moment."""
        return self._time

    # --- time and names

    def _now(self) -> int:
        self._time += TICK
        return self._time

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    # --- clients

    def _step(self, client: Client) -> None:
        """Something happens to the client: it goes on with what it does, hears something, or begins anew."""
        if client.coming and self.chance.random() < 0.7:
            self.history.heard.append(replace(client.coming.popleft(), at=self._now()))
        elif client.go_on:
            client.go_on.pop(0)()
        elif self.chance.random() < 0.05:
            self._connect(client)
        elif client.lost and self.chance.random() < 0.5:
            self._attempt(client, client.lost.pop())
        elif client.user_id == WANDERER:
            is_in = self._is_member(client)
            self._write(client, "group:leave" if is_in else "group:join", {})
        elif self.chance.random() < 0.3:
            self._read(client)
        else:
            self._write(client, *self._wish())

    def _finish(self, client: Client) -> None:
        while client.go_on:
            client.go_on.pop(0)()

    def _settle(self) -> None:
        """Everything ends, everybody hears everything, and says where they stand."""
        for client in self.clients:
            self._finish(client)
        for client in self.clients:
            for heard in client.coming:
                self.history.heard.append(replace(heard, at=self._now()))
            self.history.quiet.add(client.session)
            if self._is_member(client):
                self._read(client, is_final=True)
                self._finish(client)

    def _connect(self, client: Client) -> None:
        """Another session: what hadn't been heard is lost with the old one."""
        self._sessions += 1
        client.session = f"session-{self._sessions}"
        client.coming.clear()
        seqs = {GROUP: len(self.events)} if self._is_member(client) else {}
        self.history.ready.append(Ready(client.name, client.session, client.user_id, self._now(), seqs))

    def _is_member(self, client: Client) -> bool:
        return client.user_id in self._fold.members

    # --- commands

    def _wish(self) -> tuple[str, Json]:
        things = {thing["id"]: thing for event in self.events if (thing := thing_in(event))}
        expenses = [thing for thing in things.values() if "shares" in thing]
        waiting = [thing for thing in things.values() if thing.get("status") == "PENDING"]
        number, amount = self._number(), self.chance.randrange(1, 10_000)
        kind = self.chance.choice(["create", "create", "update", "delete", "pay", "confirm"])
        if kind in ("update", "delete") and expenses:
            chosen = self.chance.choice(expenses)
            asked = {"id": chosen["id"], "expectedSeq": chosen["seq"]}
            if kind == "update":
                return "expense:update", {**asked, "amount": amount, "description": f"tea {number}"}
            return "expense:delete", asked
        if kind == "confirm" and waiting:
            return "settlement:confirm", {"id": self.chance.choice(waiting)["id"]}
        if kind == "pay":
            to = self.chance.choice(PEOPLE)
            return "settlement:create", {"id": f"s{number}", "amount": amount, "toUserId": to}
        return "expense:create", {"id": f"e{number}", "amount": amount, "description": f"tea {number}"}

    def _write(self, client: Client, command: str, asked: Json) -> None:
        number = self._number()
        attempt = Attempt(
            number, client.name, client.session, GROUP, f"c{number}", command, client.user_id, asked, 0
        )
        self._attempt(client, attempt)

    def _attempt(self, client: Client, wanted: Attempt) -> None:
        """Send it: begin now, take effect later, be answered later still, or not at all."""
        attempt = replace(wanted, number=self._number(), session=client.session, begun=self._now())
        answer = [attempt]
        is_lost = self.chance.random() < 0.2

        def take_effect() -> None:
            answer[0] = self._decide(attempt)

        def be_answered() -> None:
            if is_lost:
                client.lost.append(wanted)
                self.history.attempts.append(replace(attempt, ended=self._now()))
            else:
                self.history.attempts.append(replace(answer[0], ended=self._now()))

        client.go_on += [take_effect, be_answered]

    def _decide(self, attempt: Attempt) -> Attempt:
        """What the server makes of it."""
        known = next((e for e in self.events if e["commandId"] == attempt.command_id), None)
        if known is not None:
            return _ok(attempt, known, is_replayed=True)
        event = self._event(attempt)
        if event is None:
            return replace(attempt, outcome=Outcome.REFUSED, code="conflict")
        self.events.append(event)
        self._broadcast(event)
        return _ok(attempt, event, is_replayed=False)

    def _event(self, attempt: Attempt) -> Json | None:
        """The event that the command makes; None where it is refused."""
        head: Json = {
            "groupId": GROUP,
            "seq": len(self.events) + 1,
            "at": f"{self._time:07}",
            "by": attempt.actor,
            "commandId": attempt.command_id,
        }
        noun, _, verb = attempt.command.partition(":")
        if noun == "group":
            return self._member_event(head, attempt, verb)
        before = next(
            (thing for e in reversed(self.events) if (thing := thing_in(e)) and _is(thing, attempt)), None
        )
        if before is not None and before["seq"] > attempt.asked.get("expectedSeq", before["seq"]):
            return None
        if noun == "settlement":
            return _settlement_event(head, attempt, verb, before)
        return _expense_event(head, attempt, verb, before)

    def _member_event(self, head: Json, attempt: Attempt, verb: str) -> Json | None:
        is_in = attempt.actor in self._fold.members
        if is_in is (verb != "leave"):
            return None
        names = {"create": "group:created", "join": "member:joined", "leave": "member:left"}
        group = {"group": {"name": "Goa"}} if verb == "create" else {}
        return {**head, "type": names[verb], "member": {"userId": attempt.actor}, **group}

    # --- what clients see

    def _broadcast(self, event: Json) -> None:
        self._fold.take(event)
        for client in self.clients:
            if client.session and client.user_id in self._fold.members:
                heard = Heard(
                    client.name,
                    client.session,
                    client.user_id,
                    GROUP,
                    0,
                    event["seq"],
                    event["commandId"],
                    event["type"],
                    told(event["type"], event),
                    self._fold.balances,
                )
                client.coming.append(heard)

    def _read(self, client: Client, *, is_final: bool = False) -> None:
        begun = self._now()
        result: list[Read] = []

        def look() -> None:
            seq = len(self.events)
            after = 0 if is_final else self.chance.randrange(seq + 1)
            things = {thing["id"]: digest(thing) for event in self.events if (thing := thing_in(event))}
            read = Read(client.name, client.session, GROUP, begun, 0, seq, is_final=is_final)
            kind = 0 if is_final else self.chance.randrange(3)
            if kind == 0:
                events = tuple(seen(event) for event in self.events[after:])
                read = replace(read, after=after, events=events)
            if kind == 1 or is_final:
                read = replace(read, balances=self._fold.balances)
            if kind == 2:
                read = replace(read, things=things)
            result.append(read)

        client.go_on += [look, lambda: self.history.reads.append(replace(result[0], ended=self._now()))]


def _is(thing: Json, attempt: Attempt) -> bool:
    return bool(thing["id"] == attempt.asked["id"])


def _ok(attempt: Attempt, event: Json, *, is_replayed: bool) -> Attempt:
    thing = thing_in(event)
    shown = "" if thing is None else digest(thing)
    return replace(attempt, outcome=Outcome.OK, seq=event["seq"], is_replayed=is_replayed, thing=shown)


def _expense_event(head: Json, attempt: Attempt, verb: str, before: Json | None) -> Json | None:
    if (before is None) is not (verb == "create") or (before is not None and before["deletedAt"]):
        return None
    if verb == "delete" and before is not None:
        after = {**before, "seq": head["seq"], "deletedAt": head["at"]}
        return {**head, "type": "expense:deleted", "expense": after}
    after = {
        "id": attempt.asked["id"],
        "seq": head["seq"],
        "description": attempt.asked["description"],
        "amount": attempt.asked["amount"],
        "paidBy": attempt.actor,
        "shares": _shares(attempt.asked["amount"]),
        "deletedAt": None,
    }
    if before is None:
        return {**head, "type": "expense:created", "expense": after}
    return {**head, "type": "expense:updated", "expense": after, "before": before}


def _shares(amount: int) -> list[Json]:
    each, left = divmod(amount, len(PEOPLE))
    return [{"userId": user, "amount": each + (place < left)} for place, user in enumerate(PEOPLE)]


def _settlement_event(head: Json, attempt: Attempt, verb: str, before: Json | None) -> Json | None:
    if verb == "create":
        made = {
            "id": attempt.asked["id"],
            "seq": head["seq"],
            "fromUserId": attempt.actor,
            "toUserId": attempt.asked["toUserId"],
            "amount": attempt.asked["amount"],
            "status": "PENDING",
        }
        is_sound = before is None and attempt.actor != attempt.asked["toUserId"]
        return {**head, "type": "settlement:created", "settlement": made} if is_sound else None
    if before is None or before["status"] != "PENDING":
        return None
    after = {**before, "seq": head["seq"], "status": "COMPLETED"}
    return {**head, "type": "settlement:completed", "settlement": after}
