"""Taking an import back as a whole: by new events, like everything else. Pure."""

from collections.abc import Mapping, Sequence

from persplit.exchange.identity import reversal_id, undo_prefix
from persplit.exchange.replaying import Replay, Step
from persplit.ledger.commands import (
    CancelSettlement,
    ChangeUnit,
    Command,
    ConfirmSettlement,
    CreateSettlement,
    DeleteExpense,
    DeleteLoan,
    DeletePreset,
    RemoveMember,
)
from persplit.ledger.errors import Forbidden, LedgerError
from persplit.ledger.events import (
    ExpenseCreated,
    LoanCreated,
    MemberJoined,
    MemberUpdated,
    Noun,
    PresetSaved,
    RecordedEvent,
    SettlementCreated,
)
from persplit.ledger.expense import Expense
from persplit.ledger.settlement import NOTE_LENGTH_MAX, Settlement, SettlementStatus
from persplit.ledger.state import GroupState


def undo_steps(
    state: GroupState,
    events: Sequence[RecordedEvent],
    present: Mapping[tuple[Noun, str], Expense | Settlement],
    import_id: str,
    actor_id: str,
    now: str,
) -> list[Step]:
    """What takes back all that an import made: none if that was done.

    Expenses and loans are deleted, whoever has changed them since. Payments that count are paid back by a second one, those
    that wait are cancelled. Presets go, and placeholders unless somebody has claimed them or they have other dealings.

    Args:
        state: the group now.
        events: those of the import, oldest first.
        present: what they made, in its present version; and reversals that are there.
        import_id: whose.
        actor_id: an admin.
        now: RFC 3339 UTC.

    Raises:
        LedgerError: it can't be taken back as a whole.

    """
    if not state.is_admin(actor_id):
        raise Forbidden("only an admin of the group can undo an import")
    undoing = _Undoing(Replay(state, actor_id, now), import_id, present)
    for recorded in reversed(events):
        undoing.take(recorded)
    for recorded in events:
        if isinstance(recorded.event, MemberJoined):
            undoing.remove(recorded.event.member.user_id)
    return undoing.replay.steps


class _Undoing:
    def __init__(
        self, replay: Replay, import_id: str, present: Mapping[tuple[Noun, str], Expense | Settlement]
    ) -> None:
        self.replay = replay
        self._import_id = import_id
        self._present = present

    def take(self, recorded: RecordedEvent) -> None:
        """Take back what the event made."""
        match recorded.event:
            case ExpenseCreated(expense=made):
                expense = self._present[Noun.EXPENSE, made.id]
                if isinstance(expense, Expense) and expense.deleted_at is None:
                    self.replay.know(expense)
                    self._do(DeleteExpense(expense.id))
            case SettlementCreated(settlement=made_payment):
                settlement = self._present[Noun.SETTLEMENT, made_payment.id]
                if isinstance(settlement, Settlement):
                    self._take_back(settlement)
            case LoanCreated(loan=lent):
                loan = self.replay.state.loans.get(lent.id)
                if loan is not None and loan.deleted_at is None:
                    self._do(DeleteLoan(loan.id))
            case MemberUpdated(before=before, after=after):
                member = self.replay.state.members[after.user_id]
                if member.is_active and member.unit == after.unit:
                    self._do(ChangeUnit(after.user_id, before.unit))
            case PresetSaved(preset=preset) if preset.id in self.replay.state.presets:
                self._do(DeletePreset(preset.id))

    def remove(self, user_id: str) -> None:
        """Let a placeholder go who has nothing to do here any more."""
        member = self.replay.state.members[user_id]
        if member.is_active and member.placeholder:
            try:
                self._do(RemoveMember(user_id))
            except LedgerError:
                return  # they are part of something that isn't the import's

    def _take_back(self, settlement: Settlement) -> None:
        self.replay.know(settlement)
        state = self.replay.state
        if settlement.status is SettlementStatus.PENDING:
            self._do(CancelSettlement(settlement.id), by=state.canonical(settlement.from_id))
            return
        id_ = reversal_id(settlement.id)
        if not settlement.moved:
            return  # it only repaid a loan, which goes
        if settlement.status is not SettlementStatus.COMPLETED or (Noun.SETTLEMENT, id_) in self._present:
            return
        note = f"Taken back: {settlement.note or 'a payment'}"[:NOTE_LENGTH_MAX]
        back = CreateSettlement(id_, settlement.from_id, settlement.moved, settlement.to_id, note)
        self._do(back)
        self._do(ConfirmSettlement(id_), by=state.canonical(settlement.from_id))

    def _do(self, command: Command, by: str | None = None) -> None:
        self.replay.do(command, undo_prefix(self._import_id), by=by)
