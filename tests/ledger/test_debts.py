"""Pairwise debts: netted, in one direction, and together saying what the balances say."""

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persplit.ledger import debts as debt
from persplit.ledger.commands import DeleteExpense, RemoveMember, UpdateExpense
from persplit.ledger.debts import Debt, Debts
from persplit.ledger.expense import Expense, SplitType
from tests.ledger.given import (
    ASHA,
    CLAIMED,
    GUEST,
    JON,
    LONG_PROPERTY,
    MEERA,
    PAIRWISE,
    PROPERTY,
    RAVI,
    TRIP,
    WITH_GUEST,
    Ledger,
    amounts,
    crowds,
    cut,
    histories,
    instant,
    ledger_of,
    postings,
    shared,
    spent,
)


def assert_sound(debts: Debts) -> None:
    """Positive, one direction a pair, none to oneself, nothing empty."""
    for debtor, owed in debts.items():
        assert owed
        for creditor, amount in owed.items():
            assert amount > 0
            assert debtor != creditor
            assert debtor not in debts.get(creditor, {})


def net(rows: Iterable[Debt]) -> dict[str, int]:
    """What each person is owed, less what they owe; who is even is left out."""
    balances: Counter[str] = Counter()
    for debtor, creditor, amount in rows:
        balances[creditor] += amount
        balances[debtor] -= amount
    return {user: amount for user, amount in balances.items() if amount}


def expense_of(paid: dict[str, int], borne: dict[str, int]) -> Expense:
    """An expense with these payers and shares."""
    return Expense(
        id="e1",
        seq=2,
        description="Dinner",
        amount=sum(paid.values()),
        payers=postings(paid),
        split_type=SplitType.EXACT,
        participants=tuple(borne),
        splits=(),
        items=(),
        include_payer=True,
        date="2026-03-01",
        category=None,
        notes=None,
        shares=postings(borne),
        created_by=ASHA,
        created_at=instant(2),
        updated_at=instant(2),
    )


@st.composite
def expenses(draw: st.DrawFn) -> Expense:
    """Anybody pays, anybody bears, to the same sum."""
    amount = draw(amounts)
    paid = draw(crowds().flatmap(lambda users: cut(amount, users)))
    borne = draw(crowds().flatmap(lambda users: cut(amount, users)))
    return expense_of(paid, borne)


debt_lists = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.integers(-5, 5)), max_size=30
)


@PROPERTY
@given(debt_lists, debt_lists)
def test_debts_stay_sound_whatever_is_added(first: list[Debt], more: list[Debt]) -> None:
    debts = debt.with_debts({}, first)
    assert_sound(debts)
    added = debt.with_debts(debts, more)
    assert_sound(added)
    assert net(debt.rows(added)) == net([*first, *more])


@PROPERTY
@given(debt_lists, debt_lists)
def test_adding_debts_changes_nothing_in_place(first: list[Debt], more: list[Debt]) -> None:
    debts = debt.with_debts({}, first)
    before = list(debt.rows(debts))
    debt.with_debts(debts, more)
    assert list(debt.rows(debts)) == before


@PROPERTY
@given(debt_lists, st.data())
def test_debts_do_not_depend_on_the_order_in_which_they_were_made(
    made: list[Debt], data: st.DataObject
) -> None:
    assert debt.with_debts({}, made) == debt.with_debts({}, data.draw(st.permutations(made)))


@PROPERTY
@given(debt_lists, debt_lists)
def test_debts_taken_back_are_as_if_never_made(kept: list[Debt], undone: list[Debt]) -> None:
    back = [(debtor, creditor, -amount) for debtor, creditor, amount in undone]
    assert debt.with_debts({}, [*kept, *undone, *back]) == debt.with_debts({}, kept)


@PROPERTY
@given(expenses())
def test_an_expense_makes_debts_that_say_what_it_nets_to(expense: Expense) -> None:
    made = debt.debts_of(expense)
    assert sum(debt.net_of(expense).values()) == 0
    assert net(made) == {user: amount for user, amount in debt.net_of(expense).items() if amount}
    assert all(amount > 0 for _, _, amount in made)
    assert len({row[:2] for row in made}) == len(made)
    assert not {debtor for debtor, _, _ in made} & {creditor for _, creditor, _ in made}


@PROPERTY
@given(expenses())
def test_a_debtor_owes_each_payer_in_proportion_to_what_that_one_is_over(expense: Expense) -> None:
    over = {user: amount for user, amount in debt.net_of(expense).items() if amount > 0}
    owing = {user: -amount for user, amount in debt.net_of(expense).items() if amount < 0}
    for debtor, creditor, amount in debt.debts_of(expense):
        # Each debtor's row is rounded by less than one unit, and hands what it was off on to the next.
        off = Fraction(owing[debtor] * over[creditor], sum(over.values())) - amount
        assert abs(off) <= len(owing)


@PROPERTY
@given(expenses(), st.data())
def test_an_expense_s_debts_do_not_depend_on_the_order_of_its_legs(
    expense: Expense, data: st.DataObject
) -> None:
    payers = {posting.user_id: posting.amount for posting in data.draw(st.permutations(expense.payers))}
    borne = {posting.user_id: posting.amount for posting in data.draw(st.permutations(expense.shares))}
    assert debt.debts_of(expense_of(payers, borne)) == debt.debts_of(expense)


