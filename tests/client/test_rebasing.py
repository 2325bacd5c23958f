"""Whatever is written, pushed, lost, pulled or restored in whatever order: the book against a plain model.

The server is a plain list of events here, decided by the ledger. The model of what the device must show is plainer
still: sums over the expenses and settlements that it shows.
"""

import contextlib
import tempfile
from pathlib import Path
from typing import Any, TypeAlias

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from persplit.client import ExpenseDraft, SplitType, Status
from persplit.client.book import Account, Book
from persplit.client.drafts import draft_to_wire
from persplit.client.outbox import Queued
from persplit.client.reading import Reader
from persplit.client.rebasing import thing_of
from persplit.ledger import codec
from persplit.ledger.commands import AddMember, Command, CreateGroup, DeleteExpense, UpdateExpense
from persplit.ledger.decide import Asked, decide
from persplit.ledger.errors import LedgerError
from persplit.ledger.events import Noun, RecordedEvent
from persplit.ledger.expense import Expense
from persplit.ledger.settlement import Settlement, SettlementStatus
from persplit.ledger.snapshot import state_to_json
from persplit.ledger.state import GroupState, apply
from persplit.ledger.subjects import subject_of_command

Json: TypeAlias = dict[str, Any]

GROUP, ME, HIM = "group", "me", "him"
AT = "2026-11-21T09:30:00.000Z"
PAGE = 3


class PlainServer:
    """A group's ledger as a list, with the wire's answers."""

    def __init__(self) -> None:
        self.events: list[RecordedEvent] = []
        self.epoch = "epoch 1"
        self.do(CreateGroup("Me", "Flat"), "c1")
        self.do(AddMember(HIM, "Him", placeholder=True), "c2")

    @property
    def state(self) -> GroupState | None:
        state: GroupState | None = None
        for recorded in self.events:
            state = apply(state, recorded)
        return state

    def things(self) -> dict[tuple[Noun, str], Expense | Settlement]:
        """Present versions in order of creation."""
        found: dict[tuple[Noun, str], Expense | Settlement] = {}
        for recorded in self.events:
            thing = thing_of(recorded.event)
            if thing is not None:
                noun = Noun.EXPENSE if isinstance(thing, Expense) else Noun.SETTLEMENT
                found[noun, thing.id] = thing
        return found

    def do(self, command: Command, command_id: str) -> int:
        """Carry it out once; returns its seq. Raises `LedgerError`."""
        for recorded in self.events:
            if recorded.command_id == command_id:
                return recorded.seq
        key = subject_of_command(command)
        subject = None if key is None else self.things().get(key)
        event = decide(self.state, command, Asked(ME, AT, subject))
        seq = len(self.events) + 1
        self.events.append(RecordedEvent(GROUP, seq, AT, ME, command_id, "", event))
        return seq

    def push(self, batch: list[Queued]) -> list[Json]:
        acks: list[Json] = []
        for queued in batch:
            try:
                acks.append({"ok": True, "seq": self.do(queued.command("Me"), queued.command_id)})
            except LedgerError as error:
                acks.append({"ok": False, "error": {"code": error.code, "detail": error.detail}})
        return acks

    def pull(self, after: int, epoch: str | None, *, as_snapshot: bool) -> Json:
        is_foreign = after > len(self.events) or epoch not in (None, self.epoch)
        start = 0 if is_foreign else after
        told = {"seq": len(self.events), "epoch": self.epoch}
        if as_snapshot:
            return {**told, "snapshot": self.snapshot(), "reset": True}
        page = self.events[start : start + PAGE]
        return {
            **told,
            "events": [codec.event_to_json(event) for event in page],
            "more": start + PAGE < len(self.events),
            "reset": is_foreign,
        }

    def snapshot(self) -> Json:
        state = self.state
        assert state is not None
        newest_first = list(reversed(self.things().values()))
        return {
            "state": state_to_json(state),
            "group": {"members": []},
            "settleUp": [],
            "expenses": [codec.expense_to_json(t, GROUP) for t in newest_first if isinstance(t, Expense)],
            "settlements": [
                codec.settlement_to_json(t, GROUP) for t in newest_first if isinstance(t, Settlement)
            ],
        }


numbers = st.integers(0, 5)
amounts = st.integers(1, 1_000)


