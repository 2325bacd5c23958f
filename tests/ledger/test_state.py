"""`apply`: balances and the plan as the events make them, whatever the history."""

import copy
import dataclasses
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persplit.ledger import state as states
from persplit.ledger.commands import (
    AddMember,
    ChangeRole,
    Command,
    ConfirmSettlement,
    CreateGroup,
    CreateSettlement,
    DeclineSettlement,
    DeleteExpense,
    RemoveMember,
    UpdateExpense,
    UpdateGroup,
)
from persplit.ledger.debts import rows
from persplit.ledger.events import (
    ExpenseDeleted,
    ExpenseRestored,
    MemberLeft,
    Noun,
    SettlementCompleted,
    is_creation,
    subject_of,
)
from persplit.ledger.group import Role
from persplit.ledger.plan import Plan, Transfer, settle_up_in_slices
from persplit.ledger.settlement import SettlementStatus
from persplit.ledger.slices import Work
from persplit.ledger.snapshot import state_from_json, state_to_json
from persplit.ledger.state import STEADY_PAYMENTS_MAX, GroupState, PlanBasis, apply, plan_of
from persplit.ledger.units import balances_by_unit
from tests.ledger.given import (
    ASHA,
    CLAIMED,
    GUEST,
    JON,
    LONG_PROPERTY,
    MEERA,
    PAIRWISE,
    RAVI,
    TRIP,
    WITH_GUEST,
    Ledger,
    Step,
    balanced,
    folded,
    histories,
    instant,
    ledger_of,
    shared,
    spent,
)


def assert_holds(state: GroupState) -> None:
    """What must hold of every state."""
    active = {person.user_id for person in state.active()}
    assert set(state.balances) == active
    assert sum(state.balances.values()) == 0
    assert {user for row in rows(state.debts) for user in row[:2]} <= active
    assert {user for s in state.pending.values() for user in (s.from_id, s.to_id)} <= active
    by_unit = balances_by_unit(state.balances, state.settles_as)
    assert settled(by_unit, plan_of(state)) == dict.fromkeys(by_unit, 0)


def settled(balances: Mapping[str, int], plan: Plan) -> dict[str, int]:
    """The balances when everybody has paid as the plan says."""
    left = dict(balances)
    for row in plan.transfers:
        assert row.amount > 0
        left[row.from_id] += row.amount
        left[row.to_id] -= row.amount
    return left


def plan_rows(state: GroupState) -> dict[tuple[str, str], int]:
    """Who pays whom how much."""
    return {(row.from_id, row.to_id): row.amount for row in plan_of(state).transfers}


def spending(balances: dict[str, int]) -> Ledger:
    """A group with these balances, founded by the first of them."""
    first, *others = balances
    ledger = Ledger()
    ledger.do(first, CreateGroup(first, "Goa"))
    for user_id in others:
        ledger.do(first, AddMember(user_id, user_id))
    for number, user_id in enumerate(others):
        amount = balances[user_id]
        if amount:
            payer, sharer = (user_id, first) if amount > 0 else (first, user_id)
            ledger.do(first, spent(f"e{number}", shared(abs(amount), sharer, by=payer)))
    return ledger


# --- every history


@LONG_PROPERTY
@given(histories())
def test_balances_sum_to_zero_and_who_left_has_nothing_at_every_seq(ledger: Ledger) -> None:
    state: GroupState | None = None
    for recorded in ledger.events:
        state = apply(state, recorded)
        assert (state.seq, state.at) == (recorded.seq, recorded.at)
        assert_holds(state)


@LONG_PROPERTY
@given(histories())
def test_a_state_is_never_changed_in_place(ledger: Ledger) -> None:
    state: GroupState | None = None
    for recorded in ledger.events:
        before, kept = state, copy.deepcopy(state)
        state = apply(state, recorded)
        assert before == kept


@LONG_PROPERTY
@given(histories())
def test_when_everybody_pays_as_planned_nobody_owes_anything(ledger: Ledger) -> None:
    group = ledger.settle()
    assert set(balances_by_unit(group.balances, group.settles_as).values()) <= {0}
    assert plan_of(group).transfers == ()
    assert group.debts == {} or group.settings.simplify or group.settles_as


@LONG_PROPERTY
@given(balanced(), st.sampled_from([UpdateGroup(simplify=True), PAIRWISE]), st.data())
def test_a_payment_as_planned_only_consumes_its_own_row(
    balances: dict[str, int], setting: UpdateGroup, data: st.DataObject
) -> None:
    ledger = spending(balances)
    first = next(iter(balances))
    ledger.do(first, setting)
    while wanted := plan_rows(ledger.group):
        chosen = data.draw(st.sampled_from(sorted(wanted)))
        amount = data.draw(st.just(wanted[chosen]) | st.integers(1, wanted[chosen]))
        ledger.pay(*chosen, amount)
        wanted[chosen] -= amount
        assert plan_rows(ledger.group) == {pair: left for pair, left in wanted.items() if left}
        ledger.state = state_from_json(state_to_json(ledger.group))
        ledger.do(first, UpdateGroup(name="Goa"))


