"""Why this person pays that one: the debts behind a row of the plan, and the expenses behind each debt.

A plan with the fewest transfers may ask somebody to pay a person whom they owe nothing directly. What holds,
row by row: the payer owes what their debts say, the receiver is owed what their debts say, and the plan lets
the one pay the other. So an explanation has both people's netted debts, each with all that made it up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from persplit.ledger import debts as debt
from persplit.ledger.debts import Debt
from persplit.ledger.events import (
    ExpenseCreated,
    ExpenseDeleted,
    ExpenseRestored,
    ExpenseUpdated,
    RecordedEvent,
    SettlementCompleted,
)
from persplit.ledger.expense import Expense
from persplit.ledger.settlement import Settlement
from persplit.ledger.state import GroupState, apply


class Source(StrEnum):
    """What kind of thing moved a debt."""

    EXPENSE = "expense"
    SETTLEMENT = "settlement"
    HANDOVER = "handover"
    """Somebody left at zero, and their debtors now owe their creditors."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing's part in a debt, minor units; negative where it lowers it."""

    source: Source
    source_id: str
    description: str
    date: str
    amount: int


@dataclass(frozen=True, slots=True)
class ExplainedDebt:
    """A netted debt; the causes' amounts sum to `amount`."""

    debtor_id: str
    creditor_id: str
    amount: int
    causes: tuple[Cause, ...]


_Key: TypeAlias = tuple[Source, str]


@dataclass
class DebtTrace:
    """Follows a ledger from its first event and keeps what moved each debt of the people in `people`.

    Feed it every event in order; it holds the state as well, so one pass does both.
    """

    people: frozenset[str]
    state: GroupState | None = None
    _causes: dict[_Key, tuple[str, str]] = field(default_factory=dict)
    _moved: dict[tuple[str, str], dict[_Key, int]] = field(default_factory=dict)

    def feed(self, events: Iterable[RecordedEvent]) -> None:
        """Take the next events of the ledger."""
        for recorded in events:
            before = self.state
            self.state = apply(before, recorded)
            if before is not None:
                self._trace(before, self.state, recorded)

    def debts(self) -> list[ExplainedDebt]:
        """The debts that concern the people, with their causes, in order of debtor and creditor."""
        if self.state is None:
            return []
        return [
            ExplainedDebt(debtor, creditor, amount, self._causes_of(debtor, creditor))
            for debtor, creditor, amount in debt.rows(self.state.debts)
            if self.people & {debtor, creditor}
        ]

    def _trace(self, before: GroupState, after: GroupState, recorded: RecordedEvent) -> None:
        source, made = _moves(recorded)
        if source is not None:
            self._causes[source.key] = (source.description, source.date)
            for debtor, creditor, amount in made:
                self._move(after.canonical(debtor), after.canonical(creditor), source.key, amount)
        if after.claims != before.claims:
            self._rename(after.claims)
        self._balance_out(before, after, recorded)

    def _move(self, debtor: str, creditor: str, key: _Key, amount: int) -> None:
        low, high = sorted((debtor, creditor))
        moved = self._moved.setdefault((low, high), {})
        moved[key] = moved.get(key, 0) + (amount if debtor == low else -amount)

    def _rename(self, claims: Mapping[str, str]) -> None:
        old, self._moved = self._moved, {}
        for (low, high), moved in old.items():
            for key, amount in moved.items():
                self._move(claims.get(low, low), claims.get(high, high), key, amount)

    def _balance_out(self, before: GroupState, after: GroupState, recorded: RecordedEvent) -> None:
        """What the causes don't add up to was handed over by somebody who has left."""
        if before.debts is after.debts or all(member.is_active for member in after.members.values()):
            return
        key = (Source.HANDOVER, str(recorded.seq))
        for pair in set(self._moved) | {_pair(row) for row in debt.rows(after.debts)}:
            low, high = pair
            owed = after.debts.get(low, {}).get(high, 0) - after.debts.get(high, {}).get(low, 0)
            missing = owed - sum(self._moved.get(pair, {}).values())
            if missing:
                self._causes[key] = ("handed over by somebody who left", recorded.at[:10])
                self._move(low, high, key, missing)

    def _causes_of(self, debtor: str, creditor: str) -> tuple[Cause, ...]:
        low, high = sorted((debtor, creditor))
        sign = 1 if debtor == low else -1
        return tuple(
            Cause(key[0], key[1], *self._causes[key], sign * amount)
            for key, amount in self._moved.get((low, high), {}).items()
            if amount
        )


@dataclass(frozen=True, slots=True)
class _Moved:
    key: _Key
    description: str
    date: str


def _moves(recorded: RecordedEvent) -> tuple[_Moved | None, list[Debt]]:
    """The thing that moved debts in this event, and the debts that it added (negative: took back)."""
    match recorded.event:
        case ExpenseCreated(expense=expense) | ExpenseRestored(expense=expense):
            return _of_expense(expense), list(debt.debts_of(expense))
        case ExpenseDeleted(expense=expense):
            return _of_expense(expense), _taken_back(expense)
        case ExpenseUpdated(before=before, after=after):
            return _of_expense(after), [*_taken_back(before), *debt.debts_of(after)]
        case SettlementCompleted(settlement=settlement):
            return _of_settlement(settlement), [(settlement.to_id, settlement.from_id, settlement.moved)]
        case _:
            return None, []


def _taken_back(expense: Expense) -> list[Debt]:
    return [(debtor, creditor, -amount) for debtor, creditor, amount in debt.debts_of(expense)]


def _of_expense(expense: Expense) -> _Moved:
    return _Moved((Source.EXPENSE, expense.id), expense.description, expense.date)


def _of_settlement(settlement: Settlement) -> _Moved:
    return _Moved(
        (Source.SETTLEMENT, settlement.id), settlement.note or "payment", settlement.updated_at[:10]
    )


def _pair(row: Debt) -> tuple[str, str]:
    low, high = sorted(row[:2])
    return low, high
