"""Commands that wait for the same group, so that whoever's turn it is can carry out several at once.

While some of a busy group's commands are made durable, others gather. One commit then serves all of those, and one
write to each socket. In a group that isn't busy nobody waits, and nothing is different.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from persplit.ledger.commands import (
    CancelSettlement,
    Command,
    ConfirmSettlement,
    CreateExpense,
    CreateSettlement,
    DeclineSettlement,
    DeleteExpense,
    RestoreExpense,
    UpdateExpense,
)
from persplit.ledger.events import Noun
from persplit.service.command_request import CommandRequest, Outcome

TOGETHER_MAX: Final = 16
"""Commands carried out at once: enough to share a commit, few enough that a group is read and served in between."""


@dataclass(slots=True, eq=False)
class Companion:
    """A command that waits. `is_taken`: somebody else's turn has come, and tries to carry this one out too."""

    request: CommandRequest
    is_taken: bool = False
    outcome: Outcome | None = None


class Companions:
    """Who waits for which group, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[Companion, None]] = {}

    def enter(self, request: CommandRequest) -> Companion:
        """Begin to wait."""
        companion = Companion(request)
        if subject_of_command(request.command) is not None:  # who comes and goes is nothing to do on the side
            self._waiting.setdefault(request.group_id, {})[companion] = None
        return companion

    def leave(self, companion: Companion) -> None:
        """Wait no more."""
        waiting = self._waiting.get(companion.request.group_id)
        if waiting is not None and waiting.pop(companion, companion) is None and not waiting:
            del self._waiting[companion.request.group_id]

    def lot_of(self, companion: Companion) -> Sequence[Companion]:
        """What to carry out together when it is the companion's turn; empty where it has been tried with others."""
        if companion.is_taken:
            return ()
        waiting = self._waiting.get(companion.request.group_id, {})
        lot: list[Companion] = []
        for one in waiting:
            if len(lot) == TOGETHER_MAX:
                break
            if not one.is_taken:
                one.is_taken = True
                lot.append(one)
        return lot


def subject_of_command(command: Command) -> tuple[Noun, str] | None:
    """The expense or the payment that the command names."""
    match command:
        case (
            CreateExpense(expense_id=id_)
            | UpdateExpense(expense_id=id_)
            | DeleteExpense(expense_id=id_)
            | RestoreExpense(expense_id=id_)
        ):
            return Noun.EXPENSE, id_
        case (
            CreateSettlement(settlement_id=id_)
            | ConfirmSettlement(settlement_id=id_)
            | DeclineSettlement(settlement_id=id_)
            | CancelSettlement(settlement_id=id_)
        ):
            return Noun.SETTLEMENT, id_
        case _:
            return None
