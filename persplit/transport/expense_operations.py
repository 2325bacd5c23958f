"""Expenses and settlements."""

from typing import Final

from persplit.ledger.commands import (
    CancelSettlement,
    Command,
    ConfirmSettlement,
    CreateExpense,
    CreateSettlement,
    DeclineSettlement,
    DeleteExpense,
    RestoreExpense,
    UpdateExpense,
)
from persplit.ledger.errors import FieldError, Invalid
from persplit.ledger.events import Noun
from persplit.ledger.expense import ExpenseDraft
from persplit.ledger.finding import ExpenseFilter
from persplit.service.history import Page
from persplit.service.qr_data import data_url
from persplit.service.subjects import thing_of
from persplit.transport import requests as r
from persplit.transport import views
from persplit.transport.fields import cursor_of
from persplit.transport.operations import Answers, Call, Operation, Run, Services, command, new_id, today
from persplit.transport.views import Json

results: Final = Answers("results")


async def _written(
    services: Services, call: Call, request: r.GroupWrite, wanted: Command, *, is_new_id: bool = False
) -> Json:
    """The answer to a write: its place in the ledger, and the expense or settlement as that event left it."""
    outcome = await command(services, call, request, wanted, group_id=request.group_id, is_new_id=is_new_id)
    recorded = outcome.recorded
    thing = thing_of(recorded.event)
    assert thing is not None, "events of these commands hold one"  # noqa: S101 - for the type checker
    noun = "expense" if isinstance(wanted, _EXPENSE_COMMANDS) else "settlement"
    return {"seq": recorded.seq, "replayed": outcome.replayed, noun: views.thing(thing, recorded.group_id)}


_EXPENSE_COMMANDS: Final = (CreateExpense, UpdateExpense, DeleteExpense, RestoreExpense)


async def _draft(services: Services, call: Call, request: r.CreateExpense | r.UpdateExpense) -> ExpenseDraft:
    """The draft, with what the server knows of its currency where the request doesn't say what that is worth."""
    if request.currency is None or request.rate is not None:
        return request.draft()
    state = await services.groups.state_for(request.group_id, call.user_id)
    day = request.date or today()
    return request.draft(await services.rates.on(request.currency, state.settings.currency, day))


async def _create_expense(services: Services, call: Call, request: r.CreateExpense) -> Json:
    wanted = CreateExpense(request.id or new_id(), await _draft(services, call, request))
    return await _written(services, call, request, wanted, is_new_id=request.id is None)


async def _update_expense(services: Services, call: Call, request: r.UpdateExpense) -> Json:
    wanted = UpdateExpense(request.expense_id, await _draft(services, call, request), request.expected_seq)
    return await _written(services, call, request, wanted)


async def _delete_expense(services: Services, call: Call, request: r.DeleteExpense) -> Json:
    return await _written(services, call, request, DeleteExpense(request.expense_id, request.expected_seq))


async def _restore_expense(services: Services, call: Call, request: r.RestoreExpense) -> Json:
    return await _written(services, call, request, RestoreExpense(request.expense_id, request.expected_seq))


async def _create_settlement(services: Services, call: Call, request: r.CreateSettlement) -> Json:
    wanted = CreateSettlement(
        settlement_id=request.id or new_id(),
        to_id=request.to_user_id,
        amount=request.amount,
        from_id=request.from_user_id,
        note=request.note or None,
        utr=request.utr,
        loan_id=request.loan_id,
        paid_on=request.paid_on,
    )
    return await _written(services, call, request, wanted, is_new_id=request.id is None)


async def _confirm(services: Services, call: Call, request: r.ConfirmSettlement) -> Json:
    return await _written(
        services, call, request, ConfirmSettlement(request.settlement_id, request.expected_seq)
    )


async def _decline(services: Services, call: Call, request: r.DeclineSettlement) -> Json:
    return await _written(
        services, call, request, DeclineSettlement(request.settlement_id, request.expected_seq)
    )


async def _cancel(services: Services, call: Call, request: r.CancelSettlement) -> Json:
    return await _written(
        services, call, request, CancelSettlement(request.settlement_id, request.expected_seq)
    )


async def _expense(services: Services, call: Call, request: r.OneExpense) -> Json:
    found = await services.history.thing(request.group_id, call.user_id, Noun.EXPENSE, request.expense_id)
    return views.thing(found, request.group_id)


async def _expenses(services: Services, call: Call, request: r.ListExpenses) -> Json:
    where = request.where()
    if where == ExpenseFilter():
        return await _listed(services, call, request, Noun.EXPENSE, with_deleted=request.include_deleted)
    before = int(request.cursor) if request.cursor else None
    page = await services.expense_books.search(
        request.group_id,
        call.user_id,
        where,
        before,
        request.limit,
        with_deleted=request.include_deleted,
    )
    return _page(page, request.group_id, Noun.EXPENSE)


async def _settlements(services: Services, call: Call, request: r.ListThings) -> Json:
    return await _listed(services, call, request, Noun.SETTLEMENT, with_deleted=True)


