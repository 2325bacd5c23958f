"""What stands behind a debt: causes that sum to it, exactly and always."""

import dataclasses

import pytest
from hypothesis import given

from persplit.ledger.commands import (
    AddMember,
    ConfirmSettlement,
    CreateSettlement,
    DeleteExpense,
    JoinGroup,
    RemoveMember,
    RestoreExpense,
    UpdateExpense,
)
from persplit.ledger.debts import rows
from persplit.ledger.explain import Cause, DebtTrace, ExplainedDebt, Source
from persplit.ledger.state import plan_of
from tests.ledger.given import (
    ASHA,
    CLAIMED,
    GUEST,
    JON,
    LONG_PROPERTY,
    MEERA,
    RAVI,
    TRIP,
    WITH_GUEST,
    Ledger,
    Step,
    as_recorded,
    histories,
    ledger_of,
    shared,
    spent,
)

DAY = "2026-03-01"


def explained(ledger: Ledger, *people: str) -> list[ExplainedDebt]:
    """The debts of these people, or of everybody."""
    trace = DebtTrace(frozenset(people or ledger.group.members))
    trace.feed(ledger.events)
    return trace.debts()


def dinner(amount: int, expense_id: str = "e1", description: str = "Dinner") -> Cause:
    """An expense's part in a debt."""
    return Cause(Source.EXPENSE, expense_id, description, DAY, amount)


@LONG_PROPERTY
@given(histories(moves_max=20))
def test_the_causes_of_every_debt_sum_to_it_at_every_seq(ledger: Ledger) -> None:
    replayed = Ledger()
    trace = DebtTrace(frozenset(ledger.group.members))
    for recorded in ledger.events:
        state = replayed.record(recorded.by, recorded.event)
        trace.feed([recorded])
        assert trace.state == state
        found = trace.debts()
        assert [(row.debtor_id, row.creditor_id, row.amount) for row in found] == list(rows(state.debts))
        for row in found:
            assert sum(cause.amount for cause in row.causes) == row.amount
            assert all(cause.amount for cause in row.causes)
            assert len({(cause.source, cause.source_id) for cause in row.causes}) == len(row.causes)
            for cause in row.causes:
                assert_known(cause, replayed)


@LONG_PROPERTY
@given(histories())
def test_every_row_of_the_plan_is_explained_by_what_its_people_owe_and_are_owed(ledger: Ledger) -> None:
    state = ledger.group
    for row in plan_of(state).transfers:
        payers, payees = state.unit_of(row.from_id), state.unit_of(row.to_id)
        found = explained(ledger, *(payers | payees))
        for unit, sign in ((payers, -1), (payees, 1)):
            net = sum(it.amount for it in found if it.creditor_id in unit)
            net -= sum(it.amount for it in found if it.debtor_id in unit)
            assert net == sum(state.balances.get(person, 0) for person in unit)
            if state.settings.simplify:
                assert sign * net >= row.amount, "the row moves nobody beyond zero"
        if not state.settings.simplify:
            owed = sum(it.amount for it in found if it.debtor_id in payers and it.creditor_id in payees)
            owed -= sum(it.amount for it in found if it.debtor_id in payees and it.creditor_id in payers)
            assert row.amount == owed


def assert_known(cause: Cause, ledger: Ledger) -> None:
    """The cause names an expense or payment of the ledger, as it is now, or a departure."""
    match cause.source:
        case Source.EXPENSE:
            expense = ledger.expenses[cause.source_id]
            assert (cause.description, cause.date) == (expense.description, expense.date)
            assert expense.deleted_at is None
        case Source.SETTLEMENT:
            assert cause.source_id in ledger.settlements
        case Source.HANDOVER:
            assert 1 < int(cause.source_id) <= ledger.seq


@LONG_PROPERTY
@given(histories())
def test_only_the_debts_of_who_is_asked_about_are_told(ledger: Ledger) -> None:
    everything = explained(ledger)
    for user_id in ledger.group.members:
        assert explained(ledger, user_id) == [
            row for row in everything if user_id in (row.debtor_id, row.creditor_id)
        ]


def test_an_empty_ledger_has_nothing_to_explain() -> None:
    assert DebtTrace(frozenset({ASHA})).debts() == []


def test_expenses_and_payments_make_up_a_debt() -> None:
    ledger = ledger_of(
        *TRIP,
        spent("e1", shared(300, RAVI, by=ASHA)),
        spent("e2", shared(50, ASHA, by=RAVI)),
        (RAVI, CreateSettlement("s1", ASHA, 100)),
        ConfirmSettlement("s1"),
        (RAVI, CreateSettlement("s2", ASHA, 20, note="Cash")),
        ConfirmSettlement("s2"),
        (RAVI, CreateSettlement("s3", ASHA, 7)),
    )
    causes = (
        dinner(300),
        dinner(-50, "e2"),
        Cause(Source.SETTLEMENT, "s1", "payment", DAY, -100),
        Cause(Source.SETTLEMENT, "s2", "Cash", DAY, -20),
    )
    assert explained(ledger) == [ExplainedDebt(RAVI, ASHA, 130, causes)]


