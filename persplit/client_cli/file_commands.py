"""`persplit client import`, `undo-import` and `export`: files of other products in, a group's out."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from persplit.client import EXPORTS, ImportReport
from persplit.client_cli.errors import CliError, UsageFault
from persplit.client_cli.money import money, signed_money
from persplit.client_cli.output import table, text
from persplit.client_cli.running import Group, Json, run
from persplit.client_cli.session import Session
from persplit.client_cli.views import GroupView

File = Annotated[Path, typer.Argument(metavar="FILE", help="An export of another product, or of ours.")]
Meant = Annotated[
    list[str] | None,
    typer.Option(
        "--member", "-m", metavar="NAME=WHO", help="Who somebody of the file is in the group; `me` is you."
    ),
]
New = Annotated[
    list[str] | None,
    typer.Option(
        "--new", metavar="NAME", help="Somebody of the file who becomes a placeholder, whatever the names."
    ),
]
Skip = Annotated[list[int] | None, typer.Option("--skip", metavar="ROW", help="A row to leave out.")]
SkipRefused = Annotated[
    bool, typer.Option("--skip-refused", help="Leave out all rows that would be refused.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only look at what would happen.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("import")(import_)
    app.command()(imports)
    app.command()(undo_import)
    app.command()(export)


def import_(
    context: typer.Context,
    file: File,
    *,
    format_: Annotated[
        str, typer.Option("--format", help="Whose file it is; found out unless told.")
    ] = "auto",
    member: Meant = None,
    new: New = None,
    skip: Skip = None,
    skip_refused: SkipRefused = False,
    dry_run: DryRun = False,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Import a file of Splitwise, Spliit, Tricount, ihatemoney, Cospend or PerSplit into a group of yours.

    All of it, or nothing; the same file again changes nothing. Who isn't named is found by name, and becomes a
    placeholder who can be claimed on joining if nobody is.

    JSON: {"import": {group_id, import_id, format, is_dry_run, is_possible, is_replayed, seq, counts, people, rows,
    errors, differences, remarks, balances}}
    """

    async def work(session: Session) -> None:
        session.online()
        await session.refresh()
        view = await session.view(group)
        words = read_text(file)
        meant = {**who_is_meant(session, view, member or ()), **dict.fromkeys(new or ())}

        async def looked_at(left_out: Sequence[int], *, only: bool) -> ImportReport:
            importing = session.client.import_file(
                view.id, words, format=format_, members=meant, skip=left_out, dry_run=only
            )
            return await session.out.patiently("The server reads the file…", importing)

        left_out = list(skip or ())
        if skip_refused:
            left_out += (await looked_at(left_out, only=True)).refused_rows()
        report = await looked_at(left_out, only=dry_run)
        session.out.show({"import": asdict(report)}, *told(view, report))

    run(context, work, as_json=as_json)


def imports(context: typer.Context, *, group: Group = None, as_json: Json = False) -> None:
    """List what was imported into a group, newest first, with the ids to take them back by.

    JSON: {"imports": [{import_id, at, by, undone_at, undone_by}]}
    """

    async def work(session: Session) -> None:
        session.online()
        await session.refresh()
        view = await session.view(group)
        found = await session.client.imports(view.id)
        rows = [
            [
                it.import_id,
                it.at[:10],
                view.name(it.by),
                f"taken back {it.undone_at[:10]}" if it.undone_at else "",
            ]
            for it in found
        ]
        shown = table(["import", "when", "who", ""], rows) if found else "Nothing was imported into it."
        session.out.show({"imports": [asdict(it) for it in found]}, shown)

    run(context, work, as_json=as_json)


def undo_import(
    context: typer.Context, import_id: str, *, group: Group = None, as_json: Json = False
) -> None:
    """Take an import back as a whole; its id is in what `import` printed, and in `imports`.

    JSON: {"undone": whether there was anything left to take back}
    """

    async def work(session: Session) -> None:
        session.online()
        await session.refresh()
        view = await session.view(group)
        is_undone = await session.client.undo_import(view.id, import_id)
        session.out.show(
            {"undone": is_undone},
            "Taken back." if is_undone else "It was taken back before: nothing changed.",
        )

    run(context, work, as_json=as_json)


