"""Payments: who may record, confirm, decline and cancel one, and when balances move."""

import dataclasses

import pytest

from persplit.ledger import decide as rules
from persplit.ledger.commands import (
    AddMember,
    CancelSettlement,
    ChangeRole,
    ConfirmSettlement,
    CreateSettlement,
    DeclineSettlement,
    RemoveMember,
    UpdateGroup,
)
from persplit.ledger.errors import AlreadySettled, Conflict, Forbidden, Invalid, LimitReached, NotFound
from persplit.ledger.events import (
    Event,
    SettlementCancelled,
    SettlementCompleted,
    SettlementCreated,
    SettlementDeclined,
)
from persplit.ledger.group import Role
from persplit.ledger.settlement import Settlement, SettlementStatus
from tests.ledger.given import (
    ASHA,
    CLAIMED,
    GUEST,
    JON,
    MEERA,
    RAVI,
    TRIP,
    WITH_GUEST,
    Step,
    given,
    instant,
    shared,
    spent,
)

PAID: Step = (RAVI, CreateSettlement("s1", MEERA, 100, note="Dinner", utr="123456789012"))
"""Ravi says that he paid Meera 100; event 4."""
Answer = ConfirmSettlement | DeclineSettlement | CancelSettlement
ANSWERS = [ConfirmSettlement("s1"), DeclineSettlement("s1"), CancelSettlement("s1")]
UNTOUCHED = {ASHA: 0, RAVI: 0, MEERA: 0}


def payment(**fields: object) -> Settlement:
    """`PAID`, as recorded, with these fields changed."""
    recorded = Settlement(
        id="s1",
        seq=4,
        from_id=RAVI,
        to_id=MEERA,
        amount=100,
        note="Dinner",
        utr="123456789012",
        status=SettlementStatus.PENDING,
        created_by=RAVI,
        created_at=instant(4),
        updated_at=instant(4),
    )
    return dataclasses.replace(recorded, **fields)  # type: ignore[arg-type]


# --- recording one


def test_the_payer_records_a_payment_and_nothing_moves_yet() -> None:
    command = CreateSettlement("s1", MEERA, 100, note="Dinner", utr="123456789012")
    ledger = given(*TRIP).when(RAVI, command).then(SettlementCreated(payment()))
    assert ledger.group.balances == UNTOUCHED
    assert ledger.group.debts == {}
    assert ledger.group.pending == {"s1": payment()}


def test_the_receiver_can_record_it_too() -> None:
    made = given(*TRIP).when(MEERA, CreateSettlement("s1", MEERA, 100, from_id=RAVI)).made(SettlementCreated)
    assert (made.settlement.from_id, made.settlement.created_by) == (RAVI, MEERA)


def test_others_record_it_only_as_admins() -> None:
    command = CreateSettlement("s1", MEERA, 100, from_id=RAVI)
    given(*TRIP).when(ASHA, command).made(SettlementCreated)
    given(*TRIP, AddMember(JON, "Jon")).when(JON, command).refused(Forbidden)
    given(*TRIP, (RAVI, CreateSettlement("s2", ASHA, 1))).when(
        MEERA, CreateSettlement("s1", ASHA, 1, from_id=RAVI)
    ).refused(Forbidden)


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (CreateSettlement("s1", JON, 100), "toUserId"),
        (CreateSettlement("s1", MEERA, 100, from_id=JON), "fromUserId"),
        (CreateSettlement("s1", JON, 100, from_id="x"), "fromUserId"),
        (CreateSettlement("s1", ASHA, 100), "toUserId"),
        (CreateSettlement("s1", RAVI, 100, from_id=RAVI), "toUserId"),
    ],
)
def test_a_payment_goes_from_one_member_to_another(command: CreateSettlement, path: str) -> None:
    given(*TRIP).when(ASHA, command).refused(Invalid, path=path)


def test_nobody_pays_somebody_who_has_left() -> None:
    given(*TRIP, RemoveMember(RAVI)).when(ASHA, CreateSettlement("s1", RAVI, 1)).refused(
        Invalid, path="toUserId"
    )


def test_a_payment_to_a_claimed_placeholder_is_one_to_the_claimer() -> None:
    claimed = given(*TRIP, WITH_GUEST, CLAIMED)
    made = claimed.when(ASHA, CreateSettlement("s1", GUEST, 100)).made(SettlementCreated)
    assert made.settlement.to_id == JON
    made = claimed.when(ASHA, CreateSettlement("s2", ASHA, 100, from_id=GUEST)).made(SettlementCreated)
    assert made.settlement.from_id == JON
    claimed.when(JON, CreateSettlement("s3", GUEST, 100)).refused(Invalid, path="toUserId", says="themself")


def test_an_id_records_one_payment_only() -> None:
    refusal = given(*TRIP, PAID).when(RAVI, CreateSettlement("s1", MEERA, 1)).refused(Conflict, says="exists")
    assert refusal.current == payment()


def test_a_group_has_so_many_payments_waiting_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "PENDING_MAX", 2)
    waiting = given(*TRIP, PAID, CreateSettlement("s2", RAVI, 1))
    waiting.when(ASHA, CreateSettlement("s3", RAVI, 1)).refused(LimitReached, says="2 payments")
    waiting.ledger.do(MEERA, ConfirmSettlement("s1"))
    waiting.when(ASHA, CreateSettlement("s3", RAVI, 1)).made(SettlementCreated)


# --- answering one


