"""Paying: the QR of a transfer, and what is noted of payments."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeAlias

import typer

from persplit.client import Client, PlanRow, SettlementEntry, Written
from persplit.client_cli import shapes, tables
from persplit.client_cli.amounts import parse_amount
from persplit.client_cli.errors import UsageFault
from persplit.client_cli.money import money
from persplit.client_cli.names import Named, choose
from persplit.client_cli.paying import asked, how_to_pay, warnings
from persplit.client_cli.running import Group, Json, run
from persplit.client_cli.session import Session
from persplit.client_cli.views import GroupView
from persplit.ledger.settlement import Settlement, SettlementStatus

Which = Annotated[
    str | None,
    typer.Argument(
        metavar="[PAYMENT]",
        help="Its id or part of it, or the other's name; may be left out if only one waits.",
    ),
]
Answer: TypeAlias = Callable[[Client, str, str], Coroutine[Any, Any, Written]]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (qr, settle, payments, confirm, decline, cancel, remind):
        app.command()(command)


def qr(
    context: typer.Context,
    to: Annotated[
        str | None, typer.Argument(help="Whom; everybody whom the plan has you pay unless told.")
    ] = None,
    *,
    amount: Annotated[str | None, typer.Option(help="Another amount than the plan's.")] = None,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Draw the UPI QR of a transfer, to be scanned with another phone.

    JSON: {"transfers": [{from, fromName, to, toName, amount, upiLink, warnings: [text]}]}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        rows = [row for row in (await session.client.plan(view.id)).rows if row.from_id == session.me]
        if to is not None:
            user_id = session.person(view, to)
            rows = [row for row in rows if row.to_id == user_id]
        if amount is not None:
            minor = parse_amount(amount, view.currency)
            rows = [asked(row, minor, view) for row in rows]
        _show_transfers(session, view, rows)

    run(context, work, as_json=as_json)


def _show_transfers(session: Session, view: GroupView, rows: list[PlanRow]) -> None:
    found = shapes.plan_rows(view, rows)
    told = [
        {**shape, "warnings": list(warnings(row.amount)) if row.upi_link else []}
        for shape, row in zip(found, rows, strict=True)
    ]
    drawn = [it for row in rows for it in how_to_pay(view, row)]
    session.out.show({"transfers": told}, *(drawn or ["The plan has you pay nobody there."]))


def settle(
    context: typer.Context,
    to: Annotated[str, typer.Argument(help="Who was paid.")],
    amount: Annotated[str | None, typer.Argument(help="How much; what the plan says unless told.")] = None,
    *,
    payer: Annotated[str | None, typer.Option("--from", help="Who paid; you unless told.")] = None,
    utr: Annotated[
        str | None, typer.Option(help="The bank's twelve-digit reference of a UPI payment.")
    ] = None,
    note: Annotated[str | None, typer.Option()] = None,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Note that somebody was paid. Balances move once they confirm.

    JSON: {"settlement": {id, fromUserId, toUserId, amount, status, pending, …}}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        to_id = session.person(view, to)
        from_id = session.me if payer is None else session.person(view, payer)
        minor = (
            await _planned(session, view, from_id, to_id)
            if amount is None
            else parse_amount(amount, view.currency)
        )
        written = await session.client.settle(
            view.id, to_id, minor, from_id=None if payer is None else from_id, note=note, utr=utr
        )
        await session.deliver(written)
        await _shown(session, view, written.id)

    run(context, work, as_json=as_json)


async def _planned(session: Session, view: GroupView, from_id: str, to_id: str) -> int:
    for row in (await session.client.plan(view.id)).rows:
        if (row.from_id, row.to_id) == (from_id, to_id):
            return row.amount
    payer, payee = view.shown_name(from_id), view.shown_name(to_id)
    raise UsageFault(f"the plan doesn't have {payer} pay {payee}: say how much it was")


def payments(context: typer.Context, *, group: Group = None, as_json: Json = False) -> None:
    """What was noted as paid, and what became of it; newest first.

    JSON: {"settlements": [{…, status, pending}]}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        entries = await session.client.settlements(view.id)
        found = [shapes.settlement(entry) for entry in entries]
        session.out.show({"settlements": found}, tables.settlements(view, entries))

    run(context, work, as_json=as_json)


