"""A group's expenses and payments as a CSV: one row each, and for everybody what they paid and what it was for.

Columns `Paid by …` and `Paid for …` hold several payers and exact shares, so that the balances follow from the table:
a person's is the sum of the one less the sum of the other. Of money that came in, a refund or an income, those it
belongs to count as having paid, for who received it. Loans stand beside the balances and are not in it, nor is what of
a payment repaid one.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from persplit.ledger.expense import Expense, ExpenseKind, Posting
from persplit.ledger.money import decimal_text
from persplit.ledger.settlement import Settlement, SettlementStatus
from persplit.ledger.state import GroupState

BOM: Final = "\ufeff"
"""Before a table, some spreadsheets need it to read UTF-8."""
HEADER: Final = ("Date", "Type", "Description", "Category", "Currency", "Amount", "Split", "Notes")
PAID_BY: Final = "Paid by "
PAID_FOR: Final = "Paid for "
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_ESCAPE: Final = "'"


def table_of(state: GroupState, names: Mapping[str, str], things: Iterable[Expense | Settlement]) -> str:
    """The table, all that counts in it: deleted expenses and payments that aren't confirmed are left out.

    Args:
        state: the group.
        names: user id → name, of everybody who is or was in it.
        things: its expenses and settlements in their present version, oldest first.

    """
    people = _columns(state, names)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    shown = [safe(name) for name in people.values()]
    writer.writerow([*HEADER, *(f"{PAID_BY}{n}" for n in shown), *(f"{PAID_FOR}{n}" for n in shown)])
    for thing in things:
        if isinstance(thing, Expense):
            if thing.deleted_at is None:
                writer.writerow(_expense(state, list(people), thing))
        elif thing.status is SettlementStatus.COMPLETED and thing.moved:
            writer.writerow(_payment(state, list(people), thing))
    return text.getvalue()


def safe(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula: with an apostrophe before what could begin one."""
    return f"{_ESCAPE}{text}" if text.startswith(_FORMULA) else text


def _columns(state: GroupState, names: Mapping[str, str]) -> dict[str, str]:
    """User id → what the column is called; of equal names the later ones have a number."""
    counted: Counter[str] = Counter()
    columns = {}
    for user_id in state.members:
        if state.canonical(user_id) == user_id:
            name = names[user_id]
            counted[name] += 1
            columns[user_id] = name if counted[name] == 1 else f"{name} #{counted[name]}"
    return columns


def _expense(state: GroupState, people: Sequence[str], expense: Expense) -> list[str]:
    given, taken = expense.payers, expense.shares
    if expense.kind is not ExpenseKind.EXPENSE:
        given, taken = taken, given
    return [
        expense.date,
        expense.kind.value.lower(),
        safe(expense.description),
        safe(expense.category or ""),
        state.settings.currency,
        decimal_text(expense.amount, state.settings.currency),
        expense.split_type.value,
        safe(expense.notes or ""),
        *_cells(state, people, given),
        *_cells(state, people, taken),
    ]


def _payment(state: GroupState, people: Sequence[str], paid: Settlement) -> list[str]:
    return [
        paid.created_at[:10],
        "payment",
        safe(paid.note or ""),
        "",
        state.settings.currency,
        decimal_text(paid.moved, state.settings.currency),
        "",
        f"UTR {paid.utr}" if paid.utr else "",
        *_cells(state, people, [Posting(paid.from_id, paid.moved)]),
        *_cells(state, people, [Posting(paid.to_id, paid.moved)]),
    ]


def _cells(state: GroupState, people: Sequence[str], postings: Iterable[Posting]) -> list[str]:
    amounts: dict[str, int] = {}
    for posting in postings:
        user_id = state.canonical(posting.user_id)
        amounts[user_id] = amounts.get(user_id, 0) + posting.amount
    return [
        decimal_text(amounts[user_id], state.settings.currency) if amounts.get(user_id) else ""
        for user_id in people
    ]
