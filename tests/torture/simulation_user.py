"""What the user of a simulated phone does: any command there is, sensible or not, from what the phone shows."""

import asyncio
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from persplit.transport.views import Json
from tests.torture.simulation_phone import Held, Phone, Wish

AMOUNT_MAX: Final = 100_000
GROUP_NAMES: Final = ("Goa", "Flat", "Lunch", "Trip", "Diwali")


class Shared(Protocol):
    """What users tell each other outside of the app."""

    @property
    def codes(self) -> dict[str, str]:
        """Invites by group, shown around."""
        ...

    @property
    def emails(self) -> dict[str, str]:
        """Everybody's address, by user id."""
        ...

    @property
    def spenders(self) -> set[str]:
        """Who takes part in expenses. The others stay at zero, so that they can leave and come back."""
        ...

    def wished(self, user_id: str, wish: Wish) -> None:
        """A command was stored."""
        ...

    async def rest(self, phone: Phone, event: str, body: Json) -> Json | None:
        """Ask over HTTP."""
        ...


@dataclass
class User:
    """Somebody with a phone, and with seeds of their own."""

    chance: random.Random
    shared: Shared
    pause_seconds: float
    groups_max: int
    made: int = 0
    used: list[Wish] = field(default_factory=list)

    async def act(self, phone: Phone) -> None:
        """Tap and type for ever."""
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / self.pause_seconds))
            held = self._some_group(phone)
            if held is None or self.chance.random() < 0.05:
                await self._from_outside(phone)
            else:
                name = self.chance.choices(list(_ACTIONS), weights=[w for w, _ in _ACTIONS.values()])[0]
                _ACTIONS[name][1](self, phone, *held)
                await self._perhaps_invite(phone, held[0])

    # --- building blocks

    def _id(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def _write(self, phone: Phone, type_: str, group_id: str, **body: object) -> None:
        fields = {key: value for key, value in body.items() if value is not None}
        wish = Wish(type_, {"commandId": self._id(), "groupId": group_id, **fields})
        self.shared.wished(phone.storage.user_id, wish)
        self.used.append(wish)
        phone.write(wish)

    def _some_group(self, phone: Phone) -> tuple[str, Held] | None:
        held = list(phone.storage.groups.items())
        return self.chance.choice(held) if held else None

    def _thing(self, held: Held, noun: str, **wanted: object) -> Json | None:
        """Some expense or settlement that is as wanted."""
        key = "paidBy" if noun == "expense" else "toUserId"
        found = [
            thing
            for thing in held.things.values()
            if key in thing and all(thing.get(name) == value for name, value in wanted.items())
        ]
        return self.chance.choice(found) if found else None

    def _expected(self, thing: Json) -> int | None:
        return thing["seq"] if self.chance.random() < 0.5 else None

    # --- what users do

    async def _from_outside(self, phone: Phone) -> None:
        """Found a group, or come into one by its invite."""
        if self.made < self.groups_max and self.chance.random() < 0.3:
            self.made += 1
            self._write(phone, "group:create", self._id(), name=self.chance.choice(GROUP_NAMES))
        elif self.shared.codes:
            group_id = self.chance.choice(list(self.shared.codes))
            self._write(phone, "group:join", group_id, code=self.shared.codes[group_id])

    async def _perhaps_invite(self, phone: Phone, group_id: str) -> None:
        if group_id not in self.shared.codes and self.chance.random() < 0.5:
            invite = await self.shared.rest(phone, "createInvite", {"groupId": group_id})
            if invite is not None and invite["ok"]:
                self.shared.codes[group_id] = invite["code"]

    def _split(self, phone: Phone, held: Held) -> Json:
        others = [id_ for id_ in held.balances if id_ in self.shared.spenders and self.chance.random() < 0.7]
        people = sorted({phone.storage.user_id, *others})
        amount = self.chance.randint(1, AMOUNT_MAX)
        kind = self.chance.choice(("EQUAL", "EQUAL", "SHARES", "EXACT"))
        split: Json = {"description": "Dinner", "amount": amount, "splitType": kind}
        if kind == "EQUAL":
            return {**split, "participants": people}
        if kind == "SHARES":
            return {
                **split,
                "splits": [{"userId": id_, "value": self.chance.randint(1, 5)} for id_ in people],
            }
        first, *rest = people
        values = {id_: amount // len(people) for id_ in rest}
        values[first] = amount - sum(values.values())
        return {**split, "splits": [{"userId": id_, "value": value} for id_, value in values.items()]}

    def _create_expense(self, phone: Phone, group_id: str, held: Held) -> None:
        if phone.storage.user_id in self.shared.spenders:
            self._write(phone, "expense:create", group_id, id=self._id(), **self._split(phone, held))

    def _update_expense(self, phone: Phone, group_id: str, held: Held) -> None:
        expense = self._thing(held, "expense")
        if expense and phone.storage.user_id in self.shared.spenders:
            self._write(
                phone,
                "expense:update",
                group_id,
                expenseId=expense["id"],
                expectedSeq=self._expected(expense),
                **self._split(phone, held),
            )

    def _delete_expense(self, phone: Phone, group_id: str, held: Held) -> None:
        expense = self._thing(held, "expense", deletedAt=None)
        if expense:
            expected = self._expected(expense)
            self._write(phone, "expense:delete", group_id, expenseId=expense["id"], expectedSeq=expected)

    def _restore_expense(self, phone: Phone, group_id: str, held: Held) -> None:
        expense = self._thing(held, "expense")
        if expense:
            self._write(phone, "expense:restore", group_id, expenseId=expense["id"])

    def _pay(self, phone: Phone, group_id: str, held: Held) -> None:
        others = [
            id_ for id_ in held.balances if id_ != phone.storage.user_id and id_ in self.shared.spenders
        ]
        if others and phone.storage.user_id in self.shared.spenders:
            mine = held.balances.get(phone.storage.user_id, 0)
            amount = -mine if mine < 0 and self.chance.random() < 0.7 else self.chance.randint(1, AMOUNT_MAX)
            to = self.chance.choice(others)
            self._write(phone, "settlement:create", group_id, id=self._id(), toUserId=to, amount=amount)

    def _answer_payment(self, phone: Phone, group_id: str, held: Held) -> None:
        payment = self._thing(held, "settlement", toUserId=phone.storage.user_id, status="PENDING")
        if payment:
            what = self.chance.choice(("confirm", "confirm", "decline"))
            self._write(phone, f"settlement:{what}", group_id, settlementId=payment["id"])

    def _cancel_payment(self, phone: Phone, group_id: str, held: Held) -> None:
        payment = self._thing(held, "settlement", fromUserId=phone.storage.user_id, status="PENDING")
        if payment:
            self._write(phone, "settlement:cancel", group_id, settlementId=payment["id"])

    def _add_member(self, phone: Phone, group_id: str, held: Held) -> None:
        others = [id_ for id_ in self.shared.emails if id_ not in held.balances]
        if others:
            email = self.shared.emails[self.chance.choice(others)]
            self._write(phone, "member:add", group_id, email=email)

    def _remove_member(self, phone: Phone, group_id: str, held: Held) -> None:
        zero = [id_ for id_, amount in held.balances.items() if not amount and id_ != phone.storage.user_id]
        if zero:
            self._write(phone, "member:remove", group_id, userId=self.chance.choice(zero))

    def _leave(self, phone: Phone, group_id: str, held: Held) -> None:
        if not held.balances.get(phone.storage.user_id) and phone.storage.user_id not in self.shared.spenders:
            self._write(phone, "group:leave", group_id)

    def _update_group(self, phone: Phone, group_id: str, held: Held) -> None:
        name = self.chance.choice(GROUP_NAMES)
        self._write(phone, "group:update", group_id, name=name, simplify=self.chance.random() < 0.7)

    def _archive(self, phone: Phone, group_id: str, held: Held) -> None:
        for archived in (True, False):
            self._write(phone, "group:update", group_id, archived=archived)

    def _go_away(self, phone: Phone, group_id: str, held: Held) -> None:
        phone.hang_up()

    def _misuse_a_key(self, phone: Phone, group_id: str, held: Held) -> None:
        """Send another command under a key that is taken: a bug of some client."""
        done = [wish for wish in self.used if wish.command_id in phone.storage.done]
        if done:
            used = self.chance.choice(done)
            body = {**used.body, "commandId": used.command_id}
            if "amount" in body:
                phone.actor.spawn(self.shared.rest(phone, used.type, {**body, "amount": body["amount"] + 1}))


_ACTIONS: Final[dict[str, tuple[int, Callable[[User, Phone, str, Held], None]]]] = {
    "create expense": (30, User._create_expense),
    "update expense": (14, User._update_expense),
    "delete expense": (5, User._delete_expense),
    "restore expense": (5, User._restore_expense),
    "pay": (8, User._pay),
    "answer payment": (10, User._answer_payment),
    "cancel payment": (3, User._cancel_payment),
    "add member": (8, User._add_member),
    "remove member": (4, User._remove_member),
    "leave": (8, User._leave),
    "update group": (4, User._update_group),
    "archive": (1, User._archive),
    "go away": (3, User._go_away),
    "misuse a key": (2, User._misuse_a_key),
}
