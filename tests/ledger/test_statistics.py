"""What a group spent: no unit too many or too few, whatever was edited, deleted, restored and claimed."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from persplit.ledger.commands import DeleteExpense
from persplit.ledger.debts import net_of
from persplit.ledger.expense import Expense, ExpenseKind
from persplit.ledger.statistics import CategoryTotal, MemberTotal, MonthTotal, Statistics, statistics_of
from tests.ledger.given import (
    ASHA,
    LONG_PROPERTY,
    MEERA,
    RAVI,
    TRIP,
    Ledger,
    histories,
    ledger_of,
    shared,
    spent,
)


def of(ledger: Ledger, me: str) -> Statistics:
    return statistics_of(ledger.expenses.values(), me, ledger.group.canonical)


def test_nothing_was_spent() -> None:
    assert of(ledger_of(*TRIP), ASHA) == Statistics(0, 0, 0, 0, (), (), ())


def test_what_a_trip_came_to() -> None:
    ledger = ledger_of(
        *TRIP,
        spent("e1", replace(shared(900), date="2026-02-28", category="Dinner")),
        (RAVI, spent("e2", replace(shared(300, ASHA, RAVI), date="2026-03-01", category="food"))),
        (MEERA, spent("e3", replace(shared(50, MEERA), date="2026-03-02"))),
        spent("e4", shared(70)),
        DeleteExpense("e4"),
    )
    ledger.do(MEERA, spent("e5", replace(shared(30, MEERA), date="2026-03-03", kind=ExpenseKind.REFUND)))
    assert of(ledger, MEERA).paid == 20
    ledger.do(MEERA, DeleteExpense("e5"))
    assert of(ledger, ASHA) == Statistics(
        count=3,
        amount=1250,
        paid=900,
        share=450,
        categories=(CategoryTotal("food", 2, 1200), CategoryTotal(None, 1, 50)),
        members=(
            MemberTotal(ASHA, 2, 900, 450),
            MemberTotal(RAVI, 2, 300, 450),
            MemberTotal(MEERA, 2, 50, 350),
        ),
        months=(MonthTotal("2026-02", 1, 900, 900, 300), MonthTotal("2026-03", 2, 350, 0, 150)),
    )


@LONG_PROPERTY
@given(histories(), st.sampled_from(["u1", "u2", "u4"]))
def test_every_unit_is_counted_once_by_whichever_way_one_adds(ledger: Ledger, me: str) -> None:
    counting = [it for it in ledger.expenses.values() if it.deleted_at is None]
    found = of(ledger, me)
    assert found.count == len(counting)
    assert found.amount == sum(it.spent for it in counting)
    assert found.amount == sum(it.amount for it in found.categories) == sum(it.amount for it in found.months)
    assert found.amount == sum(it.paid for it in found.members) == sum(it.share for it in found.members)
    mine = next((it for it in found.members if it.user_id == me), MemberTotal(me, 0, 0, 0))
    assert (found.paid, found.share) == (mine.paid, mine.share)
    assert (mine.paid, mine.share) == (
        sum(it.paid for it in found.months),
        sum(it.share for it in found.months),
    )
    assert {it.user_id: it.paid - it.share for it in found.members if it.paid != it.share} == net(
        ledger, counting
    )


def net(ledger: Ledger, expenses: list[Expense]) -> dict[str, int]:
    """What the balances are made of, counted plainly."""
    total: dict[str, int] = {}
    for expense in expenses:
        for user_id, amount in net_of(expense).items():
            user = ledger.group.canonical(user_id)
            total[user] = total.get(user, 0) + amount
    return {user: amount for user, amount in total.items() if amount}
