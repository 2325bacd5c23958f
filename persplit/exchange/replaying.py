"""Deciding commands one after the other on a state that nobody else sees, to be recorded together."""

from dataclasses import dataclass

from persplit.ledger.commands import Command
from persplit.ledger.comment import Comment, Thread
from persplit.ledger.decide import Asked, Subject, decide
from persplit.ledger.events import (
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


@dataclass(frozen=True, slots=True)
class Step:
    """An event that is to be recorded, under this command id."""

    command_id: str
    event: Event


class Replay:
    """A group and what is to happen in it, each command deciding on what those before have made of it."""

    def __init__(self, state: GroupState, actor_id: str, now: str) -> None:
        self.state = state
        self.steps: list[Step] = []
        self.actor_id = actor_id
        self.now = now
        self._things: dict[str, Expense | Settlement] = {}
        self._comments: dict[str, dict[str, Comment]] = {}

    def know(self, thing: Expense | Settlement) -> None:
        """Take in the present version of something that commands are going to name."""
        self._things[thing.id] = thing

    def has_expense(self, expense_id: str) -> bool:
        """Whether an expense is known under this id."""
        return isinstance(self._things.get(expense_id), Expense)

    def _subject(self, command: Command) -> Subject | None:
        named = subject_of_command(command)
        if named is None:
            return None
        noun, id_ = named
        if noun is Noun.LOAN:
            return self.state.loans.get(id_)
        thing = self._things.get(id_)
        if noun is not Noun.COMMENT:
            return thing
        comments = tuple(self._comments.get(id_, {}).values())
        return Thread(thing if isinstance(thing, Expense) else None, comments)

    def do(self, command: Command, prefix: str, *, by: str | None = None, at: str | None = None) -> None:
        """Decide a command as if `by` had asked for it at `at`: the actor, now, unless told.

        Its id is the prefix and the seq of its event.

        Raises:
            LedgerError: it is refused; nothing has changed.

        """
        asked = Asked(by or self.actor_id, at or self.now, self._subject(command))
        event = decide(self.state, command, asked)
        command_id = f"{prefix} {self.state.seq + 1}"
        self.state = apply(
            self.state,
            RecordedEvent(
                self.state.group_id, self.state.seq + 1, self.now, self.actor_id, command_id, "", event
            ),
        )
        self.steps.append(Step(command_id, event))
        if isinstance(event, CommentAdded | CommentDeleted):
            self._comments.setdefault(event.comment.expense_id, {})[event.comment.id] = event.comment
        thing = _thing_of(event)
        if thing is not None:
            self.know(thing)


def _thing_of(event: Event) -> Expense | Settlement | None:
    match event:
        case ExpenseUpdated(after=after):
            return after
        case ExpenseCreated() | ExpenseDeleted() | ExpenseRestored():
            return event.expense
        case _ if isinstance(event, SettlementEvent):
            return event.settlement
        case _:
            return None