async def _listed(
    services: Services, call: Call, request: r.ListThings, noun: Noun, *, with_deleted: bool
) -> Json:
    before = int(request.cursor) if request.cursor else None
    page = await services.history.page(
        request.group_id, call.user_id, noun, before, request.limit, with_deleted=with_deleted
    )
    return _page(page, request.group_id, noun)


def _page(page: Page, group_id: str, noun: Noun) -> Json:
    return {
        f"{noun}s": [views.thing(thing, group_id) for thing in page.things],
        "nextCursor": None if page.next_before is None else cursor_of(page.next_before),
    }


async def _settlement_qr(services: Services, call: Call, request: r.SettlementQr) -> Json:
    standing = await services.groups.standing_for(request.group_id, call.user_id)
    state = standing.state
    from_id, to_id = (
        state.canonical(request.from_user_id or call.user_id),
        state.canonical(request.to_user_id),
    )
    for path, user_id in (("fromUserId", from_id), ("toUserId", to_id)):
        if not state.is_member(user_id):
            raise Invalid(FieldError(path, "not a member of the group"))
    ends = (state.speaker(from_id), state.speaker(to_id))
    planned = (p.transfer.amount for p in standing.plan if (p.transfer.from_id, p.transfer.to_id) == ends)
    amount = request.amount or next(planned, None)
    if amount is None:
        raise Invalid(FieldError("amount", "the plan has no payment between the two: say how much"))
    link = await services.standings.link_to(state, to_id, amount)
    return {"upiLink": link, "qr": None if link is None else await data_url(services.qr_codes, link)}


def _expense_write(
    id_: str, summary: str, request: type[r.Request], run: Run, rest: str, event: str
) -> Operation:
    return Operation(id_, summary, request, results.ExpenseWritten, run, rest, event, is_pipelined=True)


def _answer(id_: str, summary: str, request: type[r.Request], run: Run, rest: str, event: str) -> Operation:
    return Operation(id_, summary, request, results.SettlementWritten, run, rest, event, is_pipelined=True)


_EXPENSES: Final = "/groups/{groupId}/expenses"
_SETTLEMENTS: Final = "/groups/{groupId}/settlements"

OPERATIONS: Final = (
    Operation(
        "createExpense",
        "Add an expense",
        r.CreateExpense,
        results.ExpenseWritten,
        _create_expense,
        f"POST {_EXPENSES}",
        "expense:create",
        status=201,
        is_pipelined=True,
    ),
    Operation(
        "listExpenses",
        "Expenses, newest first: all of them, or those that are looked for",
        r.ListExpenses,
        results.Expenses,
        _expenses,
        f"GET {_EXPENSES}",
    ),
    Operation(
        "getExpense", "An expense", r.OneExpense, results.Expense, _expense, f"GET {_EXPENSES}/{{expenseId}}"
    ),
    _expense_write(
        "updateExpense",
        "Put another version of an expense",
        r.UpdateExpense,
        _update_expense,
        f"PUT {_EXPENSES}/{{expenseId}}",
        "expense:update",
    ),
    _expense_write(
        "deleteExpense",
        "Delete an expense; it can be restored",
        r.DeleteExpense,
        _delete_expense,
        f"DELETE {_EXPENSES}/{{expenseId}}",
        "expense:delete",
    ),
    _expense_write(
        "restoreExpense",
        "Restore a deleted expense",
        r.RestoreExpense,
        _restore_expense,
        f"POST {_EXPENSES}/{{expenseId}}/restore",
        "expense:restore",
    ),
    Operation(
        "createSettlement",
        "Record a payment that was made",
        r.CreateSettlement,
        results.SettlementWritten,
        _create_settlement,
        f"POST {_SETTLEMENTS}",
        "settlement:create",
        status=201,
        is_pipelined=True,
    ),
    Operation(
        "listSettlements",
        "Settlements, newest first",
        r.ListThings,
        results.Settlements,
        _settlements,
        f"GET {_SETTLEMENTS}",
    ),
    _answer(
        "confirmSettlement",
        "Say that the payment arrived (its receiver)",
        r.ConfirmSettlement,
        _confirm,
        f"POST {_SETTLEMENTS}/{{settlementId}}/confirm",
        "settlement:confirm",
    ),
    _answer(
        "declineSettlement",
        "Say that the payment did not arrive (its receiver)",
        r.DeclineSettlement,
        _decline,
        f"POST {_SETTLEMENTS}/{{settlementId}}/decline",
        "settlement:decline",
    ),
    _answer(
        "cancelSettlement",
        "Take back a payment that was recorded (its payer)",
        r.CancelSettlement,
        _cancel,
        f"POST {_SETTLEMENTS}/{{settlementId}}/cancel",
        "settlement:cancel",
    ),
    Operation(
        "settlementQr",
        "The QR to pay somebody",
        r.SettlementQr,
        results.Qr,
        _settlement_qr,
        event="settlement:qr",
    ),
)
