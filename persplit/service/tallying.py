"""What an event does to the tallies. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from persplit.ledger.events import (
    Event,
    ExpenseCreated,
    ExpenseDeleted,
    ExpenseRestored,
    ExpenseUpdated,
    RecordedEvent,
    SettlementCompleted,
)
from persplit.ledger.expense import Expense
from persplit.ledger.state import GroupState, apply
from persplit.service.tallies import Cell, CellKind, GroupTally, Step, Sums


def followed(
    before: GroupState | None, events: Iterable[RecordedEvent]
) -> tuple[GroupState | None, Sequence[Step]]:
    """The state after the events, and what each does to the tallies."""
    state, steps = before, list[Step]()
    for recorded in events:
        state = apply(state, recorded)
        steps.append((recorded.seq, changes_of(recorded, state.settings.currency)))
    return state, steps


def changes_of(recorded: RecordedEvent, currency: str) -> Mapping[Cell, Sums]:
    """By how much the event changes which cells, in a group with this currency."""
    changes = {Cell(CellKind.EVENTS, recorded.at[:10]): Sums(1)}
    for expense, sign in _versions(recorded.event):
        for cell, sums in _cells(expense, sign, currency):
            changes[cell] = changes.get(cell, Sums(0)) + sums
    if isinstance(recorded.event, SettlementCompleted):
        settled = Cell(CellKind.SETTLED, recorded.at[:10], currency=currency)
        changes[settled] = Sums(1, recorded.event.settlement.amount)
    return {cell: sums for cell, sums in changes.items() if sums != Sums(0)}


def tally_of(state: GroupState) -> GroupTally:
    """How the group stands."""
    owed = [-balance for balance in state.balances.values() if balance < 0]
    return GroupTally(
        group_id=state.group_id,
        seq=state.seq,
        at=state.at,
        currency=state.settings.currency,
        members=len(state.active()),
        outstanding=sum(owed),
        debtors=len(owed),
        pending=len(state.pending),
        is_archived=state.settings.archived_at is not None,
    )


def _versions(event: Event) -> Iterator[tuple[Expense, int]]:
    """The versions that begin (1) or cease (-1) to count."""
    match event:
        case ExpenseUpdated(before=before, after=after):
            yield before, -1
            yield after, 1
        case ExpenseDeleted(expense=expense):
            yield expense, -1
        case ExpenseCreated(expense=expense) | ExpenseRestored(expense=expense):
            yield expense, 1


def _cells(expense: Expense, sign: int, currency: str) -> Iterator[tuple[Cell, Sums]]:
    yield Cell(CellKind.EXPENSES, expense.date, currency=currency), Sums(sign, sign * expense.spent)
    way = sign if expense.spent > 0 else -sign
    for paid in expense.payers:
        yield Cell(CellKind.PAID, expense.date, paid.user_id, currency), Sums(sign, way * paid.amount)