def test_the_direction_of_a_debt_is_that_of_its_causes_either_way_round() -> None:
    # Asha comes before Ravi, Ravi after Meera: both directions of the pair's order are told right.
    for debtor, creditor in ((ASHA, RAVI), (RAVI, ASHA), (MEERA, RAVI), (RAVI, MEERA)):
        ledger = ledger_of(*TRIP, spent("e1", shared(30, debtor, by=creditor)))
        assert explained(ledger) == [ExplainedDebt(debtor, creditor, 30, (dinner(30),))]


@pytest.mark.parametrize(
    ("steps", "causes"),
    [
        ((UpdateExpense("e1", shared(40, RAVI)),), (dinner(40),)),
        ((DeleteExpense("e1"), RestoreExpense("e1")), (dinner(30),)),
    ],
)
def test_an_edited_or_restored_expense_is_one_cause(
    steps: tuple[Step, ...], causes: tuple[Cause, ...]
) -> None:
    ledger = ledger_of(*TRIP, spent("e1", shared(30, RAVI)), *steps)
    assert explained(ledger) == [ExplainedDebt(RAVI, ASHA, causes[0].amount, causes)]


def test_a_deleted_expense_is_no_cause() -> None:
    ledger = ledger_of(
        *TRIP, spent("e1", shared(30, RAVI)), spent("e2", shared(5, RAVI)), DeleteExpense("e1")
    )
    assert explained(ledger) == [ExplainedDebt(RAVI, ASHA, 5, (dinner(5, "e2"),))]


def test_an_expense_is_told_as_it_is_now() -> None:
    ledger = ledger_of(*TRIP, spent("e1", shared(30, RAVI)))
    lunch = dataclasses.replace(as_recorded(ledger.expenses["e1"]), description="Lunch")
    ledger.do(ASHA, UpdateExpense("e1", lunch))
    assert explained(ledger) == [ExplainedDebt(RAVI, ASHA, 30, (dinner(30, description="Lunch"),))]


def test_who_left_is_explained_as_handing_over() -> None:
    ledger = ledger_of(
        *TRIP,
        spent("e1", shared(50, MEERA, by=RAVI)),
        spent("e2", shared(50, RAVI, by=ASHA)),
        spent("e3", shared(10, MEERA, by=ASHA)),
        RemoveMember(RAVI),
    )
    handed = Cause(Source.HANDOVER, "7", "handed over by somebody who left", DAY, 50)
    assert explained(ledger) == [ExplainedDebt(MEERA, ASHA, 60, (dinner(10, "e3"), handed))]


def test_after_who_left_has_come_back_the_handing_over_stays() -> None:
    ledger = ledger_of(
        *TRIP,
        spent("e1", shared(50, MEERA, by=RAVI)),
        spent("e2", shared(50, RAVI, by=ASHA)),
        RemoveMember(RAVI),
        AddMember(RAVI, "Ravi"),
        spent("e3", shared(10, RAVI, by=MEERA)),
        DeleteExpense("e1"),
    )
    assert list(rows(ledger.group.debts)) == [(MEERA, ASHA, 50), (RAVI, MEERA, 60)]
    handed = "handed over by somebody who left"
    assert explained(ledger) == [
        ExplainedDebt(MEERA, ASHA, 50, (Cause(Source.HANDOVER, "6", handed, DAY, 50),)),
        ExplainedDebt(RAVI, MEERA, 60, (Cause(Source.HANDOVER, "6", handed, DAY, 50), dinner(10, "e3"))),
    ]


def test_a_claimed_placeholder_s_causes_are_the_claimer_s() -> None:
    ledger = ledger_of(
        *TRIP,
        WITH_GUEST,
        spent("e1", shared(50, GUEST, by=ASHA)),
        CLAIMED,
        spent("e2", shared(20, GUEST, by=ASHA)),
        UpdateExpense("e1", shared(60, GUEST)),
    )
    assert explained(ledger, JON) == [ExplainedDebt(JON, ASHA, 80, (dinner(60), dinner(20, "e2")))]


def test_a_claim_tells_each_cause_from_the_new_side() -> None:
    # `guest` comes after `asha` and before `ravi`; the claimer after all: signs turn with the order of the pair.
    ledger = ledger_of(
        *TRIP, WITH_GUEST, spent("e1", shared(50, RAVI, by=GUEST)), spent("e2", shared(9, GUEST))
    )
    ledger.do("zoya", JoinGroup("Zoya", claim=GUEST))
    assert explained(ledger) == [
        ExplainedDebt(RAVI, "zoya", 50, (dinner(50),)),
        ExplainedDebt("zoya", ASHA, 9, (dinner(9, "e2"),)),
    ]
