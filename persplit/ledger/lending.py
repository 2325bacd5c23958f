"""The rules for loans: who may note, change and take one away, and what a payment repays of it. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from persplit.ledger.commands import CreateLoan, CreateSettlement, DeleteLoan, RestoreLoan, UpdateLoan
from persplit.ledger.debts import Debt
from persplit.ledger.errors import (
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    SettlementPending,
)
from persplit.ledger.events import (
    LoanCreated,
    LoanDeleted,
    LoanEvent,
    LoanRestored,
    LoanUpdated,
    SettlementCompleted,
)
from persplit.ledger.loan import AHEAD_DAYS_MAX, LOANS_OPEN_MAX, PAST_DAYS_MAX, Loan, repaid
from persplit.ledger.recurrence import day_after, day_in
from persplit.ledger.settlement import Settlement
from persplit.ledger.state import GroupState


def create_loan(state: GroupState, command: CreateLoan, actor_id: str, now: str) -> LoanEvent:
    """Note a loan: by one of the two, or an admin. Its id is new: the caller looks after that."""
    lender_id, borrower_id = state.canonical(command.lender_id), state.canonical(command.borrower_id)
    for path, user_id in (("lenderId", lender_id), ("borrowerId", borrower_id)):
        if not state.is_member(user_id):
            raise Invalid(FieldError(path, "not a member of the group"))
    if lender_id == borrower_id:
        raise Invalid(FieldError("borrowerId", "nobody lends themself"))
    _check_room(state)
    draft, today = command.draft, day_in(state.settings.time_zone, now)
    day = draft.date or today
    _check_days(day, draft.due_date, today)
    loan = Loan(
        id=command.loan_id,
        seq=state.seq + 1,
        lender_id=lender_id,
        borrower_id=borrower_id,
        principal=draft.principal,
        date=day,
        due_date=draft.due_date,
        rate=draft.rate,
        description=draft.description,
        outstanding=draft.principal,
        interest_owed=0,
        interest_parts=0,
        interest_paid=0,
        accrued_through=day,
        created_by=actor_id,
        created_at=now,
        updated_at=now,
    )
    _check_may(state, loan, actor_id)
    return LoanCreated(loan)


def update_loan(state: GroupState, command: UpdateLoan, actor_id: str, now: str) -> LoanEvent:
    """Put other terms in its place; once something was repaid, only the due date and the description can change."""
    before = _seen(state, command.loan_id, command.expected_seq, actor_id)
    if not before.is_open:
        raise Conflict(f"the loan is {before.status.lower()}", before)
    draft = command.draft
    day = draft.date or before.date
    _check_days(day, draft.due_date, day_in(state.settings.time_zone, now))
    if not before.is_untouched and (draft.principal, day, draft.rate) != (
        before.principal,
        before.date,
        before.rate,
    ):
        raise Conflict("some of it was repaid: principal, date and interest stay as they are", before)
    after = replace(
        before, seq=state.seq + 1, due_date=draft.due_date, description=draft.description, updated_at=now
    )
    if before.is_untouched:
        after = replace(
            after,
            principal=draft.principal,
            outstanding=draft.principal,
            date=day,
            accrued_through=day,
            rate=draft.rate,
        )
    return LoanUpdated(before, after)


def delete_loan(state: GroupState, command: DeleteLoan, actor_id: str, now: str) -> LoanEvent:
    """Take a loan away: it was a mistake, the other one disputes it, or the rest of it is forgiven."""
    before = _seen(state, command.loan_id, command.expected_seq, actor_id)
    if before.deleted_at is not None:
        raise Conflict("the loan is deleted already", before)
    return LoanDeleted(replace(before, seq=state.seq + 1, updated_at=now, deleted_at=now))


def restore_loan(state: GroupState, command: RestoreLoan, actor_id: str, now: str) -> LoanEvent:
    """Let a deleted loan count again, as if it had never been deleted."""
    before = _seen(state, command.loan_id, command.expected_seq, actor_id)
    if before.deleted_at is None:
        raise Conflict("the loan is not deleted", before)
    if not (state.is_member(before.lender_id) and state.is_member(before.borrower_id)):
        raise Conflict("one of the two has left the group: add them again first", before)
    _check_room(state)
    return LoanRestored(replace(before, seq=state.seq + 1, updated_at=now, deleted_at=None))


def repaid_on(state: GroupState, command: CreateSettlement, from_id: str, to_id: str, now: str) -> str | None:
    """The day as of which the payment repays the loan that it names; None where it names none.

    Raises:
        Invalid: it can't repay that loan, or not on that day.

    """
    if command.loan_id is None:
        if command.paid_on is not None:
            raise Invalid(FieldError("paidOn", "goes with the loan that is repaid"))
        return None
    loan = state.loans.get(command.loan_id)
    if loan is None or not loan.is_open:
        raise Invalid(FieldError("loanId", "not an open loan of this group"))
    if (from_id, to_id) != (loan.borrower_id, loan.lender_id):
        raise Invalid(FieldError("loanId", "the borrower repays the lender"))
    today = day_in(state.settings.time_zone, now)
    # A loan may be of a day that has begun elsewhere already.
    day = command.paid_on or max(today, loan.date)
    if not loan.date <= day <= day_after(today):
        raise Invalid(FieldError("paidOn", "not before the loan, and not to come"))
    return day


def completed(state: GroupState, settlement: Settlement) -> SettlementCompleted:
    """The event of a payment that arrived: it repays the loan that it names, as far as that is still open.

    It is never refused for good: the money has changed hands. What doesn't repay moves balances.

    Raises:
        SettlementPending: one that was paid earlier waits; confirmed after this, it would have spared no interest.

    """
    loan = None if settlement.loan_id is None else state.loans.get(settlement.loan_id)
    if loan is None or not loan.is_open or settlement.paid_on is None:
        return SettlementCompleted(settlement)
    for other in state.pending.values():
        if other.loan_id == loan.id and other.paid_on is not None and other.paid_on < settlement.paid_on:
            raise SettlementPending(
                "an earlier payment for this loan awaits an answer: confirm or decline that first"
            )
    after, repayment = repaid(loan, settlement.amount, settlement.paid_on)
    after = replace(after, seq=settlement.seq, updated_at=settlement.updated_at)
    return SettlementCompleted(replace(settlement, repayment=repayment), after)


def lent_in(state: GroupState) -> Iterable[Debt]:
    """What is left of each open loan, without interest: (borrower, lender, minor units)."""
    for loan in state.loans.values():
        if loan.is_open:
            yield loan.borrower_id, loan.lender_id, loan.outstanding


def has_open_loan(state: GroupState, user_id: str) -> bool:
    """Whether somebody has lent or borrowed what isn't repaid."""
    return any(loan.is_open and loan.is_between(user_id) for loan in state.loans.values())


