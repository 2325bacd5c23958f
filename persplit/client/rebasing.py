"""Provisional state: what the server has, and then each waiting command decided on top of it, in order.

Pure. It is thrown away and made anew whenever the server's part changes, so nothing of a command is ever counted
beside its event: a command leaves the outbox in the transaction that takes in what it caused.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from persplit.client.outbox import Queued
from persplit.ledger.comment import Comment, Thread
from persplit.ledger.decide import Asked, Subject, decide
from persplit.ledger.errors import LedgerError
from persplit.ledger.events import (
    AttachmentAdded,
    AttachmentRemoved,
    CommentAdded,
    CommentDeleted,
    Event,
    ExpenseCreated,
    ExpenseDeleted,
    ExpenseRestored,
    ExpenseUpdated,
    Noun,
    RecordedEvent,
    SettlementEvent,
)
from persplit.ledger.expense import Expense
from persplit.ledger.settlement import Settlement
from persplit.ledger.state import GroupState, apply
from persplit.ledger.subjects import subject_of_command

Thing: TypeAlias = Expense | Settlement
Key: TypeAlias = tuple[Noun, str]
Lookup: TypeAlias = Callable[[Noun, str], Thing | None]
"""The server's present version of an expense or settlement."""
Comments: TypeAlias = Callable[[str], Iterable[Comment]]
"""The server's comments on an expense, deleted ones too, oldest first."""


class Provisional:
    """A group as it will be if the server takes every waiting command.

    `events` are the waiting commands' own, with the seqs that they would get now. `things` holds the expenses and
    settlements that they change, `changed_by` the commands that did. `doubts` are the commands that don't fit any
    more, with the reason; they change nothing here.
    """

    def __init__(
        self,
        group_id: str,
        me: str,
        my_name: str,
        server: GroupState | None,
        lookup: Lookup,
        comments: Comments = lambda _: (),
    ) -> None:
        self.state = server
        self.things: dict[Key, Thing] = {}
        self.changed_by: dict[Key, list[str]] = {}
        self.events: list[RecordedEvent] = []
        self.doubts: dict[str, LedgerError] = {}
        self._group_id = group_id
        self._me = me
        self._my_name = my_name
        self._lookup = lookup
        self._comments = comments

    def thing(self, noun: Noun, id_: str) -> Thing | None:
        """The expense or settlement as the waiting commands leave it."""
        key = (noun, id_)
        return self.things[key] if key in self.things else self._lookup(noun, id_)

    def decided(self, queued: Queued) -> RecordedEvent:
        """The event that the command would make now; nothing changes. Raises `LedgerError`."""
        command = queued.command(self._my_name)
        noun_id = subject_of_command(command)
        subject = None if noun_id is None else self._subject(*noun_id)
        now = max(queued.at, self.state.at) if self.state else queued.at
        event = decide(self.state, command, Asked(self._me, now, subject))
        seq = self.state.seq + 1 if self.state else 1
        return RecordedEvent(self._group_id, seq, now, self._me, queued.command_id, "", event)

    def _subject(self, noun: Noun, id_: str) -> Subject | None:
        if noun is Noun.LOAN:
            return None if self.state is None else self.state.loans.get(id_)
        return self.thread(id_) if noun is Noun.COMMENT else self.thing(noun, id_)

    def thread(self, expense_id: str) -> Thread:
        """An expense with its comments as the waiting commands leave them."""
        expense = self.thing(Noun.EXPENSE, expense_id)
        comments = {comment.id: comment for comment in self._comments(expense_id)}
        for recorded in self.events:
            event = recorded.event
            if isinstance(event, CommentAdded | CommentDeleted) and event.comment.expense_id == expense_id:
                comments[event.comment.id] = event.comment
        return Thread(expense if isinstance(expense, Expense) else None, tuple(comments.values()))

    def take(self, recorded: RecordedEvent) -> None:
        """Apply what `decided` gave."""
        self.state = apply(self.state, recorded)
        self.events.append(recorded)
        thing = thing_of(recorded.event)
        if thing is not None:
            key = (Noun.EXPENSE if isinstance(thing, Expense) else Noun.SETTLEMENT, thing.id)
            self.things[key] = thing
            self.changed_by.setdefault(key, []).append(recorded.command_id)

    def rebase(self, waiting: Iterable[Queued]) -> None:
        """Decide each waiting command, oldest first; one that doesn't fit is doubted and passed over."""
        for queued in waiting:
            try:
                self.take(self.decided(queued))
            except LedgerError as error:
                self.doubts[queued.command_id] = error


def thing_of(event: Event) -> Thing | None:
    """The expense or settlement as the event left it."""
    match event:
        case ExpenseUpdated(after=after):
            return after
        case (
            ExpenseCreated() | ExpenseDeleted() | ExpenseRestored() | AttachmentAdded() | AttachmentRemoved()
        ):
            return event.expense
        case _ if isinstance(event, SettlementEvent):
            return event.settlement
        case _:
            return None