def test_the_receiver_confirms_and_balances_move() -> None:
    done = payment(seq=5, status=SettlementStatus.COMPLETED, updated_at=instant(5))
    ledger = given(*TRIP, PAID).when(MEERA, ConfirmSettlement("s1")).then(SettlementCompleted(done))
    assert ledger.group.balances == {ASHA: 0, RAVI: 100, MEERA: -100}
    assert ledger.group.debts == {MEERA: {RAVI: 100}}
    assert ledger.group.pending == {}


def test_the_receiver_declines_and_nothing_moves() -> None:
    done = payment(seq=5, status=SettlementStatus.DECLINED, updated_at=instant(5))
    ledger = given(*TRIP, PAID).when(MEERA, DeclineSettlement("s1")).then(SettlementDeclined(done))
    assert (ledger.group.balances, ledger.group.debts, ledger.group.pending) == (UNTOUCHED, {}, {})


def test_the_payer_cancels_and_nothing_moves() -> None:
    done = payment(seq=5, status=SettlementStatus.CANCELLED, updated_at=instant(5))
    ledger = given(*TRIP, PAID).when(RAVI, CancelSettlement("s1")).then(SettlementCancelled(done))
    assert (ledger.group.balances, ledger.group.debts, ledger.group.pending) == (UNTOUCHED, {}, {})


@pytest.mark.parametrize("actor", [ASHA, RAVI])
@pytest.mark.parametrize("command", [ConfirmSettlement("s1"), DeclineSettlement("s1")])
def test_only_the_receiver_answers_not_even_an_admin(actor: str, command: Answer) -> None:
    given(*TRIP, PAID).when(actor, command).refused(Forbidden, says="receives")


@pytest.mark.parametrize("actor", [ASHA, MEERA])
def test_only_the_payer_cancels_what_they_recorded(actor: str) -> None:
    given(*TRIP, PAID).when(actor, CancelSettlement("s1")).refused(Forbidden, says="payer")


@pytest.mark.parametrize("recorder", [ASHA, MEERA])
def test_who_recorded_it_for_the_payer_cancels_it_too(recorder: str) -> None:
    recorded = given(*TRIP, (recorder, CreateSettlement("s1", MEERA, 100, from_id=RAVI)))
    recorded.when(recorder, CancelSettlement("s1")).made(SettlementCancelled)
    recorded = given(*TRIP, (recorder, CreateSettlement("s1", MEERA, 100, from_id=RAVI)))
    recorded.when(RAVI, CancelSettlement("s1")).made(SettlementCancelled)


@pytest.mark.parametrize(
    ("command", "kind"),
    [(ConfirmSettlement("s1"), SettlementCompleted), (DeclineSettlement("s1"), SettlementDeclined)],
)
def test_an_admin_answers_for_a_placeholder(command: Answer, kind: type[Event]) -> None:
    paid = given(*TRIP, WITH_GUEST, (RAVI, CreateSettlement("s1", GUEST, 100)))
    paid.when(RAVI, command).refused(Forbidden)
    paid.when(MEERA, command).refused(Forbidden)
    paid.when(ASHA, command).made(kind)


def test_any_admin_cancels_for_a_placeholder() -> None:
    paid = given(
        *TRIP, WITH_GUEST, ChangeRole(RAVI, Role.ADMIN), CreateSettlement("s1", MEERA, 100, from_id=GUEST)
    )
    paid.when(MEERA, CancelSettlement("s1")).refused(Forbidden)
    paid.when(RAVI, CancelSettlement("s1")).made(SettlementCancelled)


@pytest.mark.parametrize("command", ANSWERS)
@pytest.mark.parametrize(
    ("actor", "first", "said"),
    [
        (MEERA, ConfirmSettlement("s1"), "completed already"),
        (MEERA, DeclineSettlement("s1"), "declined already"),
        (RAVI, CancelSettlement("s1"), "cancelled already"),
    ],
)
def test_an_answer_is_final(command: Answer, actor: str, first: Answer, said: str) -> None:
    answered = given(*TRIP, PAID, (actor, first))
    answered.when(RAVI if isinstance(command, CancelSettlement) else MEERA, command).refused(
        AlreadySettled, says=said
    )


@pytest.mark.parametrize("command", ANSWERS)
def test_a_payment_that_was_never_recorded_is_not_answered(command: Answer) -> None:
    given(*TRIP).when(ASHA, command).refused(NotFound, says="no such settlement")


@pytest.mark.parametrize("command", ANSWERS)
def test_a_payment_seen_before_it_was_answered_conflicts(command: Answer) -> None:
    answered = given(*TRIP, PAID, (MEERA, DeclineSettlement("s1")))
    actor = RAVI if isinstance(command, CancelSettlement) else MEERA
    stale = answered.when(actor, dataclasses.replace(command, expected_seq=4)).refused(
        Conflict, says="since seq 4"
    )
    assert stale.current == answered.ledger.settlements["s1"]
    answered.when(actor, dataclasses.replace(command, expected_seq=5)).refused(AlreadySettled)


def test_a_payment_seen_as_it_is_is_answered() -> None:
    seen = given(*TRIP, PAID, UpdateGroup(name="Goa 2"))
    seen.when(MEERA, ConfirmSettlement("s1", expected_seq=4)).made(SettlementCompleted)


def test_a_payment_of_more_than_is_owed_turns_the_debt_round() -> None:
    happened = given(
        *TRIP, spent("e1", shared(100, RAVI, by=MEERA)), (RAVI, CreateSettlement("s1", MEERA, 130))
    )
    happened.ledger.do(MEERA, ConfirmSettlement("s1"))
    assert happened.ledger.group.balances == {ASHA: 0, RAVI: 30, MEERA: -30}
    assert happened.ledger.group.debts == {MEERA: {RAVI: 30}}