def confirm(
    context: typer.Context, payment: Which = None, *, group: Group = None, as_json: Json = False
) -> None:
    """Say that a payment to you arrived: then balances move.

    JSON: {"settlement": {…, status, pending}}
    """
    _answer(context, payment, group, Client.confirm, _is_to_me, as_json=as_json)


def decline(
    context: typer.Context, payment: Which = None, *, group: Group = None, as_json: Json = False
) -> None:
    """Say that a payment to you did not arrive.

    JSON: {"settlement": {…, status, pending}}
    """
    _answer(context, payment, group, Client.decline, _is_to_me, as_json=as_json)


def cancel(
    context: typer.Context, payment: Which = None, *, group: Group = None, as_json: Json = False
) -> None:
    """Take back a payment that you noted.

    JSON: {"settlement": {…, status, pending}}
    """
    _answer(context, payment, group, Client.cancel, _is_not_to_me, as_json=as_json)


def _is_to_me(view: GroupView, settlement: Settlement) -> bool:
    return view.is_me(settlement.to_id)


def _is_not_to_me(view: GroupView, settlement: Settlement) -> bool:
    return not view.is_me(settlement.to_id)


def _answer(
    context: typer.Context,
    payment: str | None,
    group: str | None,
    answer: Answer,
    concerns: Callable[[GroupView, Settlement], bool],
    *,
    as_json: bool,
) -> None:
    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        entries = await session.client.settlements(view.id)
        chosen = chosen_payment(view, entries, payment, lambda it: concerns(view, it))
        await session.deliver(await answer(session.client, view.id, chosen.id))
        await _shown(session, view, chosen.id)

    run(context, work, as_json=as_json)


def chosen_payment(
    view: GroupView,
    entries: list[SettlementEntry],
    named: str | None,
    concerns: Callable[[Settlement], bool],
) -> Settlement:
    """The payment with the id, or of the other person of that name; unnamed, the only one that waits.

    Raises:
        UsageFault: there is none, or several.

    """
    every = [entry.settlement for entry in entries]
    waiting = [it for it in every if it.status is SettlementStatus.PENDING and concerns(it)]
    if named is None:
        if len(waiting) == 1:
            return waiting[0]
        lines = [f"{it.id}  {tables.paid(view, it)}" for it in waiting]
        raise UsageFault("which payment?" if waiting else "no payment waits for that", lines=lines)
    by_name = [Named(it.id, view.name(it.from_id if view.is_me(it.to_id) else it.to_id)) for it in waiting]
    closed = [Named(it.id, "") for it in every if it not in waiting]
    found = choose(named, [*by_name, *closed], "payment")
    return next(it for it in every if it.id == found)


async def _shown(session: Session, view: GroupView, settlement_id: str) -> None:
    entry = await session.settlement(view, settlement_id)
    said = f"{tables.paid(view, entry.settlement)}: {entry.settlement.status.value.lower()}"
    waits = f"  ({tables.PENDING_MARK})" if entry.is_pending else ""
    session.out.show({"settlement": shapes.settlement(entry)}, said + waits)


def remind(
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="Who is to pay.")],
    *,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Remind somebody to pay you what the plan says; once a day at most. Admins can remind anybody.

    JSON: {groupId, to, toName, amount}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        session.online()
        view = await session.view(group)
        to_id = session.person(view, who)
        amount = await session.client.remind(view.id, to_id)
        told = {"groupId": view.id, "to": to_id, "toName": view.name(to_id), "amount": amount}
        session.out.show(told, f"{view.name(to_id)} was reminded to pay {money(amount, view.currency)}.")

    run(context, work, as_json=as_json)
