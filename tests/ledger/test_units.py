"""Couples and families that settle together."""

from collections import Counter

from hypothesis import given as whatever
from hypothesis import strategies as st

from persplit.ledger.commands import (
    AddMember,
    BecomePlaceholder,
    ChangeUnit,
    CreateGroup,
    LeaveGroup,
    RemoveMember,
    UpdateGroup,
)
from persplit.ledger.errors import BalanceNotZero, Forbidden, NotFound
from persplit.ledger.events import MemberUpdated
from persplit.ledger.explain import DebtTrace
from persplit.ledger.state import GroupState, has_same_plan, plan_of
from persplit.ledger.units import speakers
from tests.ledger.given import (
    ASHA,
    FOUNDED,
    GUEST,
    JON,
    MEERA,
    PAIRWISE,
    PROPERTY,
    RAVI,
    TRIP,
    WITH_GUEST,
    Ledger,
    Step,
    given,
    ledger_of,
    member,
    shared,
    spent,
)

RAOS = "Rao family"
ASHA_AND_RAVI: tuple[Step, ...] = (ChangeUnit(ASHA, RAOS), ChangeUnit(RAVI, RAOS))
WITH_JON = AddMember(JON, "Jon")


def transfers(state: GroupState) -> set[tuple[str, str, int]]:
    return {(row.from_id, row.to_id, row.amount) for row in plan_of(state).transfers}


def unit_balances(state: GroupState) -> Counter[str]:
    """Added up by who speaks; those at zero are left out."""
    added = Counter[str]()
    for user_id, amount in state.balances.items():
        added[state.speaker(user_id)] += amount
    return Counter({user_id: amount for user_id, amount in added.items() if amount})


# --- who is with whom


def test_an_admin_lets_people_settle_together_and_alone_again() -> None:
    before = member(RAVI, "Ravi", 2)
    ledger = given(*TRIP).when(ASHA, ChangeUnit(RAVI, RAOS)).made(MemberUpdated)
    assert (ledger.before, ledger.after.unit) == (before, RAOS)
    given(*TRIP, *ASHA_AND_RAVI).when(ASHA, ChangeUnit(RAVI, None)).made(MemberUpdated)


def test_others_only_leave_their_own_unit() -> None:
    given(*TRIP).when(RAVI, ChangeUnit(RAVI, RAOS)).refused(Forbidden)
    given(*TRIP, *ASHA_AND_RAVI).when(MEERA, ChangeUnit(RAVI, None)).refused(Forbidden)
    given(*TRIP, *ASHA_AND_RAVI).when(RAVI, ChangeUnit(RAVI, None)).made(MemberUpdated)
    given(*TRIP).when(ASHA, ChangeUnit(JON, RAOS)).refused(NotFound)


def test_who_leaves_is_in_no_unit_when_they_come_back() -> None:
    ledger = ledger_of(*TRIP, *ASHA_AND_RAVI, (RAVI, LeaveGroup()), AddMember(RAVI, "Ravi"))
    assert ledger.group.members[RAVI].unit is None
    assert ledger.group.settles_as == {}


def test_who_came_first_speaks_but_no_placeholder_while_somebody_has_an_account() -> None:
    ledger = ledger_of(FOUNDED, WITH_GUEST, AddMember(RAVI, "Ravi"), AddMember(MEERA, "Meera"))
    for who in (GUEST, RAVI, MEERA):
        ledger.do(ASHA, ChangeUnit(who, RAOS))
    assert ledger.group.settles_as == {GUEST: RAVI, RAVI: RAVI, MEERA: RAVI}
    ledger.do(RAVI, BecomePlaceholder("Ravi"))
    assert ledger.group.settles_as == {GUEST: MEERA, RAVI: MEERA, MEERA: MEERA}
    ledger.do(ASHA, RemoveMember(MEERA))
    assert set(ledger.group.settles_as.values()) == {GUEST}


def test_one_alone_is_no_unit() -> None:
    assert speakers([member(ASHA, "Asha", 1, unit=RAOS), member(RAVI, "Ravi", 2)]) == {}


# --- the plan


def test_the_plan_is_between_units_and_balances_stay_each_persons_own() -> None:
    ledger = ledger_of(*TRIP, WITH_JON, *ASHA_AND_RAVI, spent("e1", shared(400, by=MEERA)))
    assert ledger.group.balances == {ASHA: -100, RAVI: -100, MEERA: 300, JON: -100}
    assert transfers(ledger.group) == {(ASHA, MEERA, 200), (JON, MEERA, 100)}


def test_what_a_couple_owes_each_other_is_in_no_plan() -> None:
    ledger = ledger_of(*TRIP, *ASHA_AND_RAVI, spent("e1", shared(100, RAVI, by=ASHA)))
    assert ledger.group.balances == {ASHA: 100, RAVI: -100, MEERA: 0}
    assert transfers(ledger.group) == set()
    # But nobody leaves before it is settled.
    assert type(ledger.try_to(RAVI, LeaveGroup())) is BalanceNotZero
    ledger.pay(RAVI, ASHA, 100)
    ledger.do(RAVI, LeaveGroup())


