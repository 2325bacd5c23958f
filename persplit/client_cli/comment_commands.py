"""`persplit client comment …`: what is said about expenses."""

from typing import Annotated

import typer

from persplit.client import CommentEntry
from persplit.client_cli import shapes, tables
from persplit.client_cli.expense_commands import Which
from persplit.client_cli.names import Named, choose
from persplit.client_cli.running import Group, Json, run
from persplit.client_cli.session import Session
from persplit.client_cli.views import GroupView

app = typer.Typer(help="What is said about an expense.", no_args_is_help=True)


@app.command()
def add(
    context: typer.Context,
    expense: Which,
    text: Annotated[str, typer.Argument(help="What to say.")],
    *,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Say something about an expense.

    JSON: {"comments": [{id, text, createdBy, createdAt, …, pending}]}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        expense_id = (await session.expense(view, expense)).expense.id
        await session.deliver(await session.client.add_comment(view.id, expense_id, text))
        await _shown(session, view, expense_id)

    run(context, work, as_json=as_json)


@app.command("list")
def list_(context: typer.Context, expense: Which, *, group: Group = None, as_json: Json = False) -> None:
    """What was said about an expense, oldest first.

    JSON: {"comments": [{id, text, createdBy, createdAt, …, pending}]}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        await _shown(session, view, (await session.expense(view, expense)).expense.id)

    run(context, work, as_json=as_json)


@app.command()
def delete(
    context: typer.Context,
    expense: Which,
    comment: Annotated[str, typer.Argument(help="Its text, how it begins, or its id or part of it.")],
    *,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Take a comment away: your own, or as an admin anybody's.

    JSON: {"comments": [{id, text, createdBy, createdAt, …, pending}]}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        expense_id = (await session.expense(view, expense)).expense.id
        entries = await session.client.comments(view.id, expense_id)
        comment_id = choose(comment, [Named(e.comment.id, e.comment.text) for e in entries], "comment")
        await session.deliver(await session.client.delete_comment(view.id, expense_id, comment_id))
        await _shown(session, view, expense_id)

    run(context, work, as_json=as_json)


async def _shown(session: Session, view: GroupView, expense_id: str) -> None:
    entries: list[CommentEntry] = await session.client.comments(view.id, expense_id)
    session.out.show(
        {"comments": [shapes.comment(view, entry) for entry in entries]}, tables.comments(view, entries)
    )
