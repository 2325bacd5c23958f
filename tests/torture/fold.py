"""What a ledger adds up to, worked out from the wire's events alone: nothing of the server's own code.

So a mistake in the server's arithmetic isn't made here a second time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.torture.history import Json, digest

_WHAT_COUNTS: Final = ("amount", "paidBy", "shares", "description")
"""What deleting and restoring leave as it was in an expense."""
_WHAT_WAS_PAID: Final = ("fromUserId", "toUserId", "amount")


@dataclass(slots=True)
class Fold:
    """A group, event by event. `faults` says which events don't follow from those before."""

    seq: int = 0
    at: str = ""
    balances: dict[str, int] = field(default_factory=dict)
    members: frozenset[str] = frozenset()
    things: dict[str, Json] = field(default_factory=dict)
    faults: list[tuple[int, str]] = field(default_factory=list)
    claims: dict[str, str] = field(default_factory=dict)

    def take(self, event: Json) -> None:
        """Go on by one event."""
        self.seq = event["seq"]
        self._demand(event["at"] >= self.at, "its time is before that of the event before")
        self.at = event["at"]
        noun = event["type"].partition(":")[0]
        if noun == "expense":
            self._expense(event)
        elif noun == "settlement":
            self._settlement(event)
        elif event["type"] != "group:updated":
            self._member(event)

    def _demand(self, holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads like an assertion
        if not holds:
            self.faults.append((self.seq, otherwise))

    def _member(self, event: Json) -> None:
        who = event["member"]["userId"]
        match event["type"]:
            case "member:left":
                self._demand(who in self.members, "somebody leaves who isn't there")
                self._demand(not self.balances.get(who), "somebody leaves who isn't settled")
                self.members -= {who}
            case "group:created" | "member:joined":
                claimed = event["member"].get("claimed")
                self._demand(who not in self.members or claimed, "somebody joins who is there already")
                self.members |= {who}
                if claimed and claimed not in self.claims:
                    self._claim(claimed, who)
            case _:
                self._demand(who in self.members, "somebody is changed who isn't there")

    def _claim(self, placeholder: str, who: str) -> None:
        owed = self.balances.get(placeholder, 0)
        self._post({who: owed, placeholder: -owed})
        self.claims[placeholder] = who
        self.members -= {placeholder}

    def _expense(self, event: Json) -> None:
        expense, before = event["expense"], self.things.get(event["expense"]["id"])
        kind = event["type"].partition(":")[2]
        is_there = before is not None and before["deletedAt"] is None
        if kind == "created":
            self._demand(before is None, "an expense is made twice")
        else:
            self._demand(before is not None and is_there is (kind != "restored"), f"it can't be {kind} now")
        if kind == "updated":
            self._demand(event["before"] == before, "the version before isn't the one that was there")
        elif before is not None and kind in ("deleted", "restored"):
            kept = all(expense[name] == before[name] for name in _WHAT_COUNTS)
            self._demand(kept, f"it is {kind} as another one than it was")
        self._demand(
            sum(row["amount"] for row in expense["shares"])
            == sum(_paid(expense).values())
            == expense["amount"],
            "its shares and payments don't sum to its amount",
        )
        if before is not None and is_there:
            self._post(_net(before), -1)
        if kind != "deleted":
            self._post(_net(expense))
        self.things[expense["id"]] = expense

    def _settlement(self, event: Json) -> None:
        settlement, before = event["settlement"], self.things.get(event["settlement"]["id"])
        if event["type"] == "settlement:created":
            self._demand(before is None, "a settlement is made twice")
        else:
            waits = before is not None and before["status"] == "PENDING"
            self._demand(waits, "it was answered already, or never made")
            if before is not None:
                same = all(self._same(settlement[name], before[name]) for name in _WHAT_WAS_PAID)
                self._demand(same, "another payment is answered than was made")
        if event["type"] == "settlement:completed":
            amount = settlement["amount"]
            self._post({settlement["fromUserId"]: amount})
            self._post({settlement["toUserId"]: -amount})
        self.things[settlement["id"]] = settlement

    def _same(self, one: object, other: object) -> bool:
        return one == other or (isinstance(other, str) and self.claims.get(other) == one)

    def _post(self, amounts: Mapping[str, int], sign: int = 1) -> None:
        # A new mapping: those of earlier moments stay as they were.
        balances = dict(self.balances)
        for user_id, amount in amounts.items():
            user = self.claims.get(user_id, user_id)
            balances[user] = balances.get(user, 0) + sign * amount
        self.balances = {user: amount for user, amount in balances.items() if amount}


def _paid(expense: Json) -> dict[str, int]:
    if isinstance(expense["paidBy"], str):
        return {expense["paidBy"]: expense["amount"]}
    return {row["userId"]: row["amount"] for row in expense["paidBy"]}


def _net(expense: Json) -> dict[str, int]:
    """What each paid less what each owes."""
    net = _paid(expense)
    for row in expense["shares"]:
        net[row["userId"]] = net.get(row["userId"], 0) - row["amount"]
    return net


@dataclass(slots=True)
class Moments:
    """How a group stood after each of its events; the mappings are shared where nothing changed."""

    balances: list[Mapping[str, int]]
    members: list[frozenset[str]]
    version_before: dict[int, int]
    """By seq: the seq of the version that the event replaced, 0 where it made something."""
    things: dict[int, dict[str, str]]
    """By seq, where asked for: the digests of all expenses and settlements."""
    faults: list[tuple[int, str]]


def moments(events: Iterable[Json], things_at: Iterable[int] = ()) -> Moments:
    """Fold the events, which begin at seq 1 and have no holes."""
    fold, wanted = Fold(), set(things_at)
    made = Moments([{}], [frozenset()], {}, {0: {}}, fold.faults)
    versions: dict[str, int] = {}
    for event in events:
        fold.take(event)
        made.balances.append(fold.balances)
        made.members.append(fold.members)
        thing = event.get("expense") or event.get("settlement")
        if thing is not None:
            made.version_before[fold.seq] = versions.get(thing["id"], 0)
            versions[thing["id"]] = fold.seq
        if fold.seq in wanted:
            made.things[fold.seq] = {id_: digest(value) for id_, value in fold.things.items()}
    return made