class Rebasing(RuleBasedStateMachine):
    """A device and a server."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.server = PlainServer()
        self.backup = list(self.server.events)
        self.was_restored = False
        self.written: set[str] = set()
        self.created: set[str] = set()
        self.other = 0
        self.open()
        self.book.set_account(Account({"id": ME, "name": "Me"}, "a", "r"))
        self.pulled(as_snapshot=False)
        # Most runs are short: they begin with something to work with.
        self.create("00000000-0000-4000-8000-000000000001", 100)
        self.create("00000000-0000-4000-8000-000000000002", 200)

    def open(self) -> None:
        self.book = Book(Path(self.directory.name) / "replica.db")
        # This is not about the disk; a test with `kill -9` is.
        self.book.replica._database.execute("PRAGMA synchronous = OFF")
        self.reader = Reader(self.book)

    def teardown(self) -> None:
        try:
            self.settle_down()
        finally:
            self.book.close()
            self.directory.cleanup()

    # --- what the device's owner does

    def write(self, type_: str, fields: Json) -> None:
        try:
            queued, _ = self.book.write(type_, GROUP, fields)
        except LedgerError:
            return
        self.written.add(queued.command_id)
        if type_ == "expense:create":
            self.created.add(queued.thing_id)

    def an_expense(self, number: int) -> str:
        with self.book.reading():
            held = self.book.provisional(GROUP)
            things = self.reader._things(held, GROUP, Noun.EXPENSE)
        return things[number % len(things)][0].id if things else "none"

    @rule(number=st.uuids(), amount=amounts)
    def create(self, number: Any, amount: int) -> None:
        self.write("expense:create", {"id": str(number), **draft_to_wire(_draft(amount))})

    @rule(number=numbers, amount=amounts)
    def update(self, number: int, amount: int) -> None:
        self.write("expense:update", {"expenseId": self.an_expense(number), **draft_to_wire(_draft(amount))})

    @rule(number=numbers)
    def delete(self, number: int) -> None:
        self.write("expense:delete", {"expenseId": self.an_expense(number)})

    @rule(number=numbers)
    def restore(self, number: int) -> None:
        self.write("expense:restore", {"expenseId": self.an_expense(number)})

    @rule(number=st.uuids(), amount=amounts, confirm=st.booleans())
    def settle(self, number: Any, amount: int, confirm: bool) -> None:  # noqa: FBT001 - drawn
        self.write("settlement:create", {"id": str(number), "toUserId": HIM, "amount": amount})
        if confirm:
            self.write("settlement:confirm", {"settlementId": str(number)})

    @rule()
    def start_anew(self) -> None:
        self.book.close()
        self.open()

    # --- what happens elsewhere

    @rule(number=numbers, amount=amounts, is_deleting=st.booleans())
    def another_device_edits(self, number: int, amount: int, is_deleting: bool) -> None:  # noqa: FBT001 - drawn
        expenses = [id_ for noun, id_ in self.server.things() if noun is Noun.EXPENSE]
        if expenses:
            id_ = expenses[number % len(expenses)]
            self.other += 1
            command = DeleteExpense(id_) if is_deleting else UpdateExpense(id_, _draft(amount))
            with contextlib.suppress(LedgerError):
                self.server.do(command, f"other {self.other}")

    @rule()
    def back_up(self) -> None:
        self.backup = list(self.server.events)

    @precondition(lambda self: not self.was_restored and len(self.server.events) > len(self.backup))
    @rule()
    def restore_the_backup(self) -> None:
        self.server.events = list(self.backup)
        self.server.epoch = "epoch 2"
        self.was_restored = True

    # --- the network

    @rule(count=st.integers(1, 4), is_answer_lost=st.booleans())
    def push(self, count: int, is_answer_lost: bool) -> None:  # noqa: FBT001 - drawn
        batch = self.book.to_push()[:count]
        acks = self.server.push(batch)
        if not is_answer_lost:
            self.book.judge(batch, acks)

    @rule(as_snapshot=st.booleans())
    def pull(self, as_snapshot: bool) -> None:  # noqa: FBT001 - drawn
        self.pulled(as_snapshot=as_snapshot)

    def pulled(self, *, as_snapshot: bool) -> bool:
        have = self.book.position(GROUP)
        return self.book.take(
            GROUP, have, self.server.pull(have.seq, have.epoch, as_snapshot=as_snapshot)
        ).more

    # --- what must hold

    @invariant()
    def balances_are_the_sums_of_what_is_shown(self) -> None:
        with self.book.reading():
            state = self.book.provisional(GROUP).state
        if state is None:
            return
        sums = dict.fromkeys(state.balances, 0)
        for entry in self.reader.expenses(GROUP):
            for posting in entry.expense.payers:
                sums[posting.user_id] += posting.amount
            for posting in entry.expense.shares:
                sums[posting.user_id] -= posting.amount
        for paid in self.reader.settlements(GROUP):
            if paid.settlement.status is SettlementStatus.COMPLETED:
                sums[paid.settlement.from_id] += paid.settlement.amount
                sums[paid.settlement.to_id] -= paid.settlement.amount
        assert state.balances == sums
        assert sum(sums.values()) == 0

    @invariant()
    def nothing_is_lost(self) -> None:
        with self.book.reading():
            held = {queued.command_id for queued in self.book.replica.queued(*Status)}
            known = {recorded.command_id for recorded in self.server.events}
        if not self.was_restored:
            # A command has left the outbox only if the ledger has it.
            assert self.written - held <= known

    @precondition(lambda self: self.book.position(GROUP).seq > 0)
    @invariant()
    def what_was_written_is_shown_until_it_is_refused(self) -> None:
        shown = {entry.expense.id for entry in self.reader.expenses(GROUP, include_deleted=True)}
        refused = {queued.thing_id for queued in self.book.refused()}
        if not self.was_restored:
            assert self.created <= shown | refused

    def settle_down(self) -> None:
        for _ in range(100):
            more = self.pulled(as_snapshot=False)
            batch = self.book.to_push()
            self.book.judge(batch, self.server.push(batch))
            if not more and not batch and not self.book.waiting():
                break
        assert self.book.waiting() == []
        with self.book.reading():
            held = self.book.provisional(GROUP)
            assert held.state == self.server.state
            assert held.things == {}
            shown = [thing for noun in Noun for thing, _ in self.reader._things(held, GROUP, noun)]
        assert sorted(shown, key=_id) == sorted(self.server.things().values(), key=_id)
        commands = [recorded.command_id for recorded in self.server.events]
        assert len(commands) == len(set(commands))
        refused = {queued.command_id for queued in self.book.refused()}
        if not self.was_restored:
            assert self.written == refused | (self.written & set(commands))


def _draft(amount: int) -> ExpenseDraft:
    return ExpenseDraft("Dinner", amount, SplitType.EQUAL, date="2026-11-21")


def _id(thing: Expense | Settlement) -> str:
    return thing.id


Rebasing.TestCase.settings = settings(max_examples=35, stateful_step_count=30, deadline=None)
TestRebasing = Rebasing.TestCase
