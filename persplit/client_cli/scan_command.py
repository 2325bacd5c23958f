"""`persplit client scan`: a photo of a receipt in, an expense out, once somebody has looked at it and said yes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from persplit.client import ScannedReceipt
from persplit.client_cli import shapes
from persplit.client_cli.attachment_commands import read_bytes
from persplit.client_cli.money import money, signed_money
from persplit.client_cli.output import table, text
from persplit.client_cli.running import Group, Json, run
from persplit.client_cli.session import Session
from persplit.client_cli.views import GroupView
from persplit.ledger.attachment import ATTACHMENT_NAME_LENGTH_MAX

UNSURE_BELOW: Final = 0.8
"""What is read with less than that is marked, to be looked at."""


def scan(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A photo of a receipt: JPEG, PNG or WebP.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Book it without asking.")] = False,
    attach: Annotated[
        bool, typer.Option("--attach/--no-attach", help="Whether to attach the photo to the expense.")
    ] = True,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Read a receipt, show what it says, and book it as an expense of yours if you say yes.

    Every item is divided among all; change it afterwards with `expense edit`. What was hard to read is marked with a ?.

    JSON: {"receipt": as the server read it, "expense": {…, pending}, or null without --yes}
    """

    async def work(session: Session) -> None:
        session.online()
        await session.refresh()
        view = await session.view(group)
        picture = read_bytes(file)
        found = await session.out.patiently(
            "The server reads the receipt…", session.client.scan_receipt(view.id, picture)
        )
        if not as_json:
            session.out.show(None, *told(view, found))
        # With --json nobody is asked: a script has said --yes, or only wants to know.
        if not yes and (as_json or not typer.confirm("Book it?", default=False)):
            session.out.show({"receipt": found.answer, "expense": None}, "Nothing was booked.")
            return
        written = await session.client.create_expense(view.id, found.draft)
        await session.deliver(written)
        if attach:
            name = file.name[:ATTACHMENT_NAME_LENGTH_MAX]
            await session.client.attach(view.id, written.id, picture, name=name)
        entry = await session.client.expense(view.id, written.id)
        session.out.show(
            {"receipt": found.answer, "expense": shapes.expense(entry)},
            f"Booked: {found.draft.description}, {money(found.draft.amount, view.currency)}.",
        )

    run(context, work, as_json=as_json)


def told(view: GroupView, found: ScannedReceipt) -> list[Any]:
    """What people see of a receipt."""
    draft, sure = found.draft, found.confidences
    day = f"{draft.date}{_mark(sure['date'])}" if draft.date else "no date found: today"
    lines: list[Any] = [
        text(f"{draft.description}{_mark(sure['merchant'])}  {day}", "bold"),
        table(["item", "amount", ""], list(_rows(view, found)), right=["amount"]),
        text(f"Total {money(draft.amount, view.currency)}{_mark(sure['total'])}", "bold"),
    ]
    if found.difference:
        amount = signed_money(found.difference, view.currency)
        lines.append(text(f"It doesn't add up: {amount} is in none of the items.", "yellow"))
    return lines


def _rows(view: GroupView, found: ScannedReceipt) -> Iterator[list[str]]:
    for item in found.items:
        yield [item["name"], money(item["amount"], view.currency), _mark(item["confidence"])]
    for charge in found.charges:
        note = "in the prices" if charge["included"] else ""
        yield [
            charge["label"],
            signed_money(charge["amount"], view.currency),
            note or _mark(charge["confidence"]),
        ]


def _mark(confidence: float) -> str:
    return " ?" if confidence < UNSURE_BELOW else ""