def test_either_of_a_couple_may_pay_what_the_plan_asks_of_it() -> None:
    ledger = ledger_of(*TRIP, WITH_JON, *ASHA_AND_RAVI, spent("e1", shared(400, by=MEERA)))
    ledger.pay(RAVI, MEERA, 150)
    assert transfers(ledger.group) == {(ASHA, MEERA, 50), (JON, MEERA, 100)}
    assert ledger.group.balances[RAVI] == 50


def test_groups_that_keep_debts_as_they_are_keep_them_between_units() -> None:
    ledger = ledger_of(*TRIP, PAIRWISE, WITH_JON, spent("e1", shared(400, by=MEERA)))
    ledger.do(ASHA, ChangeUnit(ASHA, RAOS))
    assert len(plan_of(ledger.group).transfers) == 3
    ledger.do(ASHA, ChangeUnit(RAVI, RAOS))
    assert transfers(ledger.group) == {(ASHA, MEERA, 200), (JON, MEERA, 100)}
    ledger.pay(RAVI, MEERA, 200)
    assert transfers(ledger.group) == {(JON, MEERA, 100)}


def test_a_row_between_units_is_explained_by_the_debts_of_all_their_people() -> None:
    ledger = ledger_of(*TRIP, *ASHA_AND_RAVI, spent("e1", shared(300, RAVI, by=MEERA)))
    state = ledger.group
    trace = DebtTrace(state.unit_of(ASHA) | state.unit_of(MEERA))
    trace.feed(ledger.events)
    assert [(row.debtor_id, row.creditor_id, row.amount) for row in trace.debts()] == [(RAVI, MEERA, 300)]


@st.composite
def families(draw: st.DrawFn) -> Ledger:
    """A group of up to seven with units and expenses."""
    ledger = Ledger()
    ledger.do("u1", CreateGroup("u1", "Goa"))
    people = [f"u{number}" for number in range(1, draw(st.integers(3, 7)) + 1)]
    for who in people[1:]:
        ledger.do("u1", AddMember(who, who))
    ledger.do("u1", UpdateGroup(simplify=draw(st.booleans())))
    for number in range(draw(st.integers(1, 4))):
        payer, sharers = draw(st.sampled_from(people)), draw(st.lists(st.sampled_from(people), unique=True))
        ledger.do("u1", spent(f"e{number}", shared(draw(st.integers(1, 999)), *sharers, by=payer)))
    for who in people:
        ledger.do("u1", ChangeUnit(who, draw(st.sampled_from([None, "Rao", "Shah"]))))
    return ledger


@PROPERTY
@whatever(families(), st.data())
def test_the_plan_of_units_is_exact_and_steady_whoever_of_a_unit_pays(
    ledger: Ledger, data: st.DataObject
) -> None:
    while rows := plan_of(ledger.group).transfers:
        state = ledger.group
        assert sum(state.balances.values()) == 0
        left = unit_balances(state)
        for row in rows:
            left[row.from_id] += row.amount
            left[row.to_id] -= row.amount
        assert not any(left.values())
        # A part of a row, or all of it, from any of the unit to any of the other.
        row = data.draw(st.sampled_from(rows))
        amount = data.draw(st.just(row.amount) | st.integers(1, row.amount))
        payer = data.draw(st.sampled_from(sorted(state.unit_of(row.from_id))))
        receiver = data.draw(st.sampled_from(sorted(state.unit_of(row.to_id))))
        ledger.pay(payer, receiver, amount)
        wanted = {(r.from_id, r.to_id): r.amount for r in rows}
        wanted[row.from_id, row.to_id] -= amount
        now = {(r.from_id, r.to_id): r.amount for r in plan_of(ledger.group).transfers}
        assert now == {pair: owed for pair, owed in wanted.items() if owed}
    assert not unit_balances(ledger.group)


def test_a_plan_is_worked_out_anew_when_what_it_comes_from_has_changed() -> None:
    for settings in (UpdateGroup(simplify=True), PAIRWISE):
        ledger = ledger_of(*TRIP, settings, spent("e1", shared(300, by=MEERA)), ChangeUnit(ASHA, RAOS))
        before = ledger.group
        assert has_same_plan(before, ledger.do(ASHA, UpdateGroup(name="Diu")))
        assert not has_same_plan(before, ledger.do(ASHA, ChangeUnit(RAVI, RAOS)))
        before = ledger.group
        other = UpdateGroup(simplify=not before.settings.simplify)
        assert not has_same_plan(before, ledger.do(ASHA, other))
        assert not has_same_plan(before, ledger.do(ASHA, spent("e2", shared(30, by=ASHA))))
