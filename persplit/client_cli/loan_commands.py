"""`persplit client loan …`: what people lend each other, in a group or between the two of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from persplit.client import LoanDraft, LoanEntry, LoanStatus
from persplit.client_cli import shapes, tables
from persplit.client_cli.amounts import parse_amount
from persplit.client_cli.days import today
from persplit.client_cli.errors import UsageFault
from persplit.client_cli.money import money
from persplit.client_cli.names import ME, Named, choose, choose_person, short
from persplit.client_cli.output import table, text
from persplit.client_cli.running import Group, Json, run
from persplit.client_cli.sentences import loan as said
from persplit.client_cli.session import Session
from persplit.client_cli.splitting import parse_day
from persplit.client_cli.views import GroupView

app = typer.Typer(help="Loans between two people: they stand beside the balances.", no_args_is_help=True)

NEVER = "never"

Which = Annotated[
    str, typer.Argument(metavar="LOAN", help="Its id or part of it, its description, or the other's name.")
]
Due = Annotated[
    str | None, typer.Option(metavar="DAY", help="Until when it is to be repaid: 2027-01-31, or never.")
]
Interest = Annotated[
    str | None, typer.Option(metavar="PERCENT", help="Simple interest, percent a year: 6.5.")
]
For = Annotated[str | None, typer.Option("--for", metavar="TEXT", help="What it is for.")]


@dataclass(frozen=True, slots=True)
class _Found:
    view: GroupView
    entry: LoanEntry


@app.command("add")
def add_loan(
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="Who borrows from you; with --from-them, who lends to you.")],
    amount: str,
    *,
    from_them: Annotated[bool, typer.Option("--from-them", help="They lend, and you borrow.")] = False,
    due: Due = None,
    interest: Interest = None,
    day: Annotated[str, typer.Option("--date", metavar="DAY", help="When it was lent.")] = "today",
    what_for: For = None,
    currency: Annotated[str, typer.Option(help="Without a group: of the ledger that you two have.")] = "INR",
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Note a loan: in a group, or without one in the ledger of you two, which is made on first use.

    Examples: `add Ben 5,000 --due 2027-01-31 --interest 6`, `add Asha 2k --from-them --group Goa`.

    JSON: {"loan": {id, groupId, lenderId, borrowerId, principal, outstanding, toRepay, status, pending, …}}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        if group is not None:
            view = await session.view(group)
            user_id = session.person(view, who)
        else:
            user_id = await _somebody(session, who)
            view = await session.view_of(await session.client.direct_ledger(user_id, currency=currency))
        draft = LoanDraft(
            principal=parse_amount(amount, view.currency),
            date=parse_day(day, today()),
            due_date=None if due is None else _last_day(due),
            rate=interest,
            description=what_for,
        )
        parties = {"lender_id" if from_them else "borrower_id": user_id}
        written = await session.client.lend(view.id, draft, **parties)
        await session.deliver(written)
        await _shown(session, view, written.id)

    run(context, work, as_json=as_json)


def _last_day(due: str) -> str | None:
    return None if due.strip().lower() == NEVER else parse_day(due, today())


async def _somebody(session: Session, named: str) -> str:
    """The user id of somebody in any of the caller's groups."""
    people = {
        member.user_id: Named(member.user_id, view.name(member.user_id))
        for view in await session.views()
        for member in view.active()
        if not member.placeholder and member.user_id != session.me
    }
    if named.strip().casefold() == ME:
        raise UsageFault("nobody lends themself")
    return choose_person(named, people.values(), session.me)


