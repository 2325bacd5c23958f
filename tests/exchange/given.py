"""A group to import into, and what importing a text into it comes to, with no server and no store."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from persplit.exchange import own
from persplit.exchange.identity import Known, was_taken_back
from persplit.exchange.planning import Group, ImportPlan, Wish, id_of, keys_of, plan_import
from persplit.exchange.reading import read_book
from persplit.exchange.replaying import Step
from persplit.exchange.undoing import undo_steps
from persplit.ledger import codec
from persplit.ledger.commands import CreateGroup
from persplit.ledger.events import Noun, RecordedEvent, subject_of
from persplit.ledger.expense import Expense
from persplit.ledger.settlement import Settlement
from persplit.ledger.state import GroupState, plan_of
from tests.ledger.given import ASHA, GROUP, Ledger, instant

FILES = Path(__file__).parent / "files"


def text_of(name: str) -> str:
    """A file as somebody would send it."""
    return (FILES / name).read_text(encoding="utf-8")


@dataclass
class Target:
    """A group, what was recorded in it, and by what name everybody goes."""

    ledger: Ledger = field(default_factory=Ledger)
    actor: str = ASHA

    @classmethod
    def founded(
        cls, currency: str = "EUR", *, name: str = "Asha", by: str = ASHA, simplify: bool = True
    ) -> "Target":
        """A new group with its founder."""
        target = cls(actor=by)
        target.ledger.do(by, CreateGroup(name, "Goa", currency=currency, simplify=simplify))
        return target

    @property
    def state(self) -> GroupState:
        """As it is."""
        return self.ledger.group

    def looked_at(
        self, text: str, members: Mapping[str, str | None] | None = None, skip: Collection[int] = ()
    ) -> ImportPlan:
        """What importing the text would do."""
        book = read_book(text, self.state.settings.currency)
        names = {member.user_id: member.name for member in self.state.active()}
        group = Group(self.state, names, self._known(book), frozenset())
        now = instant(self.ledger.seq + 1)
        return plan_import(book, group, Wish(self.actor, now, members or {}, frozenset(skip)))

    def takes(
        self, text: str, members: Mapping[str, str | None] | None = None, skip: Collection[int] = ()
    ) -> ImportPlan:
        """Import the text; nothing of it may be refused."""
        plan = self.looked_at(text, members, skip)
        assert not plan.refusals, plan.refusals
        before = self.ledger.seq
        self.record(plan.steps)
        assert self.state.balances == plan.state.balances
        assert self.ledger.seq == before + len(plan.steps)
        return plan

    def undoes(self, import_id: str) -> None:
        """Take the import back."""
        mine = [r for r in self.ledger.events if r.command_id.startswith(f"import {import_id} ")]
        present = {
            (Noun.EXPENSE if isinstance(thing, Expense) else Noun.SETTLEMENT, thing.id): thing
            for thing in self.ledger.things.values()
        }
        now = instant(self.ledger.seq + 1)
        self.record(undo_steps(self.state, mine, present, import_id, self.actor, now))

    def record(self, steps: Collection[Step]) -> None:
        """As the store would: under the command ids of the steps."""
        for step in steps:
            self.ledger.record(self.actor, step.event)
            last = self.ledger.events[-1]
            self.ledger.events[-1] = RecordedEvent(
                last.group_id, last.seq, last.at, last.by, step.command_id, "", last.event
            )
        assert len({r.command_id for r in self.ledger.events}) == len(self.ledger.events)

    def _known(self, book: Any) -> dict[str, Known]:
        last = {
            subject_of(r.event)[1]: r for r in self.ledger.events if subject_of(r.event)[0] is not Noun.MEMBER
        }
        known = {}
        for key in keys_of(book):
            generation = 0
            while True:
                id_ = id_of(book, GROUP, key, generation)
                if not was_taken_back(id_, last):
                    break
                generation += 1
            known[key] = Known(id_, last.get(id_))
        return known

    def balances(self) -> dict[str, int]:
        """By name, those that aren't zero."""
        return {
            self.state.members[user_id].name: amount
            for user_id, amount in self.state.balances.items()
            if amount
        }

    def things(self) -> list[Expense | Settlement]:
        """All expenses and settlements."""
        return list(self.ledger.things.values())


def exported(ledger: Ledger) -> dict[str, Any]:
    """The group as a file of ours, before it is text."""
    state = ledger.group
    return own.document(
        state.at,
        {
            "id": state.group_id,
            "name": state.settings.name,
            "currency": state.settings.currency,
            "members": [codec.member_to_json(member) for member in state.members.values()],
        },
        {
            "balances": [{"userId": u, "amount": a} for u, a in state.balances.items()],
            "settleUp": [
                {"from": row.from_id, "to": row.to_id, "amount": row.amount}
                for row in plan_of(state).transfers
            ],
        },
        [codec.event_to_json(recorded) for recorded in ledger.events],
    )
