"""`persplit client expense …`."""

from dataclasses import replace
from typing import Annotated, Final

import typer

from persplit.client import ExpenseFilter, draft_of
from persplit.client_cli import shapes, tables
from persplit.client_cli.amounts import parse_amount
from persplit.client_cli.days import today
from persplit.client_cli.names import Named, choose
from persplit.client_cli.running import FromDay, Group, Json, ToDay, run
from persplit.client_cli.session import Session
from persplit.client_cli.splitting import Kind, Split, Words, drafted, parse_day, redrafted
from persplit.client_cli.views import GroupView

app = typer.Typer(help="What was spent.", no_args_is_help=True)

LIST_DEFAULT: Final = 20
"""Expenses that are listed unless told: a screenful."""

PaidBy = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WHO[=AMOUNT]", help="Who paid; again for each of several, one may go without an amount."
    ),
]
Among = Annotated[
    list[str] | None, typer.Option(metavar="WHO,…", help="Who takes part; everybody unless told.")
]
Part = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WHO=VALUE", help="For exact and adjust an amount, for percent and shares a number."
    ),
]
ItemOption = Annotated[
    list[str] | None, typer.Option("--item", metavar="WHAT=AMOUNT:WHO,…", help="A line of an itemised bill.")
]
SplitOption = Annotated[Split | None, typer.Option(help="How to divide.", show_default="equal")]
IncludePayer = Annotated[
    bool | None, typer.Option("--include-payer/--leave-payer-out", help="Whether who paid takes part.")
]
Date = Annotated[str | None, typer.Option(metavar="DAY", help="2026-11-21, today or yesterday.")]
Category = Annotated[str | None, typer.Option()]
Notes = Annotated[str | None, typer.Option()]
KindOption = Annotated[
    Kind | None,
    typer.Option(
        help="refund and income: money that came in, to whom --paid-by names.", show_default="expense"
    ),
]
Currency = Annotated[
    str | None, typer.Option(metavar="CODE", help="Another currency than the group's: EUR, JPY, …")
]
Rate = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER", help="What one unit of it is worth in the group's; the server's table unless told."
    ),
]
Which = Annotated[str, typer.Argument(metavar="EXPENSE", help="Its description, or its id or part of it.")]


