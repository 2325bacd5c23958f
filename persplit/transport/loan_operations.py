"""Loans between two people, in a group or in the ledger of the two."""

from datetime import date, timedelta
from typing import Final

from persplit.ledger.commands import Command, CreateLoan, DeleteLoan, RestoreLoan, UpdateLoan
from persplit.ledger.errors import FieldError, Forbidden, Invalid, NotFound
from persplit.ledger.events import LoanEvent, loan_in
from persplit.ledger.loan import AHEAD_DAYS_MAX, Loan, interest_due, newest_first
from persplit.ledger.loan_codec import loan_to_json
from persplit.ledger.recurrence import UTC_ZONE, day_in
from persplit.ledger.state import GroupState
from persplit.transport import loan_requests as r
from persplit.transport import views
from persplit.transport.operations import Answers, Call, Operation, Services, command, new_id, now
from persplit.transport.reach import Reach
from persplit.transport.requests import Write
from persplit.transport.views import Json

loan_results: Final = Answers("loan_results")
results: Final = Answers("results")


async def _open_direct(services: Services, call: Call, request: r.OpenDirect) -> Json:
    me = await services.accounts.profile(call.user_id)
    opened = await services.direct_ledgers.open(me, request.user_id, request.currency, request.time_zone)
    people = await services.people.get(set(opened.state.members))
    return {
        "seq": opened.state.seq,
        "replayed": opened.is_known,
        "group": views.group(opened.state, people),
    }


async def _create_loan(services: Services, call: Call, request: r.CreateLoan) -> Json:
    lender_id, borrower_id = request.lender_id or call.user_id, request.borrower_id or call.user_id
    group_id = request.group_id or await _direct(services, call, request, lender_id, borrower_id)
    wanted = CreateLoan(request.id or new_id(), lender_id, borrower_id, request.draft())
    return await _written(services, call, request, wanted, group_id, is_new_id=request.id is None)


async def _direct(
    services: Services, call: Call, request: r.CreateLoan, lender_id: str, borrower_id: str
) -> str:
    if call.user_id not in (lender_id, borrower_id):
        raise Forbidden("outside of a group one of the two is who notes the loan")
    me = await services.accounts.profile(call.user_id)
    other_id = borrower_id if lender_id == me.id else lender_id
    if other_id == me.id:
        raise Invalid(FieldError("borrowerId", "nobody lends themself"))
    opened = await services.direct_ledgers.open(
        me, other_id, request.currency or r.CURRENCY_DEFAULT, request.time_zone or UTC_ZONE
    )
    return opened.state.group_id


async def _create_group_loan(services: Services, call: Call, request: r.CreateGroupLoan) -> Json:
    # The same request, whichever way it comes: a retry over a socket is known as one.
    sent = request.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return await _create_loan(services, call, r.CreateLoan.model_validate(sent))


async def _update_loan(services: Services, call: Call, request: r.UpdateLoan) -> Json:
    wanted = UpdateLoan(request.loan_id, request.draft(), request.expected_seq)
    return await _written(services, call, request, wanted, request.group_id)


async def _delete_loan(services: Services, call: Call, request: r.DeleteLoan) -> Json:
    wanted = DeleteLoan(request.loan_id, request.expected_seq)
    return await _written(services, call, request, wanted, request.group_id)


async def _restore_loan(services: Services, call: Call, request: r.RestoreLoan) -> Json:
    wanted = RestoreLoan(request.loan_id, request.expected_seq)
    return await _written(services, call, request, wanted, request.group_id)


async def _written(
    services: Services,
    call: Call,
    request: Write,
    wanted: Command,
    group_id: str,
    *,
    is_new_id: bool = False,
) -> Json:
    outcome = await command(services, call, request, wanted, group_id=group_id, is_new_id=is_new_id)
    event = outcome.recorded.event
    assert isinstance(event, LoanEvent)  # noqa: S101 - the only events of these commands
    return {
        "seq": outcome.recorded.seq,
        "replayed": outcome.replayed,
        "loan": loan_to_json(loan_in(event), group_id),
    }


async def _loans(services: Services, call: Call, request: r.ListLoans) -> Json:
    state = await services.groups.state_for(request.group_id, call.user_id)
    day = _day(state, request.on)
    return {"loans": [_shown(loan, state.group_id, day) for loan in newest_first(state.loans.values())]}


async def _loan(services: Services, call: Call, request: r.OneLoan) -> Json:
    state = await services.groups.state_for(request.group_id, call.user_id)
    loan = state.loans.get(request.loan_id)
    if loan is None:
        raise NotFound("there is no such loan in this group, or it was closed long ago")
    return _shown(loan, state.group_id, _day(state, request.on))


def _day(state: GroupState, asked: str | None) -> str:
    """The day that is asked for, or today in the group's calendar."""
    today = day_in(state.settings.time_zone, now())
    if asked is None:
        return today
    if date.fromisoformat(asked) > date.fromisoformat(today) + timedelta(days=AHEAD_DAYS_MAX):
        raise Invalid(FieldError("on", f"at most {AHEAD_DAYS_MAX} days ahead"))
    return asked


def _shown(loan: Loan, group_id: str, day: str) -> Json:
    due = interest_due(loan, day)
    return {
        **loan_to_json(loan, group_id),
        "on": day,
        "interestDue": due,
        "toRepay": loan.outstanding + due if loan.is_open else 0,
        "overdue": loan.is_overdue(day),
    }


_LOANS: Final = "/groups/{groupId}/loans"

OPERATIONS: Final = (
    Operation(
        "openDirectLedger",
        "The ledger of the caller and somebody who shares a group with them; made if there is none",
        r.OpenDirect,
        results.GroupWritten,
        _open_direct,
        "POST /people/{userId}/ledger",
        "direct:open",
        about=Reach.PERSON,
        guests=False,
    ),
    Operation(
        "createLoan",
        "Note a loan: in a group, or in the ledger of the two people",
        r.CreateLoan,
        results.LoanWritten,
        _create_loan,
        "POST /loans",
        "loan:create",
        status=201,
    ),
    Operation(
        "createGroupLoan",
        "Note a loan between two members (one of them, or an admin)",
        r.CreateGroupLoan,
        results.LoanWritten,
        _create_group_loan,
        f"POST {_LOANS}",
        status=201,
    ),
    Operation(
        "listLoans",
        "A group's loans, with what repays each: those that are open, and those closed last",
        r.ListLoans,
        loan_results.Loans,
        _loans,
        f"GET {_LOANS}",
    ),
    Operation(
        "getLoan",
        "A loan, with what repays it on a day",
        r.OneLoan,
        loan_results.LoanOn,
        _loan,
        f"GET {_LOANS}/{{loanId}}",
    ),
    Operation(
        "updateLoan",
        "Put other terms in place of a loan's",
        r.UpdateLoan,
        results.LoanWritten,
        _update_loan,
        f"PUT {_LOANS}/{{loanId}}",
        "loan:update",
    ),
    Operation(
        "deleteLoan",
        "Delete a loan: what is left of it isn't owed any more; it can be restored",
        r.DeleteLoan,
        results.LoanWritten,
        _delete_loan,
        f"DELETE {_LOANS}/{{loanId}}",
        "loan:delete",
    ),
    Operation(
        "restoreLoan",
        "Restore a deleted loan",
        r.RestoreLoan,
        results.LoanWritten,
        _restore_loan,
        f"POST {_LOANS}/{{loanId}}/restore",
        "loan:restore",
    ),
)
