"""Settlements of less and of more than a row of the plan: the plan follows, and too much turns the sign."""

from hypothesis import assume, given
from hypothesis import strategies as st

from persplit.ledger.commands import ConfirmSettlement, CreateExpense, CreateSettlement, UpdateGroup
from persplit.ledger.plan import Transfer
from persplit.ledger.state import plan_of
from persplit.ledger.units import balances_by_unit
from tests.ledger.given import ASHA, LONG_PROPERTY, RAVI, TRIP, Ledger, histories, ledger_of, shared


def pay(ledger: Ledger, row: Transfer, amount: int) -> None:
    """Say that it was paid, and let the receiver, or an admin for a placeholder, confirm."""
    receiver = ledger.group.members[row.to_id]
    id_ = f"paid {ledger.seq}"
    ledger.do("u1", CreateSettlement(id_, row.to_id, amount, from_id=row.from_id))
    ledger.do("u1" if receiver.placeholder else row.to_id, ConfirmSettlement(id_))


@given(histories(), st.data())
@LONG_PROPERTY
def test_any_payment_moves_two_balances_and_the_plan_settles_the_rest(
    ledger: Ledger, data: st.DataObject
) -> None:
    rows = plan_of(ledger.group).transfers
    assume(rows and not ledger.group.settings.archived_at)
    row = data.draw(st.sampled_from(rows))
    amount = data.draw(st.integers(1, 2 * row.amount))
    before = ledger.group.balances
    pay(ledger, row, amount)
    after = ledger.group.balances
    moved = {user: after[user] - before[user] for user in after if after[user] != before[user]}
    assert moved == {row.from_id: amount, row.to_id: -amount}
    planned = plan_of(ledger.group).transfers
    if ledger.group.settings.simplify:
        if amount <= row.amount:
            others = [one for one in planned if (one.from_id, one.to_id) != (row.from_id, row.to_id)]
            assert others == [one for one in rows if one != row]
        settled = dict(after)
        for one in planned:
            settled[one.from_id] += one.amount
            settled[one.to_id] -= one.amount
        assert not any(balances_by_unit(settled, ledger.group.settles_as).values())


def test_part_after_part_the_row_goes_and_too_much_turns_it_round() -> None:
    for simplify in (True, False):
        ledger = ledger_of(*TRIP, UpdateGroup(simplify=simplify))
        ledger.do(ASHA, CreateExpense("e1", shared(600, ASHA, RAVI)))
        seen = []
        for number, amount in enumerate((100, 150, 80)):
            ledger.do(RAVI, CreateSettlement(str(number), ASHA, amount))
            ledger.do(ASHA, ConfirmSettlement(str(number)))
            seen.append([(row.from_id, row.to_id, row.amount) for row in plan_of(ledger.group).transfers])
        assert seen == [[(RAVI, ASHA, 200)], [(RAVI, ASHA, 50)], [(ASHA, RAVI, 30)]]
        assert ledger.group.balances[RAVI] == 30