@app.command()
def add(
    context: typer.Context,
    description: str,
    amount: Annotated[
        str | None,
        typer.Argument(help="Like 500, 1,234.50, ₹500, 12k or 1.5 lakh; the items' sum if left out."),
    ] = None,
    *,
    split: SplitOption = None,
    paid_by: PaidBy = None,
    among: Among = None,
    part: Part = None,
    item: ItemOption = None,
    include_payer: IncludePayer = None,
    date: Date = None,
    category: Category = None,
    notes: Notes = None,
    kind: KindOption = None,
    currency: Currency = None,
    rate: Rate = None,
    preset: Annotated[str | None, typer.Option(help="Divide as this preset of the group says.")] = None,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Add an expense: you paid, and it is divided equally among all, unless told.

    Examples: `add Dinner 1200`, `add Taxi 300 --among Asha,Ben`, `add Hotel 12k --paid-by Asha=7k --paid-by Ben`,
    `add Rent 30k --split percent --part me=60 --part Ben=40`, `add Lunch --item "Thali=300:Asha,Ben"`,
    `add Museum 45 --currency EUR --rate 97.25`, `add Deposit 5k --kind refund`.

    JSON: {"expense": {id, amount, shares, pending, …}}
    """
    words = _words(
        description, amount, split, paid_by, among, part, item, include_payer, date, category, notes
    )
    words = replace(words, kind=kind, currency=currency, rate=rate)

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        told = words
        if preset is not None:
            presets = [Named(one.id, one.name) for one in await session.client.presets(view.id)]
            told = replace(words, preset_id=choose(preset, presets, "preset"))
        draft = drafted(told, lambda who: session.person(view, who), view.currency, today())
        written = await session.client.create_expense(view.id, draft)
        await session.deliver(written)
        await _shown(session, view, written.id)

    run(context, work, as_json=as_json)


@app.command("list")
def list_(
    context: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest.")] = LIST_DEFAULT,
    deleted: Annotated[bool, typer.Option("--deleted", help="Deleted ones too.")] = False,
    text: Annotated[
        str | None, typer.Option(help="Words that are all in the description or the notes.")
    ] = None,
    member: Annotated[str | None, typer.Option(metavar="WHO", help="Who paid or has a share.")] = None,
    payer: Annotated[str | None, typer.Option(metavar="WHO", help="Who paid.")] = None,
    category: Annotated[str | None, typer.Option(help="See `categories`; or a word of your own.")] = None,
    at_least: Annotated[str | None, typer.Option(metavar="AMOUNT")] = None,
    at_most: Annotated[str | None, typer.Option(metavar="AMOUNT")] = None,
    from_: FromDay = None,
    to: ToDay = None,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """A group's expenses, newest first: all, or those of which everything holds that you say.

    JSON: {"expenses": [{…, pending}], "total"}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        where = ExpenseFilter(
            text=text,
            member=session.person(view, member) if member else None,
            payer=session.person(view, payer) if payer else None,
            category=category,
            amount_min=parse_amount(at_least, view.currency) if at_least else None,
            amount_max=parse_amount(at_most, view.currency) if at_most else None,
            date_from=parse_day(from_, today()) if from_ else None,
            date_to=parse_day(to, today()) if to else None,
        )
        entries = await session.client.expenses(view.id, include_deleted=deleted, where=where)
        shown = entries[:limit]
        left = len(entries) - len(shown)
        session.out.show(
            {"expenses": [shapes.expense(entry) for entry in shown], "total": len(entries)},
            tables.expenses(view, shown),
            *([f"… and {left} older: --limit {len(entries)}"] if left else []),
        )

    run(context, work, as_json=as_json)


@app.command()
def show(context: typer.Context, expense: Which, *, group: Group = None, as_json: Json = False) -> None:
    """One expense: who paid, how it was divided, and everybody's share.

    JSON: {"expense": {…, pending}}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        await _shown(session, view, (await session.expense(view, expense)).expense.id)

    run(context, work, as_json=as_json)


@app.command()
def edit(
    context: typer.Context,
    expense: Which,
    *,
    description: Annotated[str | None, typer.Option(help="What it was for.")] = None,
    amount: Annotated[str | None, typer.Option(help="How much it was.")] = None,
    split: SplitOption = None,
    paid_by: PaidBy = None,
    among: Among = None,
    part: Part = None,
    item: ItemOption = None,
    include_payer: IncludePayer = None,
    date: Date = None,
    category: Category = None,
    notes: Notes = None,
    kind: KindOption = None,
    currency: Currency = None,
    rate: Rate = None,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Change what you say of an expense, and leave the rest. An empty category or note removes it.

    If somebody else changed it meanwhile, this is refused rather than theirs overwritten.

    JSON: {"expense": {…, pending}}
    """
    words = _words(
        description, amount, split, paid_by, among, part, item, include_payer, date, category, notes
    )
    words = replace(words, kind=kind, currency=currency, rate=rate)

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        entry = await session.expense(view, expense, deleted=False)
        before = draft_of(entry.expense)
        draft = redrafted(before, words, lambda who: session.person(view, who), view.currency, today())
        seen = None if entry.is_pending else entry.expense.seq
        written = await session.client.update_expense(view.id, entry.expense.id, draft, expected_seq=seen)
        await session.deliver(written)
        await _shown(session, view, entry.expense.id)

    run(context, work, as_json=as_json)


@app.command()
def delete(context: typer.Context, expense: Which, *, group: Group = None, as_json: Json = False) -> None:
    """Make an expense no longer count; `restore` brings it back.

    JSON: {"expense": {…, deletedAt, pending}}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        entry = await session.expense(view, expense, deleted=False)
        await session.deliver(await session.client.delete_expense(view.id, entry.expense.id))
        await _shown(session, view, entry.expense.id)

    run(context, work, as_json=as_json)


@app.command()
def restore(context: typer.Context, expense: Which, *, group: Group = None, as_json: Json = False) -> None:
    """Make a deleted expense count again.

    JSON: {"expense": {…, pending}}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        entry = await session.expense(view, expense, deleted=True)
        await session.deliver(await session.client.restore_expense(view.id, entry.expense.id))
        await _shown(session, view, entry.expense.id)

    run(context, work, as_json=as_json)


def _words(
    description: str | None,
    amount: str | None,
    split: Split | None,
    paid_by: list[str] | None,
    among: list[str] | None,
    part: list[str] | None,
    item: list[str] | None,
    include_payer: bool | None,  # noqa: FBT001 - an option's three states
    date: str | None,
    category: str | None,
    notes: str | None,
) -> Words:
    return Words(
        description=description,
        amount=amount,
        split=split,
        paid_by=paid_by or (),
        among=among or (),
        parts=part or (),
        items=item or (),
        include_payer=include_payer,
        date=date,
        category=category,
        notes=notes,
    )


async def _shown(session: Session, view: GroupView, expense_id: str) -> None:
    entry = await session.client.expense(view.id, expense_id)
    session.out.show({"expense": shapes.expense(entry)}, *tables.expense(view, entry))
