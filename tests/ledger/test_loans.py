"""Loans: who may note and change one, what interest it bears, and what a payment repays of it."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from persplit.ledger.commands import (
    AddMember,
    BecomePlaceholder,
    CancelSettlement,
    Command,
    ConfirmSettlement,
    CreateExpense,
    CreateLoan,
    CreateSettlement,
    DeclineSettlement,
    DeleteLoan,
    LeaveGroup,
    RemoveMember,
    RestoreLoan,
    UpdateGroup,
    UpdateLoan,
)
from persplit.ledger.errors import (
    BalanceNotZero,
    Conflict,
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    SettlementPending,
)
from persplit.ledger.events import LoanCreated, LoanDeleted, LoanEvent, LoanUpdated, SettlementCompleted
from persplit.ledger.lending import lent_in
from persplit.ledger.loan import (
    AHEAD_DAYS_MAX,
    LOANS_CLOSED_MAX,
    LOANS_OPEN_MAX,
    PARTS,
    PAST_DAYS_MAX,
    Loan,
    LoanDraft,
    LoanStatus,
    Repayment,
    accrued,
    canonical_rate,
    repaid,
)
from persplit.ledger.money import AMOUNT_MAX
from persplit.ledger.notices import asks_for
from persplit.ledger.snapshot import state_from_json, state_to_json
from persplit.ledger.state import plan_of
from tests.ledger.given import (
    ARCHIVED,
    ASHA,
    CLAIMED,
    GUEST,
    JON,
    LONG_PROPERTY,
    MEERA,
    PROPERTY,
    RAVI,
    TRIP,
    WITH_GUEST,
    Ledger,
    folded,
    given,
    histories,
    instant,
    ledger_of,
    shared,
)

TODAY = instant(1)[:10]
TERMS = LoanDraft(10_000, TODAY, "2027-03-01", "7.3", "Deposit")
"""Bears two units a day."""
LENT = CreateLoan("l1", ASHA, RAVI, TERMS)


def days_later(days: int) -> str:
    return (date.fromisoformat(TODAY) + timedelta(days)).isoformat()


def loan_of(ledger: Ledger, loan_id: str = "l1") -> Loan:
    return ledger.group.loans[loan_id]


def repay(
    ledger: Ledger, amount: int, *, days: int, loan_id: str = "l1", confirmed_after: int = 0
) -> SettlementCompleted:
    """Ravi pays so many days after the loan; Asha confirms it so many days after that."""
    payment = f"s{ledger.seq}"
    ledger.now = f"{days_later(days)}T12:00:00.000Z"
    ledger.do(RAVI, CreateSettlement(payment, ASHA, amount, loan_id=loan_id))
    ledger.now = f"{days_later(days + confirmed_after)}T12:00:00.000Z"
    ledger.do(ASHA, ConfirmSettlement(payment))
    event = ledger.events[-1].event
    assert isinstance(event, SettlementCompleted)
    return event


# --- noting one


def test_a_loan_is_noted_as_it_is_told_and_stands_beside_the_balances() -> None:
    ledger = (
        given(*TRIP)
        .when(ASHA, LENT)
        .then(
            LoanCreated(
                Loan(
                    id="l1",
                    seq=4,
                    lender_id=ASHA,
                    borrower_id=RAVI,
                    principal=10_000,
                    date=TODAY,
                    due_date="2027-03-01",
                    rate="7.3",
                    description="Deposit",
                    outstanding=10_000,
                    interest_owed=0,
                    interest_parts=0,
                    interest_paid=0,
                    accrued_through=TODAY,
                    created_by=ASHA,
                    created_at=instant(4),
                    updated_at=instant(4),
                )
            )
        )
    )
    assert ledger.group.balances == {ASHA: 0, RAVI: 0, MEERA: 0}
    assert ledger.group.debts == {}
    assert plan_of(ledger.group).transfers == ()
    assert loan_of(ledger).status is LoanStatus.OPEN


def test_its_day_is_today_in_the_groups_calendar_unless_told() -> None:
    ledger = ledger_of(*TRIP, UpdateGroup(time_zone="Pacific/Kiritimati"))  # fourteen hours ahead
    ledger.do(ASHA, replace(LENT, draft=LoanDraft(100)))
    assert loan_of(ledger).date == days_later(1)


@pytest.mark.parametrize("actor", [ASHA, RAVI])
def test_either_of_the_two_may_note_it(actor: str) -> None:
    assert given(*TRIP).when(actor, LENT).made(LoanCreated).loan.created_by == actor


def test_an_admin_may_note_it_for_two_others_and_nobody_else() -> None:
    between_others = CreateLoan("l1", RAVI, MEERA, TERMS)
    assert given(*TRIP).when(ASHA, between_others).made(LoanCreated)
    given(*TRIP).when(MEERA, LENT).refused(Forbidden)
    given(*TRIP).when(JON, LENT).refused(NotFound)


def test_a_placeholder_lends_and_borrows_through_an_admin() -> None:
    assert given(*TRIP, WITH_GUEST).when(ASHA, CreateLoan("l1", GUEST, RAVI, TERMS)).made(LoanCreated)


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (CreateLoan("l1", JON, ASHA, TERMS), "lenderId"),
        (CreateLoan("l1", ASHA, JON, TERMS), "borrowerId"),
        (CreateLoan("l1", ASHA, ASHA, TERMS), "borrowerId"),
        (CreateLoan("l1", ASHA, RAVI, replace(TERMS, date=days_later(2))), "date"),
        (CreateLoan("l1", ASHA, RAVI, replace(TERMS, date=days_later(-PAST_DAYS_MAX - 1))), "date"),
        (CreateLoan("l1", ASHA, RAVI, replace(TERMS, due_date=days_later(AHEAD_DAYS_MAX + 1))), "dueDate"),
        (CreateLoan("l1", ASHA, RAVI, replace(TERMS, due_date=days_later(-1))), "dueDate"),
    ],
)
def test_what_is_no_loan_is_refused(command: Command, path: str) -> None:
    given(*TRIP).when(ASHA, command).refused(Invalid, path=path)


def test_a_loan_without_a_day_isnt_due_before_today() -> None:
    terms = LoanDraft(100, due_date=days_later(-1))
    given(*TRIP).when(ASHA, replace(LENT, draft=terms)).refused(Invalid, path="dueDate")


def test_an_id_stands_for_one_loan() -> None:
    refusal = given(*TRIP, LENT).when(ASHA, LENT).refused(Conflict)
    assert isinstance(refusal.current, Loan)


def test_a_group_has_so_many_open_loans() -> None:
    many = [replace(LENT, loan_id=f"l{number}") for number in range(LOANS_OPEN_MAX)]
    full = given(*TRIP, *many)
    full.when(ASHA, replace(LENT, loan_id="one more")).refused(LimitReached)
    full.ledger.do(ASHA, DeleteLoan("l0"))
    full.ledger.do(ASHA, replace(LENT, loan_id="one more"))
    full.when(ASHA, RestoreLoan("l0")).refused(LimitReached)


def test_the_state_keeps_those_closed_last_and_all_that_are_open() -> None:
    ledger = ledger_of(*TRIP, replace(LENT, loan_id="open"))
    for number in range(LOANS_CLOSED_MAX + 3):
        ledger.do(ASHA, replace(LENT, loan_id=f"l{number}"))
        ledger.do(ASHA, DeleteLoan(f"l{number}"))
    assert set(ledger.group.loans) == {"open", *(f"l{n}" for n in range(3, LOANS_CLOSED_MAX + 3))}
    # It isn't held any more, and yet its id was used.
    assert isinstance(ledger.try_to(ASHA, replace(LENT, loan_id="l0")), Conflict)


def test_an_archived_group_takes_none() -> None:
    ledger = ledger_of(*TRIP, LENT, ARCHIVED)
    for command in (replace(LENT, loan_id="l2"), UpdateLoan("l1", TERMS), DeleteLoan("l1")):
        assert ledger.try_to(ASHA, command) is not None


def test_the_other_one_is_told() -> None:
    lent = ledger_of(*TRIP, LENT).events[-1]
    assert [user for user in (ASHA, RAVI, MEERA) if asks_for(lent, user)] == [RAVI]


# --- changing one


def test_all_terms_can_be_put_right_before_anything_is_repaid() -> None:
    changed = LoanDraft(20_000, days_later(-10), "2028-01-01", None, None)
    event = given(*TRIP, LENT).when(RAVI, UpdateLoan("l1", changed)).made(LoanUpdated)
    assert event.before.principal == 10_000
    after = event.after
    assert (after.principal, after.outstanding, after.date, after.accrued_through) == (
        20_000,
        20_000,
        days_later(-10),
        days_later(-10),
    )
    assert (after.rate, after.due_date, after.description) == (None, "2028-01-01", None)


def test_once_some_is_repaid_only_due_date_and_description_can_change() -> None:
    ledger = ledger_of(*TRIP, LENT)
    repay(ledger, 1_000, days=10)
    for other in (
        replace(TERMS, principal=9),
        replace(TERMS, rate=None),
        replace(TERMS, date=days_later(-1)),
    ):
        assert isinstance(ledger.try_to(ASHA, UpdateLoan("l1", other)), Conflict)
    before = loan_of(ledger)
    ledger.do(ASHA, UpdateLoan("l1", replace(TERMS, due_date=None, description="Later")))
    after = loan_of(ledger)
    assert after == replace(
        before, seq=after.seq, updated_at=after.updated_at, due_date=None, description="Later"
    )


def test_a_loan_isnt_due_before_it_is_made() -> None:
    terms = LoanDraft(100, due_date=days_later(-1))  # the day of the loan stays
    given(*TRIP, LENT).when(ASHA, UpdateLoan("l1", terms)).refused(Invalid, path="dueDate")


@pytest.mark.parametrize("command", [UpdateLoan("l1", TERMS), DeleteLoan("l1")])
def test_only_the_two_or_an_admin_change_or_delete_it(command: Command) -> None:
    for actor in (ASHA, RAVI):
        assert given(*TRIP, LENT).when(actor, command).made(LoanUpdated | LoanDeleted)  # type: ignore[arg-type]
    given(*TRIP, LENT).when(MEERA, command).refused(Forbidden)
    given(*TRIP).when(ASHA, command).refused(NotFound)


@pytest.mark.parametrize("kind", [UpdateLoan, DeleteLoan])
def test_who_has_seen_an_older_version_is_told(kind: type[UpdateLoan] | type[DeleteLoan]) -> None:
    command: Command = (
        UpdateLoan("l1", TERMS, expected_seq=4) if kind is UpdateLoan else DeleteLoan("l1", expected_seq=4)
    )
    assert given(*TRIP, LENT).ledger.try_to(ASHA, command) is None
    changed = given(*TRIP, LENT, UpdateLoan("l1", replace(TERMS, principal=5)))
    refusal = changed.when(RAVI, command).refused(Conflict)
    assert isinstance(refusal.current, Loan)
    assert refusal.current.principal == 5


def test_the_other_one_disputes_it_by_deleting_it_and_it_can_be_restored() -> None:
    ledger = ledger_of(*TRIP, LENT, (RAVI, DeleteLoan("l1")))
    assert loan_of(ledger).status is LoanStatus.DELETED
    assert isinstance(ledger.try_to(ASHA, UpdateLoan("l1", TERMS)), Conflict)
    assert isinstance(ledger.try_to(ASHA, DeleteLoan("l1")), Conflict)
    ledger.do(ASHA, RestoreLoan("l1"))
    assert loan_of(ledger).status is LoanStatus.OPEN
    assert isinstance(ledger.try_to(ASHA, RestoreLoan("l1")), Conflict)


def test_a_deleted_loan_comes_back_only_among_members() -> None:
    ledger = ledger_of(*TRIP, LENT, DeleteLoan("l1"), RemoveMember(RAVI))
    assert isinstance(ledger.try_to(ASHA, RestoreLoan("l1")), Conflict)


def test_what_is_left_of_a_loan_is_forgiven_by_deleting_it() -> None:
    ledger = ledger_of(*TRIP, LENT)
    repay(ledger, 1_020, days=10)
    ledger.do(ASHA, DeleteLoan("l1"))
    assert ledger.group.balances == {ASHA: 0, RAVI: 0, MEERA: 0}
    ledger.do(ASHA, RestoreLoan("l1"))
    assert (loan_of(ledger).outstanding, loan_of(ledger).interest_paid) == (9_000, 20)
    ledger.do(ASHA, DeleteLoan("l1"))
    ledger.do(RAVI, LeaveGroup())


# --- leaving, and taking over


def test_nobody_leaves_with_a_loan_open() -> None:
    given(*TRIP, LENT).when(RAVI, LeaveGroup()).refused(BalanceNotZero)
    given(*TRIP, LENT).when(ASHA, RemoveMember(RAVI)).refused(BalanceNotZero)
    ledger = ledger_of(*TRIP, LENT)
    repay(ledger, 10_000, days=0)
    ledger.do(RAVI, LeaveGroup())


def test_who_claims_a_placeholder_has_its_loans() -> None:
    ledger = ledger_of(*TRIP, WITH_GUEST, CreateLoan("l1", GUEST, ASHA, TERMS), CLAIMED)
    assert loan_of(ledger).lender_id == JON
    ledger.do(ASHA, CreateSettlement("s1", JON, 10_000, loan_id="l1"))
    ledger.do(JON, ConfirmSettlement("s1"))
    assert loan_of(ledger).status is LoanStatus.REPAID


def test_who_gives_their_account_up_keeps_their_loans_under_their_placeholder() -> None:
    ledger = ledger_of(*TRIP, LENT, (RAVI, BecomePlaceholder("Ravi")))
    assert loan_of(ledger).borrower_id == RAVI
    ledger.do(ASHA, CreateSettlement("s1", ASHA, 10_000, from_id=RAVI, loan_id="l1"))
    ledger.do(ASHA, ConfirmSettlement("s1"))
    assert loan_of(ledger).status is LoanStatus.REPAID


def test_a_group_with_loans_keeps_its_currency() -> None:
    given(*TRIP, LENT).when(ASHA, UpdateGroup(currency="EUR")).refused(Invalid, path="currency")


# --- repaying


def test_a_payment_pays_interest_first_and_the_principal_with_the_rest() -> None:
    ledger = ledger_of(*TRIP, LENT)
    event = repay(ledger, 1_000, days=10)  # two a day
    assert event.settlement.repayment == Repayment(interest=20, principal=980)
    loan = loan_of(ledger)
    assert event.loan == loan
    assert (loan.outstanding, loan.interest_owed, loan.interest_paid) == (9_020, 0, 20)
    assert loan.accrued_through == days_later(10)
    assert ledger.group.balances == {ASHA: 0, RAVI: 0, MEERA: 0}


def test_interest_that_a_payment_doesnt_cover_stays_owed_and_bears_none() -> None:
    ledger = ledger_of(*TRIP, LENT)
    assert repay(ledger, 5, days=10).settlement.repayment == Repayment(interest=5, principal=0)
    loan = loan_of(ledger)
    assert (loan.outstanding, loan.interest_owed) == (10_000, 15)
    assert accrued(loan, days_later(20)).interest_owed == 35


def test_what_is_more_than_the_loan_moves_balances() -> None:
    ledger = ledger_of(*TRIP, LENT)
    event = repay(ledger, 10_120, days=10)
    assert event.settlement.repayment == Repayment(interest=20, principal=10_000)
    assert loan_of(ledger).status is LoanStatus.REPAID
    assert ledger.group.balances == {ASHA: -100, RAVI: 100, MEERA: 0}
    assert ledger.group.debts == {ASHA: {RAVI: 100}}


def test_a_loan_repaid_on_its_day_bears_no_interest() -> None:
    ledger = ledger_of(*TRIP, LENT)
    assert repay(ledger, 10_000, days=0).settlement.repayment == Repayment(interest=0, principal=10_000)


def test_what_is_lent_is_what_is_left_of_loans_that_are_open() -> None:
    ledger = ledger_of(*TRIP, LENT)
    repay(ledger, 4_000, days=0)
    assert list(lent_in(ledger.group)) == [(RAVI, ASHA, 6_000)]
    repay(ledger, 6_000, days=0)
    assert list(lent_in(ledger.group)) == []


def test_who_confirms_late_gets_no_more_interest() -> None:
    ledger = ledger_of(*TRIP, LENT)
    event = repay(ledger, 10_020, days=10, confirmed_after=100)
    assert event.settlement.repayment == Repayment(interest=20, principal=10_000)


def test_a_payment_says_as_of_which_day_it_repays() -> None:
    ledger = ledger_of(*TRIP, LENT)
    ledger.now = f"{days_later(30)}T12:00:00.000Z"
    ledger.do(RAVI, CreateSettlement("s1", ASHA, 10_020, loan_id="l1", paid_on=days_later(10)))
    ledger.do(ASHA, ConfirmSettlement("s1"))
    assert (loan_of(ledger).status, loan_of(ledger).accrued_through) == (LoanStatus.REPAID, days_later(10))


def test_nothing_is_repaid_before_the_loan_or_in_the_future() -> None:
    for day in (days_later(-1), days_later(2)):
        command = CreateSettlement("s1", ASHA, 1, loan_id="l1", paid_on=day)
        given(*TRIP, LENT).when(RAVI, command).refused(Invalid, path="paidOn")
    without_loan = CreateSettlement("s1", ASHA, 1, paid_on=TODAY)
    given(*TRIP, LENT).when(RAVI, without_loan).refused(Invalid, path="paidOn")


def paid_early_and_late() -> Ledger:
    """Ravi has paid nearly all after ten days, and a bit after a year; Asha has answered neither."""
    ledger = ledger_of(*TRIP, LENT)
    for payment, amount, days in (("early", 9_020, 10), ("late", 100, 365)):
        ledger.now = f"{days_later(days)}T12:00:00.000Z"
        ledger.do(RAVI, CreateSettlement(payment, ASHA, amount, loan_id="l1"))
    return ledger


def test_who_confirms_a_later_payment_first_gets_no_interest_on_what_was_paid_earlier() -> None:
    ledger = paid_early_and_late()
    assert isinstance(ledger.try_to(ASHA, ConfirmSettlement("late")), SettlementPending)
    ledger.do(ASHA, ConfirmSettlement("early"))
    ledger.do(ASHA, ConfirmSettlement("late"))
    # 20 for ten days of all, 71 for 355 days of what was left of it
    assert (loan_of(ledger).interest_paid, loan_of(ledger).outstanding) == (20 + 71, 1_000 - 29)


@pytest.mark.parametrize("answer", [(ASHA, DeclineSettlement("early")), (RAVI, CancelSettlement("early"))])
def test_an_earlier_payment_that_did_not_arrive_is_in_no_laters_way(answer: tuple[str, Command]) -> None:
    ledger = paid_early_and_late()
    ledger.do(*answer)
    ledger.do(ASHA, ConfirmSettlement("late"))
    assert loan_of(ledger).outstanding == 10_000


def test_payments_of_one_day_are_confirmed_in_any_order_and_other_loans_wait_for_none() -> None:
    ledger = paid_early_and_late()
    ledger.do(RAVI, CreateSettlement("too", ASHA, 50, loan_id="l1"))
    ledger.do(ASHA, replace(LENT, loan_id="l2"))
    assert repay(ledger, 10_730, days=365, loan_id="l2").loan == loan_of(ledger, "l2")
    ledger.do(ASHA, ConfirmSettlement("early"))
    ledger.do(ASHA, ConfirmSettlement("too"))
    ledger.do(ASHA, ConfirmSettlement("late"))
    assert loan_of(ledger).outstanding == 1_000 - 79


def test_a_payment_that_is_noted_after_a_later_one_counted_charges_no_day_twice() -> None:
    ledger = ledger_of(*TRIP, LENT)
    repay(ledger, 1_000, days=20)
    ledger.do(RAVI, CreateSettlement("early", ASHA, 1_000, loan_id="l1", paid_on=days_later(10)))
    ledger.do(ASHA, ConfirmSettlement("early"))
    assert (loan_of(ledger).interest_paid, loan_of(ledger).accrued_through) == (40, days_later(20))
    assert loan_of(ledger).outstanding == 10_000 - (2_000 - 40)


def test_a_loan_of_a_day_that_has_begun_elsewhere_is_repaid_at_once() -> None:
    ledger = ledger_of(*TRIP, replace(LENT, draft=replace(TERMS, date=days_later(1))))
    event = repay(ledger, 10_000, days=0)
    assert (event.settlement.paid_on, event.settlement.repayment) == (days_later(1), Repayment(0, 10_000))


@pytest.mark.parametrize(
    ("actor", "command"),
    [
        (RAVI, CreateSettlement("s1", ASHA, 1, loan_id="other")),
        (ASHA, CreateSettlement("s1", RAVI, 1, loan_id="l1")),
        (MEERA, CreateSettlement("s1", ASHA, 1, loan_id="l1")),
    ],
)
def test_only_its_borrower_repays_a_loan_that_is_open(actor: str, command: CreateSettlement) -> None:
    given(*TRIP, LENT).when(actor, command).refused(Invalid, path="loanId")
    deleted = given(*TRIP, LENT, DeleteLoan("l1"))
    deleted.when(RAVI, CreateSettlement("s1", ASHA, 1, loan_id="l1")).refused(Invalid, path="loanId")


@pytest.mark.parametrize("answer", [(ASHA, DeclineSettlement("s1")), (RAVI, CancelSettlement("s1"))])
def test_a_payment_that_did_not_arrive_repays_nothing(answer: tuple[str, Command]) -> None:
    ledger = ledger_of(*TRIP, LENT, (RAVI, CreateSettlement("s1", ASHA, 500, loan_id="l1")))
    before = loan_of(ledger)
    ledger.do(*answer)
    assert loan_of(ledger) == before


def test_a_payment_for_a_loan_that_is_gone_by_then_moves_balances_as_any_does() -> None:
    ledger = ledger_of(*TRIP, LENT, (RAVI, CreateSettlement("s1", ASHA, 500, loan_id="l1")), DeleteLoan("l1"))
    ledger.do(ASHA, ConfirmSettlement("s1"))
    event = ledger.events[-1].event
    assert isinstance(event, SettlementCompleted)
    assert (event.loan, event.settlement.repayment, event.settlement.moved) == (None, None, 500)
    assert ledger.group.balances == {ASHA: -500, RAVI: 500, MEERA: 0}


def test_several_loans_are_repaid_each_by_itself() -> None:
    ledger = ledger_of(*TRIP, LENT, CreateLoan("l2", ASHA, RAVI, LoanDraft(300, TODAY)))
    repay(ledger, 300, days=5, loan_id="l2")
    assert (loan_of(ledger).outstanding, loan_of(ledger, "l2").outstanding) == (10_000, 0)


def test_a_payment_that_names_no_loan_repays_none() -> None:
    ledger = ledger_of(*TRIP, LENT, CreateExpense("e1", shared(600, ASHA, RAVI, by=ASHA)))
    ledger.pay(RAVI, ASHA, 300)
    assert loan_of(ledger).outstanding == 10_000
    assert ledger.group.balances[RAVI] == 0


# --- interest


@pytest.mark.parametrize(
    ("text", "rate"), [("6.5", "6.5"), ("06.50", "6.5"), ("100", "100"), ("10.0", "10"), ("0.0001", "0.0001")]
)
def test_a_rate_is_written_in_one_way(text: str, rate: str) -> None:
    assert canonical_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["", "0", "0.0", "-1", "100.1", "101", "6,5", "6.", ".5", "1e1", "0.00001", "٦"]
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="percent"):
        canonical_rate(text)


def test_a_years_interest_is_the_rate_whatever_the_year() -> None:
    loan = loan_of(ledger_of(*TRIP, replace(LENT, draft=replace(TERMS, date="2024-01-01", rate="6.5"))))
    assert accrued(loan, "2024-12-31").interest_owed == 650  # a leap year: 365 days later
    assert accrued(loan, "2025-01-01").interest_owed == 652  # 651.78


def test_half_a_unit_is_rounded_up_and_the_rest_carried_on() -> None:
    # A quarter of a unit a day: 0.25 → 0, 0.5 → 1, 1.5 → 2
    loan = replace(loan_of(ledger_of(*TRIP, LENT)), principal=1_250, outstanding=1_250, rate="7.3")
    assert [accrued(loan, days_later(n)).interest_owed for n in (1, 2, 3, 4, 5, 6)] == [0, 1, 1, 1, 1, 2]
    day_by_day = loan
    for number in range(1, 7):
        day_by_day = accrued(day_by_day, days_later(number))
    assert day_by_day == accrued(loan, days_later(6))


def exact(amount: int, rate: str | None, days: int) -> Fraction:
    return Fraction(amount) * Fraction(rate or "0") / 100 * days / 365


def rounded(amount: Fraction) -> int:
    return floor(amount + Fraction(1, 2))


rates = st.none() | st.integers(1, 1_000_000).map(lambda scaled: canonical_rate(f"{scaled / 10_000:.4f}"))
principals = st.integers(1, 2_000) | st.integers(1, AMOUNT_MAX)


@st.composite
def lent(draw: st.DrawFn) -> Loan:
    return replace(
        loan_of(ledger_of(*TRIP, LENT)),
        principal=(principal := draw(principals)),
        outstanding=principal,
        rate=draw(rates),
    )


@PROPERTY
@hypothesis_given(lent(), st.lists(st.tuples(st.integers(0, 800), st.integers(1, 120)), max_size=8))
def test_no_payment_makes_or_loses_a_unit_and_interest_is_what_fractions_say(
    loan: Loan, payments: list[tuple[int, int]]
) -> None:
    principal, owed, paid_interest, day = loan.principal, Fraction(0), 0, 0
    for days, percent in payments:
        day += days
        amount = max(1, principal * percent // 100)
        owed += exact(principal, loan.rate, days)
        due = rounded(owed - paid_interest)
        if not loan.is_open:
            break
        loan, repayment = repaid(loan, amount, days_later(day))
        assert repayment == Repayment(min(amount, due), min(amount - min(amount, due), principal))
        principal -= repayment.principal
        paid_interest += repayment.interest
        assert (loan.outstanding, loan.interest_owed) == (principal, due - repayment.interest)
        assert loan.interest_paid == paid_interest
        assert Fraction(loan.interest_parts, PARTS) + loan.interest_owed == owed - paid_interest
        assert -PARTS <= 2 * loan.interest_parts < PARTS


@PROPERTY
@hypothesis_given(lent(), st.integers(0, 4_000), st.integers(1, 6))
def test_a_loan_repaid_on_one_day_in_any_parts_costs_the_same(loan: Loan, days: int, parts: int) -> None:
    day = days_later(days)
    whole = accrued(loan, day)
    total = whole.outstanding + whole.interest_owed
    assert whole.interest_owed == rounded(exact(loan.principal, loan.rate, days))
    left = total
    for part in range(parts, 0, -1):
        amount = left // part
        left -= amount
        if amount:
            loan, repayment = repaid(loan, amount, day)
            assert repayment.amount == amount
    assert (loan.status, loan.outstanding, loan.interest_owed) == (LoanStatus.REPAID, 0, 0)
    assert loan.principal + loan.interest_paid == total


@LONG_PROPERTY
@hypothesis_given(histories(moves_max=20))
def test_whatever_happens_loans_and_balances_add_up(ledger: Ledger) -> None:
    state = None
    for recorded in ledger.events:
        before = state
        state = folded([recorded], state)
        assert sum(state.balances.values()) == 0
        if isinstance(recorded.event, LoanEvent):
            assert before is not None
            assert (state.balances, state.debts) == (before.balances, before.debts)
    assert state is not None
    assert state_from_json(state_to_json(state)) == state
    repaid_of: dict[str, list[Repayment]] = {}
    for payment in ledger.settlements.values():
        if payment.repayment is not None and payment.loan_id is not None:
            repaid_of.setdefault(payment.loan_id, []).append(payment.repayment)
            assert 0 <= payment.moved <= payment.amount
    for loan in state.loans.values():
        parts = repaid_of.get(loan.id, [])
        assert loan.principal == loan.outstanding + sum(part.principal for part in parts)
        assert loan.interest_paid == sum(part.interest for part in parts)
        assert state.is_member(loan.lender_id) or not loan.is_open


def test_members_are_added_to_lend() -> None:
    ledger = ledger_of(*TRIP, AddMember(JON, "Jon"), CreateLoan("l1", ASHA, JON, TERMS))
    assert loan_of(ledger).is_between(JON)
    assert not loan_of(ledger).is_between(RAVI)
    assert loan_of(ledger).is_overdue("2027-03-02")
    assert not loan_of(ledger).is_overdue("2027-03-01")