def _check_room(state: GroupState) -> None:
    if sum(loan.is_open for loan in state.loans.values()) >= LOANS_OPEN_MAX:
        raise LimitReached(f"a group has at most {LOANS_OPEN_MAX} open loans")


def _check_days(day: str, due_day: str | None, today: str) -> None:
    """Return if a loan can be made on the one day and be due on the other. Raises `Invalid`."""
    errors = tuple(_day_errors(day, due_day, date.fromisoformat(today)))
    if errors:
        raise Invalid(*errors)


def _day_errors(day: str, due_day: str | None, today: date) -> Iterable[FieldError]:
    earliest = (today - timedelta(days=PAST_DAYS_MAX)).isoformat()
    if not earliest <= day <= day_after(today.isoformat()):
        yield FieldError("date", f"at most {PAST_DAYS_MAX} days ago, and not to come")
    if due_day is None:
        return
    if due_day < day:
        yield FieldError("dueDate", "before the loan")
    if date.fromisoformat(due_day) > today + timedelta(days=AHEAD_DAYS_MAX):
        yield FieldError("dueDate", f"at most {AHEAD_DAYS_MAX} days ahead")


def _seen(state: GroupState, loan_id: str, expected_seq: int | None, actor_id: str) -> Loan:
    """The loan, which the actor may change, unless it has changed since they saw it."""
    loan = state.loans.get(loan_id)
    if loan is None:
        raise NotFound("there is no such loan in this group")
    _check_may(state, loan, actor_id)
    if expected_seq is not None and loan.seq > expected_seq:
        raise Conflict(f"it has changed since seq {expected_seq}; it is at seq {loan.seq} now", loan)
    return loan


def _check_may(state: GroupState, loan: Loan, actor_id: str) -> None:
    if not loan.is_between(actor_id) and not state.is_admin(actor_id):
        raise Forbidden("only the two people concerned, or an admin, can do this")
