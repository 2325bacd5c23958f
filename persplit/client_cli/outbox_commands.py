"""What waits for the server, what it refused, and sending it."""

from datetime import date
from typing import Annotated

import typer

from persplit.client import ExpenseDraft, Queued
from persplit.client_cli import shapes, tables
from persplit.client_cli.amounts import parse_amount
from persplit.client_cli.errors import UsageFault
from persplit.client_cli.running import Json, run
from persplit.client_cli.session import Session
from persplit.client_cli.splitting import Words, redrafted
from persplit.ledger.draft_codec import draft_from_json

Command = Annotated[str, typer.Argument(metavar="COMMAND", help="Its id or part of it.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (sync, pending, refused, resend, drop):
        app.command()(command)


def sync(context: typer.Context, *, as_json: Json = False) -> None:
    """Send what waits, and take in what is new (needs the server).

    JSON: {"waiting": number, "refused": number}
    """

    async def work(session: Session) -> None:
        session.online()
        report = await session.out.patiently("Syncing…", session.client.sync())
        said = f"In sync; {report.waiting} waiting, {report.refused} refused."
        session.out.show({"waiting": report.waiting, "refused": report.refused}, said)

    run(context, work, as_json=as_json)


def pending(context: typer.Context, *, as_json: Json = False) -> None:
    """What waits for the server, oldest first. Asks nobody.

    JSON: {"pending": [{commandId, groupId, type, fields, at, status, doubt, error}]}
    """

    async def work(session: Session) -> None:
        await _list(session, "pending", await session.client.pending())

    run(context, work, as_json=as_json)


def refused(context: typer.Context, *, as_json: Json = False) -> None:
    """What the server refused, with its reasons, until it is sent again or dropped. Asks nobody.

    JSON: {"refused": [{commandId, groupId, type, fields, at, status, doubt, error: {code, detail}}]}
    """

    async def work(session: Session) -> None:
        await _list(session, "refused", await session.client.refused())

    run(context, work, as_json=as_json)


async def _list(session: Session, name: str, found: list[Queued]) -> None:
    names = {group.id: group.name for group in await session.client.groups()}
    session.out.show({name: [shapes.command(it) for it in found]}, tables.commands(found, names))


def resend(
    context: typer.Context,
    command: Command,
    *,
    amount: Annotated[str | None, typer.Option(help="Another amount for the expense or the payment.")] = None,
    as_json: Json = False,
) -> None:
    """Send again what the server refused, with another amount if told.

    JSON: {"commandId": the new id, "pending"}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        queued = await session.command(command)
        draft, minor = (None, None) if amount is None else await _mended(session, queued, amount)
        written = await session.client.resend(queued.command_id, draft=draft, amount=minor)
        waits = await session.deliver(written)
        said = "Waiting." if waits else "Sent."
        session.out.show({"commandId": written.command_id, "pending": waits}, said)

    run(context, work, as_json=as_json)


async def _mended(session: Session, queued: Queued, amount: str) -> tuple[ExpenseDraft | None, int | None]:
    view = await session.view(queued.group_id)
    if queued.type == "settlement:create":
        return None, parse_amount(amount, view.currency)
    if queued.type not in ("expense:create", "expense:update"):
        raise UsageFault(f"{queued.type} has no amount")
    before = draft_from_json(queued.fields)
    words = Words(amount=amount)
    today = date.today()  # noqa: DTZ011 - the user's own day is meant
    return redrafted(before, words, lambda who: session.person(view, who), view.currency, today), None


def drop(context: typer.Context, command: Command, *, as_json: Json = False) -> None:
    """Give up what the server refused, or doesn't have yet. Asks nobody.

    JSON: {"dropped": command id}
    """

    async def work(session: Session) -> None:
        queued = await session.command(command)
        await session.client.drop(queued.command_id)
        session.out.show({"dropped": queued.command_id}, "Dropped.")

    run(context, work, as_json=as_json)