@PROPERTY
@given(debt_lists.map(lambda made: debt.with_debts({}, made)))
def test_handing_over_takes_who_is_even_out_of_the_middle(debts: Debts) -> None:
    balances = net(debt.rows(debts))
    for user in "abcd":
        if user in balances:
            continue
        after = debt.with_debts(debts, debt.handed_over(debts, user))
        assert_sound(after)
        assert not any(user in row[:2] for row in debt.rows(after))
        assert net(debt.rows(after)) == balances


@PROPERTY
@given(debt_lists.map(lambda made: debt.with_debts({}, made)))
def test_renaming_moves_every_debt_and_no_other(debts: Debts) -> None:
    after = debt.with_debts(debts, debt.renamed(debts, "a", "z"))
    assert_sound(after)
    instead = {"a": "z"}
    wanted = {(instead.get(x, x), instead.get(y, y), amount) for x, y, amount in debt.rows(debts)}
    assert set(debt.rows(after)) == wanted


@LONG_PROPERTY
@given(histories())
def test_debts_are_sound_and_net_to_the_balances_at_every_seq(ledger: Ledger) -> None:
    replayed = Ledger()
    for recorded in ledger.events:
        state = replayed.record(recorded.by, recorded.event)
        assert_sound(state.debts)
        assert net(debt.rows(state.debts)) == {
            user: amount for user, amount in state.balances.items() if amount
        }


def test_one_payer_is_owed_by_everybody_else() -> None:
    made = debt.debts_of(expense_of({ASHA: 300}, {ASHA: 100, RAVI: 100, MEERA: 100}))
    assert made == [(MEERA, ASHA, 100), (RAVI, ASHA, 100)]


def test_two_payers_are_owed_in_proportion() -> None:
    made = debt.debts_of(expense_of({ASHA: 200, RAVI: 100}, {MEERA: 200, JON: 100}))
    assert made == [(JON, ASHA, 67), (JON, RAVI, 33), (MEERA, ASHA, 133), (MEERA, RAVI, 67)]


def test_a_payer_who_paid_less_than_their_share_owes_the_other() -> None:
    made = debt.debts_of(expense_of({ASHA: 90, RAVI: 10}, {ASHA: 50, RAVI: 50}))
    assert made == [(RAVI, ASHA, 40)]


def test_rounding_never_asks_for_more_than_a_payer_lacks() -> None:
    # Each of three owes 1 to two who are 1 and 2 over: the parts are all fractions, the columns still add up.
    made = debt.debts_of(expense_of({"x": 1, "y": 2}, {"a": 1, "b": 1, "c": 1}))
    assert made == [("a", "y", 1), ("b", "x", 1), ("c", "y", 1)]


def test_who_leaves_hands_their_debtors_over_to_their_creditors() -> None:
    # Meera owes Ravi 50 and Ravi owes Asha 50: Ravi is at zero and goes.
    ledger = ledger_of(
        *TRIP, spent("e1", shared(100, RAVI, MEERA, by=RAVI)), spent("e2", shared(100, ASHA, RAVI, by=ASHA))
    )
    assert list(debt.rows(ledger.group.debts)) == [(MEERA, RAVI, 50), (RAVI, ASHA, 50)]
    ledger.do(ASHA, RemoveMember(RAVI))
    assert list(debt.rows(ledger.group.debts)) == [(MEERA, ASHA, 50)]


def test_handing_over_splits_a_debt_among_several_creditors() -> None:
    debts = debt.with_debts({}, [("a", "m", 5), ("b", "m", 4), ("m", "x", 6), ("m", "y", 3)])
    after = debt.with_debts(debts, debt.handed_over(debts, "m"))
    assert list(debt.rows(after)) == [("a", "x", 5), ("b", "x", 1), ("b", "y", 3)]


def test_handing_over_nets_with_what_the_heirs_owe_already() -> None:
    debts = debt.with_debts({}, [("a", "m", 5), ("m", "x", 5), ("x", "a", 2)])
    assert list(debt.rows(debt.with_debts(debts, debt.handed_over(debts, "m")))) == [("a", "x", 3)]


@pytest.mark.parametrize("undo", [DeleteExpense("e1"), UpdateExpense("e1", shared(90, RAVI, by=RAVI))])
def test_an_expense_taken_back_takes_its_debts_back(undo: DeleteExpense | UpdateExpense) -> None:
    ledger = ledger_of(*TRIP, PAIRWISE, spent("e1", shared(100, by=ASHA)), undo)
    assert ledger.group.debts == {}


def test_a_claimed_placeholder_s_debts_are_the_claimer_s() -> None:
    ledger = ledger_of(
        *TRIP,
        WITH_GUEST,
        spent("e1", shared(100, ASHA, GUEST)),
        spent("e2", shared(60, GUEST, RAVI, by=GUEST)),
        CLAIMED,
    )
    assert list(debt.rows(ledger.group.debts)) == [(JON, ASHA, 50), (RAVI, JON, 30)]