@app.command("list")
def list_loans(
    context: typer.Context,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Repaid and deleted ones, too.")] = False,
    on: Annotated[str, typer.Option(metavar="DAY", help="With the interest owed on that day.")] = "today",
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Loans, of all groups unless one is named, with what repays each.

    JSON: {"loans": [{id, groupId, lenderId, lenderName, borrowerId, borrowerName, principal, outstanding,
    interestDue, toRepay, dueDate, overdue, status, pending, …}]}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        found = [it for it in await _found(session, group, on) if everything or it.entry.loan.is_open]
        session.out.show({"loans": [shapes.loan(it.view, it.entry) for it in found]}, _table(found))

    run(context, work, as_json=as_json)


@app.command()
def repay(
    context: typer.Context,
    loan: Which,
    amount: Annotated[
        str | None, typer.Argument(help="How much was paid; all that repays it unless told.")
    ] = None,
    *,
    day: Annotated[str, typer.Option("--date", metavar="DAY", help="When it was paid.")] = "today",
    note: Annotated[str | None, typer.Option()] = None,
    utr: Annotated[
        str | None, typer.Option(help="The bank's twelve-digit reference of a UPI payment.")
    ] = None,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Note that the borrower repaid some or all of a loan; it counts once the lender confirms.

    Interest is paid first. What is more than the loan moves balances, as any payment.

    JSON: {"settlement": {id, loanId, amount, status, pending, …}}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        it = await _one(session, group, loan, LoanStatus.OPEN)
        minor = None if amount is None else parse_amount(amount, it.view.currency)
        paid_on = None if day == "today" else date.fromisoformat(parse_day(day, today()))
        written = await session.client.repay(
            it.view.id, it.entry.loan.id, minor, paid_on=paid_on, note=note, utr=utr
        )
        await session.deliver(written)
        entry = await session.settlement(it.view, written.id)
        line = f"{tables.paid(it.view, entry.settlement)} for a loan: {entry.settlement.status.value.lower()}"
        session.out.show(
            {"settlement": shapes.settlement(entry)}, text(line), tables.mark(pending=entry.is_pending)
        )

    run(context, work, as_json=as_json)


@app.command()
def edit(
    context: typer.Context,
    loan: Which,
    *,
    amount: Annotated[str | None, typer.Option(help="How much was lent.")] = None,
    due: Due = None,
    interest: Interest = None,
    day: Annotated[str | None, typer.Option("--date", metavar="DAY", help="When it was lent.")] = None,
    what_for: For = None,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Change a loan's terms; once some of it was repaid, only --due and --for. `--interest 0`: none any more.

    If somebody else changed it meanwhile, this is refused rather than theirs overwritten.

    JSON: {"loan": {…}}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        it = await _one(session, group, loan, LoanStatus.OPEN)
        before = it.entry.loan
        rate = before.rate if interest is None else interest
        draft = LoanDraft(
            principal=before.principal if amount is None else parse_amount(amount, it.view.currency),
            date=before.date if day is None else parse_day(day, today()),
            due_date=before.due_date if due is None else _last_day(due),
            rate=None if rate == "0" else rate,
            description=before.description if what_for is None else what_for,
        )
        seen = None if it.entry.is_pending else before.seq
        written = await session.client.update_loan(it.view.id, before.id, draft, expected_seq=seen)
        await session.deliver(written)
        await _shown(session, it.view, before.id)

    run(context, work, as_json=as_json)


@app.command()
def delete(context: typer.Context, loan: Which, *, group: Group = None, as_json: Json = False) -> None:
    """Delete a loan: what is left of it isn't owed any more. It can be restored.

    JSON: {"loan": {…}}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        it = await _one(session, group, loan, LoanStatus.OPEN)
        await session.deliver(await session.client.delete_loan(it.view.id, it.entry.loan.id))
        await _shown(session, it.view, it.entry.loan.id)

    run(context, work, as_json=as_json)


@app.command()
def restore(context: typer.Context, loan: Which, *, group: Group = None, as_json: Json = False) -> None:
    """Let a deleted loan count again.

    JSON: {"loan": {…}}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        it = await _one(session, group, loan, LoanStatus.DELETED)
        await session.deliver(await session.client.restore_loan(it.view.id, it.entry.loan.id))
        await _shown(session, it.view, it.entry.loan.id)

    run(context, work, as_json=as_json)


async def _found(session: Session, group: str | None, on: str = "today") -> list[_Found]:
    """The loans of the group, or of all groups; open ones first."""
    day = None if on == "today" else date.fromisoformat(parse_day(on, today()))
    views = await session.views() if group is None else [await session.view(group)]
    found = [_Found(view, entry) for view in views for entry in await session.client.loans(view.id, on=day)]
    return sorted(found, key=lambda it: not it.entry.loan.is_open)


async def _one(session: Session, group: str | None, named: str, status: LoanStatus) -> _Found:
    """The loan that is named, of those in this state. Raises `UsageFault`."""
    found = [it for it in await _found(session, group) if it.entry.loan.status is status]
    candidates = [
        Named(it.entry.loan.id, name)
        for it in found
        for name in (it.entry.loan.description, _other(it))
        if name is not None
    ]
    chosen = choose(named, candidates, f"{status.value.lower()} loan")
    return next(it for it in found if it.entry.loan.id == chosen)


def _other(it: _Found) -> str:
    """Who the loan is with; of others' loans the borrower."""
    loan = it.entry.loan
    return it.view.name(loan.lender_id if it.view.is_me(loan.borrower_id) else loan.borrower_id)


async def _shown(session: Session, view: GroupView, loan_id: str) -> None:
    entry = await session.client.loan(view.id, loan_id)
    line = said(view, entry.loan)
    if entry.loan.deleted_at is not None:
        line += ": deleted"
    elif entry.loan.due_date is not None:
        line += f", due {entry.loan.due_date}"
    shown = text(line[0].upper() + line[1:])
    session.out.show({"loan": shapes.loan(view, entry)}, shown, tables.mark(pending=entry.is_pending))


def _table(found: Sequence[_Found]) -> RenderableType:
    if not found:
        return text("No loans.")
    rows: list[list[str | Text]] = []
    for it in found:
        loan, currency = it.entry.loan, it.view.currency
        due = (loan.due_date or "") + (" overdue" if it.entry.is_overdue else "")
        rows.append(
            [
                it.view.title,
                it.view.shown_name(loan.lender_id),
                it.view.shown_name(loan.borrower_id),
                money(loan.principal, currency),
                "" if loan.rate is None else f"{loan.rate}%",
                money(it.entry.to_repay, currency),
                due if loan.is_open else loan.status.value.lower(),
                loan.description or "",
                short(loan.id),
                tables.mark(pending=it.entry.is_pending),
            ]
        )
    head = ["in", "lender", "borrower", "lent", "a year", "to repay", "due", "for", "id", ""]
    return table(head, rows, right=["lent", "a year", "to repay"])