# --- the plan and what moves it

OWED: tuple[Step, ...] = (
    *TRIP,
    spent("e1", shared(1000, RAVI, by=ASHA)),
    spent("e2", shared(600, MEERA, by=ASHA)),
)
"""Ravi owes Asha 1000, Meera owes her 600; the next event is 6."""


def test_a_plan_is_steady_past_any_number_of_payments(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = ledger_of(*OWED)
    for paid in range(1, 2 * STEADY_PAYMENTS_MAX + 3):
        ledger.pay(RAVI, ASHA, 1)
        assert len(ledger.group.basis.payments) == paid % STEADY_PAYMENTS_MAX
    assert ledger.group.basis.plan is not None
    monkeypatch.setattr(states, "settle_up_in_slices", lambda balances: pytest.fail("it was planned anew"))
    assert plan_rows(ledger.group) == {(RAVI, ASHA): 1000 - paid, (MEERA, ASHA): 600}


def test_however_often_a_row_of_payments_left_the_plan_applying_one_plans_no_more_than_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger = ledger_of(*OWED)
    planned: list[object] = []

    def counted(balances: Mapping[str, int]) -> Work[Plan]:
        planned.append(balances)
        return (yield from settle_up_in_slices(balances))

    monkeypatch.setattr(states, "settle_up_in_slices", counted)
    for _ in range(STEADY_PAYMENTS_MAX):
        planned.clear()
        ledger.pay(RAVI, MEERA, 2)
        assert len(planned) <= 1
    assert ledger.group.basis == PlanBasis(ledger.group.balances)
    ledger.pay(RAVI, ASHA, 872)
    ledger.pay(MEERA, ASHA, 700)
    assert plan_rows(ledger.group) == {(MEERA, ASHA): 28}


def test_a_long_row_of_payments_is_worked_into_the_plan_with_its_balances(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(states, "STEADY_PAYMENTS_MAX", 2)
    ledger = ledger_of(*OWED)
    ledger.pay(RAVI, ASHA, 1)
    ledger.pay(RAVI, ASHA, 2)
    assert ledger.group.basis.balances == ledger.group.balances
    assert ledger.group.basis.payments == ()
    # A payment beside the plan after that asks for a new one, of the balances as they are.
    ledger.pay(RAVI, MEERA, 100)
    assert ledger.group.balances == {ASHA: 1597, RAVI: -897, MEERA: -700}
    assert plan_rows(ledger.group) == {(RAVI, ASHA): 897, (MEERA, ASHA): 700}


@pytest.mark.parametrize(
    ("payment", "wanted"),
    [
        ((MEERA, RAVI, 600), {(RAVI, ASHA): 1600}),
        ((RAVI, ASHA, 1100), {(MEERA, ASHA): 500, (MEERA, RAVI): 100}),
        ((ASHA, RAVI, 10), {(RAVI, ASHA): 1010, (MEERA, ASHA): 600}),
    ],
)
def test_a_payment_beside_the_plan_asks_for_a_new_one(
    payment: tuple[str, str, int], wanted: dict[tuple[str, str], int]
) -> None:
    ledger = ledger_of(*OWED)
    ledger.pay(*payment)
    assert plan_rows(ledger.group) == wanted
    assert_holds(ledger.group)


@pytest.mark.parametrize(
    "command",
    [
        ChangeRole(RAVI, Role.ADMIN),
        UpdateGroup(name="Kerala"),
        WITH_GUEST,
        CreateSettlement("s9", MEERA, 5),
        spent("e9", shared(10, ASHA, by=ASHA)),
        UpdateExpense("e1", shared(1000, RAVI)),
    ],
)
def test_what_moves_no_balance_leaves_the_plan_alone(command: Command) -> None:
    ledger = ledger_of(*OWED)
    ledger.pay(RAVI, ASHA, 10)
    basis = ledger.group.basis
    assert ledger.do(ASHA, command).basis is basis


@pytest.mark.parametrize(
    "command", [spent("e9", shared(10)), DeleteExpense("e1"), UpdateExpense("e1", shared(9))]
)
def test_what_moves_balances_asks_for_a_new_plan(command: Command) -> None:
    ledger = ledger_of(*OWED)
    ledger.pay(RAVI, ASHA, 10)
    ledger.do(ASHA, command)
    assert ledger.group.basis == PlanBasis(ledger.group.balances)


def test_a_claim_puts_the_claimer_into_the_plan() -> None:
    ledger = ledger_of(*TRIP, WITH_GUEST, spent("e1", shared(100, ASHA, GUEST)))
    ledger.pay(GUEST, ASHA, 10)
    ledger.do(*CLAIMED)
    assert plan_rows(ledger.group) == {(JON, ASHA): 40}
    assert ledger.group.basis == PlanBasis(ledger.group.balances)


def test_a_group_that_does_not_simplify_pays_its_debts_as_they_are() -> None:
    steps = (*TRIP, spent("e1", shared(50, MEERA, by=RAVI)), spent("e2", shared(50, RAVI, by=ASHA)))
    ledger = ledger_of(*steps)
    assert plan_of(ledger.group) == Plan((Transfer(MEERA, ASHA, 50),), optimal=True)
    ledger.do(ASHA, PAIRWISE)
    assert plan_of(ledger.group) == Plan((Transfer(MEERA, RAVI, 50), Transfer(RAVI, ASHA, 50)), optimal=False)


def test_a_payment_that_awaits_an_answer_moves_nothing() -> None:
    ledger = ledger_of(*OWED)
    before = ledger.group
    ledger.do(RAVI, CreateSettlement("s1", ASHA, 1000))
    waiting = ledger.group
    assert (waiting.balances, waiting.debts, waiting.basis) == (before.balances, before.debts, before.basis)
    ledger.do(ASHA, DeclineSettlement("s1"))
    assert dataclasses.replace(ledger.group, seq=before.seq, at=before.at, settlement_count=0) == before


def test_counts_only_grow() -> None:
    ledger = ledger_of(
        *OWED, DeleteExpense("e1"), (RAVI, CreateSettlement("s1", ASHA, 1)), ConfirmSettlement("s1")
    )
    assert (ledger.group.expense_count, ledger.group.settlement_count) == (2, 1)


# --- events that `decide` would not make: nothing is refused, and no money is lost


def test_who_leaves_owing_all_the_same_keeps_their_balance() -> None:
    ledger = ledger_of(*OWED)
    gone = dataclasses.replace(ledger.group.members[RAVI], left_at=instant(6))
    state = ledger.record(ASHA, MemberLeft(gone))
    assert state.balances == {ASHA: 1600, RAVI: -1000, MEERA: -600}


def test_an_expense_of_a_former_member_deleted_all_the_same_is_put_to_their_name() -> None:
    ledger = ledger_of(*OWED)
    ledger.pay(RAVI, ASHA, 1000)
    ledger.do(ASHA, RemoveMember(RAVI))
    state = ledger.record(ASHA, ExpenseDeleted(ledger.expenses["e1"]))
    assert state.balances == {ASHA: -400, RAVI: 1000, MEERA: -600}
    # And once that is made good, they are gone again.
    state = ledger.record(ASHA, ExpenseRestored(ledger.expenses["e1"]))
    assert state.balances == {ASHA: 600, MEERA: -600}
    assert list(rows(state.debts)) == [(MEERA, ASHA, 600)]


def test_a_payment_recorded_under_a_claimed_placeholder_s_id_is_the_claimer_s() -> None:
    ledger = ledger_of(*TRIP, WITH_GUEST, CreateSettlement("s1", RAVI, 100, GUEST), CLAIMED)
    paid = dataclasses.replace(ledger.group.pending["s1"], from_id=GUEST, status=SettlementStatus.COMPLETED)
    state = ledger.record(RAVI, SettlementCompleted(paid))
    assert state.balances == {ASHA: 0, RAVI: -100, MEERA: 0, JON: 100}
    assert list(rows(state.debts)) == [(RAVI, JON, 100)]
    assert state.basis.payments == (Transfer(JON, RAVI, 100),)


# --- what events are about


def test_every_event_is_about_one_thing() -> None:
    ledger = ledger_of(
        *TRIP,
        WITH_GUEST,
        CLAIMED,
        UpdateGroup(name="Kerala"),
        ChangeRole(RAVI, Role.ADMIN),
        RemoveMember(JON),
        spent("e1", shared(100, by=RAVI)),
        UpdateExpense("e1", shared(200)),
        DeleteExpense("e1"),
        CreateSettlement("s1", RAVI, 5),
        (RAVI, DeclineSettlement("s1")),
    )
    assert [(*subject_of(recorded.event), is_creation(recorded.event)) for recorded in ledger.events] == [
        (Noun.MEMBER, ASHA, True),
        (Noun.MEMBER, RAVI, True),
        (Noun.MEMBER, MEERA, True),
        (Noun.MEMBER, GUEST, True),
        (Noun.MEMBER, JON, True),
        (Noun.GROUP, "", False),
        (Noun.MEMBER, RAVI, False),
        (Noun.MEMBER, JON, False),
        (Noun.EXPENSE, "e1", True),
        (Noun.EXPENSE, "e1", False),
        (Noun.EXPENSE, "e1", False),
        (Noun.SETTLEMENT, "s1", True),
        (Noun.SETTLEMENT, "s1", False),
    ]


def test_the_same_events_make_the_same_state() -> None:
    ledger = ledger_of(*OWED, UpdateExpense("e1", shared(70)))
    assert folded(ledger.events) == ledger.group
