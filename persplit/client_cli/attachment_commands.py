"""`persplit client attachment …`: pictures and documents of expenses."""

from pathlib import Path
from typing import Annotated, Final

import typer

from persplit.client_cli import shapes
from persplit.client_cli.errors import UsageFault
from persplit.client_cli.file_commands import write_file
from persplit.client_cli.names import Named, choose
from persplit.client_cli.output import table
from persplit.client_cli.running import Group, Json, run
from persplit.client_cli.session import Session
from persplit.ledger.attachment import ATTACHMENT_NAME_LENGTH_MAX, Attachment
from persplit.ledger.codec import attachment_to_json
from persplit.ledger.expense import Expense

app = typer.Typer(help="Pictures and documents of expenses.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="EXPENSE", help="Its description, or its id or part of it.")]
WhichFile = Annotated[
    str, typer.Argument(metavar="ATTACHMENT", help="Its name, or its id or how that begins.")
]
_SUFFIXES: Final = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "application/pdf": ".pdf",
}


@app.command()
def add(
    context: typer.Context,
    expense: Which,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A JPEG, PNG, WebP or PDF.")],
    *,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Attach a picture or a PDF to an expense.

    Of a picture the server keeps the pixels alone: where and when it was taken isn't in it any more.

    JSON: {"attachment": {id, type, bytes, width, height, name}}
    """

    async def work(session: Session) -> None:
        session.online()
        await session.refresh()
        view = await session.view(group)
        found = (await session.expense(view, expense, deleted=False)).expense
        body = read_bytes(file)
        name = file.name[:ATTACHMENT_NAME_LENGTH_MAX]
        sending = session.client.attach(view.id, found.id, body, name=name)
        id_ = await session.out.patiently("Sending the file…", sending)
        after = (await session.client.expense(view.id, found.id)).expense
        made = next(one for one in after.attachments if one.id == id_)
        session.out.show(
            {"attachment": attachment_to_json(made)}, f"{name} is attached to {found.description}."
        )

    run(context, work, as_json=as_json)


@app.command("list")
def list_(context: typer.Context, expense: Which, *, group: Group = None, as_json: Json = False) -> None:
    """What is attached to an expense.

    JSON: {"attachments": [{id, type, bytes, width, height, name}]}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        found = (await session.expense(view, expense)).expense.attachments
        rows = [[one.name or "", one.type, _size(one), f"{one.size:,}", one.id[:12]] for one in found]
        shown = table(["name", "type", "pixels", "bytes", "id"], rows, right=["bytes"])
        session.out.show(
            {"attachments": [attachment_to_json(one) for one in found]},
            shown if rows else "Nothing is attached to it.",
        )

    run(context, work, as_json=as_json)


@app.command()
def fetch(
    context: typer.Context,
    expense: Which,
    attachment: WhichFile,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; by its name unless told.")
    ] = None,
    thumbnail: Annotated[bool, typer.Option("--thumbnail", help="A small JPEG of it.")] = False,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Save what is attached to an expense as a file that isn't there yet.

    JSON: {"file": where it is, "bytes": how many}
    """

    async def work(session: Session) -> None:
        session.online()
        await session.refresh()
        view = await session.view(group)
        found = _attachment((await session.expense(view, expense)).expense, attachment)
        body = await session.client.fetch_attachment(view.id, found.id, thumbnail=thumbnail)
        target = output or Path(_file_name(found, thumbnail=thumbnail))
        write_file(target, body)
        session.out.show({"file": str(target), "bytes": len(body)}, f"It is in {target}.")

    run(context, work, as_json=as_json)


@app.command()
def remove(
    context: typer.Context,
    expense: Which,
    attachment: WhichFile,
    *,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Take a file off an expense. A day later the server forgets it.

    JSON: {"expense": {…, pending}}
    """

    async def work(session: Session) -> None:
        await session.refresh()
        view = await session.view(group)
        entry = await session.expense(view, expense, deleted=False)
        found = _attachment(entry.expense, attachment)
        await session.deliver(await session.client.detach(view.id, entry.expense.id, found.id))
        after = await session.client.expense(view.id, entry.expense.id)
        session.out.show({"expense": shapes.expense(after)}, f"Taken off {entry.expense.description}.")

    run(context, work, as_json=as_json)


def read_bytes(file: Path) -> bytes:
    """What is in the file. Raises `UsageFault`."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageFault(f"{file} can't be read: {error.strerror}", code="unreadable_file") from None


def _attachment(expense: Expense, named: str) -> Attachment:
    """The one that is named. Raises `UsageFault`."""
    known = [Named(one.id, one.name or one.id) for one in expense.attachments]
    id_ = choose(named, known, "attachment")
    return next(one for one in expense.attachments if one.id == id_)


def _size(attachment: Attachment) -> str:
    return "" if attachment.width is None else f"{attachment.width} x {attachment.height}"


def _file_name(attachment: Attachment, *, thumbnail: bool) -> str:
    """A name in this directory, whatever somebody else has called it."""
    stem = Path((attachment.name or "").replace("\\", "/")).stem.lstrip(".") or attachment.id[:12]
    safe = "".join(c if c.isalnum() or c in "-_ " else "-" for c in stem).strip() or attachment.id[:12]
    return safe + ("-small.jpg" if thumbnail else _SUFFIXES.get(attachment.type, ".bin"))