def export(
    context: typer.Context,
    *,
    kind: Annotated[str, typer.Option(help=f"One of {', '.join(EXPORTS)}.")] = "csv",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to; standard output unless told."),
    ] = None,
    bom: Annotated[
        bool, typer.Option("--bom", help="Begin a CSV so that spreadsheets see that it is UTF-8.")
    ] = False,
    group: Group = None,
    as_json: Json = False,
) -> None:
    """Export a group as a file.

    `csv` is a table of what counts, `json` all of it, which can be imported again, `pdf` a statement to print or send.

    JSON: {"file": where it is, "bytes": how many}; with `--json` it takes `--output`
    """

    async def work(session: Session) -> None:
        if kind not in EXPORTS:
            raise UsageFault(f"a group can't be exported as {kind!r}: use one of {', '.join(EXPORTS)}")
        if output is None and as_json:
            raise UsageFault("with --json, say with --output where the file goes")
        session.online()
        await session.refresh()
        view = await session.view(group)
        body = await session.client.export(view.id, kind, bom=bom)
        if output is None:
            sys.stdout.buffer.write(body)
            return
        write_file(output, body)
        session.out.show({"file": str(output), "bytes": len(body)}, f"{view.title} is in {output}.")

    run(context, work, as_json=as_json)


def read_text(file: Path) -> str:
    """The file's text. Raises `UsageFault` where it can't be read, or isn't UTF-8."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageFault(f"{file} can't be read: {error.strerror}", code="unreadable_file") from None
    except UnicodeDecodeError:
        raise UsageFault(f"{file} isn't text in UTF-8", code="unreadable_file") from None


def write_file(file: Path, body: bytes) -> None:
    """Write what isn't there yet. Raises `CliError`."""
    try:
        with file.open("xb") as opened:
            opened.write(body)
    except OSError as error:
        raise CliError(f"{file} can't be written: {error.strerror}", code="unwritable_file") from None


def who_is_meant(session: Session, view: GroupView, told_: Sequence[str]) -> dict[str, str | None]:
    """Name in the file → user id, of what was typed as NAME=WHO. Raises `UsageFault`."""
    meant: dict[str, str | None] = {}
    for words in told_:
        name, is_told, who = words.rpartition("=")
        if not is_told:
            raise UsageFault(f"{words!r} doesn't say who that is: write NAME=WHO")
        meant[name.strip()] = session.person(view, who)
    return meant


def told(view: GroupView, report: ImportReport) -> list[Any]:
    """What people see of an import."""
    names = {person["userId"]: person["name"] for person in report.people if person["userId"]}
    lines: list[Any] = [_people(view, report), _rows(view, report)]
    lines += [text(remark, "yellow") for remark in report.remarks]
    lines += [text(f"{error.path}: {error.message}", "red") for error in report.errors]
    lines.append(text("Balances after it:", "bold"))
    lines += [
        text(f"  {names.get(user_id) or view.name(user_id)}  {signed_money(amount, view.currency)}")
        for user_id, amount in report.balances.items()
    ]
    return [*lines, text(_last_word(report))]


def _last_word(report: ImportReport) -> str:
    if report.is_dry_run:
        return "Nothing was changed." if report.is_possible else "This can't be imported as it is."
    if report.is_replayed:
        return "All of it was here already: nothing was changed."
    return f"Imported. To take it back: persplit client undo-import {report.import_id}"


def _people(view: GroupView, report: ImportReport) -> Any:
    shown = {
        "new": "a new placeholder",
        "ambiguous": "could be several: say who with --member, or --new",
    }
    return table(
        ["in the file", "in the group"],
        [
            [person["name"], shown.get(person["match"]) or view.name(person["userId"])]
            for person in report.people
        ],
    )


def _rows(view: GroupView, report: ImportReport) -> Any:
    return table(
        ["row", "", "what", "amount", "", "remarks"],
        [
            [
                str(row["row"]),
                row["kind"] or "",
                row["description"] or "",
                "" if row["amount"] is None else money(row["amount"], row["currency"] or view.currency),
                row["status"],
                row["reason"] or "",
            ]
            for row in report.rows
        ],
        right=["row", "amount"],
    )
